/* SPDX-License-Identifier: ISC */
/* The loop: sends requests for all clients, reads and checks the replies. */
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

#define OUT_SIZE        (256u * 1024u)
#define IN_SIZE         (256u * 1024u)
#define LONGEST_REQUEST (2u * LOAD_TEXT_MAX) /* of any protocol: a pair of requests */
#define NANO            1000000000u
#define POLL_MS         200 /* the longest sleep, so that the end and Ctrl-C are not missed */
#define SILENCE_LIMIT   10  /* seconds without a reply; then the run fails */

typedef struct run {
    const load_options *options;
    load_totals *totals;
    load_client *clients;
    uint8_t *buffers; /* for each client OUT_SIZE and IN_SIZE bytes */
    int epoll;
    uint64_t started;
    uint64_t counted_from;  /* the end of the warm-up */
    uint64_t ends;          /* 0: after options->requests */
    uint64_t sent;          /* requests */
    uint64_t received;      /* replies */
    uint64_t last_received; /* the value of received at last_time */
    uint64_t last_time;
    bool shows_progress;
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
    if (client->fd < 0 || (protocol->on_connect != NULL && !protocol->on_connect(client)))
        return false;
    if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, client->fd, &event) == 0)
        return true;
    fprintf(stderr, "smsp-load: client %u: cannot wait for replies: %s\n", client->number, strerror(errno));
    return false;
}

static bool sending_is_over(const run *r, uint64_t now)
{
    return r->ends > 0 ? now >= r->ends : r->sent >= r->options->requests;
}

/* With a rate: ns between two requests of a client; otherwise 0. */
static uint64_t gap_of(const load_options *o)
{
    return o->rate > 0 ? (uint64_t)((double)NANO * o->clients / o->rate) : 0;
}

/* Adds as many requests as the depth, the output buffer and the rate allow. */
static void fill_window(run *r, load_client *client, uint64_t now)
{
    const load_options *o = r->options;
    uint64_t gap = gap_of(o);

    while (client->count < o->depth && OUT_SIZE - client->out_len > 2 * LONGEST_REQUEST &&
           (client->in_round || !sending_is_over(r, now))) {
        unsigned before = client->count;
        if (gap > 0 && client->next_due > now)
            break;
        if (!o->protocol->add_requests(client, gap > 0 ? client->next_due : now))
            break;
        r->sent += client->count - before;
        client->next_due += gap * (client->count - before);
    }
}

/* Sends the added bytes. If the socket is full, asks epoll to report when it is not. */
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

static void count_wrong_reply(run *r, const load_client *client, const load_request *request,
                              const uint8_t *at, size_t len)
{
    load_totals *t = r->totals;

    if (t->wrong++ > 0)
        return;
    int n =
        snprintf(t->first_wrong, sizeof t->first_wrong, "client %u, step %u, message %u: ", client->number,
                 request->step, (unsigned)request->number);
    for (size_t i = 0; i < len && i < 60 && n + 5 < (int)sizeof t->first_wrong; i++)
        n += snprintf(t->first_wrong + n, sizeof t->first_wrong - (size_t)n,
                      at[i] >= 0x20 && at[i] < 0x7f ? "%c" : "\\x%02x", at[i]);
}

/* Checks and counts the first reply of the input buffer. False: it is not complete. */
static bool count_reply(run *r, load_client *client, uint64_t now)
{
    const load_protocol *protocol = r->options->protocol;
    const load_request request = client->window[client->first];
    const uint8_t *at = client->in + client->in_taken;
    size_t used = 0;

    if (client->count == 0 || client->in_taken == client->in_len)
        return false;
    load_verdict verdict =
        protocol->check_reply(client, &request, at, client->in_len - client->in_taken, &used);
    if (verdict == LOAD_NEED_MORE)
        return false;
    if (verdict == LOAD_WRONG)
        count_wrong_reply(r, client, &request, at, used);
    client->in_taken += used;
    client->first = (client->first + 1) % LOAD_DEPTH_MAX;
    client->count--;
    r->received++;
    client->replies++;
    if (now >= r->counted_from) {
        r->totals->requests++;
        r->totals->rounds += protocol->ends_round(client, request.step);
        histogram_add(&r->totals->latency, now > request.due ? now - request.due : 0);
    }
    return true;
}

/* Prints an error. error: an errno, or 0 for the end of the stream. A server
 * with too many clients sends KO and closes (FRM-12), so at most one reply came. */
static void lost_connection(const load_client *client, int error)
{
    bool closed = error == 0 || error == EPIPE || error == ECONNRESET;

    fprintf(stderr, "smsp-load: client %u: %s with %u requests unanswered", client->number,
            closed ? "the server closed the connection" : "the connection failed", client->count);
    if (!closed)
        fprintf(stderr, ": %s", strerror(error));
    if (client->replies <= 1)
        fprintf(stderr, "; the server may not accept %u clients at once", client->options->clients);
    fputc('\n', stderr);
}

