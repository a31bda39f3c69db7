/* SPDX-License-Identifier: ISC */
/* Asking for a password on the terminal, without echo. */
#ifndef PASSWORD_H
#define PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "smsp.h"

/* Asks for one line on the controlling terminal and puts it, without its end, into
 * out; *len gets its bytes. The terminal is as it was when this returns, and when
 * a signal ends the program or stops it. False: no terminal, the line has more
 * than size bytes, or the input ended; it has been complained about. */
bool password_ask(const char *prompt, char *out, size_t size, size_t *len) SMSP_MUST_USE;

#endif
