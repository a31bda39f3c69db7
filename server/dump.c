/* SPDX-License-Identifier: ISC */
/* Prints the state for DUMP in a child, so that the keeper goes on. */
#define _GNU_SOURCE
#include "dump.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

#define PATIENCE_MS  1000 /* DMP-4 */
#define BYTES_PER_MS 8389 /* DMP-4: 8 MiB a second */
#define BURST_MS     1000 /* after a pause, the bytes of this time may be printed at once */

/* ---- The child ---- */

typedef struct printer {
    _Atomic int64_t *paid_until;
    size_t len;
    uint8_t buffer[65536];
} printer;

/* Waits until p->len more bytes may be printed. All children share paid_until. */
static void pay(const printer *p)
{
    int64_t now = clock_ms() * BYTES_PER_MS;
    int64_t paid = atomic_load(p->paid_until);

    if (paid < now - BURST_MS * BYTES_PER_MS)
        paid = now - BURST_MS * BYTES_PER_MS;
    paid += (int64_t)p->len;
    atomic_store(p->paid_until, paid);
    if (paid > now)
        (void)poll(NULL, 0, (int)((paid - now) / BYTES_PER_MS) + 1);
}

static bool print_out(printer *p)
{
    size_t done = 0;

    pay(p);
    while (done < p->len) {
        ssize_t written = write(STDOUT_FILENO, p->buffer + done, p->len - done);
        struct pollfd terminal = {.fd = STDOUT_FILENO, .events = POLLOUT};
        if (written < 0 && errno == EAGAIN)
            (void)poll(&terminal, 1, -1); /* somebody made it non-blocking */
        else if (written < 0 && errno != EINTR)
            return false;
        done += written > 0 ? (size_t)written : 0;
    }
    p->len = 0;
    return true;
}

static bool print(void *context, const uint8_t *at, size_t len)
{
    printer *p = context;

    while (len > 0) {
        size_t part = sizeof p->buffer - p->len < len ? sizeof p->buffer - p->len : len;
        memcpy(p->buffer + p->len, at, part);
        p->len += part;
        at += part;
        len -= part;
        if (p->len == sizeof p->buffer && !print_out(p))
            return false;
    }
    return true;
}

static bool print_counts(printer *p, const smsp_state *state)
{
    smsp_counts counts = smsp_state_counts(state);
    int len =
        snprintf((char *)p->buffer, sizeof p->buffer, "IMQ: %u\nMBX: %u\n", counts.imq, counts.accounts);

    p->len = len > 0 ? (size_t)len : 0;
    return len > 0;
}

static int print_state(const dump_queue *queue, const smsp_state *state)
{
    static printer p;

    p.paid_until = queue->paid_until;
    bool printed = queue->counts ? print_counts(&p, state) : smsp_dump(state, print, &p) == SMSP_OK;

    return printed && print_out(&p) ? 0 : 1;
}

/* Forks the child; it has a snapshot of the state as it is now. */
static bool begin(dump_queue *queue, const smsp_state *state)
{
    int ends[2];
    pid_t keeper = getpid();

    if (pipe(ends) != 0)
        return false;
    pid_t child = fork();
    if (child == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != keeper)
            _exit(1);
        (void)close(ends[0]);
        _exit(print_state(queue, state));
    }
    (void)close(ends[1]);
    if (child < 0) {
        (void)close(ends[0]);
        return false;
    }
    queue->child = child;
    queue->done = ends[0];
    return true;
}

/* ---- The queue ---- */

bool dump_init(dump_queue *queue, dump_waiting *slots, bool counts)
{
    void *shared = mmap(NULL, sizeof *queue->paid_until, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    *queue = (dump_queue){.slots = slots, .done = -1, .counts = counts, .paid_until = shared};
    return shared != MAP_FAILED;
}

void dump_request(dump_queue *queue, uint32_t slot)
{
    queue->slots[queue->count++] = (dump_waiting){slot, clock_ms() + PATIENCE_MS};
}

static void take_out(dump_queue *queue, uint32_t place)
{
    if (place < queue->printed)
        queue->printed--;
    else if (place < queue->printed + queue->printing)
        queue->printing--;
    queue->count--;
    memmove(queue->slots + place, queue->slots + place + 1, (queue->count - place) * sizeof *queue->slots);
}

void dump_cancel(dump_queue *queue, uint32_t slot)
{
    for (uint32_t place = 0; place < queue->count; place++) {
        if (queue->slots[place].slot == slot) {
            take_out(queue, place);
            return;
        }
    }
}

/* Has the child ended? Then those that it printed for can be answered. */
static void look_at_child(dump_queue *queue)
{
    if (queue->child == 0 || waitpid(queue->child, NULL, WNOHANG) == 0)
        return;
    (void)close(queue->done);
    queue->done = -1;
    queue->child = 0;
    queue->printed += queue->printing;
    queue->printing = 0;
}

/* Prints once for all slots that wait. If no child can be made, the reply is OK anyway (DMP-2). */
static void print_for_all(dump_queue *queue, const smsp_state *state)
{
    uint32_t waiting = queue->count - queue->printed;

    if (begin(queue, state))
        queue->printing = waiting;
    else
        queue->printed += waiting;
    queue->owed = false;
}

bool dump_next(dump_queue *queue, const smsp_state *state, uint32_t *slot)
{
    look_at_child(queue);
    if (queue->child == 0 && (queue->owed || queue->count > queue->printed))
        print_for_all(queue, state);
    if (queue->count == 0 || (queue->printed == 0 && clock_ms() < queue->slots[0].until))
        return false;
    if (queue->printed == 0 && queue->printing == 0)
        queue->owed = true;
    *slot = queue->slots[0].slot;
    take_out(queue, 0);
    return true;
}

int dump_timeout(const dump_queue *queue)
{
    if (queue->count == 0)
        return -1;
    int64_t left = queue->slots[0].until - clock_ms();
    return left > 0 ? (int)left : 0;
}
