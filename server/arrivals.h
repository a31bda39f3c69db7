/* SPDX-License-Identifier: ISC */
/* Clients that are accepted and have no worker yet.
 *
 * To accept takes microseconds, to fork a worker a hundred times as long. So the supervisor
 * accepts all clients that connect, and then starts a worker for the client whose address had fewest
 * started lately: a storm of connections from one address delays no other. */
#ifndef ARRIVALS_H
#define ARRIVALS_H

#include "listener.h"
#include "usage.h"

typedef struct arrival {
    int client; /* its socket */
    client_address from;
    uint64_t origin; /* a hash of from */
} arrival;

typedef struct arrivals {
    arrival *waiting; /* in the order of arrival */
    uint32_t count;
    uint32_t most;
    address_usage started;
} arrivals;

/* Room for most clients. False, with errno: no memory. */
bool arrivals_init(arrivals *all, uint32_t most) SMSP_MUST_USE;

/* Adds a client. Returns the socket of a client to refuse, or -1: if there is no room, that
 * is the newest from the address that had most workers started lately. */
int arrivals_add(arrivals *all, const arrival *client, int64_t now) SMSP_MUST_USE;

/* How many of them come from this address. */
uint32_t arrivals_from(const arrivals *all, const client_address *from);

/* Removes and returns the client whose turn it is, and counts it. There must be one. */
arrival arrivals_next(arrivals *all, int64_t now);

#endif
