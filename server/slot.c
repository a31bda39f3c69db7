/* SPDX-License-Identifier: ISC */
/* The hand-over of requests and replies between a worker and the keeper in shared memory. */
#define _GNU_SOURCE
#include "slot.h"

#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From linux/futex.h, which not every C library has. */
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1

/* ---- Mapping ---- */

static size_t whole_pages(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (bytes + page - 1) / page * page;
}

static uint8_t *map_shared(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return at == MAP_FAILED ? NULL : at;
}

bool slots_map(slots *all, uint32_t count)
{
    size_t status_size = whole_pages(sizeof(server_status));
    size_t stride = whole_pages(sizeof(slot));
    int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    uint8_t *at = map_shared(status_size + count * stride);
    uint8_t *hints = map_shared(whole_pages(count / 8 + 8));
    uint8_t *origins = map_shared(whole_pages(count * sizeof *all->origins));

    if (wake < 0 || at == NULL || hints == NULL || origins == NULL)
        return false; /* the server ends */
    *all = (slots){.status = (server_status *)(void *)at,
                   .hints = (_Atomic uint64_t *)(void *)hints,
                   .origins = (_Atomic uint64_t *)(void *)origins,
                   .first = at + status_size,
                   .status_size = status_size,
                   .stride = stride,
                   .count = count,
                   .wake = wake};
    return true;
}

slot *slots_at(const slots *all, uint32_t i)
{
    return (slot *)(void *)(all->first + i * all->stride);
}

bool slots_keep_only(const slots *all, uint32_t i)
{
    uint8_t *mine = all->first + i * all->stride;
    size_t after = (all->count - i - 1) * all->stride;

    if (munmap((void *)all->origins, whole_pages(all->count * sizeof *all->origins)) != 0)
        return false;
    if (i > 0 && munmap(all->first, i * all->stride) != 0)
        return false;
    if (after > 0 && munmap(mine + all->stride, after) != 0)
        return false;
    return mprotect(all->status, all->status_size, PROT_READ) == 0;
}

/* The first page of each direction, which nearly every client uses, is overwritten and kept:
 * to give it back would cost a page fault for the next client (ci/bench/LOG.md). The other
 * pages are given back, or overwritten if the system refuses that. */
void slots_wipe(const slots *all, uint32_t i)
{
    uint8_t *area = (uint8_t *)slots_at(all, i);
    size_t page = whole_pages(1);

    for (unsigned way = 0; way < 2; way++, area += SLOT_AREA) {
        memset(area, 0, page);
        if (madvise(area + page, SLOT_AREA - page, MADV_REMOVE) != 0)
            memset(area + page, 0, SLOT_AREA - page);
    }
}

/* ---- Hand-over ---- */

#define HINTS 64u /* in a word */

static uint64_t hint_bit(uint32_t i)
{
    return UINT64_C(1) << i % HINTS;
}

uint32_t slots_take_hint(const slots *all, uint32_t from, uint32_t end)
{
    uint32_t i = from;

    while (i < end) {
        uint64_t rest = atomic_load_explicit(&all->hints[i / HINTS], memory_order_relaxed) >> i % HINTS;
        if (rest == 0) {
            i = (i / HINTS + 1) * HINTS;
            continue;
        }
        for (; (rest & 1u) == 0; rest >>= 1)
            i++;
        if (i < end) {
            (void)atomic_fetch_and(&all->hints[i / HINTS], ~hint_bit(i)); /* before the owner is read */
            return i;
        }
    }
    return end;
}

void slots_set_hint(const slots *all, uint32_t i)
{
    (void)atomic_fetch_or(&all->hints[i / HINTS], hint_bit(i));
}

bool slots_any_hint(const slots *all, uint32_t end)
{
    uint64_t set = 0;

    for (uint32_t i = 0; i < end; i += HINTS)
        set |= atomic_load_explicit(&all->hints[i / HINTS], memory_order_relaxed);
    return set != 0;
}

slot_end slots_end_of(const slots *all, uint32_t i, int wake)
{
    return (slot_end){.slot = slots_at(all, i),
                      .status = all->status,
                      .hint_word = &all->hints[i / HINTS],
                      .hint_bit = hint_bit(i),
                      .wake = wake};
}

/* A yield is cheaper than to sleep and be woken: the keeper runs, and usually the slot is
 * back after it (ci/bench/LOG.md). */
#define YIELDS 2u

static bool back_soon(slot_end *mine)
{
    uint32_t used = atomic_load_explicit(&mine->status->used, memory_order_relaxed);

    for (unsigned i = 0; i < YIELDS && yield_once(&mine->yields, used); i++)
        if (atomic_load_explicit(&mine->slot->owner, memory_order_acquire) == SLOT_WORKER)
            return true;
    return false;
}

void slot_exchange(slot_end *mine, uint32_t count, uint32_t len)
{
    static const uint64_t one = 1;
    slot *own = mine->slot;
    uint32_t keeper = SLOT_KEEPER;

    atomic_store_explicit(&own->request_count, count, memory_order_relaxed);
    atomic_store_explicit(&own->request_len, len, memory_order_relaxed);
    /* These accesses and the keeper's (keeper_sleeps, then the hints) have one order, since all
     * are seq_cst: either the keeper sees the hint, or the worker sees that it sleeps. */
    atomic_store(&own->owner, SLOT_KEEPER);
    (void)atomic_fetch_or(mine->hint_word, mine->hint_bit);
    if (atomic_load(&mine->status->keeper_sleeps) && write(mine->wake, &one, sizeof one) < 0)
        (void)0; /* EAGAIN: the counter is full, so the keeper wakes anyway */
    if (back_soon(mine) || !atomic_compare_exchange_strong(&own->owner, &keeper, SLOT_KEEPER_AWAITED))
        return; /* the slot is back already */
    while (atomic_load_explicit(&own->owner, memory_order_acquire) == SLOT_KEEPER_AWAITED)
        (void)syscall(SYS_futex, &own->owner, FUTEX_WAIT, SLOT_KEEPER_AWAITED, NULL, NULL, 0);
}

bool slot_is_handed_over(slot *theirs)
{
    return atomic_load(&theirs->owner) != SLOT_WORKER;
}

void slot_hand_back(slot *theirs, uint32_t consumed, uint32_t reply_len)
{
    theirs->consumed = consumed;
    theirs->reply_len = reply_len;
    /* A worker that does not sleep yet sees the new owner, and does not sleep. */
    if (atomic_exchange(&theirs->owner, SLOT_WORKER) == SLOT_KEEPER_AWAITED)
        (void)syscall(SYS_futex, &theirs->owner, FUTEX_WAKE, 1, NULL, NULL, 0);
}
