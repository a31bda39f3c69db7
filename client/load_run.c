#include "load.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define OUT_SIZE (256u * 1024u)
#define IN_SIZE (256u * 1024u)
#define LONGEST_REQUEST (2u * LOAD_TEXT_MAX) /* of any protocol, a pair of them */
#define NANO 1000000000u
#define SILENCE_LIMIT 10 /* seconds without any reply after which the server is said to hang */

typedef struct run {
    const load_options *options;
    load_totals *totals;
    load_client *clients;
    int epoll;
    uint64_t started;
    uint64_t counted_from; /* the warm-up's end */
    uint64_t ends;         /* 0: after options->requests */
    uint64_t sent;
    uint64_t taken;
} run;

uint64_t load_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NANO + (uint64_t)t.tv_nsec;
}

/* ---- Connections ---- */

int load_connect(const load_options *options)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int one = 1;
    int fd = -1;
    int error = getaddrinfo(options->host, options->port, &hints, &found);

    if (error != 0) {
        fprintf(stderr, "smsp-load: %s port %s: %s\n", options->host, options->port, gai_strerror(error));
        return -1;
    }
    for (struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            error = errno;
            (void)close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    if (fd < 0)
        fprintf(stderr, "smsp-load: cannot connect to %s port %s: %s\n", options->host, options->port, strerror(error));
    else
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

void load_disconnect(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    (void)close(fd);
}

bool load_ask(int fd, const char *request, size_t len, char *reply, size_t size)
{
    size_t at = 0;

    if (len > 0 && send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len) {
        fprintf(stderr, "smsp-load: sending to the server: %s\n", strerror(errno));
        return false;
    }
    for (;;) {
        ssize_t n = recv(fd, reply + at, 1, 0);
        if (n <= 0 || at + 1 == size) {
            fprintf(stderr, "smsp-load: the server closed the connection or sent no reply line\n");
            return false;
        }
        if (reply[at] == '\n')
            break;
        at++;
    }
    reply[at] = '\0';
    return true;
}

/* ---- Texts ---- */

size_t load_text(const load_client *client, uint32_t number, char out[LOAD_TEXT_MAX])
{
    static const char digits[] = "0123456789abcdef";
    size_t size = client->options->size;

    for (size_t i = 0; i < 4; i++)
        out[i] = digits[client->number >> (4 * (3 - i)) & 15u];
    out[4] = '-';
    for (size_t i = 0; i < 8; i++)
        out[5 + i] = digits[number >> (4 * (7 - i)) & 15u];
    out[13] = '-';
    memset(out + 14, 'x', size - 14);
    return size;
}

bool load_text_shape(const load_client *client, const uint8_t *at, size_t len)
{
    return len == client->options->size && at[4] == '-' && at[13] == '-' && (len == 14 || at[len - 1] == 'x');
}

/* ---- One client ---- */

void load_put(load_client *client, uint8_t step, uint32_t number, uint64_t due, const void *at, size_t len)
{
    client->window[(client->first + client->count++) % LOAD_DEPTH_MAX] =
        (load_request){.step = step, .number = number, .due = due};
    memcpy(client->out + client->out_len, at, len);
    client->out_len += len;
}

static bool open_client(run *r, load_client *client)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};

    client->fd = load_connect(r->options);
    client->out_len = client->out_done = client->in_len = client->in_taken = 0;
    return client->fd >= 0 && r->options->protocol->greet(client) &&
           epoll_ctl(r->epoll, EPOLL_CTL_ADD, client->fd, &event) == 0;
}

static bool reconnects(const run *r)
{
    return strcmp(r->options->mix, "connect") == 0;
}

static bool sending_is_over(const run *r, uint64_t now)
{
    return r->ends > 0 ? now >= r->ends : r->sent >= r->options->requests;
}

/* Adds what the window, the output buffer and the rate allow. */
static void fill_window(run *r, load_client *client, uint64_t now)
{
    const load_options *o = r->options;
    uint64_t gap = o->rate > 0 ? (uint64_t)((double)NANO * o->clients / o->rate) : 0;

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
    if (now >= r->counted_from) {
        r->totals->requests++;
        r->totals->rounds += protocol->ends_round(client, request.step);
        histogram_add(&r->totals->latency, now > request.due ? now - request.due : 0);
    }
    return true;
}

/* Reads what has come and takes the replies in it. */
static bool read_client(run *r, load_client *client)
{
    ssize_t n = recv(client->fd, client->in + client->in_len, IN_SIZE - client->in_len, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n <= 0) {
        fprintf(stderr, "smsp-load: client %u: the server closed the connection with %u replies owed\n",
                client->number, client->count);
        return false;
    }
    client->in_len += (size_t)n;
    uint64_t now = load_now();
    while (take_reply(r, client, now))
        continue;
    if (client->count == 0 && client->in_taken < client->in_len)
        complain(r, client, &(load_request){0}, client->in + client->in_taken, client->in_len - client->in_taken);
    memmove(client->in, client->in + client->in_taken, client->in_len - client->in_taken);
    client->in_len -= client->in_taken;
    client->in_taken = 0;
    if (reconnects(r) && client->count == 0 && !sending_is_over(r, now)) {
        load_disconnect(client->fd);
        return open_client(r, client);
    }
    return true;
}

