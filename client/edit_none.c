/* SPDX-License-Identifier: ISC */
#include "edit.h"

#include "lines.h"
#include "show.h"

/* A terminal hands over lines of at most 4,095 bytes and the LF; it drops the
 * rest without a word (N_TTY_BUF_SIZE of Linux). */
#define TERMINAL_LINE_MAX 4095u

struct editor {
    FILE *screen;
    uint8_t buffer[TERMINAL_LINE_MAX + 1];
};

const char *edit_kind(void)
{
    return "plain";
}

editor *edit_open(FILE *screen, edit_word word)
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
    complain(
        "the line was not sent: it fills the terminal's %u bytes and may have been cut; build with libedit, "
        "or give the line on standard input",
        TERMINAL_LINE_MAX);
    return EDIT_SKIP;
}

void edit_close(editor *e)
{
    (void)e;
}
