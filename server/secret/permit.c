/* SPDX-License-Identifier: ISC */
/* Who may hash a password next, and whose reply waits after a failed login. */
#define _GNU_SOURCE
#include "permit.h"

#include <string.h>

#include "clock.h"

#define USUAL_MS      100  /* how long a permit is usually held, before any was used */
#define EXPIRY        8u   /* a permit counts for at most this many times the usual time */
#define EXPIRY_LEAST  200  /* ms */
#define EXPIRY_MOST   5000 /* ms */
#define FREE_FAILURES 3u   /* failed logins of a connection without a delay */
#define DELAY_MS      1000 /* of the reply to each further failed login */

void permits_init(permits *all, uint32_t most, uint32_t least_ms, login_info *slots, uint32_t *queues,
                  uint32_t slot_count)
{
    *all = (permits){.most = most,
                     .least_ms = least_ms,
                     .usual_ms = USUAL_MS,
                     .slots = slots,
                     .waiting = queues,
                     .delayed = queues + slot_count};
}

/* ---- The queues and the permits that count ---- */

static void enter(permits *all, uint32_t slot, permit_state state)
{
    all->slots[slot].state = state;
    all->slots[slot].since = clock_ms();
    if (state == PERMIT_WAITING)
        all->waiting[all->waiting_count++] = slot;
    else
        all->delayed[all->delayed_count++] = slot;
}

static void take_out(uint32_t *numbers, uint32_t *count, uint32_t number)
{
    uint32_t i = 0;

    while (i < *count && numbers[i] != number)
        i++;
    if (i == *count)
        return;
    --*count;
    memmove(numbers + i, numbers + i + 1, (*count - i) * sizeof *numbers);
}

static void count_no_longer(permits *all, uint32_t slot)
{
    take_out(all->held, &all->held_count, slot);
    all->slots[slot].counted = false;
}

static int64_t expiry_ms(const permits *all)
{
    int64_t wait = (int64_t)all->usual_ms * EXPIRY;

    return wait < EXPIRY_LEAST ? EXPIRY_LEAST : wait > EXPIRY_MOST ? EXPIRY_MOST : wait;
}

/* ---- Runs ---- */

void permits_forget(permits *all, uint32_t slot)
{
    count_no_longer(all, slot);
    take_out(all->waiting, &all->waiting_count, slot);
    take_out(all->delayed, &all->delayed_count, slot);
    all->slots[slot] = (login_info){.state = PERMIT_NONE};
}

void permits_request(permits *all, uint32_t slot, smsp_span username, uint64_t origin)
{
    login_info *s = &all->slots[slot];

    s->origin = origin;
    s->name_len = (uint8_t)username.len;
    if (username.len > 0)
        memcpy(s->name, username.at, username.len);
    s->draws = 0;
    enter(all, slot, PERMIT_WAITING);
}

void permits_run_begins(permits *all, uint32_t slot)
{
    if (all->slots[slot].counted)
        count_no_longer(all, slot);
}

bool permits_allow(const permits *all, uint32_t slot, smsp_span username)
{
    const login_info *s = &all->slots[slot];

    return s->state == PERMIT_HELD && s->draws < SMSP_DRAWS_MAX && username.len == s->name_len &&
           (s->name_len == 0 || memcmp(username.at, s->name, s->name_len) == 0);
}

/* Adapts usual_ms to the time for which this permit was held. */
static void learn(permits *all, const login_info *s)
{
    int64_t took = clock_ms() - s->since;

    if (took < 0 || took > EXPIRY_MOST)
        took = EXPIRY_MOST;
    all->usual_ms = (7 * all->usual_ms + (uint32_t)took) / 8;
}

bool permits_run_ends(permits *all, uint32_t slot, login_outcome outcome)
{
    login_info *s = &all->slots[slot];
    bool held = s->state == PERMIT_HELD;

    if (outcome == LOGIN_AGAIN) {
        s->draws++;
        return false;
    }
    s->state = PERMIT_NONE;
    if (outcome == LOGIN_ABSENT) {
        s->failures += held;
        return false;
    }
    if (held)
        learn(all, s);
    if (outcome == LOGIN_DONE || ++s->failures <= FREE_FAILURES)
        return false;
    enter(all, slot, PERMIT_DELAYED);
    return true;
}

/* ---- Who is next ---- */

/* Is a to be served before b, which has waited longer? */
static bool comes_first(const permits *all, const login_info *a, const login_info *b, int64_t now)
{
    uint32_t of_a = usage_of(&all->usage, a->origin, now);
    uint32_t of_b = usage_of(&all->usage, b->origin, now);

    if (of_a != of_b)
        return of_a < of_b;
    return a->used + a->failures < b->used + b->failures;
}

static void expire(permits *all, int64_t now)
{
    while (all->held_count > 0 && now >= all->slots[all->held[0]].since + expiry_ms(all))
        count_no_longer(all, all->held[0]);
}

static void give_permit(permits *all, uint32_t slot, int64_t now)
{
    login_info *s = &all->slots[slot];

    s->state = PERMIT_HELD;
    s->counted = true;
    s->since = now;
    s->not_before = now + all->least_ms;
    s->used++;
    all->held[all->held_count++] = slot;
    usage_add(&all->usage, s->origin, now);
}

/* Gives a permit to the slot that comes first; false: none is free, or nobody may have it. */
static bool next_waiting(permits *all, uint32_t *slot, int64_t now)
{
    const login_info *best = NULL;

    expire(all, now);
    if (all->held_count == all->most)
        return false;
    for (uint32_t i = 0; i < all->waiting_count; i++) {
        const login_info *s = &all->slots[all->waiting[i]];
        if (now >= s->not_before && (best == NULL || comes_first(all, s, best, now)))
            best = s;
    }
    if (best == NULL)
        return false;
    *slot = (uint32_t)(best - all->slots);
    take_out(all->waiting, &all->waiting_count, *slot);
    give_permit(all, *slot, now);
    return true;
}

bool permits_next(permits *all, uint32_t *slot)
{
    if (all->waiting_count == 0 && all->delayed_count == 0)
        return false;
    int64_t now = clock_ms();
    if (all->delayed_count > 0 && now >= all->slots[all->delayed[0]].since + DELAY_MS) {
        *slot = all->delayed[0];
        take_out(all->delayed, &all->delayed_count, *slot);
        all->slots[*slot].state = PERMIT_NONE;
        return true;
    }
    return next_waiting(all, slot, now);
}

int permits_timeout(const permits *all)
{
    int64_t due = INT64_MAX;

    for (uint32_t i = 0; i < all->waiting_count; i++) {
        int64_t not_before = all->slots[all->waiting[i]].not_before;
        due = not_before < due ? not_before : due;
    }
    if (all->waiting_count > 0 && all->held_count == all->most) {
        int64_t expiry = all->slots[all->held[0]].since + expiry_ms(all);
        due = due > expiry ? due : expiry;
    }
    if (all->delayed_count > 0 && all->slots[all->delayed[0]].since + DELAY_MS < due)
        due = all->slots[all->delayed[0]].since + DELAY_MS;
    if (due == INT64_MAX)
        return -1;
    int64_t left = due - clock_ms();
    return left > 0 ? (int)left : 0;
}
