/* SPDX-License-Identifier: ISC */
/* The layout of a state in the caller's memory, and lookups in it. */
#include "state.h"
#include "bytes.h"
#include "siphash.h"

/* ---- Layout: the offsets of the tables in the caller's memory ---- */

#define ALIGN 64u /* a cache line; more than any type needs */

typedef struct {
    size_t accounts, name_heads, name_next, cookie_heads, cookie_next, blocks, imq, journal;
    size_t gaps[SMSP_GAPS];
    uint64_t size;
} layout;

/* Reserves count records of `each` bytes and a gap behind them; returns their offset, which is
 * valid only if the total size fits into size_t. 64 bits are enough for 2^32 of each. */
static size_t place(layout *l, size_t gap, uint64_t count, uint64_t each)
{
    uint64_t at = l->size;

    l->gaps[gap] = (size_t)(at + count * each);
    l->size = (at + count * each + SMSP_GAP + ALIGN - 1) / ALIGN * ALIGN;
    return (size_t)at;
}

/* Returns the smallest power of two that is at least n; n is at most 2^31. */
static uint32_t power_of_two(uint32_t n)
{
    uint32_t power = 1;

    while (power < n)
        power *= 2;
    return power;
}

static uint32_t imq_limit(const smsp_limits *limits)
{
    return limits->imq > 0 ? limits->imq : limits->messages;
}

static bool lay_out(const smsp_limits *limits, layout *l)
{
    if (limits->accounts == 0 || limits->messages == 0 || limits->mailbox == 0 || limits->journal == 0)
        return false;
    if (limits->accounts > UINT32_C(1) << 31 || limits->text < SMSP_BLOCK_SIZE ||
        limits->text / SMSP_BLOCK_SIZE >= SMSP_NIL)
        return false;
    uint32_t buckets = power_of_two(limits->accounts);
    *l = (layout){.size = 0};
    (void)place(l, 0, 1, sizeof(smsp_state));
    l->accounts = place(l, 1, limits->accounts, sizeof(smsp_account));
    l->name_heads = place(l, 2, buckets, sizeof(uint32_t));
    l->name_next = place(l, 3, limits->accounts, sizeof(uint32_t));
    l->cookie_heads = place(l, 4, buckets, sizeof(uint32_t));
    l->cookie_next = place(l, 5, limits->accounts, sizeof(uint32_t));
    l->blocks = place(l, 6, limits->text / SMSP_BLOCK_SIZE, SMSP_BLOCK_SIZE);
    l->imq = place(l, 7, imq_limit(limits), sizeof(uint32_t));
    l->journal = place(l, 8, limits->journal, sizeof(smsp_undo));
#if SIZE_MAX < UINT64_MAX /* no limits exceed 64 bits */
    if (l->size > SIZE_MAX)
        return false;
#endif
    return true;
}

bool smsp_state_gaps(const smsp_limits *limits, size_t gaps[SMSP_GAPS])
{
    layout l;

    if (!lay_out(limits, &l))
        return false;
    for (size_t i = 0; i < SMSP_GAPS; i++)
        gaps[i] = l.gaps[i];
    return true;
}

size_t smsp_state_size(const smsp_limits *limits)
{
    layout l;

    return lay_out(limits, &l) ? (size_t)l.size : 0;
}

smsp_limits smsp_limits_default(void)
{
    return (smsp_limits){
        .accounts = 100000,
        .messages = 1000000,
        .text = UINT64_C(256) << 20,
        .mailbox = 100000,
        .journal = 16384,
    };
}

static void mark_gaps(uint8_t *base, const layout *l)
{
    for (size_t i = 0; i < SMSP_GAPS; i++)
        for (size_t k = 0; k < SMSP_GAP; k++)
            base[l->gaps[i] + k] = SMSP_GAP_BYTE;
}

