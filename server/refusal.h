/* SPDX-License-Identifier: ISC */
/* Clients over the limit get KO and are disconnected without losing it (FRM-12, FRM-13).
 * This needs no process and never blocks. */
#ifndef REFUSAL_H
#define REFUSAL_H

#include <poll.h>

#include "smsp.h"

#define REFUSALS_MAX 16u /* at a time; one more closes the oldest at once */

typedef struct refusals {
    int fds[REFUSALS_MAX];
    int64_t until[REFUSALS_MAX]; /* ms */
    uint32_t count;              /* oldest first */
} refusals;

/* Sends KO to a client; its socket is closed here. */
void refuse_client(refusals *all, int client, int64_t now);

/* Adds the sockets to fds, which has room for REFUSALS_MAX. */
void refusals_poll(const refusals *all, struct pollfd *fds);

/* Reads what clients sent, and closes sockets that are done. fds: from refusals_poll. */
void refusals_handle(refusals *all, const struct pollfd *fds, int64_t now);

#endif
