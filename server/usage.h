/* SPDX-License-Identifier: ISC */
/* How much each address has used lately, so that an address that used little comes first.
 *
 * A fixed table of counters that halve every second. Two addresses can share a counter; the
 * key of the hash is random, so no client can choose with which address. */
#ifndef USAGE_H
#define USAGE_H

#include <stdint.h>

#define USAGE_COUNTERS 1024u

typedef struct address_usage {
    struct {
        uint32_t units; /* as of the time at */
        int64_t at;     /* ms */
    } counters[USAGE_COUNTERS];
} address_usage;

/* Returns what an address has used, in 1/16 of a unit. origin: a hash of the address. */
uint32_t usage_of(const address_usage *all, uint64_t origin, int64_t now);

/* Adds one unit to what the address has used. */
void usage_add(address_usage *all, uint64_t origin, int64_t now);

#endif
