/* SPDX-License-Identifier: ISC */
/* The commands send, count, read and delete. */
#include "call.h"

#include "output.h"

/* Prints an error that ends with the name of the user. */
static void error_about_user(const char *words, smsp_span user)
{
    print_error("%s %.*s", words, (int)user.len, (const char *)user.at);
}

/* Checks the reply to STORE. have: MESSAGE was accepted, so the text is in the IMQ. */
static command_result check_store_reply(bool have, smsp_span line, smsp_span user)
{
    smsp_reply reply;
    command_result result;

    if (have)
        output_reply(line);
    result = call_check_reply(SMSP_STORE, line, &reply);
    if (have && result == COMMAND_KO)
        print_error("%s; the text stays in the IMQ, and the next STORE of any user takes it",
                    reply.code == SMSP_REPLY_KO ? "no such user, or no room in their mailbox"
                                                : "the session has ended");
    else if (!have && result == COMMAND_OK)
        error_about_user("the text was rejected, but STORE moved another one, the most recent in the IMQ, to",
                         user);
    return result;
}

/* Sends MESSAGE and STORE in one write, so that no message of another user comes
 * between them (FRM-11). The price: STORE is executed even if MESSAGE is rejected.
 * If replies have no terminator, two of them cannot be separated: then STORE is sent
 * only after the reply to MESSAGE. */
static command_result send_pair(call *c, smsp_span user)
{
    const lines *l = &c->lines;
    bool together = !c->s->unterminated;
    smsp_span line;
    smsp_reply reply;
    session_result got;
    command_result first, second;

    if (session_request(c->s, (smsp_span){l->bytes, together ? l->len : l->first}, false, &line) !=
        SESSION_OK)
        return COMMAND_FAILED;
    first = call_check_reply(SMSP_MESSAGE, line, &reply);
    if (first != COMMAND_OK) {
        output_reply(line);
        call_explain_ko(c, SMSP_MESSAGE, reply.code);
        if (!together)
            return first;
    }
    got = together ? session_next_reply(c->s, &line)
                   : session_request(c->s, (smsp_span){l->bytes + l->first, l->len - l->first}, false, &line);
    if (got != SESSION_OK) {
        if (first == COMMAND_OK)
            error_about_user("the server has the text, but it may be in the IMQ and not in the mailbox of",
                             user);
        return COMMAND_FAILED;
    }
    second = check_store_reply(first == COMMAND_OK, line, user);
    return first != COMMAND_OK ? first : second;
}

command_result mail_send(call *c)
{
    smsp_span user = call_next_word(&c->rest);
    smsp_span cookie = call_span(c->s->cookie);

    if (user.len == 0 || c->rest.len == 0)
        return call_usage_error("send USER TEXT...");
    if (c->rest.len > SMSP_CONTENT_MAX) {
        print_error("the text was not sent: it has %zu bytes; the maximum is %u", c->rest.len,
                    SMSP_CONTENT_MAX);
        return COMMAND_INVALID;
    }
    if (!call_logged_in(c) ||
        !call_add(c, &(smsp_request){.verb = SMSP_MESSAGE, .content = c->rest, .cookie = cookie}) ||
        !call_add(c, &(smsp_request){.verb = SMSP_STORE, .username = user, .cookie = cookie}))
        return COMMAND_INVALID;
    return send_pair(c, user);
}

/* The mailbox of a command: that of the user it names, or one's own. */
static bool parse_mailbox(call *c, const char *usage, smsp_span *user)
{
    *user = call_next_word(&c->rest);
    if (c->rest.len > 0) {
        (void)call_usage_error(usage);
        return false;
    }
    if (user->len == 0)
        *user = call_span(c->s->user);
    return call_logged_in(c);
}

command_result mail_count(call *c)
{
    smsp_request request = {.verb = SMSP_COUNT, .cookie = call_span(c->s->cookie)};
    smsp_reply reply;

    if (!parse_mailbox(c, "count [USER]", &request.username))
        return COMMAND_INVALID;
    return call_request(c, &request, &reply);
}

command_result mail_delete(call *c)
{
    smsp_request request = {.verb = SMSP_DELMSG, .cookie = call_span(c->s->cookie)};
    smsp_reply reply;

    if (!parse_mailbox(c, "delete [USER]", &request.username))
        return COMMAND_INVALID;
    return call_request(c, &request, &reply);
}

/* A message may have the text KO. So smsp sends COUNT first: if there is a message,
 * the reply to GETMSG is its text. (If another client of the user deletes the last
 * message in between, the KO of the empty mailbox is taken for its text.) */
command_result mail_read(call *c)
{
    smsp_request request = {.verb = SMSP_COUNT, .cookie = call_span(c->s->cookie)};
    smsp_span line;
    smsp_reply reply;
    command_result result;

    if (!parse_mailbox(c, "read [USER]", &request.username) || !call_add(c, &request))
        return COMMAND_INVALID;
    if (call_send(c, true, &line) != SESSION_OK)
        return COMMAND_FAILED;
    result = call_check_reply(SMSP_COUNT, line, &reply);
    if (result != COMMAND_OK) {
        output_reply(line);
        call_explain_ko(c, SMSP_COUNT, reply.code);
        return result;
    }
    c->lines.len = 0;
    request.verb = SMSP_GETMSG;
    /* Other users' mailboxes can be counted but not read: there KO means KO. */
    if (reply.count == 0 || !call_spans_equal(request.username, call_span(c->s->user)))
        return call_request(c, &request, &reply);
    if (!call_add(c, &request))
        return COMMAND_INVALID;
    if (call_send(c, true, &line) != SESSION_OK)
        return COMMAND_FAILED;
    output_reply(line);
    return COMMAND_OK;
}
