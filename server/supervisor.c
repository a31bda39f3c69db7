/* SPDX-License-Identifier: ISC */
/* The supervisor: smspd itself. It listens, accepts, forks, reaps and enforces the limits.
 * It has no mail. */
#define _GNU_SOURCE
#include "supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arrivals.h"
#include "clock.h"
#include "hidden.h"
#include "keeper.h"
#include "listener.h"
#include "log.h"
#include "refusal.h"
#include "siphash.h"
#include "worker.h"

#define ACCEPTS      256u /* in a row, before it handles other events */
#define STARTS       8u   /* of workers in a row: each takes about 200 us */
#define RESERVED     8u   /* 1 of this many places is for addresses without a client */
#define PAUSE_MS     100  /* without accepting, after accept or fork failed */
#define RELEASING_MAX 64u  /* notes without an answer of the keeper: they never fill the socket */
#define END_MS       5000 /* the time that the keeper has to end by itself */
#define DEATHS_MAX   5u   /* keepers in a row that ended and answered nobody */
#define FIXED_FDS    2u

enum worker_status {
    FREE,
    SERVING, /* a worker has the slot */
    DEAD,    /* the worker is reaped; the keeper does not know yet */
    RELEASING /* the keeper has to release the slot */
};

typedef struct worker_entry {
    enum worker_status status;
    pid_t worker;
    client_address from;
} worker_entry;

typedef struct supervisor {
    const server_options *options;
    const slots *all;
    listeners listeners;
    arrivals arrivals;
    refusals refusals;
    uint8_t address_key[SMSP_KEY_LEN]; /* random: nobody can choose an address with a given hash */
    int signals;
    int notes; /* the supervisor's end of the keeper's socket */
    pid_t self;
    pid_t keeper; /* 0: it has ended */
    worker_entry *workers;
    uint32_t serving, dead, releasing;
    uint32_t deaths;      /* of keepers, since one answered a client */
    int64_t paused_until; /* 0: it accepts */
    bool ready;           /* the keeper has loaded the mail */
    bool listening;
    bool ending;
    int status;
} supervisor;

static void end_with(supervisor *s, int status)
{
    s->ending = true;
    s->status = status;
}

/* accept or fork failed: wait a while instead of trying in a busy loop. */
static void slow_down(supervisor *s, const char *what)
{
    log_line("%s: %s; no new clients for %d ms", what, log_reason(errno), PAUSE_MS);
    s->paused_until = clock_ms() + PAUSE_MS;
}

/* ---- Accept, fork ---- */

/* glibc before 2.34 does not have _Fork. */
extern pid_t _Fork(void) __attribute__((weak)); /* NOLINT(readability-redundant-declaration): weak here */

/* _Fork runs no fork handlers. They are for programs with threads, and would make the child
 * copy four pages (ci/bench/LOG.md). */
static void start_worker(supervisor *s, uint32_t i, int client, const client_address *from)
{
    const server_options *options = s->options;
    const slots *all = s->all;
    pid_t self = s->self;
    pid_t worker = _Fork != NULL ? _Fork() : fork();

    if (worker == 0)
        worker_run(options, all, i, client, self); /* it does not have *s */
    if (worker < 0) {
        slow_down(s, "cannot fork");
        refuse_client(&s->refusals, client, clock_ms());
        return;
    }
    (void)close(client);
    s->workers[i] = (worker_entry){SERVING, worker, *from};
    s->serving++;
}

/* The clients of this address that have a worker. */
static uint32_t served_from(const supervisor *s, const client_address *from)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < s->all->status->used; i++)
        count += s->workers[i].status == SERVING && memcmp(&s->workers[i].from, from, sizeof *from) == 0;
    return count;
}

/* Has this address reached --max-clients-per-address? */
static bool address_limit_reached(const supervisor *s, const client_address *from)
{
    uint32_t most = s->options->max_per_address;

    return most > 0 && served_from(s, from) + arrivals_from(&s->arrivals, from) >= most;
}

/* Is there no place for a client of this address? The last places are for addresses that
 * have none yet, so that one address cannot lock out the others. */
