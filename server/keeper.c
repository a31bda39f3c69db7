/* SPDX-License-Identifier: ISC */
/* The keeper: one process, the only one that reads or writes the state. It takes
 * all slots that wait, executes their requests, commits, and only then answers. */
#define _GNU_SOURCE
#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/confine.h"
#include "clock.h"
#include "dump.h"
#include "log.h"
#include "secret/permit.h"
#include "secret/secret.h"
#include "sandbox/sandbox.h"
#include "persist.h"

#define BUSY_ROUNDS 16u /* batches between two looks at the supervisor's socket */
#define YIELDS      8u  /* looks before sleeping, with a yield before each */
#define LOOK_MS     100 /* between two looks at all slots */
#define DISTRUST_MS 1000 /* for so long it looks at all slots after a hint was missing */

enum slot_phase {
    PHASE_OPEN,   /* its slot is looked at */
    PHASE_DUMP,   /* its run ended with a DUMP, which comes before the answer */
    PHASE_LOGIN,  /* permit.c says when it is answered */
    PHASE_HOSTILE /* never answered again */
};

/* What the keeper knows of one slot. */
typedef struct slot_info {
    enum slot_phase phase;
    uint32_t count, len; /* the run, as copied in */
    uint32_t consumed, reply_len;
    bool dump;           /* the run ended with a DUMP, */
    bool salt;           /* with a salt for username, which is a permit to hash, */
    bool login;          /* or with a REGISTER or LOGIN of this outcome */
    login_outcome outcome;
    smsp_span username;  /* in the copy */
} slot_info;

typedef struct keeper {
    const slots *all;
    int supervisor;
    persist persist;
    permits permits;
    bool served; /* the supervisor knows that somebody was answered */
    uint32_t journal;
    slot_info *info;
    uint8_t *copies; /* SLOT_BYTES for each slot */
    uint32_t *batch; /* slots whose runs are under way */
    uint32_t batch_count;
    uint32_t first; /* where the next search begins: nobody is always last */
    bool look_at_all;
    int64_t look_at;        /* ms: the next look at all slots */
    int64_t distrust_until; /* ms */
    yielder yields;
    dump_queue dumps;
} keeper;

static noreturn void fail(const char *why)
{
    log_line("%s", why);
    _exit(1);
}

static noreturn void end(keeper *k, int status)
{
    persist_close(&k->persist);
    _exit(status);
}

static void send_note(keeper *k, enum keeper_what what, uint32_t i)
{
    keeper_note note = {what, i};

    if (send(k->supervisor, &note, sizeof note, MSG_NOSIGNAL) < 0) {
        if (errno == EPIPE)
            end(k, 0); /* the server ends */
        log_line("the keeper cannot speak to the supervisor: %s", strerror(errno));
        _exit(1);
    }
}

static void answer(keeper *k, uint32_t i)
{
    const slot_info *s = &k->info[i];

    slot_hand_back(slots_at(k->all, i), s->consumed, s->reply_len);
}

/* ---- A run ---- */

/* Is there room for this request's reply, unless it is a text? A MESSAGE is executed only
 * if the longest reply to the request behind it fits too (FRM-11). */
static bool has_room(const smsp_tokenized *tokenized, uint32_t reply_len)
{
    uint32_t need = tokenized->verb == SMSP_MESSAGE ? SLOT_REPLY_SMALL + SLOT_REPLY_MAX : SLOT_REPLY_SMALL;

    return SLOT_BYTES - reply_len >= need;
}

/* Writes the reply behind those that are there. SLOT_NO_ROOM: a text is too
 * long for now; it is the first of the next run then. */
