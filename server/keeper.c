/* SPDX-License-Identifier: ISC */
/* The keeper: one process, the only one that reads or writes the state. It takes
 * all slots that wait, executes their requests, commits, and only then answers. */
#define _GNU_SOURCE
#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confine.h"
#include "dump.h"
#include "log.h"
#include "permit.h"
#include "sandbox.h"
#include "vault.h"

#define BUSY_ROUNDS 16u /* batches between two looks at the supervisor's socket */
#define YIELDS      8u  /* looks before sleeping, with a yield before each */

enum seat_status {
    SEAT_OPEN,   /* its slot is looked at */
    SEAT_DUMP,   /* its run ended with a DUMP, which comes before the answer */
    SEAT_SALT,   /* its run ended with a salt, which is a permit to hash */
    SEAT_HOSTILE /* never answered again */
};

/* What the keeper knows of one slot. */
typedef struct seat {
    enum seat_status status;
    uint32_t count, len; /* the run, as copied in */
    uint32_t consumed, reply_len;
    bool dump, salt;
} seat;

typedef struct keeper {
    const slots *all;
    int supervisor;
    vault vault;
    permits permits;
    bool served; /* the supervisor knows that somebody was answered */
    uint32_t journal;
    seat *seats;
    uint8_t *copies; /* SLOT_BYTES for each slot */
    uint32_t *batch; /* slots whose runs are under way */
    uint32_t batch_count;
    uint32_t first; /* where the next search begins: nobody is always last */
    dump_queue dumps;
} keeper;

static noreturn void fail(const char *why)
{
    log_line("%s", why);
    _exit(1);
}

static void tell(keeper *k, enum keeper_what what, uint32_t i)
{
    keeper_note note = {what, i};

    if (send(k->supervisor, &note, sizeof note, MSG_NOSIGNAL) < 0) {
        if (errno != EPIPE) /* then the supervisor is gone, and so are we */
            log_line("the keeper cannot speak to the supervisor: %s", strerror(errno));
        _exit(1);
    }
}

static void answer(keeper *k, uint32_t i)
{
    const seat *s = &k->seats[i];

    slot_hand_back(slots_at(k->all, i), s->consumed, s->reply_len);
}

/* ---- A run ---- */

/* Is there room for this request's reply, unless it is a text? FRM-11: a MESSAGE
 * is executed only if the request behind it can be answered too. */
static bool has_room(const smsp_sealed *sealed, uint32_t reply_len)
{
    uint32_t need = sealed->verb == SMSP_MESSAGE ? 2 * SLOT_REPLY_SMALL : SLOT_REPLY_SMALL;

    return SLOT_BYTES - reply_len >= need;
}

/* Writes the reply behind those that are there. SLOT_NO_ROOM: a text is too
 * long for now; it is the first of the next run then. */
static slot_error put_reply(keeper *k, uint8_t *replies, seat *s, const smsp_result *result)
{
    uint8_t *at = replies + s->reply_len;
    size_t room = SLOT_BYTES - s->reply_len;
    smsp_span text = {at + SLOT_TEXT_AT, 0};
    size_t len;

    if (result->code == SMSP_REPLY_TEXT) {
        if (room < SLOT_TEXT_AT)
            return SLOT_NO_ROOM;
        if (smsp_message_read(k->vault.state, result->message, at + SLOT_TEXT_AT, room - SLOT_TEXT_AT,
                              &text.len) != SMSP_OK)
            return SLOT_NO_ROOM;
    }
    slot_error error = slot_put_reply(at, room, result, text, &len);
    if (error == SLOT_OK)
        s->reply_len += (uint32_t)len;
    return error;
}

/* Executes one request; false if the run ends before it. That can be at its
 * first request too: text that this batch deleted makes room once it is
 * committed, and then the run is taken up again. */
static bool run_request(keeper *k, uint8_t *replies, seat *s, const smsp_sealed *sealed, smsp_result *result)
{
    if (!has_room(sealed, s->reply_len) || smsp_execute(k->vault.state, sealed, result) != SMSP_OK)
        return false;
    if (put_reply(k, replies, s, result) != SLOT_OK)
        return false; /* a text, so nothing has changed */
    if (result->effect.kind != SMSP_EFFECT_NONE)
        vault_keep(&k->vault, &result->effect);
    s->consumed++;
    return true;
}

/* Executes the run of slot i from its copy. A run that breaks the rules makes
 * the slot hostile; what came before the breach has been executed. */
