/* SPDX-License-Identifier: ISC */
/* The supervisor: listens, forks a worker for each client, enforces limits. */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include "options.h"
#include "sandbox/root.h"
#include "slot.h"

/* The server: binds its sockets, becomes that user, starts the keeper, listens, forks a worker for each client, and
 * sees to their ends. Returns the exit status of the program: 0 after SIGTERM or
 * SIGINT, 1 after a line that says why it could not start or go on. */
int supervisor_run(server_options *options, const new_user *user, const slots *all);

#endif
