/* SPDX-License-Identifier: ISC */
/* Permits to hash a password, and what failed logins cost.
 *
 * The keeper gives a permit for one username with the reply to SMSP_SALT. Only --max-hashing
 * permits exist at a time, so that logins exhaust neither memory nor processors. The next
 * one goes to the address that used fewest lately, then to the connection that used fewest,
 * then to the one that waits longest. A permit ends with the worker's next run, or when it
 * is held for much longer than others need.
 *
 * The keeper enforces these limits, so a worker that is taken over gets no more than its client. */
#ifndef PERMIT_H
#define PERMIT_H

#include "smsp.h"
#include "usage.h"

#define PERMITS_MAX 64u

typedef enum permit_state {
    PERMIT_NONE,
    PERMIT_WAITING, /* asked for */
    PERMIT_HELD,    /* given for this username, and not used yet */
    PERMIT_DELAYED  /* a failed login whose reply waits */
} permit_state;

/* What is known of the logins of one slot. Zero for a new client. */
typedef struct login_info {
    permit_state state;
    uint32_t used;       /* permits of this connection */
    uint64_t origin;     /* a hash of the client's address */
    uint32_t failures;   /* failed logins, and permits that were not used */
    uint32_t draws;      /* cookies drawn with this permit */
    int64_t since;       /* ms: when it entered this state */
    int64_t not_before;  /* ms: the next permit */
    bool counted;        /* among the --max-hashing */
    uint8_t name_len;
    uint8_t name[SMSP_NAME_MAX];
} login_info;

typedef struct permits {
    login_info *slots;
    uint32_t *waiting; /* for a permit, in the order of asking */
    uint32_t waiting_count;
    uint32_t *delayed; /* the first to be answered first */
    uint32_t delayed_count;
    uint32_t held[PERMITS_MAX]; /* slots whose permit counts, the oldest first */
    uint32_t held_count;
    uint32_t most;
    uint32_t least_ms; /* between two permits of a connection */
    uint32_t usual_ms; /* how long a permit is usually held */
    address_usage usage;
} permits;

/* most: the number of permits (1 to PERMITS_MAX) at a time; slots has one zeroed element for
 * every slot, queues has two. */
void permits_init(permits *all, uint32_t most, uint32_t least_ms, login_info *slots, uint32_t *queues,
                  uint32_t slot_count);

/* The client has gone. */
void permits_forget(permits *all, uint32_t slot);

/* This slot asks for a permit for a username; its reply waits until permits_next names it.
 * origin: a hash of the client's address. */
void permits_request(permits *all, uint32_t slot, smsp_span username, uint64_t origin);

/* A new run of this slot begins: its permit does not count any longer. */
void permits_run_begins(permits *all, uint32_t slot);

/* May this slot REGISTER or LOGIN this username? */
bool permits_allow(const permits *all, uint32_t slot, smsp_span username);

typedef enum login_outcome {
    LOGIN_DONE,
    LOGIN_FAILED, /* also a REGISTER of a name that is taken */
    LOGIN_AGAIN,  /* its cookie is assigned already; the permit stays for another draw */
    LOGIN_ABSENT  /* the run had no login: a permit that was held is lost */
} login_outcome;

/* The run of this slot has ended with this outcome. True: its reply waits until permits_next
 * names the slot. */
bool permits_run_ends(permits *all, uint32_t slot, login_outcome outcome);

/* Names the next slot whose reply may be sent; false: no reply may be sent now. */
bool permits_next(permits *all, uint32_t *slot);

/* Milliseconds until permits_next may name a slot; -1: only after another call. */
int permits_timeout(const permits *all);

#endif
