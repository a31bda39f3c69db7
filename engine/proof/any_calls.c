/* SPDX-License-Identifier: ISC */
/* The harness for Eva: the state machine under arbitrary calls. engine/proof/eva analyses each
 * function of the last section (an entry). The engine itself makes the state, which is small
 * and has seen a few arbitrary changes. Keys, names, tokens, texts and hashes are arbitrary. */
#include "any.h"
#include "change.h"
#include "siphash.h"
/* The harness calls the checks of check.c one by one. The state machine does not define what
 * is text, so here everything is. */
#define smsp_text_ok(at, len) ((void)(at), (void)(len), true)
#include "check.c" /* NOLINT(bugprone-suspicious-include): the parts are static */
#undef smsp_text_ok

/* The bounds of an entry; engine/proof/eva sets them. */
#ifndef CHANGES
#define CHANGES 1u /* maximum number before the analysed call */
#endif
#ifndef BATCH
#define BATCH 2u /* maximum number of changes in a batch */
#endif
#ifndef BUCKETS
#define BUCKETS 1u /* of both hash tables; with one bucket, Eva knows each chain */
#endif

#ifndef ACCOUNTS
#define ACCOUNTS 2u
#endif
#ifndef MESSAGES
#define MESSAGES 3u
#endif
#ifndef MAILBOX
#define MAILBOX 2u
#endif
#define IMQ 2u
#ifndef SHARE
#define SHARE 2u
#endif
#define BLOCKS 5u
#ifndef JOURNAL
#define JOURNAL 2u
#endif

static uint8_t name[SMSP_NAME_MAX + 1];
static uint8_t text[SMSP_CONTENT_MAX + 1];

/* ---- Arbitrary parts of a request ---- */

static smsp_span any_name(size_t most)
{
    return (smsp_span){name, any_size(most)};
}

/* Texts that end at the edge of a block and behind it. If Eva does not know the length of a
 * text, it loses the sum of its pieces; so the entry `lengths` analyses each length alone. */
static smsp_span any_content(uint32_t kinds)
{
    static const size_t lengths[] = {SMSP_FIRST_TEXT, SMSP_FIRST_TEXT + 1, SMSP_FIRST_TEXT + SMSP_MORE_TEXT + 1,
                                     SMSP_CONTENT_MAX, SMSP_CONTENT_MAX + 1, 0};

    return (smsp_span){text, lengths[one_of(kinds - 1)]};
}

static void verifier(void *context, const smsp_token *token, smsp_token *out)
{
    (void)context;
    (void)token;
    *out = any_token();
}

bool smsp_text_ok(const uint8_t *at, size_t len)
{
    (void)at;
    (void)len;
    return any_bool();
}

bool smsp_name_ok(const uint8_t *at, size_t len)
{
    (void)at;
    (void)len;
    return any_bool();
}

/* ---- A state ---- */

static bool add_account(smsp_state *state, bool has_cookie)
{
    smsp_effect made = {.kind = SMSP_EFFECT_ACCOUNT, .has_cookie = has_cookie};

    made.username = (smsp_span){name, (size_t)Frama_C_interval(1, SMSP_NAME_MAX)};
    made.salt = any_salt();
    made.verifier = any_token();
    made.cookie = any_token();
    return smsp_change_account(state, &made) == SMSP_OK;
}

/* An arbitrary change that is possible now, of mail only or of any kind; false if it failed. */
static bool any_change(smsp_state *state, bool mail)
{
    uint32_t user = one_of(state->account_count - 1);
    smsp_token cookie = any_token();

    switch (one_of(mail ? 2 : 5)) {
    case 0:
        return smsp_change_message(state, user, any_content(2)) == SMSP_OK;
    case 1:
        return state->imq_count > 0 && smsp_change_store(state, user) == SMSP_OK;
    case 2:
        return state->accounts[user].count > 0 && smsp_change_delete(state, user) == SMSP_OK;
    case 3:
        return smsp_change_session(state, user, &cookie) == SMSP_OK;
    case 4:
        return state->accounts[user].has_session && smsp_change_logout(state, user) == SMSP_OK;
    default:
        return add_account(state, one_of(1) == 1);
    }
}

/* Makes up to ACCOUNTS accounts, the last with or without a session, and up to `changes` changes
 * of mail. False if one failed: then the state is also a result of fewer changes. */
static bool few_changes(smsp_state *state, uint32_t changes)
{
    for (uint32_t left = one_of(ACCOUNTS); left > 0; left--)
        if (!add_account(state, left > 1 || one_of(1) == 1))
            return false;
    if (state->account_count > 0)
        for (uint32_t left = one_of(changes); left > 0; left--)
            if (!any_change(state, true))
                return false;
    return true;
}

typedef void ending(smsp_state *state);

/* Moves each table of the state into memory of its exact size that nobody has written to, so
 * that an access beyond a table, and a read before a write, are alarms. */
