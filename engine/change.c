/* SPDX-License-Identifier: ISC */
/* The six changes of a state, the journal that undoes them, and batches. */
#include "change.h"
#include "bytes.h"

/* ---- The journal ---- */

/* Every change calls it first. SMSP_FULL if the state is read-only: the reply to both is KO. */
static smsp_error may_change(const smsp_state *state)
{
    if (state->read_only)
        return SMSP_FULL;
    if (state->in_batch && state->journal_count == state->config.limits.journal)
        return SMSP_JOURNAL_FULL;
    return SMSP_OK;
}

/* The journal has room: may_change has checked it. */
static void record(smsp_state *state, const smsp_undo *undo)
{
    if (state->in_batch)
        state->journal[state->journal_count++] = *undo;
}

/* ---- Sessions: ID and AC together ---- */

static uint64_t cookie_hash(const smsp_state *state, const smsp_account *account)
{
    return smsp_state_hash(state, account->cookie.bytes, SMSP_TOKEN_LEN);
}

static void start_session(smsp_state *state, uint32_t user, const smsp_token *cookie)
{
    smsp_account *account = &state->accounts[user];

    account->cookie = *cookie;
    account->has_session = true;
    state->session_count++;
    smsp_table_insert(&state->by_cookie, cookie_hash(state, account), user);
}

static void end_session(smsp_state *state, uint32_t user)
{
    smsp_account *account = &state->accounts[user];

    if (!account->has_session)
        return;
    smsp_table_remove(&state->by_cookie, cookie_hash(state, account), user);
    account->has_session = false;
    account->cookie = (smsp_token){{0}};
    state->session_count--;
}

/* ---- Mailboxes and the IMQ ---- */

static void push_imq(smsp_state *state, uint32_t message)
{
    state->imq[state->imq_count++] = message;
    state->accounts[smsp_pool_message(&state->pool, message)->sender].on_imq++;
}

static uint32_t pop_imq(smsp_state *state)
{
    uint32_t message = state->imq[--state->imq_count];

    state->accounts[smsp_pool_message(&state->pool, message)->sender].on_imq--;
    return message;
}

static void append_mail(smsp_state *state, smsp_account *account, uint32_t message)
{
    smsp_pool_message(&state->pool, message)->next = SMSP_NIL;
    if (account->count == 0)
        account->first = message;
    else
        smsp_pool_message(&state->pool, account->last)->next = message;
    account->last = message;
    account->count++;
}

/* Undoes append_mail; before: the last message before it. */
static void unappend_mail(smsp_state *state, smsp_account *account, uint32_t before)
{
    account->count--;
    account->last = before;
    if (account->count == 0)
        account->first = SMSP_NIL;
    else
        smsp_pool_message(&state->pool, before)->next = SMSP_NIL;
}

static void remove_first_mail(smsp_state *state, smsp_account *account)
{
    account->first = smsp_pool_message(&state->pool, account->first)->next;
    account->count--;
    if (account->count == 0)
        account->last = SMSP_NIL;
}

/* Undoes remove_first_mail. */
static void prepend_mail(smsp_state *state, smsp_account *account, uint32_t message)
{
    smsp_pool_message(&state->pool, message)->next = account->first;
    if (account->count == 0)
        account->last = message;
    account->first = message;
    account->count++;
}

/* ---- The changes ---- */

smsp_error smsp_change_account(smsp_state *state, const smsp_effect *made)
{
    smsp_error may = may_change(state);

    if (may != SMSP_OK)
        return may;
    if (state->account_count == state->config.limits.accounts)
        return SMSP_FULL;

    uint32_t number = state->account_count++;
    smsp_account *account = &state->accounts[number];
    *account = (smsp_account){.first = SMSP_NIL, .last = SMSP_NIL};
    smsp_writer w = {account->name, SMSP_NAME_MAX, 0, false};
    smsp_put_span(&w, made->username);
    account->name_len = (uint8_t)w.len;
    account->salt = made->salt;
    account->verifier = made->verifier;
    smsp_table_insert(&state->by_name, smsp_state_hash(state, account->name, account->name_len), number);
    if (made->has_cookie)
        start_session(state, number, &made->cookie);
    record(state, &(smsp_undo){.kind = SMSP_EFFECT_ACCOUNT, .account = number});
    return SMSP_OK;
}

