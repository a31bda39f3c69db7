/* SPDX-License-Identifier: ISC */
/* The commands register, login and logout. */
#define _GNU_SOURCE /* explicit_bzero */
#include "call.h"

#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "password.h"

#define PASSWORD_SIZE 1024u /* another server may accept longer ones than smspd */

/* Gets the password. Commands on standard input: from the line, otherwise from
 * SMSP_PASSWORD. A single command: from SMSP_PASSWORD, otherwise from the terminal.
 * Commands that are typed: from the terminal. */
static bool get_password(call *c, char *out, size_t size, smsp_span *password)
{
    const char *variable = c->mode == COMMAND_TERMINAL ? NULL : getenv("SMSP_PASSWORD");
    size_t len = 0;

    *password = c->rest;
    if (c->mode == COMMAND_BATCH && c->rest.len > 0)
        return true;
    if (c->rest.len > 0) {
        print_error("do not write the password in the command, where others can see it: smsp asks for it%s",
                    c->mode == COMMAND_ONCE ? ", or takes it from SMSP_PASSWORD" : "");
        return false;
    }
    if (variable != NULL) {
        *password = call_span(variable);
        return true;
    }
    if (c->mode == COMMAND_BATCH) {
        print_error("no password: add it as the last word, or set SMSP_PASSWORD");
        return false;
    }
    if (!password_ask("Password: ", out, size, &len))
        return false;
    *password = (smsp_span){(const uint8_t *)out, len};
    return true;
}

static command_result register_or_login(call *c, smsp_verb verb, const char *usage)
{
    smsp_request request = {.verb = verb, .username = call_next_word(&c->rest)};
    char password[PASSWORD_SIZE];
    smsp_reply reply = {.code = SMSP_REPLY_KO};
    command_result result = COMMAND_INVALID;

    if (request.username.len == 0)
        request.username = call_span(c->s->user);
    if (request.username.len == 0)
        return call_usage_error(usage);
    if (get_password(c, password, sizeof password, &request.password))
        result = call_request(c, &request, &reply);
    explicit_bzero(password, sizeof password);
    if (result == COMMAND_OK)
        result = call_begin_session(c, request.username, reply.text);
    return result;
}

command_result account_register(call *c)
{
    return register_or_login(c, SMSP_REGISTER, "register USER");
}

command_result account_login(call *c)
{
    return register_or_login(c, SMSP_LOGIN, "login USER");
}

command_result account_logout(call *c)
{
    smsp_reply reply;
    command_result result;

    if (c->rest.len > 0)
        return call_usage_error("logout");
    if (!call_logged_in(c))
        return COMMAND_INVALID;
    result = call_request(c, &(smsp_request){.verb = SMSP_LOGOUT, .cookie = call_span(c->s->cookie)}, &reply);
    if (result == COMMAND_OK || result == COMMAND_KO)
        call_end_session(c->s);
    return result;
}