/* Reads what has arrived and counts the replies in it. */
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
    while (count_reply(r, client, now))
        continue;
    if (client->count == 0 && client->in_taken < client->in_len) { /* a reply without a request */
        count_wrong_reply(r, client, &(load_request){0}, client->in + client->in_taken,
                          client->in_len - client->in_taken);
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

/* ---- Ctrl-C: the clients finish their rounds, and the result is printed ---- */

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

/* A second SIGINT ends the program at once. */
static void catch_sigint(void)
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
    if (!r->shows_progress || now - *shown < NANO)
        return;
    *shown = now;
    fprintf(stderr, "\r%6.0f s %14llu requests", (double)(now - r->started) / NANO,
            (unsigned long long)r->received);
}

/* With a rate: the time until the next request is due. */
static struct timespec poll_timeout(const run *r, uint64_t now)
{
    uint64_t next = now + POLL_MS * 1000000u;

    for (unsigned i = 0; r->options->rate > 0 && i < r->options->clients; i++)
        if (r->clients[i].next_due < next && r->clients[i].count < r->options->depth)
            next = r->clients[i].next_due;
    uint64_t wait = next > now ? next - now : 0;
    return (struct timespec){.tv_sec = (time_t)(wait / NANO), .tv_nsec = (long)(wait % NANO)};
}

/* Adds and sends requests. False: an error has been printed. */
static bool send_requests(run *r, load_client *client, uint64_t now)
{
    fill_window(r, client, now);
    if (flush_client(r, client))
        return true;
    lost_connection(client, errno);
    return false;
}

static bool send_all_requests(run *r)
{
    uint64_t now = load_now();

    for (unsigned i = 0; i < r->options->clients; i++)
        if (!send_requests(r, &r->clients[i], now))
            return false;
    return true;
}

static bool handle_events(run *r, struct timespec timeout)
{
    struct epoll_event events[256];
    struct pollfd any = {.fd = r->epoll, .events = POLLIN};

    /* With a rate, wait with a resolution of nanoseconds. epoll_pwait2 could do it too,
     * but needs Linux 5.11 and a new libc. */
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
        if (!send_requests(r, client, load_now()))
            return false;
    }
    return true;
}

static bool all_done(const run *r, uint64_t now)
{
    if (!sending_is_over(r, now) || r->received < r->sent)
        return false;
    for (unsigned i = 0; i < r->options->clients; i++)
        if (r->clients[i].in_round)
            return false;
    return true;
}

/* Has there been no reply for too long? Prints an error. */
static bool server_is_silent(run *r, uint64_t now)
{
    if (r->received != r->last_received || r->received == r->sent) {
        r->last_received = r->received;
        r->last_time = now;
    }
    if (now - r->last_time <= SILENCE_LIMIT * (uint64_t)NANO)
        return false;
    fprintf(stderr, "smsp-load: no reply for %d s with %llu requests unanswered\n", SILENCE_LIMIT,
            (unsigned long long)(r->sent - r->received));
    return true;
}

static bool loop(run *r)
{
    uint64_t shown = load_now();

    r->last_time = shown;
    if (!send_all_requests(r))
        return false;
    for (uint64_t now = load_now(); !all_done(r, now); now = load_now()) {
        end_early(r, now);
        if (!handle_events(r, poll_timeout(r, now)) || server_is_silent(r, now))
            return false;
        if (r->options->rate > 0 && !send_all_requests(r))
            return false;
        show_progress(r, now, &shown);
    }
    return true;
}

static bool make_client(run *r, unsigned number)
{
    const load_options *o = r->options;
    load_client *client = &r->clients[number];
    unsigned account = number % o->accounts;

    client->options = o;
    client->number = number;
    client->out = r->buffers + (size_t)number * (OUT_SIZE + IN_SIZE);
    client->in = client->out + OUT_SIZE;
    (void)snprintf(client->name, sizeof client->name, "load%llux%u", (unsigned long long)o->seed, account);
    if (account != number) /* a second LOGIN would end the session of the first client */
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

/* With a rate: the number of requests that were due before the end but not sent. */
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
    catch_sigint();
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL,
                0UL); /* with a rate: wake up exactly when a request is due */
    r.shows_progress = !options->quiet && isatty(STDERR_FILENO);
    bool done = load_resolve(options) && make_clients(&r);
    set_clock(&r);
    done = done && loop(&r);
    uint64_t ended = load_now();
    totals->seconds = ended > r.counted_from ? (double)(ended - r.counted_from) / NANO : 0;
    totals->unsent = count_unsent(&r);
    if (r.shows_progress)
        fprintf(stderr, "\r%40s\r", "");
    free_clients(&r);
    (void)close(r.epoll);
    return done;
}
