/* SPDX-License-Identifier: ISC */
/* The client's commands: each becomes one or two requests. */
#ifndef VERBS_H
#define VERBS_H

#include <stdbool.h>
#include <stddef.h>

#include "session.h"

typedef enum verbs_style {
    VERBS_ONCE,     /* one command from the program's arguments */
    VERBS_TERMINAL, /* commands that a person types */
    VERBS_BATCH     /* commands on standard input */
} verbs_style;

typedef enum verbs_result {
    VERBS_OK,
    VERBS_KO,      /* the server answered KO or "You should log in first." */
    VERBS_USAGE,   /* no command, or not to be sent so; complained about */
    VERBS_TROUBLE, /* connection, strange reply, cookie store; complained about */
    VERBS_QUIT
} verbs_result;

/* Carries out one command of the client, or sends a line in the protocol's own
 * words (anything that begins with a capital letter), and prints the reply that
 * decides. A blank line is fine and does nothing. */
verbs_result verbs_run(session *s, verbs_style style, smsp_span line) SMSP_MUST_USE;

/* The i-th command's name, NULL after the last. */
const char *verbs_name(size_t i);

/* Prints what the commands do. */
void verbs_help(void);

#endif
