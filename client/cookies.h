/* SPDX-License-Identifier: ISC */
/* The cookie store: one file for each HOST:PORT:USER, mode 0600, in
 * $XDG_STATE_HOME/smsp (or ~/.local/state/smsp), and one for each HOST:PORT that
 * names the user of the last login. Each is replaced as a whole or not at all. */
#ifndef COOKIES_H
#define COOKIES_H

#include <stdbool.h>

#include "session.h"

/* Keeps the session's cookie, and its user as the last login. False: it could
 * not, and has said why. */
bool cookies_save(const session *s) SMSP_MUST_USE;

/* Fetches the cookie of the session's user. False: there is none, or its file is
 * not to be trusted, which it has said. */
bool cookies_load(session *s) SMSP_MUST_USE;

/* Sets the session's user to that of the last login. False: there was none. */
bool cookies_last(session *s) SMSP_MUST_USE;

/* Removes the file of the session's user if it holds the session's cookie: a
 * newer login elsewhere keeps its own. */
void cookies_remove(const session *s);

#endif
