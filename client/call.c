/* SPDX-License-Identifier: ISC */
/* Sends the requests of a command, checks and prints the replies. */
#include "call.h"

#include <string.h>

#include "cookies.h"
#include "output.h"

smsp_span call_span(const char *text)
{
    return (smsp_span){(const uint8_t *)text, strlen(text)};
}

bool call_spans_equal(smsp_span a, smsp_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

smsp_span call_next_word(smsp_span *rest)
{
    const uint8_t *space = rest->len > 0 ? memchr(rest->at, ' ', rest->len) : NULL;
    smsp_span word = {rest->at, space == NULL ? rest->len : (size_t)(space - rest->at)};
    size_t used = word.len + (space != NULL);

    rest->at += used;
    rest->len -= used;
    return word;
}

bool call_add(call *c, const smsp_request *request)
{
    lines *l = &c->lines;
    size_t len = 0;
    smsp_error error = smsp_request_format(request, l->bytes + l->len, sizeof l->bytes - 1 - l->len, &len);

    if (error != SMSP_OK) {
        print_error("%s was not sent: %s", smsp_verb_name(request->verb),
                    error == SMSP_BAD_PARTS ? "a part of it is empty or contains a space"
                                            : smsp_strerror(error));
        return false;
    }
    l->len += len;
    l->bytes[l->len++] = '\n';
    if (l->first == 0)
        l->first = l->len;
    return true;
}

session_result call_send(const call *c, bool again, smsp_span *reply)
{
    return session_request(c->s, (smsp_span){c->lines.bytes, c->lines.len}, again, reply);
}

bool call_repeatable(smsp_verb verb)
{
    return verb == SMSP_COUNT || verb == SMSP_GETMSG || verb == SMSP_DUMP || verb == SMSP_LOGIN;
}

void call_explain_ko(const call *c, smsp_verb verb, smsp_reply_code code)
{
    static const char *const reasons[SMSP_VERBS] = {
        [SMSP_REGISTER] = "the name is taken or not 1 to 32 of a-z A-Z 0-9, or the password is too long",
        [SMSP_LOGIN] = "unknown user or wrong password",
        [SMSP_LOGOUT] = "the session had already ended",
        [SMSP_MESSAGE] = "the server has no room for the message",
        [SMSP_STORE] = "no such user, or no room in their mailbox",
        [SMSP_COUNT] = "no such user",
        [SMSP_DELMSG] = "no message, no such user, or not your mailbox",
        [SMSP_GETMSG] = "no message, no such user, or not your mailbox",
    };

    if (c->mode != COMMAND_TERMINAL)
        return;
    if (code == SMSP_REPLY_LOG_IN)
        print_error("the session has ended: log in again");
    else if (code == SMSP_REPLY_KO && reasons[verb] != NULL)
        print_error("%s", reasons[verb]);
}

command_result call_check_reply(smsp_verb verb, smsp_span line, smsp_reply *reply)
{
    smsp_error error = smsp_reply_parse(verb, line.at, line.len, reply);

    if (error == SMSP_BAD_BYTES && verb == SMSP_GETMSG) {
        *reply = (smsp_reply){.code = SMSP_REPLY_TEXT, .text = line};
        return COMMAND_OK; /* the protocol forbids such text; print it anyway */
    }
    if (error != SMSP_OK) {
        *reply = (smsp_reply){.code = SMSP_NO_REPLY};
        print_error("this is not a valid reply to %s", smsp_verb_name(verb));
        return COMMAND_FAILED;
    }
    return reply->code == SMSP_REPLY_KO || reply->code == SMSP_REPLY_LOG_IN ? COMMAND_KO : COMMAND_OK;
}

command_result call_print_reply(const call *c, smsp_verb verb, smsp_span line, smsp_reply *reply)
{
    command_result result;

    output_reply(line);
    result = call_check_reply(verb, line, reply);
    if (result == COMMAND_KO)
        call_explain_ko(c, verb, reply->code);
    return result;
}

command_result call_request(call *c, const smsp_request *request, smsp_reply *reply)
{
    smsp_span line;

    if (!call_add(c, request))
        return COMMAND_INVALID;
    if (call_send(c, call_repeatable(request->verb), &line) != SESSION_OK)
        return COMMAND_FAILED;
    return call_print_reply(c, request->verb, line, reply);
}

/* ---- Sessions ---- */

command_result call_begin_session(const call *c, smsp_span user, smsp_span cookie)
{
    if (!session_set_cookie(c->s, user, cookie)) {
        print_error("the username or the cookie is too long to store");
        return COMMAND_FAILED;
    }
    /* If more commands follow, the cookie in memory is enough for them. */
    return cookies_save(c->s) || c->mode != COMMAND_ONCE ? COMMAND_OK : COMMAND_FAILED;
}

void call_end_session(session *s)
{
    cookies_remove(s);
    session_clear_cookie(s);
}

bool call_logged_in(const call *c)
{
    if (c->s->cookie[0] != '\0')
        return true;
    print_error("%s%snot logged in at %s port %s: register or log in first", c->s->user,
                c->s->user[0] != '\0' ? " is " : "", c->s->host, c->s->port);
    return false;
}

command_result call_usage_error(const char *usage)
{
    print_error("usage: %s", usage);
    return COMMAND_INVALID;
}
