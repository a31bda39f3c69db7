/* SPDX-License-Identifier: ISC */
/* Reads a password from the terminal without echo. */
#ifndef PASSWORD_H
#define PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "smsp.h"

/* Prints the prompt on the controlling terminal and reads one line into the size
 * bytes of out; *len is its length without the terminator. The settings of the
 * terminal are restored, also if a signal ends or stops the program. False, with an
 * error printed: no terminal, a longer line, or the end of the input. */
bool password_ask(const char *prompt, char *out, size_t size, size_t *len) SMSP_MUST_USE;

#endif
