/* SPDX-License-Identifier: ISC */
/* Clients over the limit: KO, and a close that loses nothing (FRM-12, FRM-13),
 * without a process and without ever waiting. */
#ifndef REFUSAL_H
#define REFUSAL_H

#include <poll.h>

#include "smsp.h"

#define REFUSALS_MAX 16u /* that may linger; then the oldest is closed at once */

typedef struct refusals {
    int fds[REFUSALS_MAX];
    int64_t until[REFUSALS_MAX]; /* ms */
    uint32_t count;              /* oldest first */
} refusals;

/* Says KO to a client and takes its socket over. */
void refuse_client(refusals *all, int client, int64_t now);

/* Adds the sockets to fds, which has room for REFUSALS_MAX. */
void refusals_poll(const refusals *all, struct pollfd *fds);

/* Reads what came and closes what is over; fds as refusals_poll left them, polled. */
void refusals_handle(refusals *all, const struct pollfd *fds, int64_t now);

#endif
