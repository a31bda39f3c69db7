/* SPDX-License-Identifier: ISC */
/* Line input without libedit: the terminal itself edits the line. */
#include "edit.h"

#include "lines.h"
#include "output.h"

/* In line mode a terminal of Linux delivers at most 4,095 bytes and the LF, and drops
 * the rest of a longer line (N_TTY_BUF_SIZE). */
#define TERMINAL_LINE_MAX 4095u

struct editor {
    FILE *screen;
    uint8_t buffer[TERMINAL_LINE_MAX + 1];
};

const char *edit_kind(void)
{
    return "plain";
}

editor *edit_open(FILE *screen, edit_completion word)
{
    static editor only;

    (void)word;
    only.screen = screen;
    return &only;
}

edit_result edit_line(editor *e, const char *prompt, smsp_span *line)
{
    fputs(prompt, e->screen);
    (void)fflush(e->screen);
    switch (lines_read(stdin, e->buffer, sizeof e->buffer, line)) {
    case LINES_END:
        fputc('\n', e->screen);
        return EDIT_END;
    case LINES_LINE:
        if (line->len < TERMINAL_LINE_MAX)
            return EDIT_LINE;
        break;
    default:
        break;
    }
    print_error(
        "the line was not sent: the terminal may have cut it, since it has %u bytes; build with libedit, or "
        "give the line on standard input",
        TERMINAL_LINE_MAX);
    return EDIT_INVALID;
}

void edit_close(editor *e)
{
    (void)e;
}