static bool is_full_for(const supervisor *s, const client_address *from)
{
    uint32_t most = s->options->max_clients;

    return s->serving >= most || (s->serving >= most - most / RESERVED && served_from(s, from) > 0);
}

static bool may_accept(const supervisor *s)
{
    return s->ready && s->paused_until == 0;
}

static void refuse(supervisor *s, int client)
{
    refuse_client(&s->refusals, client, clock_ms());
}

static void accept_clients(supervisor *s, int listener)
{
    for (unsigned n = 0; n < ACCEPTS && may_accept(s); n++) {
        struct sockaddr_storage peer = {0};
        socklen_t len = sizeof peer;
        int client = accept4(listener, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC);
        arrival new = {.client = client, .from = listener_address((struct sockaddr *)&peer)};
        if (client < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                slow_down(s, "cannot accept");
            return; /* otherwise nobody waits, or the client has gone */
        }
        new.origin = smsp_siphash(s->address_key, new.from.bytes, sizeof new.from.bytes);
        int refused = address_limit_reached(s, &new.from) ? client : arrivals_add(&s->arrivals, &new, clock_ms());
        if (refused >= 0)
            refuse(s, refused);
    }
}

/* Not during a pause, and not while the keeper still has to release the last free slots:
 * then clients wait a little. */
static bool may_start(const supervisor *s)
{
    uint32_t taken = s->serving + s->dead + s->releasing;

    return s->arrivals.count > 0 && may_accept(s) &&
           (taken < s->all->count || s->serving >= s->options->max_clients);
}

static void start_workers(supervisor *s)
{
    for (unsigned n = 0; n < STARTS && may_start(s); n++) {
        arrival next = arrivals_next(&s->arrivals, clock_ms());
        uint32_t i = 0;
        while (i < s->all->count && s->workers[i].status != FREE)
            i++;
        if (i == s->all->count || is_full_for(s, &next.from)) {
            refuse(s, next.client);
            continue;
        }
        if (i >= s->all->status->used)
            atomic_store(&s->all->status->used, i + 1);
        atomic_store(&s->all->origins[i], next.origin);
        start_worker(s, i, next.client, &next.from);
    }
}

/* ---- Ends of workers and of the keeper ---- */

/* Asks the keeper to release the slots of dead workers, a bounded number at a time. */
static void release_dead_slots(supervisor *s)
{
    for (uint32_t i = 0; s->ready && s->dead > 0 && s->releasing < RELEASING_MAX && i < s->all->count; i++) {
        keeper_note note = {KEEPER_RELEASE, i};
        if (s->workers[i].status != DEAD)
            continue;
        if (send(s->notes, &note, sizeof note, MSG_NOSIGNAL) < 0)
            return; /* the keeper has ended; reap handles that */
        s->workers[i].status = RELEASING;
        s->dead--;
        s->releasing++;
    }
}

static void kill_workers(const supervisor *s)
{
    for (uint32_t i = 0; i < s->all->count; i++) {
        if (s->workers[i].status == SERVING)
            (void)kill(s->workers[i].worker, SIGKILL);
    }
}

/* The mail is on disk: when all workers have ended, a new keeper can load it. */
static void prepare_new_keeper(supervisor *s)
{
    s->ready = false;
    (void)close(s->notes);
    s->notes = -1;
    kill_workers(s);
    s->paused_until = clock_ms() + (int64_t)s->deaths * PAUSE_MS;
    if (++s->deaths < DEATHS_MAX)
        return;
    log_line("%u keepers in a row ended before they answered anybody: giving up", DEATHS_MAX);
    end_with(s, 1);
}

static void keeper_ended(supervisor *s, int status)
{
    bool lasts = s->options->data != NULL;
    const char *then = lasts ? "a new one loads the mail" : "its mail, in memory only, is lost; start again";

    s->keeper = 0;
    if (s->ending)
        return;
    if (WIFSIGNALED(status))
        log_line("the keeper was ended by signal %d: %s", WTERMSIG(status), s->listening ? then : "start again");
    else if (s->listening)
        log_line("the keeper ended: %s", then);
    if (lasts && s->listening)
        prepare_new_keeper(s);
    else
        end_with(s, 1);
}