static void from_any_state(uint32_t changes, ending *then)
{
    uint8_t memory[4096];
    smsp_account accounts[ACCOUNTS];
    uint32_t name_heads[BUCKETS], name_next[ACCOUNTS], cookie_heads[BUCKETS], cookie_next[ACCOUNTS];
    smsp_block blocks[BLOCKS];
    uint32_t imq[IMQ];
    smsp_undo journal[JOURNAL];
    smsp_config config = {.limits = {.accounts = ACCOUNTS,
                                     .messages = MESSAGES,
                                     .text = BLOCKS * SMSP_BLOCK_SIZE,
                                     .mailbox = MAILBOX,
                                     .imq = IMQ,
                                     .share = SHARE,
                                     .journal = JOURNAL},
                          .shared_mailboxes = any_bool(),
                          .verifier = ACCOUNTS == 1 ? NULL : verifier};
    smsp_state *state;

    Frama_C_make_unknown((char *)config.hash_key, sizeof config.hash_key);
    Frama_C_make_unknown((char *)config.salt_key, sizeof config.salt_key);
    Frama_C_make_unknown((char *)name, sizeof name);
    Frama_C_make_unknown((char *)text, sizeof text);
    if (smsp_state_init(memory, sizeof memory, &config, &state) != SMSP_OK)
        return;
    state->accounts = accounts;
    state->by_name = (smsp_table){name_heads, name_next, BUCKETS - 1};
    state->by_cookie = (smsp_table){cookie_heads, cookie_next, BUCKETS - 1};
    state->pool.blocks = blocks;
    state->imq = imq;
    state->journal = journal;
    smsp_table_clear(&state->by_name);
    smsp_table_clear(&state->by_cookie);
    if (!few_changes(state, changes))
        return;
    smsp_state_read_only(state, any_bool());
    then(state);
}

/* ---- The analysed calls ---- */

static bool take_piece(void *context, const uint8_t *at, size_t len)
{
    (void)context;
    (void)at;
    (void)len;
    //@ check piece_readable: \valid_read(at + (0 .. len - 1));
    return any_bool();
}

static bool take_effect(void *context, const smsp_effect *effect)
{
    (void)context;
    (void)effect;
    //@ check name_readable: \valid_read(effect->username.at + (0 .. effect->username.len - 1));
    return any_bool();
}

/* The checks of smsp_state_check without accounts_found (arbitrary names and cookies may be
 * equal) and without the gaps, which are not in the memory of the moved tables. */
static void sound(const smsp_state *state)
{
#ifndef ALARMS_ONLY
    bool limits = within_limits(state);
    bool names = table_holds(&state->by_name, state->account_count, state->account_count);
    bool cookies = table_holds(&state->by_cookie, state->account_count, state->session_count);
    bool messages = messages_sound(state);
    bool blocks = free_blocks_sound(&state->pool);

    //@ check within_limits: limits;
    //@ check names_held: names;
    //@ check cookies_held: cookies;
    //@ check messages_sound: messages;
    //@ check free_blocks_sound: blocks;
    (void)(limits && names && cookies && messages && blocks);
#else
    (void)state;
#endif
}

static void look(smsp_state *state)
{
    smsp_counts counts = smsp_state_counts(state);

    //@ check counts: counts.accounts == state->account_count && counts.blocks == state->pool.used;
    (void)counts;
    sound(state);
    switch (one_of(3)) {
    case 0:
        (void)smsp_state_check(state);
        break;
    case 1:
        (void)!smsp_dump(state, take_piece, NULL);
        break;
    case 2:
        (void)!smsp_snapshot(state, take_effect, NULL);
        break;
    default:
        (void)smsp_state_digest(state);
        break;
    }
}

static void any_request(smsp_state *state)
{
    smsp_tokenized tokenized = {.verb = (smsp_verb)one_of(SMSP_SALT + 1), .username = any_name(sizeof name)};
    smsp_result result;
    size_t len = 0;

    tokenized.cookie = any_token();
    tokenized.password = any_token();
    tokenized.content = tokenized.verb == SMSP_MESSAGE ? any_content(6) : (smsp_span){text, any_size(sizeof text)};
    if (smsp_execute(state, &tokenized, &result) == SMSP_OK && result.code == SMSP_REPLY_TEXT) {
        uint8_t out[SMSP_CONTENT_MAX];
        (void)!smsp_message_read(state, result.message, out, any_size(sizeof out), &len);
    }
    sound(state);
}

static void any_effect(smsp_state *state)
{
    smsp_effect effect = {.kind = (smsp_effect_kind)one_of(SMSP_EFFECTS), .has_cookie = any_bool()};

    effect.username = any_name(sizeof name);
    effect.content = effect.kind == SMSP_EFFECT_MESSAGE ? any_content(6) : (smsp_span){NULL, 0};
    effect.salt = any_salt();
    effect.cookie = any_token();
    effect.verifier = any_token();
    (void)!smsp_replay(state, &effect);
    sound(state);
}

static void any_batch(smsp_state *state)
{
    smsp_begin(state);
    for (uint32_t left = one_of(BATCH); left > 0 && state->account_count > 0; left--)
        (void)any_change(state, false);
    if (one_of(1) == 1)
        smsp_commit(state);
    else
        smsp_rollback(state);
    sound(state);
}

