/* SPDX-License-Identifier: ISC */
/* Reads commands until the end of the input and executes them. */
#include "interactive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "edit.h"
#include "lines.h"
#include "output.h"
#include "terminal.h"

#define PROMPT_MAX (SESSION_USER_MAX + 3u)

int interactive_terminal(session *s)
{
    char prompt[PROMPT_MAX];
    FILE *screen = isatty(STDOUT_FILENO) == 1 ? stdout : stderr;
    command_result result = COMMAND_OK;
    smsp_span line;
    editor *e;

    if (session_connect(s) != SESSION_OK)
        return 2;
    terminal_repair(STDIN_FILENO); /* before libedit saves the settings */
    e = edit_open(screen, commands_name);
    if (e == NULL)
        return 2;
    fprintf(screen, "Connected to %s port %s; 'help' lists the commands.\n", s->host, s->port);
    while (result != COMMAND_QUIT) {
        (void)snprintf(prompt, sizeof prompt, "%s> ", s->cookie[0] != '\0' ? s->user : "smsp");
        terminal_repair(STDIN_FILENO);
        edit_result got = edit_line(e, prompt, &line);
        if (got == EDIT_END)
            break;
        if (got == EDIT_LINE)
            result = commands_run(s, COMMAND_TERMINAL, line);
    }
    edit_close(e);
    return 0;
}

int interactive_batch(session *s)
{
    static uint8_t buffer[SESSION_LINE_MAX];
    command_result result = COMMAND_OK;
    lines_result got;
    smsp_span line;
    int status = 0;

    for (unsigned long number = 1; result != COMMAND_QUIT && result != COMMAND_FAILED; number++) {
        if (output_error() != 0)
            break; /* a reply was lost: do not delete what nobody has read */
        got = lines_read(stdin, buffer, sizeof buffer, &line);
        if (got == LINES_END)
            break;
        error_at_line(number);
        result = COMMAND_INVALID;
        if (got == LINES_TOO_LONG)
            print_error("the line was not sent: it has more than %u bytes", SESSION_LINE_MAX);
        else
            result = commands_run(s, COMMAND_BATCH, line);
        if (result == COMMAND_INVALID || result == COMMAND_FAILED)
            status = 2;
        else if (result == COMMAND_KO && status == 0)
            status = 1;
    }
    int error = errno;
    error_at_line(0);
    if (ferror(stdin)) {
        print_error("cannot read standard input: %s", strerror(error));
        status = 2;
    }
    return status;
}
