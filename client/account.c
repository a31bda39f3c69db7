/* SPDX-License-Identifier: ISC */
#define _GNU_SOURCE /* explicit_bzero */
#include "call.h"

#include <stdlib.h>
#include <string.h>

#include "password.h"
#include "show.h"

#define PASSWORD_SIZE 1024u /* a server may take longer ones than ours */

/* Fetches the password: from the line if that comes from no person, from the
 * environment unless a person types, else from the terminal. */
static bool get_password(call *c, char *out, size_t size, smsp_span *password)
{
    const char *variable = c->style == VERBS_TERMINAL ? NULL : getenv("SMSP_PASSWORD");
    size_t len = 0;

    *password = c->rest;
    if (c->style == VERBS_BATCH && c->rest.len > 0)
        return true;
    if (c->rest.len > 0) {
        complain("do not give the password in the line, where others see it: it is asked for%s",
                 c->style == VERBS_ONCE ? ", or taken from SMSP_PASSWORD" : "");
        return false;
    }
    if (variable != NULL) {
        *password = call_span(variable);
        return true;
    }
    if (c->style == VERBS_BATCH) {
        complain("the password is missing: give it as the last word, or in SMSP_PASSWORD");
        return false;
    }
    if (!password_ask("Password: ", out, size, &len))
        return false;
    *password = (smsp_span){(const uint8_t *)out, len};
    return true;
}

static verbs_result enter(call *c, smsp_verb verb, const char *usage)
{
    smsp_request request = {.verb = verb, .username = call_cut_word(&c->rest)};
    char password[PASSWORD_SIZE];
    smsp_reply reply = {.code = SMSP_REPLY_KO};
    verbs_result result = VERBS_USAGE;

    if (request.username.len == 0)
        request.username = call_span(c->s->user);
    if (request.username.len == 0)
        return call_usage(usage);
    if (get_password(c, password, sizeof password, &request.password))
        result = call_one(c, &request, &reply);
    explicit_bzero(password, sizeof password);
    if (result == VERBS_OK)
        result = call_begin_session(c, request.username, reply.text);
    return result;
}

verbs_result account_register(call *c)
{
    return enter(c, SMSP_REGISTER, "register USER");
}

verbs_result account_login(call *c)
{
    return enter(c, SMSP_LOGIN, "login USER");
}

verbs_result account_logout(call *c)
{
    smsp_reply reply;
    verbs_result result;

    if (c->rest.len > 0)
        return call_usage("logout");
    if (!call_logged_in(c))
        return VERBS_USAGE;
    result = call_one(c, &(smsp_request){.verb = SMSP_LOGOUT, .cookie = call_span(c->s->cookie)}, &reply);
    if (result == VERBS_OK || result == VERBS_KO)
        call_end_session(c->s);
    return result;
}
