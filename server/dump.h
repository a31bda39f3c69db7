/* SPDX-License-Identifier: ISC */
/* DUMP: a child of the keeper prints the state (DMP-1), and the slots that asked
 * are answered in order, each when its text is printed or after a second (DMP-4). */
#ifndef DUMP_H
#define DUMP_H

#include <sys/types.h>

#include "smsp.h"

typedef struct dump_waiting {
    uint32_t slot;
    int64_t until; /* ms; then it is answered in any case */
} dump_waiting;

typedef struct dump_queue {
    dump_waiting *slots; /* in the order of asking */
    uint32_t count;
    pid_t child; /* prints; 0: none does */
    int done;    /* readable when the child has ended; -1: there is none */
    bool first;  /* the child prints for the first of the queue */
    bool counts; /* it prints counts only */
} dump_queue;

/* An empty queue in the caller's memory, which has room for every slot. counts:
 * texts and usernames stay where they are. */
void dump_init(dump_queue *queue, dump_waiting *slots, bool counts);

/* This slot wants a DUMP. It is in the queue once at most. */
void dump_request(dump_queue *queue, uint32_t slot);

/* Takes this slot out of the queue, if it is there. */
void dump_cancel(dump_queue *queue, uint32_t slot);

/* Begins the next DUMP if none is under way; true, and *slot, if a slot is to
 * be answered now. To be called until it says false. */
bool dump_next(dump_queue *queue, const smsp_state *state, uint32_t *slot);

/* Milliseconds until dump_next has something to say, but for the child's end; -1: never. */
int dump_timeout(const dump_queue *queue);

#endif
