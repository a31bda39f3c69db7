/* SPDX-License-Identifier: ISC */
/* Collects the replies to a client, and writes them with as few calls as possible. */
#ifndef REPLY_BUFFER_H
#define REPLY_BUFFER_H

#include "smsp.h"

#define REPLY_BUFFER_BYTES 65536u

typedef struct reply_buffer {
    int client;   /* a socket with a send timeout of its own */
    int timeout_ms; /* ms that the client has to read what one flush sends */
    bool course;  /* replies to unterminated requests end with NUL */
    bool broken;  /* a write failed or timed out: nothing more can be sent */
    size_t len;
    uint8_t bytes[REPLY_BUFFER_BYTES];
} reply_buffer;

/* Adds a reply, which ends as the client's requests do. */
void reply_buffer_add(reply_buffer *out, const smsp_reply *reply, smsp_ending ending);

/* Sends all replies, and wipes them: they hold cookies and mail. If the
 * client reads too slowly, broken is set. */
void reply_buffer_flush(reply_buffer *out);

#endif
