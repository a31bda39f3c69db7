/* SPDX-License-Identifier: ISC */
/* What a worker owes its client: replies are gathered, and written with as few
 * calls as possible. */
#ifndef OUTBOX_H
#define OUTBOX_H

#include "smsp.h"

#define OUTBOX_BYTES 65536u

typedef struct outbox {
    int client;   /* a socket with a send timeout of its own */
    int patience; /* ms for the client to read all that is sent at once */
    bool course;  /* replies to unterminated requests end with NUL */
    bool broken;  /* no more can be sent */
    size_t len;
    uint8_t bytes[OUTBOX_BYTES];
} outbox;

/* Adds a reply, which ends as the client's requests do. */
void outbox_add(outbox *out, const smsp_reply *reply, smsp_ending ending);

/* Sends all replies, and wipes them: they hold cookies and mail. A client that
 * reads nothing, or a little now and then, breaks it when its time is over. */
void outbox_flush(outbox *out);

#endif
