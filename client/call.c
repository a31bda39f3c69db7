/* SPDX-License-Identifier: ISC */
#include "call.h"

#include <string.h>

#include "cookies.h"
#include "show.h"

smsp_span call_span(const char *text)
{
    return (smsp_span){(const uint8_t *)text, strlen(text)};
}

bool call_same(smsp_span a, smsp_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

smsp_span call_cut_word(smsp_span *rest)
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
        complain("%s was not sent: %s", smsp_verb_name(request->verb),
                 error == SMSP_BAD_PARTS ? "a part of it is empty or holds a space" : smsp_strerror(error));
        return false;
    }
    l->len += len;
    l->bytes[l->len++] = '\n';
    if (l->first == 0)
        l->first = l->len;
    return true;
}

session_result call_ask(const call *c, bool again, smsp_span *reply)
{
    return session_ask(c->s, (smsp_span){c->lines.bytes, c->lines.len}, again, reply);
}

bool call_repeatable(smsp_verb verb)
{
    return verb == SMSP_COUNT || verb == SMSP_GETMSG || verb == SMSP_DUMP || verb == SMSP_LOGIN;
}

void call_explain(const call *c, smsp_verb verb, smsp_reply_code code)
{
    static const char *const reasons[SMSP_VERBS] = {
        [SMSP_REGISTER] = "the name is taken or not 1 to 32 of a-z A-Z 0-9, or the password is too long",
        [SMSP_LOGIN] = "unknown user or wrong password",
        [SMSP_LOGOUT] = "the session had ended before",
        [SMSP_MESSAGE] = "the server has no room for the message",
        [SMSP_STORE] = "no such user, or no room in their mailbox",
        [SMSP_COUNT] = "no such user",
        [SMSP_DELMSG] = "no message, no such user, or not your mailbox",
        [SMSP_GETMSG] = "no message, no such user, or not your mailbox",
    };

    if (c->style != VERBS_TERMINAL)
        return;
    if (code == SMSP_REPLY_LOG_IN)
        complain("the session has ended: log in again");
    else if (code == SMSP_REPLY_KO && reasons[verb] != NULL)
        complain("%s", reasons[verb]);
}

verbs_result call_judge(smsp_verb verb, smsp_span line, smsp_reply *reply)
{
    smsp_error error = smsp_reply_parse(verb, line.at, line.len, reply);

    if (error == SMSP_BAD_BYTES && verb == SMSP_GETMSG) {
        *reply = (smsp_reply){.code = SMSP_REPLY_TEXT, .text = line};
        return VERBS_OK; /* the protocol forbids such text, but it may be all that there is */
    }
    if (error != SMSP_OK) {
        *reply = (smsp_reply){.code = SMSP_NO_REPLY};
        complain("that is no reply to %s", smsp_verb_name(verb));
        return VERBS_TROUBLE;
    }
    return reply->code == SMSP_REPLY_KO || reply->code == SMSP_REPLY_LOG_IN ? VERBS_KO : VERBS_OK;
}

verbs_result call_show(const call *c, smsp_verb verb, smsp_span line, smsp_reply *reply)
{
    verbs_result result;

    show_reply(line);
    result = call_judge(verb, line, reply);
    if (result == VERBS_KO)
        call_explain(c, verb, reply->code);
    return result;
}

verbs_result call_one(call *c, const smsp_request *request, smsp_reply *reply)
{
    smsp_span line;

    if (!call_add(c, request))
        return VERBS_USAGE;
    if (call_ask(c, call_repeatable(request->verb), &line) != SESSION_OK)
        return VERBS_TROUBLE;
    return call_show(c, request->verb, line, reply);
}

/* ---- Sessions ---- */

verbs_result call_begin_session(const call *c, smsp_span user, smsp_span cookie)
{
    if (!session_enter(c->s, user, cookie)) {
        complain("the user's name or the cookie is too long to be kept");
        return VERBS_TROUBLE;
    }
    /* Where more commands follow, the cookie in memory is what they need. */
    return cookies_save(c->s) || c->style != VERBS_ONCE ? VERBS_OK : VERBS_TROUBLE;
}

void call_end_session(session *s)
{
    cookies_remove(s);
    session_leave(s);
}

bool call_logged_in(const call *c)
{
    if (c->s->cookie[0] != '\0')
        return true;
    complain("%s%snot logged in at %s port %s: register or log in first", c->s->user,
             c->s->user[0] != '\0' ? " is " : "", c->s->host, c->s->port);
    return false;
}

verbs_result call_usage(const char *usage)
{
    complain("usage: %s", usage);
    return VERBS_USAGE;
}