/* ---- The loop ---- */

static void show_progress(const run *r, uint64_t now, uint64_t *shown)
{
    if (r->options->quiet || now - *shown < NANO)
        return;
    *shown = now;
    fprintf(stderr, "\r%6.0f s %14llu requests", (double)(now - r->started) / NANO, (unsigned long long)r->taken);
}

/* How long the loop may sleep, in ms: in rate mode until the next request is due. */
static int patience(const run *r, uint64_t now)
{
    uint64_t next = now + NANO / 5;

    if (r->options->rate <= 0)
        return 200;
    for (unsigned i = 0; i < r->options->clients; i++)
        if (r->clients[i].next_due < next && r->clients[i].count < r->options->depth)
            next = r->clients[i].next_due;
    return next <= now ? 0 : (int)((next - now) / 1000000u);
}

static bool serve_events(run *r, int timeout)
{
    struct epoll_event events[256];
    int n = epoll_wait(r->epoll, events, 256, timeout);

    for (int i = 0; i < n; i++) {
        load_client *client = events[i].data.ptr;
        if ((events[i].events & EPOLLOUT) != 0) {
            struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
            (void)epoll_ctl(r->epoll, EPOLL_CTL_MOD, client->fd, &event);
        }
        if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0 && !read_client(r, client))
            return false;
        fill_window(r, client, load_now());
        if (!flush_client(r, client)) {
            fprintf(stderr, "smsp-load: client %u: sending: %s\n", client->number, strerror(errno));
            return false;
        }
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

static bool loop(run *r)
{
    uint64_t shown = load_now();
    uint64_t last_taken = 0;
    uint64_t last_time = shown;

    for (unsigned i = 0; i < r->options->clients; i++) {
        fill_window(r, &r->clients[i], load_now());
        if (!flush_client(r, &r->clients[i]))
            return false;
    }
    for (uint64_t now = load_now(); !all_done(r, now); now = load_now()) {
        if (!serve_events(r, patience(r, now)))
            return false;
        for (unsigned i = 0; r->options->rate > 0 && i < r->options->clients; i++) {
            fill_window(r, &r->clients[i], load_now());
            (void)flush_client(r, &r->clients[i]);
        }
        show_progress(r, now, &shown);
        if (r->taken != last_taken) {
            last_taken = r->taken;
            last_time = now;
        } else if (r->taken < r->sent && now - last_time > SILENCE_LIMIT * (uint64_t)NANO) {
            fprintf(stderr, "smsp-load: no reply for %d s with %llu owed\n", SILENCE_LIMIT,
                    (unsigned long long)(r->sent - r->taken));
            return false;
        }
    }
    return true;
}

static bool make_clients(run *r)
{
    const load_options *o = r->options;

    for (unsigned i = 0; i < o->clients; i++) {
        load_client *client = &r->clients[i];
        client->options = o;
        client->number = i;
        client->fd = -1;
        client->out = malloc(OUT_SIZE);
        client->in = malloc(IN_SIZE);
        if (client->out == NULL || client->in == NULL) {
            fprintf(stderr, "smsp-load: out of memory for %u clients\n", o->clients);
            return false;
        }
        (void)snprintf(client->name, sizeof client->name, "load%llux%u", (unsigned long long)o->seed, i % o->accounts);
        const load_client *same = i < o->accounts ? NULL : &r->clients[i % o->accounts];
        if (same != NULL) { /* a second LOGIN would end the first one's session */
            memcpy(client->cookie, same->cookie, sizeof client->cookie);
            client->cookie_len = same->cookie_len;
        } else if (!o->protocol->prepare(client)) {
            return false;
        }
    }
    for (unsigned i = 0; i < o->clients; i++)
        if (!open_client(r, &r->clients[i]))
            return false;
    return true;
}

static void free_clients(run *r)
{
    for (unsigned i = 0; i < r->options->clients; i++) {
        free(r->clients[i].out);
        free(r->clients[i].in);
        if (r->clients[i].fd > 0)
            (void)close(r->clients[i].fd);
    }
    free(r->clients);
}

bool load_run(const load_options *options, load_totals *totals)
{
    run r = {.options = options, .totals = totals, .epoll = epoll_create1(EPOLL_CLOEXEC)};

    r.clients = calloc(options->clients, sizeof *r.clients);
    if (r.clients == NULL || r.epoll < 0) {
        fprintf(stderr, "smsp-load: cannot start: %s\n", strerror(errno));
        free(r.clients);
        return false;
    }
    bool done = make_clients(&r);
    r.started = load_now();
    r.counted_from = r.started + (uint64_t)(options->warmup * NANO);
    r.ends = options->requests > 0 ? 0 : r.counted_from + (uint64_t)(options->seconds * NANO);
    for (unsigned i = 0; i < options->clients; i++)
        r.clients[i].next_due =
            options->rate > 0 ? r.started + (uint64_t)((double)NANO * i / options->rate) : 0;
    done = done && loop(&r);
    uint64_t ended = load_now();
    totals->seconds = ended > r.counted_from ? (double)(ended - r.counted_from) / NANO : 0;
    if (!options->quiet)
        fprintf(stderr, "\r%40s\r", "");
    free_clients(&r);
    (void)close(r.epoll);
    return done;
}
