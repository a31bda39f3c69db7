/* SPDX-License-Identifier: ISC */
/* DUMP: a child of the keeper prints the state (DMP-1), once for all slots that wait, and at
 * a bounded rate (DMP-4). The slots are answered in order, each when its text is printed or
 * after a second (DMP-4). */
#ifndef DUMP_H
#define DUMP_H

#include <stdatomic.h>
#include <sys/types.h>

#include "smsp.h"

typedef struct dump_waiting {
    uint32_t slot;
    int64_t until; /* ms; then it is answered in any case */
} dump_waiting;

typedef struct dump_queue {
    dump_waiting *slots; /* in the order of asking */
    uint32_t count;
    uint32_t printed;  /* this many slots at the front can be answered */
    uint32_t printing; /* the child prints for this many slots after them */
    bool owed;   /* a slot was answered before anything was printed for it */
    pid_t child; /* prints; 0: none does */
    int done;    /* readable when the child has ended; -1: there is none */
    bool counts; /* it prints counts only */
    _Atomic int64_t *paid_until; /* shared with the child: the time until which the bytes printed use up the rate */
} dump_queue;

/* An empty queue in the caller's memory, which has room for every slot. counts:
 * texts and usernames are not printed. False, with errno: no memory. */
bool dump_init(dump_queue *queue, dump_waiting *slots, bool counts) SMSP_MUST_USE;

/* Adds a slot that waits for a DUMP; it must not be in the queue yet. */
void dump_request(dump_queue *queue, uint32_t slot);

/* Takes this slot out of the queue, if it is there. */
void dump_cancel(dump_queue *queue, uint32_t slot);

/* Begins the next printing if one is wanted and none is under way; true, and *slot, if a
 * slot is to be answered now. To be called until it returns false. */
bool dump_next(dump_queue *queue, const smsp_state *state, uint32_t *slot);

/* Milliseconds until dump_next must be called, if the child does not end before; -1: never. */
int dump_timeout(const dump_queue *queue);

#endif
