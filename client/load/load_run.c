/* SPDX-License-Identifier: ISC */
/* One run of the load: its clients, their sockets and the clock, in one poll loop. */
#include "load.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define OUT_SIZE (256u * 1024u)
#define IN_SIZE (256u * 1024u)
#define LONGEST_REQUEST (2u * LOAD_TEXT_MAX) /* of any protocol, a pair of them */
#define NANO 1000000000u
#define POLL_MS 200     /* the longest sleep, so that the end and Ctrl-C are noticed */
#define SILENCE_LIMIT 10 /* seconds without any reply after which the server is said to hang */

typedef struct run {
    const load_options *options;
    load_totals *totals;
    load_client *clients;
    uint8_t *buffers; /* of all clients: OUT_SIZE and IN_SIZE bytes each */
    int epoll;
    uint64_t started;
    uint64_t counted_from; /* the warm-up's end */
    uint64_t ends;         /* 0: after options->requests */
    uint64_t sent;
    uint64_t taken;
    uint64_t last_taken; /* when something came for the last time */
    uint64_t last_time;
    bool shows; /* progress, on a terminal */
} run;

uint64_t load_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NANO + (uint64_t)t.tv_nsec;
}

/* ---- One client ---- */

static bool open_client(run *r, load_client *client)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};

    const load_protocol *protocol = r->options->protocol;
    client->fd = load_connect(r->options);
    client->out_len = client->out_done = client->in_len = client->in_taken = 0;
    if (client->fd < 0 || (protocol->greet != NULL && !protocol->greet(client)))
        return false;
    if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, client->fd, &event) == 0)
        return true;
    fprintf(stderr, "smsp-load: client %u: cannot wait for its replies: %s\n", client->number, strerror(errno));
    return false;
}

static bool sending_is_over(const run *r, uint64_t now)
{
    return r->ends > 0 ? now >= r->ends : r->sent >= r->options->requests;
}

/* Rate mode: ns between two requests of a client; 0: no rate. */
static uint64_t gap_of(const load_options *o)
{
    return o->rate > 0 ? (uint64_t)((double)NANO * o->clients / o->rate) : 0;
}

/* Adds what the window, the output buffer and the rate allow. */
static void fill_window(run *r, load_client *client, uint64_t now)
{
    const load_options *o = r->options;
    uint64_t gap = gap_of(o);

    while (client->count < o->depth && OUT_SIZE - client->out_len > 2 * LONGEST_REQUEST &&
           (client->in_round || !sending_is_over(r, now))) {
        unsigned before = client->count;
        if (gap > 0 && client->next_due > now)
            break;
        if (!o->protocol->send(client, gap > 0 ? client->next_due : now))
            break;
        r->sent += client->count - before;
        client->next_due += gap * (client->count - before);
    }
}

/* Sends what waits; waits for room in the socket if it must. */
static bool flush_client(run *r, load_client *client)
{
    while (client->out_done < client->out_len) {
        ssize_t n = send(client->fd, client->out + client->out_done, client->out_len - client->out_done,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) {
            struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = client};
            return epoll_ctl(r->epoll, EPOLL_CTL_MOD, client->fd, &event) == 0;
        }
        if (n < 0)
            return false;
        client->out_done += (size_t)n;
    }
    if (client->out_len > 0)
        client->out_len = client->out_done = 0;
    return true;
}

static void complain(run *r, const load_client *client, const load_request *request, const uint8_t *at, size_t len)
{
    load_totals *t = r->totals;

    if (t->wrong++ > 0)
        return;
    int n = snprintf(t->complaint, sizeof t->complaint, "client %u, step %u, message %u: ", client->number,
                     request->step, (unsigned)request->number);
    for (size_t i = 0; i < len && i < 60 && n + 5 < (int)sizeof t->complaint; i++)
        n += snprintf(t->complaint + n, sizeof t->complaint - (size_t)n,
                      at[i] >= 0x20 && at[i] < 0x7f ? "%c" : "\\x%02x", at[i]);
}

/* Takes one reply from the front of what has come; false: not whole yet. */
static bool take_reply(run *r, load_client *client, uint64_t now)
{
    const load_protocol *protocol = r->options->protocol;
    const load_request request = client->window[client->first];
    const uint8_t *at = client->in + client->in_taken;
    size_t used = 0;

    if (client->count == 0 || client->in_taken == client->in_len)
        return false;
    load_verdict verdict = protocol->take(client, &request, at, client->in_len - client->in_taken, &used);
    if (verdict == LOAD_MORE)
        return false;
    if (verdict == LOAD_WRONG)
        complain(r, client, &request, at, used);
    client->in_taken += used;
    client->first = (client->first + 1) % LOAD_DEPTH_MAX;
    client->count--;
    r->taken++;
    client->replies++;
    if (now >= r->counted_from) {
        r->totals->requests++;
        r->totals->rounds += protocol->ends_round(client, request.step);
        histogram_add(&r->totals->latency, now > request.due ? now - request.due : 0);
    }
    return true;
}

