/* SPDX-License-Identifier: ISC */
/* What a worker owes its client: replies are gathered, and written with as few
 * calls as possible. */
#ifndef REPLY_BUFFER_H
#define REPLY_BUFFER_H

#include "smsp.h"

#define REPLY_BUFFER_BYTES 65536u

typedef struct reply_buffer {
    int client;   /* a socket with a send timeout of its own */
    int timeout_ms; /* ms for the client to read all that is sent at once */
    bool course;  /* replies to unterminated requests end with NUL */
    bool broken;  /* no more can be sent */
    size_t len;
    uint8_t bytes[REPLY_BUFFER_BYTES];
} reply_buffer;

/* Adds a reply, which ends as the client's requests do. */
void reply_buffer_add(reply_buffer *out, const smsp_reply *reply, smsp_ending ending);

/* Sends all replies, and wipes them: they hold cookies and mail. A client that
 * reads nothing, or a little now and then, breaks it when its time is over. */
void reply_buffer_flush(reply_buffer *out);

#endif
