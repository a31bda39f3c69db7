/* SPDX-License-Identifier: ISC */
/* The table of commands, and requests that the user writes in the protocol's syntax. */
#define _GNU_SOURCE /* explicit_bzero */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "call.h"
#include "output.h"

typedef struct command {
    const char *name;
    const char *parameters;
    const char *help;
    command_result (*run)(call *c);
} command;

/* ---- The commands ---- */

static command_result run_dump(call *c)
{
    smsp_reply reply;

    if (c->rest.len > 0)
        return call_usage_error("dump");
    return call_request(c, &(smsp_request){.verb = SMSP_DUMP}, &reply);
}

static command_result run_help(call *c)
{
    (void)c;
    commands_help();
    return COMMAND_OK;
}

static command_result run_quit(call *c)
{
    (void)c;
    return COMMAND_QUIT;
}

static const command commands[] = {
    {"register", "USER", "create an account and log in", account_register},
    {"login", "[USER]", "start a session", account_login},
    {"send", "USER TEXT...", "send a message to USER", mail_send},
    {"count", "[USER]", "print the number of messages", mail_count},
    {"read", "[USER]", "print the first message, without deleting it", mail_read},
    {"delete", "[USER]", "delete the first message", mail_delete},
    {"logout", "", "end the session", account_logout},
    {"dump", "", "make the server print its state on its terminal", run_dump},
    {"help", "", "print this list", run_help},
    {"quit", "", "end smsp", run_quit},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

const char *commands_name(size_t i)
{
    return i < COMMANDS ? commands[i].name : NULL;
}

void commands_help(void)
{
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %s %-*s %s\n", commands[i].name, (int)(22 - strlen(commands[i].name)),
               commands[i].parameters, commands[i].help);
    puts("A line that begins with a capital letter is sent to the server unchanged, except\n"
         "that $cookie at its end is replaced by your cookie: COUNT alice $cookie");
}

/* ---- Requests in the protocol's syntax ---- */

/* Copies the line to c->lines and replaces a last word $cookie by the cookie. */
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
        print_error("the line was not sent: it has more than %zu bytes", sizeof l->bytes - 1);
        return false;
    }
    memcpy(l->bytes, line.at, line.len);
    memcpy(l->bytes + line.len, cookie.at, cookie.len);
    l->first = line.len + cookie.len + 1;
    l->len = l->first;
    l->bytes[l->len - 1] = '\n';
    return true;
}

/* Stores or deletes the cookie after REGISTER, LOGIN and LOGOUT. Names and cookies
 * of another server may contain other characters than those of smspd. */
static command_result update_session(call *c, smsp_verb verb, const smsp_reply *reply)
{
    smsp_span rest = {c->lines.bytes, c->lines.len - 1};

    (void)call_next_word(&rest);
    if (reply->code == SMSP_REPLY_COOKIE)
        return call_begin_session(c, call_next_word(&rest), reply->text);
    if (verb == SMSP_LOGOUT && reply->code == SMSP_REPLY_OK &&
        call_spans_equal(rest, call_span(c->s->cookie)))
        call_end_session(c->s);
    return COMMAND_OK;
}

static command_result run_line(call *c, smsp_span line)
{
    smsp_request request;
    smsp_reply reply;
    smsp_span answer;
    bool known;

    if (!add_line(c, line))
        return COMMAND_INVALID;
    known = smsp_request_parse(c->lines.bytes, c->lines.len - 1, &request) == SMSP_OK;
    if (call_send(c, known && call_repeatable(request.verb), &answer) != SESSION_OK)
        return COMMAND_FAILED;
    output_reply(answer);
    if (!known) /* KO means the same for every request */
        return smsp_reply_parse(SMSP_GETMSG, answer.at, answer.len, &reply) == SMSP_OK &&
                       reply.code != SMSP_REPLY_TEXT
                   ? COMMAND_KO
                   : COMMAND_OK;
    command_result result = call_check_reply(request.verb, answer, &reply);
    return result == COMMAND_OK ? update_session(c, request.verb, &reply) : result;
}

command_result commands_run(session *s, command_mode mode, smsp_span line)
{
    static call c; /* 64 KiB; wiped after use, since it may hold a password */
    smsp_span rest = line;
    command_result result = COMMAND_INVALID;

    while (rest.len > 0 && rest.at[0] == ' ') {
        rest.at++;
        rest.len--;
    }
    if (rest.len == 0)
        return COMMAND_OK;
    if (!smsp_text_ok(line.at, line.len)) {
        print_error("the line was not sent: it contains a control character or is not UTF-8");
        return COMMAND_INVALID;
    }
    c.s = s;
    c.mode = mode;
    c.lines.len = c.lines.first = 0;
    if (rest.at[0] >= 'A' && rest.at[0] <= 'Z') {
        result = run_line(&c, line);
    } else {
        smsp_span name = call_next_word(&rest);
        size_t i = 0;

        while (i < COMMANDS && !call_spans_equal(name, call_span(commands[i].name)))
            i++;
        c.rest = rest;
        if (i < COMMANDS)
            result = commands[i].run(&c);
        else
            print_error("unknown command '%.*s'; 'help' lists the commands",
                        (int)(name.len > 80 ? 80 : name.len), (const char *)name.at);
    }
    explicit_bzero(c.lines.bytes, c.lines.len);
    return result;
}