smsp_error smsp_state_init(void *memory, size_t size, const smsp_config *config, smsp_state **out)
{
    uint8_t *base = memory;
    smsp_state *state = memory;
    layout l;

    if (!lay_out(&config->limits, &l))
        return SMSP_BAD_LIMITS;
    if (memory == NULL || size < l.size || (uintptr_t)memory % _Alignof(max_align_t) != 0)
        return SMSP_NO_ROOM;
    uint32_t mask = power_of_two(config->limits.accounts) - 1;
    *state = (smsp_state){
        .config = *config,
        .accounts = (smsp_account *)(void *)(base + l.accounts),
        .by_name = {(uint32_t *)(void *)(base + l.name_heads), (uint32_t *)(void *)(base + l.name_next), mask},
        .by_cookie = {(uint32_t *)(void *)(base + l.cookie_heads), (uint32_t *)(void *)(base + l.cookie_next), mask},
        .pool = {.blocks = (smsp_block *)(void *)(base + l.blocks),
                 .total = (uint32_t)(config->limits.text / SMSP_BLOCK_SIZE),
                 .free = SMSP_NIL},
        .imq = (uint32_t *)(void *)(base + l.imq),
        .journal = (smsp_undo *)(void *)(base + l.journal),
    };
    smsp_limits *limits = &state->config.limits;
    limits->imq = imq_limit(limits);
    limits->share = limits->share > 0 ? limits->share : limits->imq / 4 + (limits->imq % 4 > 0);
    smsp_table_clear(&state->by_name);
    smsp_table_clear(&state->by_cookie);
    mark_gaps(base, &l);
    *out = state;
    return SMSP_OK;
}

void smsp_state_read_only(smsp_state *state, bool read_only)
{
    state->read_only = read_only;
}

/* ---- Lookups ---- */

uint64_t smsp_state_hash(const smsp_state *state, const uint8_t *at, size_t len)
{
    return smsp_siphash(state->config.hash_key, at, len);
}

uint32_t smsp_state_user(const smsp_state *state, smsp_span name)
{
    if (name.len == 0) /* an unknown user, REQ-5 */
        return SMSP_NIL;
    uint32_t user = smsp_table_first(&state->by_name, smsp_state_hash(state, name.at, name.len));
    while (user != SMSP_NIL) {
        const smsp_account *account = &state->accounts[user];
        if (smsp_same(account->name, account->name_len, name.at, name.len))
            return user;
        user = state->by_name.next[user];
    }
    return SMSP_NIL;
}

uint32_t smsp_state_session(const smsp_state *state, const smsp_token *cookie)
{
    uint32_t user = smsp_table_first(&state->by_cookie, smsp_state_hash(state, cookie->bytes, SMSP_TOKEN_LEN));

    while (user != SMSP_NIL && !smsp_same_token(&state->accounts[user].cookie, cookie))
        user = state->by_cookie.next[user];
    return user;
}

smsp_salt smsp_state_salt(const smsp_state *state, smsp_span name)
{
    uint32_t user = smsp_state_user(state, name);
    uint8_t input[1 + SMSP_NAME_MAX];
    smsp_writer w = {input, sizeof input, 0, false};
    smsp_salt salt = {.cost = state->config.cost};

    if (user != SMSP_NIL)
        return state->accounts[user].salt;
    smsp_put_byte(&w, 0);
    smsp_put_span(&w, name);
    for (size_t half = 0; half < SMSP_SALT_LEN; half += 8) {
        input[0] = (uint8_t)half;
        uint64_t hash = smsp_siphash(state->config.salt_key, input, w.len);
        for (size_t i = 0; i < 8; i++)
            salt.bytes[half + i] = (uint8_t)(hash >> (8 * i));
    }
    return salt;
}

smsp_counts smsp_state_counts(const smsp_state *state)
{
    return (smsp_counts){
        .accounts = state->account_count,
        .sessions = state->session_count,
        .messages = state->message_count,
        .imq = state->imq_count,
        .blocks = state->pool.used,
    };
}

static bool collect(void *writer, const uint8_t *at, size_t len)
{
    smsp_put(writer, at, len);
    return true;
}

smsp_error smsp_message_read(const smsp_state *state, uint32_t message, uint8_t *out, size_t size, size_t *len)
{
    smsp_writer w = {out, size, 0, false};

    (void)smsp_pool_write(&state->pool, message, collect, &w);
    if (w.full)
        return SMSP_NO_ROOM;
    *len = w.len;
    return SMSP_OK;
}