/* One line on standard error; error: an errno, or 0 if the server closed the connection.
 * A server with too many clients sends at most one reply first, a KO (FRM-12). */
static void lost_connection(const load_client *client, int error)
{
    fprintf(stderr, "smsp-load: client %u: %s with %u replies owed", client->number,
            error == 0 ? "the server closed the connection" : "the connection failed", client->count);
    if (error != 0)
        fprintf(stderr, ": %s", strerror(error));
    if (client->replies <= 1)
        fprintf(stderr, "; the server may not accept %u clients at once", client->options->clients);
    fputc('\n', stderr);
}

/* Reads what has come and takes the replies in it. */
static bool read_client(run *r, load_client *client)
{
    ssize_t n = recv(client->fd, client->in + client->in_len, IN_SIZE - client->in_len, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n <= 0) {
        lost_connection(client, n == 0 ? 0 : errno);
        return false;
    }
    client->in_len += (size_t)n;
    uint64_t now = load_now();
    while (take_reply(r, client, now))
        continue;
    if (client->count == 0 && client->in_taken < client->in_len) { /* a reply to nothing */
        complain(r, client, &(load_request){0}, client->in + client->in_taken, client->in_len - client->in_taken);
        client->in_taken = client->in_len;
    }
    memmove(client->in, client->in + client->in_taken, client->in_len - client->in_taken);
    client->in_len -= client->in_taken;
    client->in_taken = 0;
    if (r->options->reconnect && client->count == 0 && !sending_is_over(r, now)) {
        load_disconnect(client->fd);
        return open_client(r, client);
    }
    return true;
}

/* ---- Ctrl-C: the rounds under way are finished, and what was counted is reported ---- */

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

/* A second one ends the program at once. */
static void heed_stop(void)
{
    struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND | SA_RESTART};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
}

static void end_early(run *r, uint64_t now)
{
    if (!stopped || r->totals->stopped)
        return;
    r->totals->stopped = true;
    r->ends = now;
}

/* ---- The loop ---- */

static void show_progress(const run *r, uint64_t now, uint64_t *shown)
{
    if (!r->shows || now - *shown < NANO)
        return;
    *shown = now;
    fprintf(stderr, "\r%6.0f s %14llu requests", (double)(now - r->started) / NANO, (unsigned long long)r->taken);
}

/* Rate mode: how long the loop may sleep until the next request is due. */
static struct timespec poll_timeout(const run *r, uint64_t now)
{
    uint64_t next = now + POLL_MS * 1000000u;

    for (unsigned i = 0; r->options->rate > 0 && i < r->options->clients; i++)
        if (r->clients[i].next_due < next && r->clients[i].count < r->options->depth)
            next = r->clients[i].next_due;
    uint64_t wait = next > now ? next - now : 0;
    return (struct timespec){.tv_sec = (time_t)(wait / NANO), .tv_nsec = (long)(wait % NANO)};
}

/* Sends what the client may send now; false after one line on standard error. */
static bool push(run *r, load_client *client, uint64_t now)
{
    fill_window(r, client, now);
    if (flush_client(r, client))
        return true;
    lost_connection(client, errno);
    return false;
}

static bool push_all(run *r)
{
    uint64_t now = load_now();

    for (unsigned i = 0; i < r->options->clients; i++)
        if (!push(r, &r->clients[i], now))
            return false;
    return true;
}

static bool serve_events(run *r, struct timespec timeout)
{
    struct epoll_event events[256];
    struct pollfd any = {.fd = r->epoll, .events = POLLIN};

    /* Only ppoll waits until the very nanosecond when a request is due (so does
     * epoll_pwait2, but it needs Linux 5.11 and a libc that has it). */
    int n = r->options->rate > 0 ? ppoll(&any, 1, &timeout, NULL) : 1;
    if (n > 0)
        n = epoll_wait(r->epoll, events, 256, r->options->rate > 0 ? 0 : POLL_MS);
    if (n < 0 && errno != EINTR) {
        fprintf(stderr, "smsp-load: cannot wait for replies: %s\n", strerror(errno));
        return false;
    }
    for (int i = 0; i < n; i++) {
        load_client *client = events[i].data.ptr;
        if ((events[i].events & EPOLLOUT) != 0) {
            struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
            (void)epoll_ctl(r->epoll, EPOLL_CTL_MOD, client->fd, &event);
        }
        if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0 && !read_client(r, client))
            return false;
        if (!push(r, client, load_now()))
            return false;
    }
    return true;
}

