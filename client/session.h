/* SPDX-License-Identifier: ISC */
/* A connection to a server, opened again when the server has closed it, and the
 * user's cookie, which stays valid when the connection ends (SES-1). */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>

#include "smsp.h"

/* Limits of the client. A server may have other limits than smspd. */
#define SESSION_USER_MAX   255u
#define SESSION_COOKIE_MAX 255u
#define SESSION_LINE_MAX   65536u /* bytes of a request or a reply */

typedef struct session {
    const char *host;
    const char *port;
    int timeout;       /* milliseconds to wait for a connection or a reply */
    bool trace;        /* print each line sent and received on standard error */
    int fd;            /* -1: not connected */
    int error;         /* errno that ended the connection; 0: the server closed it */
    bool answered;     /* this connection has had a reply */
    bool unterminated; /* the server ends its replies with neither LF nor NUL */
    smsp_frame frame;
    uint8_t buffer[SMSP_FRAME_SIZE(SESSION_LINE_MAX)];
    char user[SESSION_USER_MAX + 1];     /* empty: unknown */
    char cookie[SESSION_COOKIE_MAX + 1]; /* empty: not logged in */
} session;

typedef enum session_result {
    SESSION_OK,
    SESSION_FAILED /* reported on standard error; the connection is closed */
} session_result;

/* Initializes a session without a connection. It keeps the pointers host and port. */
void session_init(session *s, const char *host, const char *port);

/* Connects, unless it is connected. */
session_result session_connect(session *s) SMSP_MUST_USE;

/* Sends one or two complete lines, each with its LF, in one write (FRM-11), and
 * waits for the first reply. *reply is valid until the next call. Connects first
 * if the server has closed the connection.
 *
 * If the connection breaks before the reply, the lines are sent once more over a
 * new connection, but only if none of their bytes was sent, or if `repeatable`
 * says that it is safe to execute them twice. Otherwise SESSION_FAILED: nobody
 * knows whether the server has executed them. */
session_result session_request(session *s, smsp_span lines, bool repeatable, smsp_span *reply) SMSP_MUST_USE;

/* Waits for the reply to the second of two lines. */
session_result session_next_reply(session *s, smsp_span *reply) SMSP_MUST_USE;

/* Stores the user and the cookie. False: one of them is too long. */
bool session_set_cookie(session *s, smsp_span user, smsp_span cookie);

/* Wipes the cookie; keeps the user. */
void session_clear_cookie(session *s);

/* Closes the connection and wipes the cookie. */
void session_close(session *s);

#endif
