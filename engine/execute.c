/* SPDX-License-Identifier: ISC */
/* The state machine: one function execute_NAME for each command, and the dispatch. */
#include "bytes.h"
#include "change.h"
#include "commands.h"

/* The input of a command: the request and its sender. */
typedef struct {
    const smsp_tokenized *tokenized;
    uint32_t sender; /* the account of the cookie, if the command has one */
} command_input;

typedef smsp_error command(smsp_state *state, const command_input *in, smsp_result *result);

static smsp_error answer(smsp_result *result, smsp_reply_code code)
{
    result->code = code;
    return SMSP_OK;
}

static smsp_error ko(smsp_result *result)
{
    return answer(result, SMSP_REPLY_KO);
}

/* The reply to a change with this result, and its effect if it was made. */
static smsp_error changed(smsp_error error, smsp_result *result, smsp_reply_code code, smsp_effect_kind kind,
                          smsp_span username)
{
    if (error == SMSP_FULL)
        return ko(result); /* REG-9, MSG-5, STO-5 */
    if (error != SMSP_OK)
        return error;
    result->effect.kind = kind;
    result->effect.username = username;
    return answer(result, code);
}

/* Returns true if the sender may open this user's mailbox (DEL-3, GET-4). */
static bool may_open(const smsp_state *state, const command_input *in, uint32_t user)
{
    return user == in->sender || state->config.shared_mailboxes;
}

/* ---- RA: accounts and sessions ---- */

static void make_verifier(const smsp_state *state, const smsp_token *password, smsp_token *verifier)
{
    if (state->config.verifier != NULL)
        state->config.verifier(state->config.context, password, verifier);
    else
        *verifier = *password;
}

static bool in_use(const smsp_state *state, const smsp_token *cookie)
{
    return smsp_state_session(state, cookie) != SMSP_NIL;
}

static smsp_error execute_register(smsp_state *state, const command_input *in, smsp_result *result)
{
    const smsp_tokenized *tokenized = in->tokenized;
    smsp_effect *made = &result->effect;

    if (tokenized->username.len == 0 || smsp_state_user(state, tokenized->username) != SMSP_NIL)
        return ko(result); /* REG-6, REG-7 */
    if (in_use(state, &tokenized->cookie))
        return answer(result, SMSP_REPLY_AGAIN); /* REG-5 */
    made->username = tokenized->username;
    made->salt = smsp_state_salt(state, tokenized->username);
    make_verifier(state, &tokenized->password, &made->verifier);
    made->has_cookie = true;
    made->cookie = tokenized->cookie;
    return changed(smsp_change_account(state, made), result, SMSP_REPLY_COOKIE, SMSP_EFFECT_ACCOUNT,
                   tokenized->username);
}

/* Does the same work for an unknown user as for a wrong password (LGI-5). */
static bool password_right(const smsp_state *state, uint32_t user, const smsp_token *password)
{
    static const smsp_token nobody = {{0}};
    smsp_token verifier;

    make_verifier(state, password, &verifier);
    bool same = smsp_same_token(&verifier, user == SMSP_NIL ? &nobody : &state->accounts[user].verifier);
    return same && user != SMSP_NIL;
}

static smsp_error execute_login(smsp_state *state, const command_input *in, smsp_result *result)
{
    const smsp_tokenized *tokenized = in->tokenized;
    uint32_t user = smsp_state_user(state, tokenized->username);

    if (!password_right(state, user, &tokenized->password))
        return ko(result); /* LGI-4, LGI-5 */
    if (in_use(state, &tokenized->cookie))
        return answer(result, SMSP_REPLY_AGAIN); /* LGI-2 */
    result->effect.cookie = tokenized->cookie;
    return changed(smsp_change_session(state, user, &tokenized->cookie), result, SMSP_REPLY_COOKIE,
                   SMSP_EFFECT_SESSION, tokenized->username);
}

static smsp_error execute_logout(smsp_state *state, const command_input *in, smsp_result *result)
{
    return changed(smsp_change_logout(state, in->sender), result, SMSP_REPLY_OK, SMSP_EFFECT_LOGOUT,
                   smsp_account_name(&state->accounts[in->sender]));
}

static smsp_error execute_salt(smsp_state *state, const command_input *in, smsp_result *result)
{
    result->salt = smsp_state_salt(state, in->tokenized->username);
    return answer(result, SMSP_REPLY_SALT);
}

/* If the username is taken, no password is hashed: a flood of such REGISTER requests costs no
 * more than a flood of COUNT. */