smsp_error smsp_change_session(smsp_state *state, uint32_t user, const smsp_token *cookie)
{
    const smsp_account *account = &state->accounts[user];
    smsp_error may = may_change(state);

    if (may != SMSP_OK)
        return may;
    record(state, &(smsp_undo){.kind = SMSP_EFFECT_SESSION,
                               .account = user,
                               .had_session = account->has_session,
                               .cookie = account->cookie});
    end_session(state, user);
    start_session(state, user, cookie);
    return SMSP_OK;
}

smsp_error smsp_change_logout(smsp_state *state, uint32_t user)
{
    smsp_error may = may_change(state);

    if (may != SMSP_OK)
        return may;
    record(state, &(smsp_undo){
                      .kind = SMSP_EFFECT_LOGOUT, .account = user, .cookie = state->accounts[user].cookie});
    end_session(state, user);
    return SMSP_OK;
}

smsp_error smsp_change_message(smsp_state *state, uint32_t sender, smsp_span content)
{
    smsp_error may = may_change(state);

    if (may != SMSP_OK)
        return may;
    if (state->message_count == state->config.limits.messages || state->imq_count == state->config.limits.imq)
        return SMSP_FULL;

    uint32_t message = smsp_pool_add(&state->pool, content, sender);
    if (message == SMSP_NIL) /* a commit would free what this batch deleted */
        return state->deleted_count > 0 ? SMSP_JOURNAL_FULL : SMSP_FULL;
    push_imq(state, message);
    state->message_count++;
    record(state, &(smsp_undo){.kind = SMSP_EFFECT_MESSAGE, .message = message});
    return SMSP_OK;
}

smsp_error smsp_change_store(smsp_state *state, uint32_t user)
{
    smsp_account *account = &state->accounts[user];
    smsp_error may = may_change(state);

    if (may != SMSP_OK)
        return may;
    if (account->count == state->config.limits.mailbox)
        return SMSP_FULL;

    uint32_t message = pop_imq(state);
    record(state, &(smsp_undo){
                      .kind = SMSP_EFFECT_STORE, .account = user, .message = message, .before = account->last});
    append_mail(state, account, message);
    return SMSP_OK;
}

smsp_error smsp_change_delete(smsp_state *state, uint32_t user)
{
    smsp_account *account = &state->accounts[user];
    uint32_t message = account->first;
    smsp_error may = may_change(state);

    if (may != SMSP_OK)
        return may;
    remove_first_mail(state, account);
    state->message_count--;
    record(state, &(smsp_undo){.kind = SMSP_EFFECT_DELETE, .account = user, .message = message});
    if (state->in_batch) /* a rollback needs the text */
        state->deleted_count++;
    else
        smsp_pool_free(&state->pool, message);
    return SMSP_OK;
}

/* ---- Batches ---- */

void smsp_begin(smsp_state *state)
{
    state->in_batch = true;
}

void smsp_commit(smsp_state *state)
{
    for (uint32_t i = 0; i < state->journal_count; i++)
        if (state->journal[i].kind == SMSP_EFFECT_DELETE)
            smsp_pool_free(&state->pool, state->journal[i].message);
    state->journal_count = 0;
    state->deleted_count = 0;
    state->in_batch = false;
}

static void undo_account(smsp_state *state)
{
    uint32_t user = state->account_count - 1; /* the newest: later changes are undone already */
    const smsp_account *account = &state->accounts[user];

    end_session(state, user);
    smsp_table_remove(&state->by_name, smsp_state_hash(state, account->name, account->name_len), user);
    state->account_count--;
}

static void undo_change(smsp_state *state, const smsp_undo *undo)
{
    smsp_account *account = &state->accounts[undo->account];

    switch (undo->kind) {
    case SMSP_EFFECT_ACCOUNT:
        undo_account(state);
        break;
    case SMSP_EFFECT_SESSION:
        end_session(state, undo->account);
        if (undo->had_session)
            start_session(state, undo->account, &undo->cookie);
        break;
    case SMSP_EFFECT_LOGOUT:
        start_session(state, undo->account, &undo->cookie);
        break;
    case SMSP_EFFECT_MESSAGE:
        smsp_pool_free(&state->pool, pop_imq(state));
        state->message_count--;
        break;
    case SMSP_EFFECT_STORE:
        unappend_mail(state, account, undo->before);
        push_imq(state, undo->message);
        break;
    default: /* SMSP_EFFECT_DELETE: no other kind is recorded */
        prepend_mail(state, account, undo->message);
        state->message_count++;
        break;
    }
}

void smsp_rollback(smsp_state *state)
{
    while (state->journal_count > 0)
        undo_change(state, &state->journal[--state->journal_count]);
    state->deleted_count = 0;
    state->in_batch = false;
}