static void worker_ended(supervisor *s, pid_t worker, int status)
{
    uint32_t i = 0;

    while (i < s->all->count && (s->workers[i].status != SERVING || s->workers[i].worker != worker))
        i++;
    if (i == s->all->count)
        return; /* a DUMP's child whose keeper is gone */
    if (WIFSIGNALED(status) && !s->ending)
        log_line("a worker was ended by signal %d", WTERMSIG(status));
    s->workers[i] = (worker_entry){.status = DEAD};
    s->serving--;
    s->dead++;
}

static void reap(supervisor *s)
{
    int status;
    pid_t child;

    while ((child = waitpid(-1, &status, WNOHANG)) > 0) {
        if (child == s->keeper)
            keeper_ended(s, status);
        else
            worker_ended(s, child, status);
    }
}

static void handle_signals(supervisor *s)
{
    struct signalfd_siginfo signal;

    while (read(s->signals, &signal, sizeof signal) == (ssize_t)sizeof signal) {
        if (signal.ssi_signo != SIGCHLD)
            end_with(s, 0);
    }
    reap(s);
}

static void slot_released(supervisor *s, uint32_t i)
{
    if (s->workers[i].status != RELEASING)
        return;
    s->releasing--;
    slots_wipe(s->all, i);
    s->workers[i].status = FREE;
    uint32_t used = s->all->status->used;
    while (used > 0 && s->workers[used - 1].status == FREE)
        used--;
    atomic_store(&s->all->status->used, used); /* the keeper checks fewer slots after a burst */
}

static void handle_keeper_notes(supervisor *s)
{
    keeper_note note;

    while (recv(s->notes, &note, sizeof note, MSG_DONTWAIT) == (ssize_t)sizeof note) {
        if (note.what == KEEPER_READY)
            s->ready = true;
        else if (note.what == KEEPER_SERVED)
            s->deaths = 0;
        else if (note.slot >= s->all->count)
            continue;
        else if (note.what == KEEPER_RELEASED)
            slot_released(s, note.slot);
        else if (note.what == KEEPER_KILL && s->workers[note.slot].status == SERVING)
            (void)kill(s->workers[note.slot].worker, SIGKILL);
    }
}

/* Starts the keeper; a later one closes the descriptors that it inherits. */
static bool start_keeper(supervisor *s)
{
    const server_options *options = s->options;
    const slots *all = s->all;
    pid_t self = s->self;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    pid_t keeper = fork();
    if (keeper == 0)
        keeper_run(options, all, ends[1], self);
    (void)close(ends[1]);
    if (keeper < 0) {
        (void)close(ends[0]);
        return false;
    }
    s->notes = ends[0];
    s->keeper = keeper;
    return true;
}

/* No worker is left: wipes all slots and starts a new keeper. */
static void replace_keeper(supervisor *s)
{
    uint32_t used = s->all->status->used;

    for (uint32_t i = 0; i < used; i++) {
        if (s->workers[i].status != FREE)
            slots_wipe(s->all, i);
        s->workers[i].status = FREE;
    }
    s->dead = 0;
    s->releasing = 0;
    atomic_store(&s->all->status->keeper_sleeps, 0);
    if (!start_keeper(s))
        slow_down(s, "cannot start a keeper");
}

/* ---- The loop ---- */

static int poll_timeout(const supervisor *s, int64_t now)
{
    int64_t until = s->paused_until;

    if (may_start(s))
        return 0;
    if (s->refusals.count > 0 && (until == 0 || s->refusals.until[0] < until))
        until = s->refusals.until[0];
    if (until == 0)
        return -1;
    return until > now ? (int)(until - now) : 0;
}

