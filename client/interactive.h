/* SPDX-License-Identifier: ISC */
/* Many commands in a row. */
#ifndef INTERACTIVE_H
#define INTERACTIVE_H

#include "session.h"

/* A person at a terminal: prompts, history and completion. Returns the program's
 * exit status: 0, or 2 if the server or the terminal cannot be used. */
int interactive_terminal(session *s);

/* Commands from standard input, one a line; nothing but replies is printed on
 * standard output. Exit status 0: all answered well; 1: one or more got KO; 2: a
 * line was no command, or the connection failed, which ends it. */
int interactive_batch(session *s);

#endif
