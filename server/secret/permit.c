/* SPDX-License-Identifier: ISC */
/* Permits to hash a password: how many at a time, and fair by address. */
#define _GNU_SOURCE
#include "permit.h"

#include <string.h>

#include "clock.h"

#define PERMIT_MS 5000

void permits_init(permits *all, uint32_t most, uint32_t *waiting)
{
    *all = (permits){.most = most, .waiting = waiting};
}

void permits_request(permits *all, uint32_t slot)
{
    all->waiting[all->waiting_count++] = slot;
}

static void take_out(permits *all, uint32_t place)
{
    all->granted_count--;
    memmove(all->granted + place, all->granted + place + 1, (all->granted_count - place) * sizeof all->granted[0]);
}

static void leave_queue(permits *all, uint32_t place)
{
    all->waiting_count--;
    memmove(all->waiting + place, all->waiting + place + 1,
            (all->waiting_count - place) * sizeof all->waiting[0]);
}

void permits_release(permits *all, uint32_t slot)
{
    uint32_t i = 0;

    while (i < all->granted_count && all->granted[i].slot != slot)
        i++;
    if (i < all->granted_count)
        take_out(all, i);
    for (i = 0; i < all->waiting_count && all->waiting[i] != slot;)
        i++;
    if (i < all->waiting_count)
        leave_queue(all, i);
}

bool permits_grant(permits *all, uint32_t *slot)
{
    if (all->waiting_count == 0)
        return false;
    int64_t now = clock_ms();
    while (all->granted_count > 0 && all->granted[0].until <= now)
        take_out(all, 0);
    if (all->granted_count == all->most)
        return false;
    *slot = all->waiting[0];
    leave_queue(all, 0);
    all->granted[all->granted_count++] = (permit){*slot, now + PERMIT_MS};
    return true;
}

int permits_timeout(const permits *all)
{
    if (all->waiting_count == 0 || all->granted_count == 0)
        return -1;
    int64_t left = all->granted[0].until - clock_ms();
    return left > 0 ? (int)left : 0;
}
