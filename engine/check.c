/* SPDX-License-Identifier: ISC */
/* smsp_state_check: every invariant of a state, on any contents of its memory. */
#include "bytes.h"
#include "state.h"

/* Each check returns true if its part of the state is valid, and relies on the checks before
 * it. Each follows at most as many links as there can be, so that it ends on any contents. */

static bool gaps_whole(const smsp_state *state)
{
    const uint8_t *base = (const uint8_t *)state;
    size_t gaps[SMSP_GAPS];

    if (!smsp_state_gaps(&state->config.limits, gaps))
        return false;
    for (size_t i = 0; i < SMSP_GAPS; i++)
        for (size_t k = 0; k < SMSP_GAP; k++)
            if (base[gaps[i] + k] != SMSP_GAP_BYTE)
                return false;
    return true;
}

static bool within_limits(const smsp_state *state)
{
    const smsp_limits *limits = &state->config.limits;
    const smsp_pool *pool = &state->pool;

    return state->account_count <= limits->accounts && state->session_count <= state->account_count &&
           state->message_count <= limits->messages && state->imq_count <= limits->imq &&
           state->journal_count <= limits->journal && state->deleted_count <= state->journal_count &&
           pool->used <= pool->fresh && pool->fresh <= pool->total &&
           pool->total == limits->text / SMSP_BLOCK_SIZE;
}

/* Every chain of the table ends, and together they hold count records. */
static bool table_holds(const smsp_table *table, uint32_t accounts, uint32_t count)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i <= table->mask; i++) {
        for (uint32_t user = table->heads[i]; user != SMSP_NIL; user = table->next[user]) {
            if (user >= accounts || found == count)
                return false;
            found++;
        }
    }
    return found == count;
}

static bool accounts_found(const smsp_state *state)
{
    uint32_t sessions = 0;

    for (uint32_t user = 0; user < state->account_count; user++) {
        const smsp_account *account = &state->accounts[user];
        if (!smsp_name_ok(account->name, account->name_len) ||
            smsp_state_user(state, smsp_account_name(account)) != user)
            return false;
        if (!account->has_session)
            continue;
        if (smsp_state_session(state, &account->cookie) != user)
            return false;
        sessions++;
    }
    return sessions == state->session_count;
}

/* The chain of a message is as long as its text needs, and the text is valid. */
static bool message_sound(const smsp_state *state, uint32_t message, uint32_t *blocks)
{
    const smsp_pool *pool = &state->pool;
    uint8_t text[SMSP_CONTENT_MAX];
    size_t len = 0;
    uint32_t found = 0;

    if (message >= pool->fresh)
        return false;
    const smsp_first_block *first = smsp_pool_message(pool, message);
    if (first->length == 0 || first->sender >= state->account_count)
        return false;
    uint32_t needed = smsp_pool_blocks(first->length);
    for (uint32_t block = message; block != SMSP_NIL; block = pool->blocks[block].further.more) {
        if (block >= pool->fresh || found == needed)
            return false;
        found++;
    }
    *blocks += found;
    return found == needed && smsp_message_read(state, message, text, sizeof text, &len) == SMSP_OK &&
           smsp_text_ok(text, len);
}

static bool mailbox_sound(const smsp_state *state, const smsp_account *account, uint32_t *blocks)
{
    uint32_t message = account->first;
    uint32_t last = SMSP_NIL;

    if (account->count > state->config.limits.mailbox || account->count > state->message_count)
        return false;
    for (uint32_t i = 0; i < account->count; i++) {
        if (!message_sound(state, message, blocks))
            return false;
        last = message;
        message = smsp_pool_message(&state->pool, message)->next;
    }
    return message == SMSP_NIL && account->last == last;
}

/* Each used block is in the IMQ, in a mailbox, or deleted in this batch, and only once. */
static bool messages_sound(const smsp_state *state)
{
    uint32_t blocks = 0;
    uint32_t deleted = 0;
    uint64_t messages = state->imq_count;
    uint64_t on_imq = 0;

    for (uint32_t user = 0; user < state->account_count; user++) {
        if (!mailbox_sound(state, &state->accounts[user], &blocks))
            return false;
        messages += state->accounts[user].count;
        on_imq += state->accounts[user].on_imq;
    }
    for (uint32_t i = 0; i < state->imq_count; i++)
        if (!message_sound(state, state->imq[i], &blocks))
            return false;
    for (uint32_t i = 0; i < state->journal_count; i++) {
        if (state->journal[i].kind != SMSP_EFFECT_DELETE)
            continue;
        if (!message_sound(state, state->journal[i].message, &blocks))
            return false;
        deleted++;
    }
    return messages == state->message_count && on_imq == state->imq_count && deleted == state->deleted_count &&
           blocks == state->pool.used;
}

/* Each block that was used and is not in use is in the list of free blocks. */
static bool free_blocks_sound(const smsp_pool *pool)
{
    uint32_t expected = pool->fresh - pool->used;
    uint32_t found = 0;

    for (uint32_t block = pool->free; block != SMSP_NIL; block = pool->blocks[block].further.more) {
        if (block >= pool->fresh || found == expected)
            return false;
        found++;
    }
    return found == expected;
}

const char *smsp_state_check(const smsp_state *state)
{
    if (!within_limits(state))
        return "a count is over its limit";
    if (!gaps_whole(state))
        return "a gap between two tables was written to";
    if (!table_holds(&state->by_name, state->account_count, state->account_count))
        return "the table of usernames does not hold each account once";
    if (!table_holds(&state->by_cookie, state->account_count, state->session_count))
        return "the table of cookies does not hold each session once";
    if (!accounts_found(state))
        return "an account is not found by its username or its cookie";
    if (!messages_sound(state))
        return "a message is malformed, lost, or in two places";
    if (!free_blocks_sound(&state->pool))
        return "a block of text memory is neither used nor free, or both";
    return NULL;
}
