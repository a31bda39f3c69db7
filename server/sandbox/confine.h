/* SPDX-License-Identifier: ISC */
/* What a new child gives up before it begins its work. */
#ifndef CONFINE_H
#define CONFINE_H

#include <sys/types.h>

#include "options.h"
#include "slot.h"

/* A worker's descriptors, fixed, so that the filter of system calls can name them. */
enum { CLIENT_FD = 0, WAKE_FD = 1 };

/* Leaves a worker with its client, the eventfd, standard error and one slot, in the
 * sandbox. False, with errno: it must end. */
bool confine_worker(const server_options *options, const slots *all, uint32_t mine, int client,
                    pid_t parent) SMSP_MUST_USE;

/* Leaves the keeper with the eventfd, the supervisor's socket, standard output (for
 * DUMP) and error, and the lock of the data directory as standard
 * input. False, with errno: it must end. The sandbox's filter is still to be entered. */
bool confine_keeper(const server_options *options, const slots *all, int supervisor,
                    pid_t parent) SMSP_MUST_USE;

#endif
