/* SPDX-License-Identifier: ISC */
/* Line input for the interactive client: with history and completion
 * (edit_libedit.c) where libedit is there, plain (edit_none.c) where it is not. */
#ifndef EDIT_H
#define EDIT_H

#include <stddef.h>
#include <stdio.h>

#include "smsp.h"

typedef struct editor editor;

/* The i-th word that completes a line's first word, NULL after the last. */
typedef const char *(*edit_word)(size_t i);

typedef enum edit_result {
    EDIT_LINE, /* *line is a line without its end; it stays until the next call */
    EDIT_END,  /* the input has ended */
    EDIT_SKIP  /* a line that cannot be used, which has been complained about */
} edit_result;

/* What this file is: "libedit" or "plain". */
const char *edit_kind(void);

/* Begins reading lines from the terminal; prompts go to screen. NULL: it cannot,
 * and has said why. */
editor *edit_open(FILE *screen, edit_word word);

/* Shows the prompt and reads a line. */
edit_result edit_line(editor *e, const char *prompt, smsp_span *line) SMSP_MUST_USE;

/* Puts the terminal back as it was. NULL is fine. */
void edit_close(editor *e);

#endif
