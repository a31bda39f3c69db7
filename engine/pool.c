/* SPDX-License-Identifier: ISC */
/* The memory of message texts: chains of blocks of 64 bytes. */
#include "pool.h"
#include "bytes.h"

uint32_t smsp_pool_blocks(size_t len)
{
    if (len <= SMSP_FIRST_TEXT)
        return 1;
    return 1 + (uint32_t)((len - SMSP_FIRST_TEXT + SMSP_MORE_TEXT - 1) / SMSP_MORE_TEXT);
}

/* The caller has checked that a block is left. */
static uint32_t take_block(smsp_pool *pool)
{
    uint32_t block = pool->free;

    if (block == SMSP_NIL)
        block = pool->fresh++;
    else
        pool->free = pool->blocks[block].further.more;
    pool->used++;
    return block;
}

static size_t at_most(size_t len, size_t most)
{
    return len < most ? len : most;
}

uint32_t smsp_pool_add(smsp_pool *pool, smsp_span text, uint32_t sender)
{
    if (smsp_pool_blocks(text.len) > pool->total - pool->used)
        return SMSP_NIL;

    uint32_t message = take_block(pool);
    smsp_first_block *first = &pool->blocks[message].first;
    uint32_t *link = &first->more;
    smsp_writer w = {first->text, at_most(text.len, SMSP_FIRST_TEXT), 0, false};
    first->next = SMSP_NIL;
    first->sender = sender;
    first->length = (uint16_t)text.len;
    smsp_put(&w, text.at, w.size);
    for (size_t done = w.size; done < text.len; done += w.size) {
        uint32_t block = take_block(pool);
        smsp_more_block *further = &pool->blocks[block].further;
        w = (smsp_writer){further->text, at_most(text.len - done, SMSP_MORE_TEXT), 0, false};
        smsp_put(&w, text.at + done, w.size);
        *link = block;
        link = &further->more;
    }
    *link = SMSP_NIL;
    return message;
}

void smsp_pool_free(smsp_pool *pool, uint32_t message)
{
    uint32_t block = message;

    while (block != SMSP_NIL) {
        uint32_t more = pool->blocks[block].further.more;
        pool->blocks[block].further.more = pool->free;
        pool->free = block;
        pool->used--;
        block = more;
    }
}

bool smsp_pool_write(const smsp_pool *pool, uint32_t message, smsp_write write, void *context)
{
    const smsp_first_block *first = smsp_pool_message(pool, message);
    size_t left = first->length;
    size_t piece = at_most(left, SMSP_FIRST_TEXT);
    bool go_on = write(context, first->text, piece);

    left -= piece;
    for (uint32_t block = first->more; go_on && left > 0; block = pool->blocks[block].further.more) {
        piece = at_most(left, SMSP_MORE_TEXT);
        go_on = write(context, pool->blocks[block].further.text, piece);
        left -= piece;
    }
    return go_on;
}
