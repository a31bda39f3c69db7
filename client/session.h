/* SPDX-License-Identifier: ISC */
/* A session: the connection to a server, made again when it was closed, and the
 * user's cookie, which is a session of its own and outlives the connection (SES-1). */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>

#include "smsp.h"

/* A server may have other limits than ours; these are what the client can hold. */
#define SESSION_USER_MAX   255u
#define SESSION_COOKIE_MAX 255u
#define SESSION_LINE_MAX   65536u /* bytes of a request or a reply */

typedef struct session {
    const char *host;
    const char *port;
    int timeout;       /* milliseconds to wait for a connection or a reply */
    bool trace;        /* show each line sent and received on standard error */
    int fd;            /* -1: not connected */
    bool answered;     /* a reply has come over this connection */
    bool unterminated; /* the server does not end its replies with LF or NUL */
    smsp_frame frame;
    uint8_t buffer[SMSP_FRAME_SIZE(SESSION_LINE_MAX)];
    char user[SESSION_USER_MAX + 1];     /* empty: nobody */
    char cookie[SESSION_COOKIE_MAX + 1]; /* empty: none */
} session;

typedef enum session_result {
    SESSION_OK,
    SESSION_TROUBLE /* and has been complained about; the connection is closed */
} session_result;

/* Sets up an unconnected session; host and port must outlive it. */
void session_init(session *s, const char *host, const char *port);

/* Connects, if it is not connected. */
session_result session_connect(session *s) SMSP_MUST_USE;

/* Sends one or two whole lines, each with its LF, in one write (FRM-11), and
 * waits for the first reply, which stays until the next call. Connects before
 * if the server has closed the connection meanwhile.
 *
 * A connection may also be lost between the writing and the reply. Lines of
 * which no byte went out are sent again, once, over a new connection. Lines
 * that went out are sent again only if repeatable says that executing them
 * twice does no harm; otherwise that is trouble, since the server may have
 * carried them out. */
session_result session_ask(session *s, smsp_span lines, bool repeatable, smsp_span *reply) SMSP_MUST_USE;

/* Waits for the next reply to lines that were sent together. */
session_result session_next(session *s, smsp_span *reply) SMSP_MUST_USE;

/* Takes what a server calls a cookie as the user's session. False: it does not fit. */
bool session_enter(session *s, smsp_span user, smsp_span cookie);

/* Forgets the cookie, not the user. */
void session_leave(session *s);

/* Closes the connection and wipes the cookie. */
void session_close(session *s);

#endif
