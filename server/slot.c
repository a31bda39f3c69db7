/* SPDX-License-Identifier: ISC */
/* The hand-over of requests and replies between a worker and the keeper in shared memory. */
#define _GNU_SOURCE
#include "slot.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- Entries ---- */

/* A request's entry: verb (1 byte), bytes of the name (1), bytes of the content (2), the
 * tokens, the name, the content. The parts of the command say which of them it has; the
 * cookie of REGISTER and LOGIN is the candidate. */
enum { COOKIE = 1, PASSWORD = 2, NAME = 4, CONTENT = 8 };
enum {
    OF_NAME_PASSWORD = NAME | PASSWORD | COOKIE,
    OF_NAME_COOKIE = NAME | COOKIE,
    OF_CONTENT_COOKIE = CONTENT | COOKIE,
    OF_COOKIE = COOKIE,
    OF_NONE = 0
};
static const uint8_t parts_of[] = {
#define PARTS_OF(verb, name, parts, success, unknown_cookie) [SMSP_##verb] = OF_##parts,
    SMSP_COMMANDS(PARTS_OF)
#undef PARTS_OF
    [SMSP_SALT] = NAME,
};

static size_t tokens_size(unsigned parts)
{
    return (parts & COOKIE ? SMSP_TOKEN_LEN : 0u) + (parts & PASSWORD ? SMSP_TOKEN_LEN : 0u);
}

static void put_span(uint8_t **at, smsp_span span)
{
    if (span.len > 0)
        memcpy(*at, span.at, span.len);
    *at += span.len;
}

slot_error slot_put_request(uint8_t *at, size_t size, const smsp_tokenized *tokenized, size_t *len)
{
    if ((unsigned)tokenized->verb >= sizeof parts_of)
        return SLOT_BAD;
    unsigned parts = parts_of[tokenized->verb];
    smsp_span name = parts & NAME ? tokenized->username : (smsp_span){NULL, 0};
    smsp_span content = parts & CONTENT ? tokenized->content : (smsp_span){NULL, 0};
    if (name.len > SMSP_NAME_MAX || content.len > SMSP_CONTENT_MAX)
        return SLOT_BAD;
    size_t need = 4 + tokens_size(parts) + name.len + content.len;
    if (need > size)
        return SLOT_NO_ROOM;

    uint16_t content_len = (uint16_t)content.len;
    at[0] = (uint8_t)tokenized->verb;
    at[1] = (uint8_t)name.len;
    memcpy(at + 2, &content_len, 2);
    at += 4;
    if (parts & COOKIE)
        put_span(&at, (smsp_span){tokenized->cookie.bytes, SMSP_TOKEN_LEN});
    if (parts & PASSWORD)
        put_span(&at, (smsp_span){tokenized->password.bytes, SMSP_TOKEN_LEN});
    put_span(&at, name);
    put_span(&at, content);
    *len = need;
    return SLOT_OK;
}

/* Are these parts those of a tokenized request? REGISTER, LOGIN and SALT always
 * name somebody, the others may name nobody (REQ-5). */
static bool parts_ok(smsp_verb verb, smsp_span name, smsp_span content)
{
    unsigned parts = parts_of[verb];
    bool nobody = name.len == 0 && (parts == (COOKIE | NAME) || !(parts & NAME));

    if (!nobody && !(parts & NAME && smsp_name_ok(name.at, name.len)))
        return false;
    if (content.len > 0 && !(parts & CONTENT))
        return false;
    return content.len <= SMSP_CONTENT_MAX && smsp_text_ok(content.at, content.len);
}