static slot_error put_reply(keeper *k, uint8_t *replies, slot_info *s, const smsp_result *result)
{
    uint8_t *at = replies + s->reply_len;
    size_t room = SLOT_BYTES - s->reply_len;
    smsp_span text = {at + SLOT_TEXT_AT, 0};
    size_t len;

    if (result->code == SMSP_REPLY_TEXT) {
        if (room < SLOT_TEXT_AT)
            return SLOT_NO_ROOM;
        if (smsp_message_read(k->persist.state, result->message, at + SLOT_TEXT_AT, room - SLOT_TEXT_AT,
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
static bool run_request(keeper *k, uint8_t *replies, slot_info *s, const smsp_tokenized *tokenized, smsp_result *result)
{
    if (!has_room(tokenized, s->reply_len) || smsp_execute(k->persist.state, tokenized, result) != SMSP_OK)
        return false;
    if (put_reply(k, replies, s, result) != SLOT_OK)
        return false; /* a text, so nothing has changed */
    if (result->effect.kind != SMSP_EFFECT_NONE)
        persist_effect(&k->persist, &result->effect);
    s->consumed++;
    return true;
}

static bool needs_permit(smsp_verb verb)
{
    return verb == SMSP_REGISTER || verb == SMSP_LOGIN;
}

/* What permit.c has to know of this request. */
static void note_login(slot_info *s, const smsp_tokenized *tokenized, const smsp_result *result)
{
    s->salt = result->code == SMSP_REPLY_SALT;
    s->login = needs_permit(tokenized->verb) || (tokenized->verb == SMSP_SALT_NEW && !s->salt);
    if (s->salt)
        s->username = tokenized->username;
    if (s->login)
        s->outcome = result->code == SMSP_REPLY_COOKIE  ? LOGIN_DONE
                     : result->code == SMSP_REPLY_AGAIN ? LOGIN_AGAIN
                                                        : LOGIN_FAILED;
}

/* Executes the run of slot i from its copy. A run that breaks the rules makes the slot
 * hostile; what came before the breach has been executed. REGISTER and LOGIN need a permit
 * for their username, and come first in their run; they end it, as a salt does. */
static void run_slot(keeper *k, uint32_t i)
{
    slot_info *s = &k->info[i];
    const uint8_t *copy = k->copies + (size_t)i * SLOT_BYTES;
    slot *theirs = slots_at(k->all, i);
    smsp_tokenized tokenized = {.verb = SMSP_DUMP};
    smsp_result result = {.code = SMSP_REPLY_KO};
    size_t at = 0;
    size_t len = 0;

    s->consumed = 0;
    s->reply_len = 0;
    s->dump = false;
    s->salt = false;
    s->login = false;
    s->outcome = LOGIN_ABSENT;
    while (s->consumed < s->count && !s->dump && !s->salt && !s->login) {
        if (slot_get_request(copy + at, s->len - at, &tokenized, &len) != SLOT_OK) {
            s->phase = PHASE_HOSTILE;
            return;
        }
        if (needs_permit(tokenized.verb) &&
            (s->consumed > 0 || !permits_allow(&k->permits, i, tokenized.username))) {
            s->phase = PHASE_HOSTILE;
            return;
        }
        if (!run_request(k, theirs->replies, s, &tokenized, &result))
            return;
        at += len;
        s->dump = tokenized.verb == SMSP_DUMP;
        note_login(s, &tokenized, &result);
    }
    if (s->consumed == s->count && at != s->len)
        s->phase = PHASE_HOSTILE;
}

/* ---- A batch ---- */

static void end_hostile_worker(keeper *k, uint32_t i)
{
    k->info[i].phase = PHASE_HOSTILE;
    log_line("a worker broke the rules of its slot and is ended");
    send_note(k, KEEPER_KILL, i);
}

/* The next slot from number from on that may have been handed over; end if there is none. */
static uint32_t next_candidate(keeper *k, uint32_t from, uint32_t end)
{
    bool hinted;

    if (!k->look_at_all || from >= end)
        return slots_take_hint(k->all, from, end);
    hinted = slots_take_hint(k->all, from, from + 1) == from;
    if (!hinted && k->info[from].phase == PHASE_OPEN && slot_is_handed_over(slots_at(k->all, from)))
        k->distrust_until = clock_ms() + DISTRUST_MS;
    return from;
}

/* Copies in the runs of slots from number from on and below end. False: the journal has no
 * room for more of them. */
static bool collect_range(keeper *k, uint32_t from, uint32_t end, uint32_t *requests)
{
    for (uint32_t i = next_candidate(k, from, end); i < end; i = next_candidate(k, i + 1, end)) {
        slot_info *s = &k->info[i];
        if (s->phase != PHASE_OPEN || !slot_is_handed_over(slots_at(k->all, i)))
            continue;
        if (*requests + SLOT_RUN_MAX > k->journal) {
            slots_set_hint(k->all, i);
            k->first = i;
            return false;
        }
        if (slot_copy_in(slots_at(k->all, i), k->copies + (size_t)i * SLOT_BYTES, &s->count, &s->len) !=
            SLOT_OK) {
            end_hostile_worker(k, i);
            continue;
        }
        permits_run_begins(&k->permits, i);
        *requests += s->count;
        k->batch[k->batch_count++] = i;
    }
    return true;
}

/* Copies in the runs that wait, as many as the journal has room for. Mostly it looks only
 * at slots with a hint, so idle clients cost nothing. A hostile worker can clear the hints
 * of others; so now and then it looks at all slots, and for a while if a hint was missing. */
static void collect(keeper *k)
{
    uint32_t used = atomic_load(&k->all->status->used);
    uint32_t first = k->first < used ? k->first : 0;
    uint32_t requests = 0;

    k->batch_count = 0;
    if (collect_range(k, first, used, &requests))
        (void)collect_range(k, 0, first, &requests);
}

static void run_slots(keeper *k)
{
    for (uint32_t n = 0; n < k->batch_count; n++)
        run_slot(k, k->batch[n]);
}

static void answer_batch(keeper *k)
{
    for (uint32_t n = 0; n < k->batch_count; n++) {
        uint32_t i = k->batch[n];
        slot_info *s = &k->info[i];
        if (s->phase == PHASE_HOSTILE) {
            end_hostile_worker(k, i);
        } else if (s->dump) {
            s->phase = PHASE_DUMP;
            dump_request(&k->dumps, i);
        } else if (s->salt) {
            (void)permits_run_ends(&k->permits, i, LOGIN_ABSENT);
            s->phase = PHASE_LOGIN;
            permits_request(&k->permits, i, s->username, atomic_load(&k->all->origins[i]));
        } else if (s->consumed > 0) {
            if (permits_run_ends(&k->permits, i, s->outcome))
                s->phase = PHASE_LOGIN;
            else
                answer(k, i);
        } else { /* it waits for the next batch, and comes first: then nobody's deletion puts it off */
            slots_set_hint(k->all, i);
            k->first = i;
        }
    }
}

/* Executes what was collected, commits it, and only then answers. What cannot
 * be committed leaves no trace: the batch runs again without effects. */
static void run_batch(keeper *k)
{
    persist_result kept;

    do {
        if (!persist_begin(&k->persist))
            _exit(1);
        run_slots(k);
        kept = persist_commit(&k->persist);
    } while (kept == PERSIST_RETRY);
    if (kept == PERSIST_FATAL)
        _exit(1);
    answer_batch(k);
    if (!k->served)
        send_note(k, KEEPER_SERVED, 0);
    k->served = true;
}

/* ---- The rest of the world ---- */

static void answer_dumps(keeper *k)
{
    uint32_t i;

    while (dump_next(&k->dumps, k->persist.state, &i)) {
        k->info[i].phase = PHASE_OPEN;
        answer(k, i);
    }
}

static void answer_logins(keeper *k)
{
    uint32_t i;

    while (permits_next(&k->permits, &i)) {
        k->info[i].phase = PHASE_OPEN;
        answer(k, i);
    }
}

/* A worker is dead: its slot is as if it had never asked for anything. */
static void release_slot(keeper *k, uint32_t i)
{
    if (i >= k->all->count)
        fail("the supervisor speaks of a slot that does not exist");
    dump_cancel(&k->dumps, i);
    permits_forget(&k->permits, i);
    k->info[i] = (slot_info){.phase = PHASE_OPEN};
    atomic_store(&slots_at(k->all, i)->owner, SLOT_WORKER);
    send_note(k, KEEPER_RELEASED, i);
}

static void handle_notes(keeper *k)
{
    keeper_note note;

    for (;;) {
        ssize_t got = recv(k->supervisor, &note, sizeof note, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got != (ssize_t)sizeof note)
            end(k, got == 0 ? 0 : 1); /* the server ends */
        if (note.what == KEEPER_RELEASE)
            release_slot(k, note.slot);
    }
}

/* Waits at most timeout ms for a worker, the supervisor or a dump. */
static void poll_once(keeper *k, int timeout)
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
            handle_notes(k);
    }
    if (k->dumps.count > 0 || k->dumps.done >= 0)
        answer_dumps(k);
    answer_logins(k);
}

/* Milliseconds until something is to be done without anybody's word; -1: never. */
static int poll_timeout(const keeper *k)
{
    int dump = dump_timeout(&k->dumps);
    int salt = permits_timeout(&k->permits);
    int next = dump >= 0 && (salt < 0 || dump < salt) ? dump : salt;

    if (atomic_load(&k->all->status->used) > 0 && (next < 0 || next > LOOK_MS))
        next = LOOK_MS;
    return next;
}

/* Lets the workers run before it looks again: one that finds the keeper awake need not
 * wake it, and several hand over meanwhile. With a store it lets them run once more if the
 * last batch was of several slots: then one flush is enough for twice as many
 * (ci/bench/LOG.md). */
static void yield_to_workers(keeper *k)
{
    uint32_t used = atomic_load(&k->all->status->used);
    bool waits = slots_any_hint(k->all, used);

    for (unsigned i = 0; i < YIELDS && !waits && yield_once(&k->yields); i++)
        waits = slots_any_hint(k->all, used);
    if (waits && k->persist.store != NULL && k->batch_count > 1)
        (void)yield_once(&k->yields);
}

/* Is it time to look at all slots? */
static void schedule_full_look(keeper *k)
{
    int64_t now = clock_ms();

    k->look_at_all = now >= k->look_at || now < k->distrust_until;
    if (now >= k->look_at)
        k->look_at = now + LOOK_MS;
}

static noreturn void work(keeper *k)
{
    server_status *status = k->all->status;

    for (uint32_t round = 1;; round++) {
        yield_to_workers(k);
        if (round % BUSY_ROUNDS == 0 || k->batch_count == 0)
            schedule_full_look(k);
        collect(k);
        if (k->batch_count == 0) {
            atomic_store(&status->keeper_sleeps, 1);
            collect(k); /* a worker that did not see it is seen now */
            if (k->batch_count == 0)
                poll_once(k, poll_timeout(k));
            atomic_store(&status->keeper_sleeps, 0);
        }
        if (k->batch_count > 0)
            run_batch(k);
        answer_logins(k);
        if (round % BUSY_ROUNDS == 0 || k->dumps.count > 0)
            poll_once(k, 0);
    }
}

/* ---- The beginning ---- */

static void *reserve(size_t size)
{
    void *at = persist_reserve(size);

    if (at == NULL)
        _exit(1);
    return at;
}

static noreturn void cannot_be_confined(void)
{
    log_line("the keeper cannot be confined: %s", log_reason(errno));
    _exit(1);
}

noreturn void keeper_run(const server_options *options, const slots *all, int supervisor, pid_t parent)
{
    static keeper k;

    if (!confine_keeper(options, all, supervisor, parent))
        cannot_be_confined();
    k.all = all;
    k.supervisor = supervisor;
    k.journal = options->limits.journal;
    k.info = reserve(all->count * sizeof *k.info);
    k.batch = reserve(all->count * sizeof *k.batch);
    k.copies = reserve((size_t)all->count * SLOT_BYTES);
    dump_init(&k.dumps, reserve(all->count * sizeof *k.dumps.slots), options->no_dump);
    permits_init(&k.permits, options->max_hashing, secret_least_ms(options->test_cost),
                 reserve(all->count * sizeof *k.permits.slots), reserve(2 * all->count * sizeof *k.permits.waiting),
                 all->count);
    if (!sandbox_enter(SANDBOX_KEEPER))
        cannot_be_confined();
    if (!persist_open(&k.persist, options))
        _exit(1);
    send_note(&k, KEEPER_READY, 0);
    work(&k);
}