/* ---- All steps ---- */

/* Replaces the parser, which is proved: any request that its contract allows. */
smsp_error smsp_request_parse(const uint8_t *line, size_t len, smsp_request *request)
{
    (void)line;
    (void)len;
    request->verb = (smsp_verb)one_of(SMSP_VERBS);
    request->username = any_name(SMSP_NAME_MAX);
    request->password = (smsp_span){text, any_size(SMSP_PASSWORD_MAX)};
    request->content = any_content(6);
    request->cookie = (smsp_span){text, any_bool() ? SMSP_COOKIE_LEN : 0};
    if ((unsigned)request->verb < SMSP_VERBS)
        return SMSP_OK;
    request->verb = SMSP_NO_VERB;
    return SMSP_BAD_VERB;
}

static bool draw(void *context, uint8_t *out, size_t len)
{
    (void)context;
    Frama_C_make_unknown((char *)out, len);
    return any_bool();
}

static bool password_token(void *context, smsp_span password, const smsp_salt *salt, smsp_token *out)
{
    (void)context;
    (void)password;
    (void)salt;
    *out = any_token();
    return any_bool();
}

static void cookie_token(void *context, smsp_span cookie, smsp_token *out)
{
    (void)context;
    (void)cookie;
    *out = any_token();
}

static void any_line(smsp_state *state)
{
    static const smsp_secrets secrets = {NULL, draw, password_token, cookie_token};
    uint8_t out[SMSP_REPLY_MAX + 1];
    smsp_answer_out what;
    smsp_line line = {{text, any_size(sizeof text)}, any_bool(), (smsp_ending)Frama_C_interval(0, SMSP_ENDS_SILENCE)};

    (void)!smsp_answer(state, &secrets, &line, out, any_size(sizeof out), &what);
    sound(state);
}

/* ---- Texts of each length, and memory of each size ---- */

static void add_and_free(smsp_pool *pool, size_t len)
{
    size_t read = 0;
    uint8_t out[SMSP_CONTENT_MAX];
    smsp_state state = {.pool = *pool};
    uint32_t message = smsp_pool_add(&state.pool, (smsp_span){text, len}, 0);

    if (message != SMSP_NIL) {
        bool whole = smsp_message_read(&state, message, out, sizeof out, &read) == SMSP_OK && read == len;
        //@ check whole: whole;
        (void)whole;
        smsp_pool_free(&state.pool, message);
    }
    bool freed = state.pool.used == 0 && free_blocks_sound(&state.pool);
    //@ check freed: freed;
    (void)freed;
    *pool = state.pool;
}

void lengths(void)
{
    smsp_block blocks[6];
    smsp_pool pool = {.blocks = blocks, .total = 6, .free = SMSP_NIL};

    Frama_C_make_unknown((char *)text, sizeof text);
    add_and_free(&pool, 1 + one_of(SMSP_CONTENT_MAX - 1));
    add_and_free(&pool, SMSP_FIRST_TEXT + 2 * SMSP_MORE_TEXT);
}

/* The memory ends exactly where the state must end. */
void sizes(void)
{
    uint8_t memory[4096];
    static const uint64_t texts[] = {SMSP_BLOCK_SIZE - 1, SMSP_BLOCK_SIZE, 3 * SMSP_BLOCK_SIZE - 1, UINT64_MAX};
    smsp_config config = {.limits = {.accounts = one_of(3),
                                     .messages = one_of(1),
                                     .text = texts[one_of(3)],
                                     .mailbox = one_of(1),
                                     .imq = one_of(2),
                                     .share = 0,
                                     .journal = one_of(1)}};
    if (one_of(1) == 1)
        config.limits = smsp_limits_default();
    size_t size = smsp_state_size(&config.limits);
    size_t given = size - (size > 0 ? one_of(1) : 0);
    smsp_state *state;

    if (size > sizeof memory || smsp_state_init(memory + sizeof memory - given, given, &config,
                                                &state) != SMSP_OK)
        return;
    //@ check room: given == size;
    if (add_account(state, true))
        (void)!smsp_change_message(state, 0, (smsp_span){name, 1});
    bool gaps = gaps_whole(state);
    //@ check gaps_whole: gaps;
    (void)gaps;
}

/* ---- Entries ---- */

/* The hash, which is an arbitrary number in the other entries. */
void hashes(void)
{
    uint8_t key[SMSP_KEY_LEN];
    uint32_t len = one_of(64);

    Frama_C_make_unknown((char *)key, sizeof key);
    Frama_C_make_unknown((char *)text, sizeof text);
    (void)smsp_siphash(key, text + sizeof text - len, len);
}

void answers(void)
{
    from_any_state(CHANGES, any_line);
}

void requests(void)
{
    from_any_state(CHANGES, any_request);
}

void effects(void)
{
    from_any_state(CHANGES, any_effect);
}

void batches(void)
{
    from_any_state(CHANGES, any_batch);
}

void looks(void)
{
    from_any_state(CHANGES, look);
}