slot_error slot_get_request(const uint8_t *at, size_t size, smsp_tokenized *tokenized, size_t *len)
{
    uint16_t content_len;

    if (size < 4 || at[0] >= sizeof parts_of)
        return SLOT_BAD;
    memcpy(&content_len, at + 2, 2);
    smsp_verb verb = (smsp_verb)at[0];
    size_t tokens = tokens_size(parts_of[verb]);
    size_t need = 4 + tokens + at[1] + content_len;
    if (need > size)
        return SLOT_BAD;
    smsp_span name = {at + 4 + tokens, at[1]};
    smsp_span content = {name.at + name.len, content_len};
    if (!parts_ok(verb, name, content))
        return SLOT_BAD;

    tokenized->verb = verb;
    tokenized->username = name;
    tokenized->content = content;
    if (parts_of[verb] & COOKIE)
        memcpy(tokenized->cookie.bytes, at + 4, SMSP_TOKEN_LEN);
    if (parts_of[verb] & PASSWORD)
        memcpy(tokenized->password.bytes, at + 4 + SMSP_TOKEN_LEN, SMSP_TOKEN_LEN);
    *len = need;
    return SLOT_OK;
}

/* A reply's entry: code (1 byte), nothing (1), bytes of the text (2), count (4),
 * then the text, or of SALT the salt and its cost (4). */
slot_error slot_put_reply(uint8_t *at, size_t size, const smsp_result *result, smsp_span text, size_t *len)
{
    bool salt = result->code == SMSP_REPLY_SALT;
    uint16_t text_len = result->code == SMSP_REPLY_TEXT ? (uint16_t)text.len : 0;
    uint32_t count = result->code == SMSP_REPLY_COUNTED ? result->count : 0;
    size_t need = SLOT_TEXT_AT + text_len + (salt ? SMSP_SALT_LEN + 4u : 0u);

    if ((unsigned)result->code > SMSP_REPLY_AGAIN || text.len > SMSP_CONTENT_MAX)
        return SLOT_BAD;
    if (need > size)
        return SLOT_NO_ROOM;
    at[0] = (uint8_t)result->code;
    at[1] = 0;
    memcpy(at + 2, &text_len, 2);
    memcpy(at + 4, &count, 4);
    at += SLOT_TEXT_AT;
    if (text_len > 0 && text.at != at)
        memcpy(at, text.at, text_len);
    if (salt) {
        memcpy(at, result->salt.bytes, SMSP_SALT_LEN);
        memcpy(at + SMSP_SALT_LEN, &result->salt.cost, 4);
    }
    *len = need;
    return SLOT_OK;
}

slot_error slot_get_reply(const uint8_t *at, size_t size, smsp_result *result, smsp_span *text, size_t *len)
{
    uint16_t text_len;

    if (size < SLOT_TEXT_AT || at[0] > SMSP_REPLY_AGAIN)
        return SLOT_BAD;
    memcpy(&text_len, at + 2, 2);
    bool salt = at[0] == SMSP_REPLY_SALT;
    size_t need = SLOT_TEXT_AT + text_len + (salt ? SMSP_SALT_LEN + 4u : 0u);
    if (need > size || text_len > SMSP_CONTENT_MAX || (text_len > 0 && at[0] != SMSP_REPLY_TEXT))
        return SLOT_BAD;
    result->code = (smsp_reply_code)at[0];
    memcpy(&result->count, at + 4, 4);
    *text = (smsp_span){at + SLOT_TEXT_AT, text_len};
    if (salt) {
        memcpy(result->salt.bytes, text->at, SMSP_SALT_LEN);
        memcpy(&result->salt.cost, text->at + SMSP_SALT_LEN, 4);
    }
    *len = need;
    return SLOT_OK;
}

/* ---- Mapping ---- */

static size_t whole_pages(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (bytes + page - 1) / page * page;
}

bool slots_map(slots *all, uint32_t count)
{
    size_t status_size = whole_pages(sizeof(server_status));
    size_t stride = whole_pages(sizeof(slot));
    size_t size = status_size + count * stride;
    int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (wake < 0)
        return false;
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) {
        (void)close(wake);
        return false;
    }
    *all = (slots){.status = at,
                   .first = (uint8_t *)at + status_size,
                   .status_size = status_size,
                   .stride = stride,
                   .count = count,
                   .wake = wake};
    return true;
}

slot *slots_at(const slots *all, uint32_t i)
{
    return (slot *)(void *)(all->first + i * all->stride);
}

