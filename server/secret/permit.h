/* SPDX-License-Identifier: ISC */
/* Permits to hash a password: so many at a time, so that logins exhaust neither
 * memory nor processors. The reply to SMSP_SALT is the permit; it ends with the
 * worker's next request, with the worker, or after five seconds. */
#ifndef PERMIT_H
#define PERMIT_H

#include "smsp.h"

#define PERMITS_MAX 64u

typedef struct permit {
    uint32_t slot;
    int64_t until; /* ms */
} permit;

typedef struct permits {
    permit granted[PERMITS_MAX]; /* the oldest first */
    uint32_t granted_count;
    uint32_t most;
    uint32_t *waiting; /* slots, in the order of asking */
    uint32_t waiting_count;
} permits;

/* At most so many (1 to PERMITS_MAX) at a time; waiting has room for every slot. */
void permits_init(permits *all, uint32_t most, uint32_t *waiting);

/* This slot wants a permit; it has none, and does not wait for one. */
void permits_request(permits *all, uint32_t slot);

/* The slot's permit ends, or it waits for none any more. Neither is fine too. */
void permits_release(permits *all, uint32_t slot);

/* Gives the next permit; false: there is none to be had, or nobody waits. */
bool permits_grant(permits *all, uint32_t *slot);

/* Milliseconds until permits_grant may have one; -1: that takes a permits_release. */
int permits_timeout(const permits *all);

#endif
