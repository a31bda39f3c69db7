/* SPDX-License-Identifier: ISC */
/* What the commands are made of: requests that go out, replies that are judged. */
#ifndef CALL_H
#define CALL_H

#include "session.h"
#include "verbs.h"

/* One or two requests as they go out. */
typedef struct lines {
    uint8_t bytes[SESSION_LINE_MAX];
    size_t len;
    size_t first; /* bytes of the first line */
} lines;

/* A command that is being carried out. */
typedef struct call {
    session *s;
    verbs_style style;
    smsp_span rest; /* what follows the command's name */
    lines lines;
} call;

smsp_span call_span(const char *text);

bool call_same(smsp_span a, smsp_span b);

/* Takes the next word off the front, with the one space that follows it. */
smsp_span call_cut_word(smsp_span *rest);

/* Complains that the command is used otherwise. */
verbs_result call_usage(const char *usage);

/* True if there is a cookie; otherwise complains. */
bool call_logged_in(const call *c);

/* Adds a request to what goes out. False: a part of it cannot be sent. */
bool call_add(call *c, const smsp_request *request);

/* True for requests that may be executed twice: looking changes nothing, and a
 * second LOGIN only takes the place of the first. */
bool call_repeatable(smsp_verb verb);

/* session_ask with all that was added. again: executing it twice does no harm. */
session_result call_ask(const call *c, bool again, smsp_span *reply) SMSP_MUST_USE;

/* Understands a reply, without printing it. VERBS_OK, VERBS_KO, or VERBS_TROUBLE
 * if it is none to that verb: then the code of *reply is SMSP_NO_REPLY. */
verbs_result call_judge(smsp_verb verb, smsp_span line, smsp_reply *reply);

/* Tells a person at the terminal what a KO may mean. */
void call_explain(const call *c, smsp_verb verb, smsp_reply_code code);

/* Prints a reply, judges it, explains it. */
verbs_result call_show(const call *c, smsp_verb verb, smsp_span line, smsp_reply *reply);

/* Sends one request and shows its reply. */
verbs_result call_one(call *c, const smsp_request *request, smsp_reply *reply);

/* What is to be done when a session has begun or ended: the cookie is kept or
 * forgotten. VERBS_TROUBLE: it could not be kept, although a later run needs it. */
verbs_result call_begin_session(const call *c, smsp_span user, smsp_span cookie);
void call_end_session(session *s);

/* The commands. */
verbs_result account_register(call *c);
verbs_result account_login(call *c);
verbs_result account_logout(call *c);
verbs_result mail_send(call *c);
verbs_result mail_count(call *c);
verbs_result mail_read(call *c);
verbs_result mail_delete(call *c);

#endif
