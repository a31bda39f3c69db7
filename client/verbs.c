/* SPDX-License-Identifier: ISC */
#define _GNU_SOURCE /* explicit_bzero */
#include "verbs.h"

#include <stdio.h>
#include <string.h>

#include "call.h"
#include "show.h"

typedef struct command {
    const char *name;
    const char *parameters;
    const char *help;
    verbs_result (*run)(call *c);
} command;

/* ---- The commands ---- */

static verbs_result run_dump(call *c)
{
    smsp_reply reply;

    if (c->rest.len > 0)
        return call_usage("dump");
    return call_one(c, &(smsp_request){.verb = SMSP_DUMP}, &reply);
}

static verbs_result run_help(call *c)
{
    (void)c;
    verbs_help();
    return VERBS_OK;
}

static verbs_result run_quit(call *c)
{
    (void)c;
    return VERBS_QUIT;
}

static const command commands[] = {
    {"register", "USER", "make an account, and log in", account_register},
    {"login", "USER", "begin a session", account_login},
    {"send", "USER TEXT...", "put a text into USER's mailbox", mail_send},
    {"count", "[USER]", "say how many messages wait", mail_count},
    {"read", "[USER]", "show the first message, which stays", mail_read},
    {"delete", "[USER]", "remove the first message", mail_delete},
    {"logout", "", "end the session", account_logout},
    {"dump", "", "have the server print what it holds", run_dump},
    {"help", "", "show this", run_help},
    {"quit", "", "leave", run_quit},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

const char *verbs_name(size_t i)
{
    return i < COMMANDS ? commands[i].name : NULL;
}

void verbs_help(void)
{
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %s %-*s %s\n", commands[i].name, (int)(22 - strlen(commands[i].name)),
               commands[i].parameters, commands[i].help);
    puts("A line that begins with a capital letter goes to the server as it stands, with\n"
         "your session's cookie in place of $cookie at its end: COUNT alice $cookie");
}

/* ---- The protocol's own words ---- */

/* Copies the line to what goes out, with the cookie in place of a last word $cookie. */
static bool add_line(call *c, smsp_span line)
{
    static const char variable[] = " $cookie";
    const size_t len = sizeof variable - 1;
    smsp_span cookie = call_span(c->s->cookie);
    lines *l = &c->lines;

    if (cookie.len > 0 && line.len > len && memcmp(line.at + line.len - len, variable, len) == 0)
        line.len -= len - 1;
    else
        cookie.len = 0;
    if (line.len + cookie.len > sizeof l->bytes - 1) {
        complain("the line was not sent: it has more than %zu bytes", sizeof l->bytes - 1);
        return false;
    }
    memcpy(l->bytes, line.at, line.len);
    memcpy(l->bytes + line.len, cookie.at, cookie.len);
    l->first = line.len + cookie.len + 1;
    l->len = l->first;
    l->bytes[l->len - 1] = '\n';
    return true;
}

/* What a reply to the protocol's own words changes in the client. The parts are
 * taken as they stand: another server's names and cookies may look otherwise. */
static verbs_result follow(call *c, smsp_verb verb, const smsp_reply *reply)
{
    smsp_span rest = {c->lines.bytes, c->lines.len - 1};

    (void)call_cut_word(&rest);
    if (reply->code == SMSP_REPLY_COOKIE)
        return call_begin_session(c, call_cut_word(&rest), reply->text);
    if (verb == SMSP_LOGOUT && reply->code == SMSP_REPLY_OK && call_same(rest, call_span(c->s->cookie)))
        call_end_session(c->s);
    return VERBS_OK;
}

static verbs_result run_line(call *c, smsp_span line)
{
    smsp_request request;
    smsp_reply reply;
    smsp_span answer;
    bool known;

    if (!add_line(c, line))
        return VERBS_USAGE;
    known = smsp_request_parse(c->lines.bytes, c->lines.len - 1, &request) == SMSP_OK;
    if (call_ask(c, known && call_repeatable(request.verb), &answer) != SESSION_OK)
        return VERBS_TROUBLE;
    show_reply(answer);
    if (!known) /* whatever it was, KO means the same */
        return smsp_reply_parse(SMSP_GETMSG, answer.at, answer.len, &reply) == SMSP_OK &&
                       reply.code != SMSP_REPLY_TEXT
                   ? VERBS_KO
                   : VERBS_OK;
    verbs_result result = call_judge(request.verb, answer, &reply);
    return result == VERBS_OK ? follow(c, request.verb, &reply) : result;
}

verbs_result verbs_run(session *s, verbs_style style, smsp_span line)
{
    static call c; /* 64 KiB, wiped after use */
    smsp_span rest = line;
    verbs_result result = VERBS_USAGE;

    while (rest.len > 0 && rest.at[0] == ' ') {
        rest.at++;
        rest.len--;
    }
    if (rest.len == 0)
        return VERBS_OK;
    if (!smsp_text_ok(line.at, line.len)) {
        complain("the line was not sent: it holds a control character or is not UTF-8");
        return VERBS_USAGE;
    }
    c.s = s;
    c.style = style;
    c.lines.len = c.lines.first = 0;
    if (rest.at[0] >= 'A' && rest.at[0] <= 'Z') {
        result = run_line(&c, line);
    } else {
        smsp_span name = call_cut_word(&rest);
        size_t i = 0;

        while (i < COMMANDS && !call_same(name, call_span(commands[i].name)))
            i++;
        c.rest = rest;
        if (i < COMMANDS)
            result = commands[i].run(&c);
        else
            complain("unknown command '%.*s'; 'help' lists them", (int)(name.len > 80 ? 80 : name.len),
                     (const char *)name.at);
    }
    explicit_bzero(c.lines.bytes, c.lines.len);
    return result;
}