static void run_slot(keeper *k, uint32_t i)
{
    seat *s = &k->seats[i];
    const uint8_t *copy = k->copies + (size_t)i * SLOT_BYTES;
    slot *theirs = slots_at(k->all, i);
    smsp_sealed sealed = {.verb = SMSP_DUMP};
    smsp_result result = {.code = SMSP_REPLY_KO};
    size_t at = 0;
    size_t len = 0;

    s->consumed = 0;
    s->reply_len = 0;
    s->dump = false;
    s->salt = false;
    while (s->consumed < s->count && !s->dump && !s->salt) {
        if (slot_get_request(copy + at, s->len - at, &sealed, &len) != SLOT_OK) {
            s->status = SEAT_HOSTILE;
            return;
        }
        if (!run_request(k, theirs->replies, s, &sealed, &result))
            return;
        at += len;
        s->dump = sealed.verb == SMSP_DUMP;
        s->salt = result.code == SMSP_REPLY_SALT;
        if (result.code == SMSP_REPLY_AGAIN)
            return;
    }
    if (s->consumed == s->count && at != s->len)
        s->status = SEAT_HOSTILE;
}

/* ---- A batch ---- */

static void hostile(keeper *k, uint32_t i)
{
    k->seats[i].status = SEAT_HOSTILE;
    log_line("a worker broke the rules of its slot and is ended");
    tell(k, KEEPER_KILL, i);
}

/* Copies in the runs that wait, as many as the journal has room for. */
static void collect(keeper *k)
{
    uint32_t used = atomic_load(&k->all->board->used);
    uint32_t requests = 0;

    k->batch_count = 0;
    for (uint32_t n = 0; n < used; n++) {
        uint32_t i = (k->first + n) % used;
        seat *s = &k->seats[i];
        if (s->status != SEAT_OPEN || !slot_waits(slots_at(k->all, i)))
            continue;
        if (requests + SLOT_RUN_MAX > k->journal) {
            k->first = i;
            return;
        }
        if (slot_copy_in(slots_at(k->all, i), k->copies + (size_t)i * SLOT_BYTES, &s->count, &s->len) !=
            SLOT_OK) {
            hostile(k, i);
            continue;
        }
        if (s->salt) /* its last reply was a permit */
            permits_end(&k->permits, i);
        requests += s->count;
        k->batch[k->batch_count++] = i;
    }
}

static void run_slots(keeper *k)
{
    for (uint32_t n = 0; n < k->batch_count; n++)
        run_slot(k, k->batch[n]);
}

static void publish(keeper *k)
{
    for (uint32_t n = 0; n < k->batch_count; n++) {
        uint32_t i = k->batch[n];
        seat *s = &k->seats[i];
        if (s->status == SEAT_HOSTILE) {
            hostile(k, i);
        } else if (s->dump) {
            s->status = SEAT_DUMP;
            dump_want(&k->dumps, i);
        } else if (s->salt) {
            s->status = SEAT_SALT;
            permits_want(&k->permits, i);
        } else if (s->consumed > 0) {
            answer(k, i);
        } else { /* it waits for the next batch, and comes first: then nobody's deletion puts it off */
            k->first = i;
        }
    }
}

/* Executes what was collected, commits it, and only then answers. What cannot
 * be committed leaves no trace: the batch runs again without effects. */
static void run_batch(keeper *k)
{
    vault_result kept;

    do {
        if (!vault_begin(&k->vault))
            _exit(1);
        run_slots(k);
        kept = vault_end(&k->vault);
    } while (kept == VAULT_AGAIN);
    if (kept == VAULT_LOST)
        _exit(1);
    publish(k);
    if (!k->served)
        tell(k, KEEPER_SERVED, 0);
    k->served = true;
}

/* ---- The rest of the world ---- */

static void answer_dumps(keeper *k)
{
    uint32_t i;

    while (dump_next(&k->dumps, k->vault.state, &i)) {
        k->seats[i].status = SEAT_OPEN;
        answer(k, i);
    }
}

static void answer_salts(keeper *k)
{
    uint32_t i;

    while (permits_next(&k->permits, &i)) {
        k->seats[i].status = SEAT_OPEN;
        answer(k, i);
    }
}

/* A worker is dead: its slot is as if it had never asked for anything. */
static void retire(keeper *k, uint32_t i)
{
    if (i >= k->all->count)
        fail("the supervisor speaks of a slot that does not exist");
    dump_forget(&k->dumps, i);
    permits_end(&k->permits, i);
    k->seats[i] = (seat){.status = SEAT_OPEN};
    atomic_store(&slots_at(k->all, i)->owner, SLOT_WORKER);
    tell(k, KEEPER_QUIET, i);
}

