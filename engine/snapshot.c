/* SPDX-License-Identifier: ISC */
/* The effects that rebuild a state, and a hash of them. */
#include "bytes.h"
#include "siphash.h"
#include "state.h"

/* Calls take with effects until it returns false. */
typedef struct {
    const smsp_state *state;
    smsp_take take;
    void *context;
    bool stopped;
} giver;

static void give(giver *g, const smsp_effect *effect)
{
    if (!g->stopped)
        g->stopped = !g->take(g->context, effect);
}

static void give_account(giver *g, const smsp_account *account)
{
    give(g, &(smsp_effect){.kind = SMSP_EFFECT_ACCOUNT,
                           .username = smsp_account_name(account),
                           .verifier = account->verifier,
                           .salt = account->salt,
                           .has_cookie = account->has_session,
                           .cookie = account->cookie});
}

static void give_message(giver *g, uint32_t message)
{
    const smsp_account *sender = &g->state->accounts[smsp_pool_message(&g->state->pool, message)->sender];
    uint8_t text[SMSP_CONTENT_MAX];
    size_t len = 0;

    if (smsp_message_read(g->state, message, text, sizeof text, &len) != SMSP_OK)
        g->stopped = true;
    give(g, &(smsp_effect){
                .kind = SMSP_EFFECT_MESSAGE, .username = smsp_account_name(sender), .content = {text, len}});
}

static void give_mailbox(giver *g, const smsp_account *account)
{
    uint32_t message = account->first;

    for (uint32_t i = 0; i < account->count && !g->stopped; i++) {
        give_message(g, message);
        give(g, &(smsp_effect){.kind = SMSP_EFFECT_STORE, .username = smsp_account_name(account)});
        message = smsp_pool_message(&g->state->pool, message)->next;
    }
}

smsp_error smsp_snapshot(const smsp_state *state, smsp_take take, void *context)
{
    giver g = {state, take, context, false};

    for (uint32_t user = 0; user < state->account_count && !g.stopped; user++)
        give_account(&g, &state->accounts[user]);
    for (uint32_t user = 0; user < state->account_count && !g.stopped; user++)
        give_mailbox(&g, &state->accounts[user]);
    for (uint32_t i = 0; i < state->imq_count && !g.stopped; i++)
        give_message(&g, state->imq[i]);
    return g.stopped ? SMSP_STOPPED : SMSP_OK;
}

/* Folds an effect into a hash of all before it. */
static bool fold(void *context, const smsp_effect *effect)
{
    static const uint8_t key[SMSP_KEY_LEN] = "smsp digest";
    uint64_t *digest = context;
    uint8_t bytes[8 + SMSP_EFFECT_MAX];
    size_t len = 0;

    for (size_t i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(*digest >> (8 * i));
    if (smsp_effect_encode(effect, bytes + 8, SMSP_EFFECT_MAX, &len) != SMSP_OK)
        return false;
    *digest = smsp_siphash(key, bytes, 8 + len);
    return true;
}

uint64_t smsp_state_digest(const smsp_state *state)
{
    uint64_t digest = 0;

    if (smsp_snapshot(state, fold, &digest) != SMSP_OK)
        return 0; /* only for a state that smsp_state_check rejects */
    return digest;
}
