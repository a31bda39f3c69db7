/* SPDX-License-Identifier: ISC */
#include "interactive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "edit.h"
#include "lines.h"
#include "show.h"
#include "terminal.h"
#include "verbs.h"

#define PROMPT_MAX (SESSION_USER_MAX + 3u)

int interactive_terminal(session *s)
{
    char prompt[PROMPT_MAX];
    FILE *screen = isatty(STDOUT_FILENO) == 1 ? stdout : stderr;
    verbs_result result = VERBS_OK;
    smsp_span line;
    editor *e;

    if (session_connect(s) != SESSION_OK)
        return 2;
    terminal_repair(STDIN_FILENO); /* before libedit takes over its settings */
    e = edit_open(screen, verbs_name);
    if (e == NULL)
        return 2;
    fprintf(screen, "Connected to %s port %s; 'help' lists the commands.\n", s->host, s->port);
    while (result != VERBS_QUIT) {
        (void)snprintf(prompt, sizeof prompt, "%s> ", s->cookie[0] != '\0' ? s->user : "smsp");
        terminal_repair(STDIN_FILENO);
        edit_result got = edit_line(e, prompt, &line);
        if (got == EDIT_END)
            break;
        if (got == EDIT_LINE)
            result = verbs_run(s, VERBS_TERMINAL, line);
    }
    edit_close(e);
    return 0;
}

int interactive_batch(session *s)
{
    static uint8_t buffer[SESSION_LINE_MAX];
    verbs_result result = VERBS_OK;
    lines_result got;
    smsp_span line;
    int status = 0;

    for (unsigned long number = 1; result != VERBS_QUIT && result != VERBS_TROUBLE; number++) {
        if (show_error() != 0)
            break; /* a reply was lost: do not delete what nobody has read */
        got = lines_read(stdin, buffer, sizeof buffer, &line);
        if (got == LINES_END)
            break;
        complain_at_line(number);
        result = VERBS_USAGE;
        if (got == LINES_TOO_LONG)
            complain("the line was not sent: it has more than %u bytes", SESSION_LINE_MAX);
        else
            result = verbs_run(s, VERBS_BATCH, line);
        if (result == VERBS_USAGE || result == VERBS_TROUBLE)
            status = 2;
        else if (result == VERBS_KO && status == 0)
            status = 1;
    }
    int error = errno;
    complain_at_line(0);
    if (ferror(stdin)) {
        complain("cannot read standard input: %s", strerror(error));
        status = 2;
    }
    return status;
}
