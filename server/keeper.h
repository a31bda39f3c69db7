/* SPDX-License-Identifier: ISC */
/* The keeper: the one process that holds the mail and executes requests. */
#ifndef KEEPER_H
#define KEEPER_H

#include <stdnoreturn.h>
#include <sys/types.h>

#include "options.h"
#include "slot.h"

/* What supervisor and keeper tell each other, in messages of this one shape. */
enum keeper_what {
    KEEPER_READY,  /* to the supervisor: the state is there */
    KEEPER_SERVED, /* to the supervisor: the first requests are answered */
    KEEPER_RELEASE, /* to the keeper: this slot's worker is dead; forget the slot */
    KEEPER_RELEASED,  /* to the supervisor: done, the slot may be wiped and used again */
    KEEPER_KILL    /* to the supervisor: this slot's worker breaks the rules */
};

typedef struct keeper_note {
    uint32_t what; /* enum keeper_what */
    uint32_t slot;
} keeper_note;

/* Keeps the state and answers all slots: the forked child's whole life. It ends
 * with status 0 when the supervisor closes its end of the socket, with status 1
 * after one line if it cannot begin or go on. */
noreturn void keeper_run(const server_options *options, const slots *all, int supervisor, pid_t parent);

#endif