static bool all_done(const run *r, uint64_t now)
{
    if (!sending_is_over(r, now) || r->taken < r->sent)
        return false;
    for (unsigned i = 0; i < r->options->clients; i++)
        if (r->clients[i].in_round)
            return false;
    return true;
}

/* Has the server answered nothing for too long? */
static bool hangs(run *r, uint64_t now)
{
    if (r->taken != r->last_taken || r->taken == r->sent) {
        r->last_taken = r->taken;
        r->last_time = now;
    }
    if (now - r->last_time <= SILENCE_LIMIT * (uint64_t)NANO)
        return false;
    fprintf(stderr, "smsp-load: no reply for %d s with %llu owed\n", SILENCE_LIMIT,
            (unsigned long long)(r->sent - r->taken));
    return true;
}

static bool loop(run *r)
{
    uint64_t shown = load_now();

    r->last_time = shown;
    if (!push_all(r))
        return false;
    for (uint64_t now = load_now(); !all_done(r, now); now = load_now()) {
        end_early(r, now);
        if (!serve_events(r, poll_timeout(r, now)) || hangs(r, now))
            return false;
        if (r->options->rate > 0 && !push_all(r))
            return false;
        show_progress(r, now, &shown);
    }
    return true;
}

static bool make_client(run *r, unsigned number)
{
    const load_options *o = r->options;
    load_client *client = &r->clients[number];
    unsigned account = o->accounts > 0 ? number % o->accounts : number;

    client->options = o;
    client->number = number;
    client->out = r->buffers + (size_t)number * (OUT_SIZE + IN_SIZE);
    client->in = client->out + OUT_SIZE;
    (void)snprintf(client->name, sizeof client->name, "load%llux%u", (unsigned long long)o->seed, account);
    if (account != number) /* a second LOGIN would end the first one's session */
        memcpy(client->cookie, r->clients[account].cookie, sizeof client->cookie);
    return o->protocol->prepare(client);
}

static bool make_clients(run *r)
{
    for (unsigned i = 0; i < r->options->clients; i++)
        r->clients[i].fd = -1;
    for (unsigned i = 0; i < r->options->clients; i++)
        if (!make_client(r, i))
            return false;
    for (unsigned i = 0; i < r->options->clients; i++)
        if (!open_client(r, &r->clients[i]))
            return false;
    return true;
}

static void free_clients(run *r)
{
    for (unsigned i = 0; i < r->options->clients; i++) {
        load_client *client = &r->clients[i];
        for (unsigned step = 0; step < LOAD_STEPS_MAX; step++)
            free(client->lines[step].bytes);
        if (client->fd >= 0)
            (void)close(client->fd);
    }
    free(r->clients);
    free(r->buffers);
}

/* Rate mode: requests that were due before the end and never went out. */
static uint64_t count_unsent(const run *r)
{
    uint64_t gap = gap_of(r->options);
    uint64_t unsent = 0;

    for (unsigned i = 0; gap > 0 && i < r->options->clients; i++)
        if (r->clients[i].next_due < r->ends)
            unsent += (r->ends - r->clients[i].next_due - 1) / gap + 1;
    return unsent;
}

static void set_clock(run *r)
{
    const load_options *o = r->options;

    r->started = load_now();
    r->counted_from = r->started + (uint64_t)(o->warmup * NANO);
    r->ends = o->requests > 0 ? 0 : r->counted_from + (uint64_t)(o->seconds * NANO);
    for (unsigned i = 0; i < o->clients; i++)
        r->clients[i].next_due = o->rate > 0 ? r->started + (uint64_t)((double)NANO * i / o->rate) : 0;
}

bool load_run(const load_options *options, load_totals *totals)
{
    run r = {.options = options, .totals = totals, .epoll = epoll_create1(EPOLL_CLOEXEC)};

    r.clients = calloc(options->clients, sizeof *r.clients);
    r.buffers = calloc(options->clients, OUT_SIZE + IN_SIZE);
    if (r.clients == NULL || r.buffers == NULL || r.epoll < 0) {
        fprintf(stderr, "smsp-load: cannot start %u clients: %s\n", options->clients, strerror(errno));
        free(r.clients);
        free(r.buffers);
        return false;
    }
    heed_stop();
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* rate mode: requests go when they are due */
    r.shows = !options->quiet && isatty(STDERR_FILENO);
    bool done = load_resolve(options) && make_clients(&r);
    set_clock(&r);
    done = done && loop(&r);
    uint64_t ended = load_now();
    totals->seconds = ended > r.counted_from ? (double)(ended - r.counted_from) / NANO : 0;
    totals->unsent = count_unsent(&r);
    if (r.shows)
        fprintf(stderr, "\r%40s\r", "");
    free_clients(&r);
    (void)close(r.epoll);
    return done;
}