/* Waits for one event and handles it. */
static void poll_once(supervisor *s)
{
    struct pollfd fds[FIXED_FDS + LISTENERS_MAX + REFUSALS_MAX];
    struct pollfd *listening = fds + FIXED_FDS;
    struct pollfd *refused = listening + s->listeners.count;
    int64_t now = clock_ms();

    if (s->paused_until != 0 && now >= s->paused_until)
        s->paused_until = 0;
    if (s->keeper == 0 && s->serving == 0 && s->paused_until == 0)
        replace_keeper(s);
    if (s->ending)
        return; /* no event would wake poll */
    fds[0] = (struct pollfd){.fd = s->signals, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = s->notes, .events = POLLIN};
    for (uint32_t i = 0; i < s->listeners.count; i++)
        listening[i] = (struct pollfd){.fd = may_accept(s) ? s->listeners.fds[i] : -1, .events = POLLIN};
    refusals_poll(&s->refusals, refused);
    int polled = poll(fds, FIXED_FDS + s->listeners.count + s->refusals.count, poll_timeout(s, now));
    if (polled < 0)
        return; /* EINTR, or no memory: try again in the next round */
    refusals_handle(&s->refusals, refused, clock_ms());
    if (fds[0].revents != 0)
        handle_signals(s);
    if (fds[1].revents & POLLIN)
        handle_keeper_notes(s);
    else if (fds[1].revents != 0)
        reap(s); /* the keeper has closed its socket */
    release_dead_slots(s);
    for (uint32_t i = 0; i < s->listeners.count && !s->ending; i++) {
        if (listening[i].revents != 0)
            accept_clients(s, s->listeners.fds[i]);
    }
    if (!s->ending)
        start_workers(s);
}

/* ---- Start and end ---- */

/* nohup ignores SIGHUP so that the server outlives the terminal. */
static bool ignored(int signal)
{
    struct sigaction now;

    return sigaction(signal, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

/* Signals are read from a descriptor. Children of a keeper that dies become ours. */
static bool block_signals(supervisor *s)
{
    sigset_t set;

    if (sigemptyset(&set) != 0 || sigaddset(&set, SIGCHLD) != 0 || sigaddset(&set, SIGTERM) != 0 ||
        sigaddset(&set, SIGINT) != 0 || (!ignored(SIGHUP) && sigaddset(&set, SIGHUP) != 0) || sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return false;
    s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signals >= 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
}

/* Kills the workers, and gives the keeper END_MS to end by itself. */
static void end_children(supervisor *s)
{
    int64_t until = clock_ms() + END_MS;
    pid_t child = 0;

    kill_workers(s);
    (void)close(s->notes);
    while (child >= 0) {
        struct pollfd signals = {.fd = s->signals, .events = POLLIN};
        struct signalfd_siginfo signal;
        int64_t left = until - clock_ms();
        child = waitpid(-1, NULL, WNOHANG);
        if (child == s->keeper)
            s->keeper = 0;
        if (child != 0)
            continue;
        if (left <= 0 && s->keeper > 0)
            (void)kill(s->keeper, SIGKILL);
        (void)poll(&signals, 1, left > 0 ? (int)left : PAUSE_MS);
        while (read(s->signals, &signal, sizeof signal) > 0)
            continue;
    }
}

static void serve(supervisor *s)
{
    while (!s->ready && !s->ending)
        poll_once(s);
    s->listening = !s->ending && listeners_begin(&s->listeners);
    if (!s->ending && !s->listening)
        end_with(s, 1);
    while (!s->ending)
        poll_once(s);
}

int supervisor_run(server_options *options, const new_user *user, const slots *all)
{
    supervisor *s = hidden_reserve(sizeof *s);

    if (s != NULL)
        *s = (supervisor){.options = options, .all = all, .self = getpid(), .signals = -1, .notes = -1};
    if (s != NULL && (!listeners_bind(&s->listeners, options->host, options->port) || !root_give_up(options, user)))
        return 1;
    if (s == NULL || (s->workers = hidden_reserve(all->count * sizeof *s->workers)) == NULL ||
        !arrivals_init(&s->arrivals, options->max_clients) ||
        getrandom(s->address_key, sizeof s->address_key, 0) != (ssize_t)sizeof s->address_key || !block_signals(s) ||
        !start_keeper(s)) {
        log_line("cannot start: %s", log_reason(errno));
        return 1;
    }
    serve(s);
    end_children(s);
    return s->status;
}
