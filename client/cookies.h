/* SPDX-License-Identifier: ISC */
/* The cookie files in $XDG_STATE_HOME/smsp (or ~/.local/state/smsp): HOST:PORT:USER
 * contains a cookie, HOST:PORT the user of the last login. Their mode is 0600, and
 * they are replaced atomically. */
#ifndef COOKIES_H
#define COOKIES_H

#include <stdbool.h>

#include "session.h"

/* Stores the cookie, and the user as the last login. False: an error has been
 * printed. */
bool cookies_save(const session *s) SMSP_MUST_USE;

/* Loads the cookie of s->user. False: there is no such file, or it cannot be
 * trusted, and an error has been printed. */
bool cookies_load(session *s) SMSP_MUST_USE;

/* Sets s->user to the user of the last login. False: there was none. */
bool cookies_load_last_user(session *s) SMSP_MUST_USE;

/* Removes the cookie file of s->user, unless it contains another cookie: that of a
 * newer login. */
void cookies_remove(const session *s);

#endif
