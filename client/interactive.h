/* SPDX-License-Identifier: ISC */
/* Runs many commands over one connection. */
#ifndef INTERACTIVE_H
#define INTERACTIVE_H

#include "session.h"

/* Reads commands from the terminal, with a prompt. Returns the exit status of the
 * program: 0, or 2 if the server or the terminal cannot be used. */
int interactive_terminal(session *s);

/* Reads one command from each line of standard input, and prints only the replies on
 * standard output. Returns the exit status of the program: 0 if every reply was OK,
 * 1 if there was a KO, 2 if a line was not a command or the connection failed. The
 * latter ends the run. */
int interactive_batch(session *s);

#endif