static noreturn void end(keeper *k, int status)
{
    vault_close(&k->vault);
    _exit(status);
}

static void hear_supervisor(keeper *k)
{
    keeper_note note;

    for (;;) {
        ssize_t got = recv(k->supervisor, &note, sizeof note, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got != (ssize_t)sizeof note)
            end(k, got == 0 ? 0 : 1); /* the server ends */
        if (note.what == KEEPER_RETIRE)
            retire(k, note.slot);
    }
}

/* Waits at most timeout ms for a worker, the supervisor or a dump. */
static void attend(keeper *k, int timeout)
{
    uint64_t count;
    struct pollfd fds[] = {
        {.fd = k->all->wake, .events = POLLIN},
        {.fd = k->supervisor, .events = POLLIN},
        {.fd = k->dumps.done, .events = POLLIN}, /* -1 is left out */
    };

    if (poll(fds, 3, timeout) > 0) {
        if (fds[0].revents != 0 && read(k->all->wake, &count, sizeof count) < 0)
            (void)0; /* somebody's write that is seen already */
        if (fds[1].revents != 0)
            hear_supervisor(k);
    }
    if (k->dumps.count > 0 || k->dumps.done >= 0)
        answer_dumps(k);
    answer_salts(k);
}

/* Milliseconds until something is to be done without anybody's word; -1: never. */
static int patience(const keeper *k)
{
    int dump = dump_timeout(&k->dumps);
    int salt = permits_timeout(&k->permits);

    return dump >= 0 && (salt < 0 || dump < salt) ? dump : salt;
}

static bool somebody_waits(const keeper *k)
{
    uint32_t used = atomic_load(&k->all->board->used);

    for (uint32_t i = 0; i < used; i++)
        if (k->seats[i].status == SEAT_OPEN && slot_waits(slots_at(k->all, i)))
            return true;
    return false;
}

/* Lets the workers run before it looks again: one that finds the keeper awake need not
 * wake it, and several hand over meanwhile. Before the disk is flushed it lets them once
 * more, if the last batch was of several: one flush does for twice as many then
 * (ci/bench/LOG.md). */
static void linger(const keeper *k)
{
    bool waits = somebody_waits(k);

    for (unsigned i = 0; i < YIELDS && !waits; i++) {
        (void)sched_yield();
        waits = somebody_waits(k);
    }
    if (waits && k->vault.store != NULL && k->batch_count > 1)
        (void)sched_yield();
}

static noreturn void work(keeper *k)
{
    slot_board *board = k->all->board;

    for (uint32_t round = 1;; round++) {
        linger(k);
        collect(k);
        if (k->batch_count == 0) {
            atomic_store(&board->keeper_sleeps, 1);
            collect(k); /* a worker that did not see it is seen now */
            if (k->batch_count == 0)
                attend(k, patience(k));
            atomic_store(&board->keeper_sleeps, 0);
        }
        if (k->batch_count > 0)
            run_batch(k);
        answer_salts(k);
        if (round % BUSY_ROUNDS == 0 || k->dumps.count > 0)
            attend(k, 0);
    }
}

/* ---- The beginning ---- */

static void *set_aside(size_t size)
{
    void *at = vault_set_aside(size);

    if (at == NULL)
        _exit(1);
    return at;
}

noreturn void keeper_run(const server_options *options, const slots *all, int supervisor, pid_t parent)
{
    static keeper k;

    if (!confine_keeper(options, all, supervisor, parent))
        fail("the keeper cannot be confined");
    k.all = all;
    k.supervisor = supervisor;
    k.journal = options->limits.journal;
    k.seats = set_aside(all->count * sizeof *k.seats);
    k.batch = set_aside(all->count * sizeof *k.batch);
    k.copies = set_aside((size_t)all->count * SLOT_BYTES);
    dump_init(&k.dumps, set_aside(all->count * sizeof *k.dumps.slots), options->no_dump);
    permits_init(&k.permits, options->max_hashing, set_aside(all->count * sizeof *k.permits.waiting));
    if (!sandbox_enter(SANDBOX_KEEPER))
        fail("the keeper cannot be confined");
    if (!vault_open(&k.vault, options))
        _exit(1);
    tell(&k, KEEPER_READY, 0);
    work(&k);
}
