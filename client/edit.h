/* SPDX-License-Identifier: ISC */
/* Line input at a terminal: with history and completion (edit_libedit.c), or without
 * (edit_none.c) if smsp is built without libedit. */
#ifndef EDIT_H
#define EDIT_H

#include <stddef.h>
#include <stdio.h>

#include "smsp.h"

typedef struct editor editor;

/* The i-th word for the completion of the first word of a line, NULL after the last. */
typedef const char *(*edit_completion)(size_t i);

typedef enum edit_result {
    EDIT_LINE,   /* *line is a line without its terminator, valid until the next call */
    EDIT_END,    /* the input has ended */
    EDIT_INVALID /* the line cannot be used; an error has been printed */
} edit_result;

/* The kind of line input: "libedit" or "plain". */
const char *edit_kind(void);

/* Prepares reading from the terminal; prompts are written to screen. NULL: an error
 * has been printed. */
editor *edit_open(FILE *screen, edit_completion word);

/* Prints the prompt and reads a line. */
edit_result edit_line(editor *e, const char *prompt, smsp_span *line) SMSP_MUST_USE;

/* Restores the settings of the terminal. */
void edit_close(editor *e);

#endif
