/* SPDX-License-Identifier: ISC */
/* The worker: one process for each client, which reads, parses and answers. */
#ifndef WORKER_H
#define WORKER_H

#include <stdnoreturn.h>
#include <sys/types.h>

#include "options.h"
#include "slot.h"

/* Serves one client until it leaves: the forked child's whole life. The worker
 * has slot number mine to itself and dies with its parent. */
noreturn void worker_run(const server_options *options, const slots *all, uint32_t mine, int client,
                         pid_t parent);

#endif
