/* SPDX-License-Identifier: ISC */
/* The keeper: the only process that reads and writes the state. It executes the requests of
 * all slots that wait, commits them, and only then answers. */
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

#define BUSY_ROUNDS 16u /* batches between two reads of the supervisor's socket */
#define YIELDS      8u  /* before it sleeps */
#define LOOK_MS     100 /* between two checks of all slots */
#define DISTRUST_MS 1000 /* how long it checks all slots after a hint was missing */

enum slot_phase {
    PHASE_OPEN,   /* the slot can be handed over */
    PHASE_DUMP,   /* the run ended with a DUMP, which is printed before the answer */
    PHASE_LOGIN,  /* permit.c says when it is answered */
    PHASE_HOSTILE /* never answered again */
};

/* What the keeper knows of one slot. */
typedef struct slot_info {
    enum slot_phase phase;
    uint32_t count, len; /* the run, as copied in */
    uint32_t consumed, reply_len;
    bool dump;           /* the run ended with a DUMP */
    bool salt;           /* it ended with a request for the salt of username: give a permit to hash */
    bool login;          /* it ended with a REGISTER or LOGIN */
    login_outcome outcome; /* of that REGISTER or LOGIN */
    smsp_span username;  /* in the copy */
} slot_info;

typedef struct keeper {
    const slots *all;
    int supervisor;
    persist persist;
    permits permits;
    bool served; /* a client was answered, and the supervisor knows it */
    uint32_t journal;
    slot_info *info;
    uint8_t *copies; /* SLOT_BYTES for each slot */
    uint32_t *batch; /* slots whose runs are under way */
    uint32_t batch_count;
    uint32_t first; /* where the next search begins, so that no slot is always last */
    bool look_at_all;
    int64_t look_at;        /* ms: the next check of all slots */
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
        log_line("the keeper cannot send to the supervisor: %s", strerror(errno));
        _exit(1);
    }
}

static void answer(keeper *k, uint32_t i)
{
    const slot_info *s = &k->info[i];

    slot_hand_back(slots_at(k->all, i), s->consumed, s->reply_len);
}

/* ---- A run ---- */

/* Is there room for the reply to this request? put_reply checks again if it is a text. A MESSAGE
 * is executed only if the longest reply to the next request fits too (FRM-11). */
static bool has_room(const smsp_tokenized *tokenized, uint32_t reply_len)
{
    uint32_t need = tokenized->verb == SMSP_MESSAGE ? SLOT_REPLY_SMALL + SLOT_REPLY_MAX : SLOT_REPLY_SMALL;

    return SLOT_BYTES - reply_len >= need;
}

/* Writes the reply behind the others. SLOT_NO_ROOM: the text does not fit; it will be the
 * first reply of the next run. */
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

/* Executes one request. False: the run ends before it. That can be the first request of the
 * run, if it needs the room of texts that this batch deleted: the commit frees them, and the
 * next batch executes the request. */
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
 * hostile; the requests before that one are executed. REGISTER and LOGIN must be the first of
 * their run and need a permit for their username. They end the run, and so does a request for a salt. */
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
    log_line("a worker broke the rules of its slot and is killed");
    send_note(k, KEEPER_KILL, i);
}

/* The first slot in from..end-1 that may have been handed over, or end. If a slot was handed over
 * and its hint is missing, another worker has cleared it: trust no hint for DISTRUST_MS. */
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

/* Copies in the runs of the slots from..end-1. False: the journal has no room for more. */
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

/* Copies in the runs that wait, as many as the journal has room for. Usually it checks only
 * slots with a hint, so idle clients cost nothing. A hostile worker can clear the hints of
 * others, so it checks all slots every LOOK_MS, and always while hints cannot be trusted. */
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
        } else { /* it comes first in the next batch, so that others cannot take its room again */
            slots_set_hint(k->all, i);
            k->first = i;
        }
    }
}

/* Executes what was collected, commits it, and only then answers. If the commit fails, the
 * batch is undone and executed again read-only. */
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

/* ---- Replies that wait, the supervisor ---- */

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

/* The worker of this slot is dead: drops its requests. */
static void release_slot(keeper *k, uint32_t i)
{
    if (i >= k->all->count)
        fail("the supervisor sent the number of a slot that does not exist");
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
        {.fd = k->dumps.done, .events = POLLIN}, /* poll ignores -1 */
    };

    if (poll(fds, 3, timeout) > 0) {
        if (fds[0].revents != 0 && read(k->all->wake, &count, sizeof count) < 0)
            (void)0; /* another poll has read it */
        if (fds[1].revents != 0)
            handle_notes(k);
    }
    if (k->dumps.count > 0 || k->dumps.done >= 0)
        answer_dumps(k);
    answer_logins(k);
}

/* Milliseconds until the keeper must do something by itself; -1: never. */
static int poll_timeout(const keeper *k)
{
    int dump = dump_timeout(&k->dumps);
    int salt = permits_timeout(&k->permits);
    int next = dump >= 0 && (salt < 0 || dump < salt) ? dump : salt;

    if (atomic_load(&k->all->status->used) > 0 && (next < 0 || next > LOOK_MS))
        next = LOOK_MS;
    return next;
}

/* Lets workers run, so that several hand over before the next batch, and none has to wake
 * the keeper. With a store it yields once more if the last batch had several slots: one
 * flush then serves twice as many (ci/bench/LOG.md). */
static void yield_to_workers(keeper *k)
{
    uint32_t used = atomic_load(&k->all->status->used);
    bool waits = slots_any_hint(k->all, used);

    for (unsigned i = 0; i < YIELDS && !waits && yield_once(&k->yields, used); i++)
        waits = slots_any_hint(k->all, used);
    if (waits && k->persist.store != NULL && k->batch_count > 1)
        (void)yield_once(&k->yields, used);
}

/* Decides whether the next search checks all slots. */
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
            collect(k); /* a worker that did not see keeper_sleeps is seen now */
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

/* ---- Start ---- */

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
    if (!dump_init(&k.dumps, reserve(all->count * sizeof *k.dumps.slots), options->no_dump))
        fail("the keeper has no memory for DUMP");
    permits_init(&k.permits, options->max_hashing, secret_least_ms(options->test_cost),
                 reserve(all->count * sizeof *k.permits.slots), reserve(2 * all->count * sizeof *k.permits.waiting),
                 all->count);
    if (!sandbox_enter(SANDBOX_KEEPER))
        cannot_be_confined();
    if (!persist_open(&k.persist, options, all->status->costs))
        _exit(1);
    send_note(&k, KEEPER_READY, 0);
    work(&k);
}
