/* SPDX-License-Identifier: ISC */
/* What all commands need: parsing their words, sending requests, checking replies. */
#ifndef CALL_H
#define CALL_H

#include "commands.h"
#include "session.h"

/* One or two requests as they are sent. */
typedef struct lines {
    uint8_t bytes[SESSION_LINE_MAX];
    size_t len;
    size_t first; /* bytes of the first request */
} lines;

/* A command that is being executed. */
typedef struct call {
    session *s;
    command_mode mode;
    smsp_span rest; /* what follows the name of the command */
    lines lines;
} call;

smsp_span call_span(const char *text);

bool call_spans_equal(smsp_span a, smsp_span b);

/* Removes the first word of rest, and the space after it. */
smsp_span call_next_word(smsp_span *rest);

/* Prints how the command is used. */
command_result call_usage_error(const char *usage);

/* Is there a cookie? If not, prints an error. */
bool call_logged_in(const call *c);

/* Adds a request to c->lines. False, with an error printed: it cannot be sent. */
bool call_add(call *c, const smsp_request *request);

/* May the request be executed twice? Reading changes nothing, and a second LOGIN
 * replaces the session of the first. */
bool call_repeatable(smsp_verb verb);

/* Calls session_request with c->lines. */
session_result call_send(const call *c, bool repeatable, smsp_span *reply) SMSP_MUST_USE;

/* Parses a reply without printing it. COMMAND_FAILED, with an error printed: the
 * reply is not valid for that verb; the code of *reply is then SMSP_NO_REPLY. */
command_result call_check_reply(smsp_verb verb, smsp_span line, smsp_reply *reply);

/* At a terminal, prints what a KO can mean. */
void call_explain_ko(const call *c, smsp_verb verb, smsp_reply_code code);

/* Prints, checks and explains a reply. */
command_result call_print_reply(const call *c, smsp_verb verb, smsp_span line, smsp_reply *reply);

/* Sends one request and prints its reply. */
command_result call_request(call *c, const smsp_request *request, smsp_reply *reply);

/* Stores or deletes the cookie when a session begins or ends. COMMAND_FAILED: the
 * cookie file cannot be written, and a later run of smsp would need it. */
command_result call_begin_session(const call *c, smsp_span user, smsp_span cookie);
void call_end_session(session *s);

/* The commands. */
command_result account_register(call *c);
command_result account_login(call *c);
command_result account_logout(call *c);
command_result mail_send(call *c);
command_result mail_count(call *c);
command_result mail_read(call *c);
command_result mail_delete(call *c);

#endif