static smsp_error execute_salt_new(smsp_state *state, const command_input *in, smsp_result *result)
{
    if (smsp_state_user(state, in->tokenized->username) != SMSP_NIL)
        return ko(result); /* REG-6 */
    return execute_salt(state, in, result);
}

/* ---- IMQ and MBX: messages ---- */

/* The user that the request names, or SMSP_NIL. It is mostly the sender, which saves a
 * lookup. */
static uint32_t named_user(const smsp_state *state, const command_input *in)
{
    smsp_span name = smsp_account_name(&state->accounts[in->sender]);

    if (smsp_same(name.at, name.len, in->tokenized->username.at, in->tokenized->username.len))
        return in->sender;
    return smsp_state_user(state, in->tokenized->username);
}

static smsp_error execute_message(smsp_state *state, const command_input *in, smsp_result *result)
{
    const smsp_account *sender = &state->accounts[in->sender];
    smsp_span content = in->tokenized->content;

    if (content.len == 0 || content.len > SMSP_CONTENT_MAX)
        return ko(result); /* MSG-4 */
    if (sender->on_imq >= state->config.limits.share)
        return ko(result); /* MSG-5 */
    result->effect.content = content;
    return changed(smsp_change_message(state, in->sender, content), result, SMSP_REPLY_OK,
                   SMSP_EFFECT_MESSAGE, smsp_account_name(sender));
}

static smsp_error execute_store(smsp_state *state, const command_input *in, smsp_result *result)
{
    uint32_t user = named_user(state, in);

    if (user == SMSP_NIL || state->imq_count == 0)
        return ko(result); /* STO-3, STO-4 */
    return changed(smsp_change_store(state, user), result, SMSP_REPLY_OK, SMSP_EFFECT_STORE,
                   in->tokenized->username);
}

static smsp_error execute_count(smsp_state *state, const command_input *in, smsp_result *result)
{
    uint32_t user = named_user(state, in);

    if (user == SMSP_NIL)
        return ko(result); /* CNT-2 */
    result->count = state->accounts[user].count;
    return answer(result, SMSP_REPLY_COUNTED);
}

static smsp_error execute_delmsg(smsp_state *state, const command_input *in, smsp_result *result)
{
    uint32_t user = named_user(state, in);

    if (user == SMSP_NIL || !may_open(state, in, user) || state->accounts[user].count == 0)
        return ko(result); /* DEL-2, DEL-3 */
    return changed(smsp_change_delete(state, user), result, SMSP_REPLY_OK, SMSP_EFFECT_DELETE,
                   in->tokenized->username);
}

static smsp_error execute_getmsg(smsp_state *state, const command_input *in, smsp_result *result)
{
    uint32_t user = named_user(state, in);

    if (user == SMSP_NIL || !may_open(state, in, user) || state->accounts[user].count == 0)
        return ko(result); /* GET-3, GET-4 */
    result->message = state->accounts[user].first;
    result->length = smsp_pool_message(&state->pool, result->message)->length;
    return answer(result, SMSP_REPLY_TEXT);
}

static smsp_error execute_dump(smsp_state *state, const command_input *in, smsp_result *result)
{
    (void)state;
    (void)in;
    return answer(result, SMSP_REPLY_OK); /* DMP-2; the caller prints */
}

/* ---- Dispatch ---- */

static command *const functions[] = {
#define SMSP_FUNCTION(verb, name, parts, success, unknown_cookie) [SMSP_##verb] = execute_##name,
    SMSP_COMMANDS(SMSP_FUNCTION)
#undef SMSP_FUNCTION
    [SMSP_SALT_NEW] = execute_salt_new,
    [SMSP_SALT] = execute_salt,
};

smsp_error smsp_execute(smsp_state *state, const smsp_tokenized *tokenized, smsp_result *result)
{
    command_input in = {tokenized, SMSP_NIL};
    smsp_verb verb = tokenized->verb;

    result->effect.kind = SMSP_EFFECT_NONE;
    if ((unsigned)verb >= sizeof functions / sizeof functions[0] || tokenized->username.len > SMSP_NAME_MAX)
        return ko(result); /* smsp_tokenize makes no such request, but a hostile worker may */
    if ((unsigned)verb < SMSP_VERBS && smsp_parts_have_cookie(commands[verb].parts)) {
        in.sender = smsp_state_session(state, &tokenized->cookie);
        if (in.sender == SMSP_NIL)
            return answer(result, commands[verb].unknown_cookie);
    }
    return functions[verb](state, &in, result);
}
