/* SPDX-License-Identifier: ISC */
/* The keeper: the one process that holds the mail and executes requests. */
#ifndef KEEPER_H
#define KEEPER_H

#include <stdnoreturn.h>
#include <sys/types.h>

#include "options.h"
#include "slot.h"

/* Messages between supervisor and keeper. */
enum keeper_what {
    KEEPER_READY,  /* to the supervisor: the mail is loaded */
    KEEPER_SERVED, /* to the supervisor: the first requests are answered */
    KEEPER_RELEASE, /* to the keeper: the worker of this slot is dead */
    KEEPER_RELEASED,  /* to the supervisor: the slot can be wiped and used again */
    KEEPER_KILL    /* to the supervisor: kill the worker of this slot */
};

typedef struct keeper_note {
    uint32_t what; /* enum keeper_what */
    uint32_t slot;
} keeper_note;

/* Runs the keeper in a forked child. It ends with status 0 when the supervisor closes its end
 * of the socket, and with status 1 after one log line if it cannot start or continue. */
noreturn void keeper_run(const server_options *options, const slots *all, int supervisor, pid_t parent);

#endif