bool slots_keep_only(const slots *all, uint32_t i)
{
    uint8_t *mine = all->first + i * all->stride;
    size_t after = (all->count - i - 1) * all->stride;

    if (i > 0 && munmap(all->first, i * all->stride) != 0)
        return false;
    if (after > 0 && munmap(mine + all->stride, after) != 0)
        return false;
    return mprotect(all->status, all->status_size, PROT_READ) == 0;
}

/* What nearly every client uses, the first page of each direction, is overwritten and stays:
 * to give it back takes it out of the keeper's page table, and the next client needs another
 * (ci/bench/LOG.md). The rest is given back, or overwritten too if this system cannot do that. */
void slots_wipe(const slots *all, uint32_t i)
{
    uint8_t *area = (uint8_t *)slots_at(all, i);
    size_t page = whole_pages(1);

    for (unsigned way = 0; way < 2; way++, area += SLOT_AREA) {
        memset(area, 0, page);
        if (madvise(area + page, SLOT_AREA - page, MADV_REMOVE) != 0)
            memset(area + page, 0, SLOT_AREA - page);
    }
}

/* ---- Hand-over ---- */

/* To yield once or twice is cheaper than to sleep and be woken: the keeper runs
 * meanwhile, and mostly the slot is back then (ci/bench/LOG.md). */
#define YIELDS 2u

static bool back_soon(slot *mine)
{
    for (unsigned i = 0; i < YIELDS; i++) {
        (void)sched_yield();
        if (atomic_load_explicit(&mine->owner, memory_order_acquire) == SLOT_WORKER)
            return true;
    }
    return false;
}

void slot_exchange(slot *mine, const server_status *status, int wake, uint32_t count, uint32_t len)
{
    static const uint64_t one = 1;
    uint32_t keeper = SLOT_KEEPER;

    atomic_store_explicit(&mine->request_count, count, memory_order_relaxed);
    atomic_store_explicit(&mine->request_len, len, memory_order_relaxed);
    /* In one order with the keeper's "I sleep" and its last look at the slots
     * (both seq_cst): either it sees this slot, or we see that it sleeps. */
    atomic_store(&mine->owner, SLOT_KEEPER);
    if (atomic_load(&status->keeper_sleeps) && write(wake, &one, sizeof one) < 0)
        (void)0; /* EAGAIN: the counter is full, so the keeper wakes all the same */
    if (back_soon(mine) || !atomic_compare_exchange_strong(&mine->owner, &keeper, SLOT_KEEPER_AWAITED))
        return; /* it is back already */
    while (atomic_load_explicit(&mine->owner, memory_order_acquire) == SLOT_KEEPER_AWAITED)
        (void)syscall(SYS_futex, &mine->owner, FUTEX_WAIT, SLOT_KEEPER_AWAITED, NULL, NULL, 0);
}

slot_error slot_copy_in(slot *theirs, uint8_t *copy, uint32_t *count, uint32_t *len)
{
    /* Read once: a hostile worker may change them under our eyes. */
    *count = atomic_load_explicit(&theirs->request_count, memory_order_relaxed);
    *len = atomic_load_explicit(&theirs->request_len, memory_order_relaxed);
    if (*count == 0 || *count > SLOT_RUN_MAX || *len > SLOT_BYTES)
        return SLOT_BAD;
    memcpy(copy, theirs->requests, *len);
    return SLOT_OK;
}

bool slot_is_handed_over(slot *theirs)
{
    return atomic_load(&theirs->owner) != SLOT_WORKER;
}

void slot_hand_back(slot *theirs, uint32_t consumed, uint32_t reply_len)
{
    theirs->consumed = consumed;
    theirs->reply_len = reply_len;
    /* A worker that does not sleep yet sees the word and will not. */
    if (atomic_exchange(&theirs->owner, SLOT_WORKER) == SLOT_KEEPER_AWAITED)
        (void)syscall(SYS_futex, &theirs->owner, FUTEX_WAKE, 1, NULL, NULL, 0);
}
