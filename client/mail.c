/* SPDX-License-Identifier: ISC */
#include "call.h"

#include "show.h"

/* Complains, with the user's name after the words. */
static void tell(const char *words, smsp_span user)
{
    complain("%s %.*s", words, (int)user.len, (const char *)user.at);
}

/* Judges STORE's reply to a text that the server has on its IMQ, or has not. */
static verbs_result judge_store(bool have, smsp_span line, smsp_span user)
{
    smsp_reply reply;
    verbs_result result;

    if (have)
        show_reply(line);
    result = call_judge(SMSP_STORE, line, &reply);
    if (have && result == VERBS_KO)
        complain("%s; the text is left on the IMQ, and the next STORE, whoever sends it, takes it",
                 reply.code == SMSP_REPLY_KO ? "no such user, or no room in their mailbox"
                                             : "the session has ended");
    else if (!have && result == VERBS_OK)
        tell("the text was refused, but STORE has moved another one, the IMQ's most recent, to", user);
    return result;
}

/* MESSAGE and STORE leave in one write, so that nobody else's message can come
 * between (FRM-11). The price: STORE runs even if MESSAGE is refused. Of a server
 * that does not end its replies two could not be told apart: it gets STORE when
 * it has answered MESSAGE. */
static verbs_result send_pair(call *c, smsp_span user)
{
    const lines *l = &c->lines;
    bool together = !c->s->unterminated;
    smsp_span line;
    smsp_reply reply;
    session_result got;
    verbs_result first, second;

    if (session_ask(c->s, (smsp_span){l->bytes, together ? l->len : l->first}, false, &line) != SESSION_OK)
        return VERBS_TROUBLE;
    first = call_judge(SMSP_MESSAGE, line, &reply);
    if (first != VERBS_OK) {
        show_reply(line);
        call_explain(c, SMSP_MESSAGE, reply.code);
        if (!together)
            return first;
    }
    got = together ? session_next(c->s, &line)
                   : session_ask(c->s, (smsp_span){l->bytes + l->first, l->len - l->first}, false, &line);
    if (got != SESSION_OK) {
        if (first == VERBS_OK)
            tell("the server has the text, but it may be left on the IMQ, not in the mailbox of", user);
        return VERBS_TROUBLE;
    }
    second = judge_store(first == VERBS_OK, line, user);
    return first != VERBS_OK ? first : second;
}

verbs_result mail_send(call *c)
{
    smsp_span user = call_cut_word(&c->rest);
    smsp_span cookie = call_span(c->s->cookie);

    if (user.len == 0 || c->rest.len == 0)
        return call_usage("send USER TEXT...");
    if (c->rest.len > SMSP_CONTENT_MAX) {
        complain("the text was not sent: it has %zu bytes, and a message at most %u", c->rest.len,
                 SMSP_CONTENT_MAX);
        return VERBS_USAGE;
    }
    if (!call_logged_in(c) ||
        !call_add(c, &(smsp_request){.verb = SMSP_MESSAGE, .content = c->rest, .cookie = cookie}) ||
        !call_add(c, &(smsp_request){.verb = SMSP_STORE, .username = user, .cookie = cookie}))
        return VERBS_USAGE;
    return send_pair(c, user);
}

/* The mailbox that a command is about: a word, or one's own. */
static bool whose(call *c, const char *usage, smsp_span *user)
{
    *user = call_cut_word(&c->rest);
    if (c->rest.len > 0) {
        (void)call_usage(usage);
        return false;
    }
    if (user->len == 0)
        *user = call_span(c->s->user);
    return call_logged_in(c);
}

verbs_result mail_count(call *c)
{
    smsp_request request = {.verb = SMSP_COUNT, .cookie = call_span(c->s->cookie)};
    smsp_reply reply;

    if (!whose(c, "count [USER]", &request.username))
        return VERBS_USAGE;
    return call_one(c, &request, &reply);
}

verbs_result mail_delete(call *c)
{
    smsp_request request = {.verb = SMSP_DELMSG, .cookie = call_span(c->s->cookie)};
    smsp_reply reply;

    if (!whose(c, "delete [USER]", &request.username))
        return VERBS_USAGE;
    return call_one(c, &request, &reply);
}

/* A message may have the text KO, so COUNT is asked first: where a message waits,
 * GETMSG's reply is that message. (If another session of the user deletes the last
 * one in between, the KO of an empty mailbox is taken for it.) */
verbs_result mail_read(call *c)
{
    smsp_request request = {.verb = SMSP_COUNT, .cookie = call_span(c->s->cookie)};
    smsp_span line;
    smsp_reply reply;
    verbs_result result;

    if (!whose(c, "read [USER]", &request.username) || !call_add(c, &request))
        return VERBS_USAGE;
    if (call_ask(c, true, &line) != SESSION_OK)
        return VERBS_TROUBLE;
    result = call_judge(SMSP_COUNT, line, &reply);
    if (result != VERBS_OK) {
        show_reply(line);
        call_explain(c, SMSP_COUNT, reply.code);
        return result;
    }
    c->lines.len = 0;
    request.verb = SMSP_GETMSG;
    /* Another user's mailbox may be counted but not read: there KO means KO. */
    if (reply.count == 0 || !call_same(request.username, call_span(c->s->user)))
        return call_one(c, &request, &reply);
    if (!call_add(c, &request))
        return VERBS_USAGE;
    if (call_ask(c, true, &line) != SESSION_OK)
        return VERBS_TROUBLE;
    show_reply(line);
    return VERBS_OK;
}
