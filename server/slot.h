/* SPDX-License-Identifier: ISC */
/* A slot: memory that one worker shares with the keeper, 64 KiB for requests and 64 KiB for
 * replies. A request or a reply in a slot is called an entry.
 *
 * It has one owner at a time; only the owner touches it. The worker writes a run of requests
 * and hands the slot over. The keeper copies the run once, executes it, writes the replies
 * and hands the slot back. The keeper trusts nothing that a worker wrote.
 */
#ifndef SLOT_H
#define SLOT_H

#include <stdatomic.h>

#include "smsp.h"
#include "yield.h"

#define LOGIN_COSTS  5u   /* that accounts may have in one database */
#define SLOT_RUN_MAX 256u /* requests in a run */
#define SLOT_AREA    65536u /* 15 of the longest messages (ci/bench/LOG.md) */
#define SLOT_HEAD    64u /* a cache line: counts and lengths */
#define SLOT_BYTES   (SLOT_AREA - SLOT_HEAD)

/* The longest entries. A request has 4 bytes, at most two tokens, a name and a content; a
 * reply has 8 bytes and a text or a salt. */
#define SLOT_REQUEST_MAX (4u + 2u * SMSP_TOKEN_LEN + SMSP_NAME_MAX + SMSP_CONTENT_MAX)
#define SLOT_TEXT_AT     8u                                  /* where a reply's text begins */
#define SLOT_REPLY_SMALL (SLOT_TEXT_AT + SMSP_SALT_LEN + 4u) /* any reply except a text */
#define SLOT_REPLY_MAX   (SLOT_REPLY_SMALL + SMSP_CONTENT_MAX)

_Static_assert(SMSP_NAME_MAX <= UINT8_MAX && SMSP_CONTENT_MAX <= UINT16_MAX, "lengths fit their fields");
_Static_assert(2u * SLOT_REQUEST_MAX <= SLOT_BYTES && SLOT_REPLY_SMALL + SLOT_REPLY_MAX <= SLOT_BYTES, "a pair fits");

/* ---- Entries: pure functions over private memory ---- */

typedef enum slot_error {
    SLOT_OK = 0,
    SLOT_NO_ROOM, /* it does not fit */
    SLOT_BAD      /* not an entry: its writer breaks the rules */
} slot_error;

/* Writes a tokenized request to at, size bytes long, and its length to *len.
 * SLOT_NO_ROOM; SLOT_BAD: a part is longer than an entry can hold. */
slot_error slot_put_request(uint8_t *at, size_t size, const smsp_tokenized *tokenized, size_t *len) SMSP_MUST_USE;

/* Reads the entry at the front of size bytes that may be hostile; *len gets its
 * length. Verb, lengths and byte classes are those of a tokenized request, and
 * *tokenized points into at. SLOT_BAD: not a request. An empty content is valid here:
 * smsp_execute answers KO, but only after it has checked the cookie (REQ-6). */
slot_error slot_get_request(const uint8_t *at, size_t size, smsp_tokenized *tokenized, size_t *len) SMSP_MUST_USE;

/* Writes a reply; text is that of SMSP_REPLY_TEXT, otherwise not used. It may
 * be at at + SLOT_TEXT_AT already. Errors as above. */
slot_error slot_put_reply(uint8_t *at, size_t size, const smsp_result *result, smsp_span text,
                          size_t *len) SMSP_MUST_USE;

/* Reads a reply: code, count and salt of *result; *text points into at.
 * SLOT_BAD as above. */
slot_error slot_get_reply(const uint8_t *at, size_t size, smsp_result *result, smsp_span *text,
                          size_t *len) SMSP_MUST_USE;

/* ---- The slots, mapped before the first fork ---- */

enum slot_owner {
    SLOT_WORKER = 0, /* the owner of a wiped slot */
    SLOT_KEEPER,
    SLOT_KEEPER_AWAITED /* the keeper's, and the worker sleeps until it is back */
};

typedef struct slot {
    _Atomic uint32_t owner; /* enum slot_owner; also the futex on which the worker sleeps */
    _Atomic uint32_t request_count;
    _Atomic uint32_t request_len;
    uint8_t request_pad[SLOT_HEAD - 12];
    uint8_t requests[SLOT_BYTES];
    uint32_t consumed; /* of the requests; each has one reply */
    uint32_t reply_len;
    uint8_t reply_pad[SLOT_HEAD - 8];
    uint8_t replies[SLOT_BYTES];
} slot;
_Static_assert(sizeof(slot) == 2 * SLOT_AREA, "no padding");

/* Written by the supervisor and the keeper; workers can only read it. */
typedef struct server_status {
    _Atomic uint32_t keeper_sleeps; /* then whoever hands over must write to the eventfd */
    _Atomic uint32_t used;          /* every slot in use has a smaller number */
    _Atomic uint32_t costs[LOGIN_COSTS]; /* of passwords: each LOGIN pays all of them (LGI-5); 0: none */
} server_status;

typedef struct slots {
    server_status *status;
    _Atomic uint64_t *hints; /* one bit for each slot: it was handed over */
    _Atomic uint64_t *origins; /* a hash of each client's address; workers do not have it */
    uint8_t *first;
    size_t status_size;
    size_t stride; /* bytes from one slot to the next */
    uint32_t count;
    int wake; /* an eventfd: workers write it, the keeper polls it */
} slots;

/* Maps count slots and makes the eventfd. False, with errno: it could not. */
bool slots_map(slots *all, uint32_t count) SMSP_MUST_USE;

/* Slot number i. */
slot *slots_at(const slots *all, uint32_t i);

/* In a worker: unmaps all slots but number i, and makes the status read-only. */
bool slots_keep_only(const slots *all, uint32_t i) SMSP_MUST_USE;

/* Zeroes slot i and gives its pages back to the kernel, except two that the next client will use.
 * Neither a worker nor the keeper may still use it. */
void slots_wipe(const slots *all, uint32_t i);

/* The hints are a table of bits that all workers can write, so that the keeper need not look at
 * slots that are idle. They are hints only: a hostile worker can set or clear any of them.
 *
 * Keeper: finds the first set hint among from to end-1, clears it and returns its number; end
 * if none is set. */
uint32_t slots_take_hint(const slots *all, uint32_t from, uint32_t end);

/* Keeper: sets a hint, to look at that slot again. */
void slots_set_hint(const slots *all, uint32_t i);

/* Keeper: true if a hint below end is set. */
bool slots_any_hint(const slots *all, uint32_t end);

/* What a worker needs to hand over its slot: its end of the connection to the keeper. */
typedef struct slot_end {
    slot *slot;
    const server_status *status;
    _Atomic uint64_t *hint_word;
    uint64_t hint_bit;
    int wake;
    yielder yields;
} slot_end;

/* wake: the eventfd of slots, as the worker has it. */
slot_end slots_end_of(const slots *all, uint32_t i, int wake);

/* Worker: hands over count requests of len bytes in all, and sleeps until the keeper has handed
 * the slot back. */
void slot_exchange(slot_end *mine, uint32_t count, uint32_t len);

/* Keeper: copies the requests to copy, SLOT_BYTES long, and their count and
 * length. SLOT_BAD: the worker breaks the rules. */
slot_error slot_copy_in(slot *theirs, uint8_t *copy, uint32_t *count, uint32_t *len) SMSP_MUST_USE;

/* Keeper: true if the slot is handed over. */
bool slot_is_handed_over(slot *theirs);

/* Keeper: hands the slot back with its replies. */
void slot_hand_back(slot *theirs, uint32_t consumed, uint32_t reply_len);

#endif
