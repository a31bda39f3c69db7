/* SPDX-License-Identifier: ISC */
/* The memory of message texts: chains of 64-byte blocks. A message is the index of its
 * first block. */
#ifndef SMSP_POOL_H
#define SMSP_POOL_H

#include "table.h"
#include "smsp.h"

#define SMSP_BLOCK_SIZE 64u
#define SMSP_FIRST_TEXT 50u /* bytes of text in a message's first block */
#define SMSP_MORE_TEXT 60u  /* and in each further one */

typedef struct smsp_first_block {
    uint32_t more;   /* the next block of this text, or SMSP_NIL */
    uint32_t next;   /* the next message of its mailbox, or SMSP_NIL */
    uint32_t sender; /* account */
    uint16_t length; /* of the text, in bytes */
    uint8_t text[SMSP_FIRST_TEXT];
} smsp_first_block;

typedef struct smsp_more_block {
    uint32_t more; /* at the same offset as in the first block; links free blocks, too */
    uint8_t text[SMSP_MORE_TEXT];
} smsp_more_block;

typedef union smsp_block {
    smsp_first_block first;
    smsp_more_block further;
} smsp_block;

_Static_assert(sizeof(smsp_block) == SMSP_BLOCK_SIZE, "a block is one cache line");
_Static_assert(SMSP_CONTENT_MAX <= UINT16_MAX, "length has 16 bits");

typedef struct smsp_pool {
    smsp_block *blocks;
    uint32_t total;
    uint32_t fresh; /* blocks from here on have never been used */
    uint32_t free;  /* the first of the list of freed blocks, or SMSP_NIL */
    uint32_t used;
} smsp_pool;

/* Returns the number of blocks for a text of len bytes. */
uint32_t smsp_pool_blocks(size_t len);

/* Stores a text of 1 to SMSP_CONTENT_MAX bytes; returns SMSP_NIL if it does not fit. */
uint32_t smsp_pool_add(smsp_pool *pool, smsp_span text, uint32_t sender) SMSP_MUST_USE;

/* Frees a message's blocks. */
void smsp_pool_free(smsp_pool *pool, uint32_t message);

static inline smsp_first_block *smsp_pool_message(const smsp_pool *pool, uint32_t message)
{
    return &pool->blocks[message].first;
}

/* Calls write with the text of a message, in pieces; returns false if write did. */
bool smsp_pool_write(const smsp_pool *pool, uint32_t message, smsp_write write, void *context);

#endif
