/* SPDX-License-Identifier: ISC */
/* Clients that wait for a worker, and whose turn it is. */
#define _GNU_SOURCE
#include "arrivals.h"

#include <string.h>

#include "hidden.h"

bool arrivals_init(arrivals *all, uint32_t most)
{
    memset(all, 0, sizeof *all);
    all->most = most;
    all->waiting = hidden_reserve(most * sizeof *all->waiting);
    return all->waiting != NULL;
}

static arrival take_out(arrivals *all, uint32_t place)
{
    arrival taken = all->waiting[place];

    all->count--;
    memmove(all->waiting + place, all->waiting + place + 1, (all->count - place) * sizeof *all->waiting);
    return taken;
}

int arrivals_add(arrivals *all, const arrival *client, int64_t now)
{
    uint32_t most = usage_of(&all->started, client->origin, now);
    uint32_t place = all->count; /* the client itself */

    if (all->count == all->most) {
        for (uint32_t i = 0; i < all->count; i++) {
            uint32_t used = usage_of(&all->started, all->waiting[i].origin, now);
            if (used > most || (used == most && place < all->count)) { /* the newest of them */
                most = used;
                place = i;
            }
        }
        if (place == all->count)
            return client->client;
    }
    int refused = place < all->count ? take_out(all, place).client : -1;
    all->waiting[all->count++] = *client;
    return refused;
}

uint32_t arrivals_from(const arrivals *all, const client_address *from)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < all->count; i++)
        count += memcmp(&all->waiting[i].from, from, sizeof *from) == 0;
    return count;
}

arrival arrivals_next(arrivals *all, int64_t now)
{
    uint32_t least = UINT32_MAX;
    uint32_t place = 0;

    for (uint32_t i = 0; i < all->count && least > 0; i++) {
        uint32_t used = usage_of(&all->started, all->waiting[i].origin, now);
        if (used < least) {
            least = used;
            place = i;
        }
    }
    usage_add(&all->started, all->waiting[place].origin, now);
    return take_out(all, place);
}
