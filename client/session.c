/* SPDX-License-Identifier: ISC */
/* Connects, sends requests and receives replies, whatever terminator the server
 * gives them. */
#define _GNU_SOURCE /* explicit_bzero, memrchr, SOCK_CLOEXEC */
#include "session.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "output.h"

#define DEFAULT_TIMEOUT_MS 30000

/* A reply without a terminator ends with silence. The first silence is longer
 * than FRM-4 says, so that a reply that the network delivers in pieces is not cut:
 * it decides how the client reads all replies of the connection. */
#define FIRST_SILENCE_MS 1000
#define LATER_SILENCE_MS 150

/* If the server closes so soon after a first KO, the KO may mean that it is full. */
#define CLOSE_AFTER_KO_MS 20

/* The result of sending lines or of receiving a reply. */
typedef enum {
    DONE,
    NOT_SENT, /* the connection broke before the first byte was sent */
    LOST,     /* the connection broke later */
    FAILED    /* something else, already reported */
} outcome;

static int64_t now(void)
{
    struct timespec t = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- Connect ---- */

void session_init(session *s, const char *host, const char *port)
{
    *s = (session){.host = host, .port = port, .timeout = DEFAULT_TIMEOUT_MS, .fd = -1};
}

static void disconnect(session *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
}

/* Waits until the descriptor is ready. 0: the deadline has passed. */
static int poll_until(int fd, short events, int64_t deadline)
{
    for (;;) {
        struct pollfd one = {.fd = fd, .events = events};
        int64_t left = deadline - now();
        int ready = poll(&one, 1, left > 0 ? (int)left : 0);

        if (ready >= 0 || errno != EINTR)
            return ready;
    }
}

/* Connects to one address within the timeout. Returns 0 or an errno. */
static int connect_socket(int fd, const struct addrinfo *a, int timeout)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    int ready = poll_until(fd, POLLOUT, now() + timeout);
    if (ready <= 0)
        return ready == 0 ? ETIMEDOUT : errno;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

/* A socket connected to the first address that accepts, or -1 and *error. */
static int connect_any(const struct addrinfo *list, int timeout, int *error)
{
    const int on = 1;

    *error = EADDRNOTAVAIL;
    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
        int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);

        if (fd < 0) {
            *error = errno;
            continue;
        }
        *error = connect_socket(fd, a, timeout);
        if (*error == 0) {
            (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            return fd;
        }
        (void)close(fd);
    }
    return -1;
}

session_result session_connect(session *s)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int error;

    if (s->fd >= 0)
        return SESSION_OK;
    error = getaddrinfo(s->host, s->port, &hints, &list);
    if (error != 0) {
        print_error("cannot find host '%s': %s; check the name, or give an address", s->host,
                    error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
        return SESSION_FAILED;
    }
    s->fd = connect_any(list, s->timeout, &error);
    freeaddrinfo(list);
    if (s->fd < 0) {
        print_error("cannot connect to %s port %s: %s; is a server running there?", s->host, s->port,
                    strerror(error));
        return SESSION_FAILED;
    }
    s->answered = false;
    s->error = 0;
    /* This cannot fail: the buffer is large enough for the longest line. */
    return smsp_frame_init(&s->frame, s->buffer, sizeof s->buffer, SESSION_LINE_MAX) == SMSP_OK
               ? SESSION_OK
               : SESSION_FAILED;
}

/* ---- Send and receive ---- */

/* How many bytes of a line --trace may show: all but a password. */
static size_t public_part(smsp_span line)
{
    smsp_request request;
    const uint8_t *space;

    if (smsp_request_parse(line.at, line.len, &request) != SMSP_OK ||
        (request.verb != SMSP_REGISTER && request.verb != SMSP_LOGIN))
        return line.len;
    space = memrchr(line.at, ' ', line.len); /* the password is the last word */
    return space == NULL ? line.len : (size_t)(space - line.at) + 1;
}

/* Prints one line for --trace. */
static void trace(const session *s, char direction, smsp_span line)
{
    size_t shown = direction == '>' ? public_part(line) : line.len;

    if (!s->trace)
        return;
    fprintf(stderr, "%c ", direction);
    output_text(stderr, (smsp_span){line.at, shown}, true);
    fputs(shown < line.len ? "***\n" : "\n", stderr);
}

static void trace_lines(const session *s, smsp_span lines)
{
    while (lines.len > 0) {
        const uint8_t *end = memchr(lines.at, '\n', lines.len);
        size_t len = end == NULL ? lines.len : (size_t)(end - lines.at);

        trace(s, '>', (smsp_span){lines.at, len});
        len += end != NULL;
        lines.at += len;
        lines.len -= len;
    }
}

/* Sends all lines. */
static outcome send_lines(session *s, smsp_span lines)
{
    int64_t deadline = now() + s->timeout;
    size_t done = 0;

    trace_lines(s, lines);
    while (done < lines.len) {
        ssize_t sent = send(s->fd, lines.at + done, lines.len - done, MSG_NOSIGNAL);

        if (sent > 0) {
            done += (size_t)sent;
        } else if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (poll_until(s->fd, POLLOUT, deadline) == 0) {
                print_error("%s port %s accepted no data for %d s; the request was not completely sent",
                            s->host, s->port, s->timeout / 1000);
                return FAILED;
            }
        } else {
            s->error = errno;
            return done == 0 ? NOT_SENT : LOST;
        }
    }
    return DONE;
}

/* Takes a complete reply from the buffer. ends_here: the silence or the end of the
 * connection ends it. SMSP_NEED_MORE: it is not complete. */
static smsp_error take_reply(session *s, bool ends_here, smsp_span *reply)
{
    smsp_error error = smsp_frame_next(&s->frame, reply);

    if (error == SMSP_NEED_MORE && ends_here)
        error = smsp_frame_end_here(&s->frame, reply);
    if (s->frame.ending == SMSP_ENDS_SILENCE)
        s->unterminated = true;
    return error;
}

/* Until when to wait for more bytes: silence may end a reply that has begun. */
static int64_t poll_deadline(const session *s, int64_t deadline)
{
    int64_t silence = now() + (s->frame.ending == SMSP_ENDS_SILENCE ? LATER_SILENCE_MS : FIRST_SILENCE_MS);
    bool may_end_so = s->frame.ending == SMSP_ENDS_UNKNOWN || s->frame.ending == SMSP_ENDS_SILENCE;

    return may_end_so && smsp_frame_partial(&s->frame) && silence < deadline ? silence : deadline;
}

/* Reads what has arrived. False: the connection has ended. */
static bool read_some(session *s)
{
    size_t room;
    uint8_t *at = smsp_frame_room(&s->frame, &room);
    ssize_t got = recv(s->fd, at, room, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    s->error = got < 0 ? errno : 0;
    return got > 0 && smsp_frame_fed(&s->frame, (size_t)got) == SMSP_OK;
}

/* Waits for one reply. LOST: the connection ended first. */
static outcome receive(session *s, smsp_span *reply)
{
    int64_t deadline = now() + s->timeout;
    bool ends_here = false, open = true;

    for (;;) {
        smsp_error error = take_reply(s, ends_here, reply);

        if (error == SMSP_OK) {
            trace(s, '<', *reply);
            return DONE;
        }
        if (error != SMSP_NEED_MORE) {
            print_error("the reply of %s port %s has more than %u bytes", s->host, s->port, SESSION_LINE_MAX);
            return FAILED;
        }
        if (!open)
            return LOST;
        int64_t until = poll_deadline(s, deadline);
        int ready = poll_until(s->fd, POLLIN, until);
        if (ready <= 0 && now() >= deadline) {
            print_error(
                "%s port %s sent no reply within %d s; the request may or may not have been carried out",
                s->host, s->port, s->timeout / 1000);
            return FAILED;
        }
        if (ready != 0)
            open = read_some(s);
        ends_here = ready == 0 || !open;
    }
}

/* ---- Requests ---- */

/* Has the server closed the idle connection? */
static bool closed_by_peer(const session *s)
{
    uint8_t byte;
    ssize_t got = recv(s->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

/* Closes a connection that the server has closed, or on which it has sent something
 * without a request: that would be taken for the reply to the next request. */
static session_result drop_stale_connection(session *s)
{
    smsp_span extra = {NULL, 0};
    struct pollfd one = {.fd = s->fd, .events = POLLIN};

    if (s->fd < 0 || (!smsp_frame_partial(&s->frame) && poll(&one, 1, 0) == 0))
        return SESSION_OK;
    if (!smsp_frame_partial(&s->frame) && closed_by_peer(s)) {
        disconnect(s);
        return SESSION_OK;
    }
    (void)read_some(s);
    (void)(take_reply(s, true, &extra) == SMSP_OK); /* otherwise there is nothing to print */
    print_error("%s port %s sent '%.*s' without a request%s", s->host, s->port,
                (int)(extra.len > 80 ? 80 : extra.len), extra.len > 0 ? (const char *)extra.at : "",
                s->answered ? "" : "; it may have too many clients");
    disconnect(s);
    return s->answered ? SESSION_OK : SESSION_FAILED;
}

/* A server with too many clients sends KO and closes (FRM-12). The user should
 * know that such a KO may not be the answer to the request. */
static void warn_of_full_server(const session *s, smsp_span reply)
{
    if (s->answered || reply.len != 2 || memcmp(reply.at, "KO", 2) != 0)
        return;
    if (poll_until(s->fd, POLLIN, now() + CLOSE_AFTER_KO_MS) > 0 && closed_by_peer(s))
        print_error("%s port %s closed the connection after this KO; it may have too many clients", s->host,
                    s->port);
}

static session_result connection_lost(session *s, outcome what)
{
    const char *sent =
        what == NOT_SENT ? "the request was not sent" : "the request may or may not have been carried out";

    disconnect(s);
    if (what == FAILED)
        return SESSION_FAILED;
    if (s->error == 0 || s->error == EPIPE || s->error == ECONNRESET)
        print_error("%s port %s closed the connection before its reply; %s", s->host, s->port, sent);
    else
        print_error("the connection to %s port %s failed: %s; %s", s->host, s->port, strerror(s->error),
                    sent);
    return SESSION_FAILED;
}

session_result session_request(session *s, smsp_span lines, bool repeatable, smsp_span *reply)
{
    outcome what = NOT_SENT;
    bool old, again = true;

    if (drop_stale_connection(s) != SESSION_OK)
        return SESSION_FAILED;
    for (old = s->fd >= 0; again; old = false) {
        if (session_connect(s) != SESSION_OK)
            return SESSION_FAILED;
        what = send_lines(s, lines);
        if (what == DONE)
            what = receive(s, reply);
        if (what == DONE)
            break;
        /* Servers close idle connections. A new one that breaks is an error at once. */
        again = old && (what == NOT_SENT || (what == LOST && repeatable));
        disconnect(s);
    }
    if (what != DONE)
        return connection_lost(s, what);
    warn_of_full_server(s, *reply);
    s->answered = true;
    return SESSION_OK;
}

session_result session_next_reply(session *s, smsp_span *reply)
{
    outcome what = s->fd < 0 ? LOST : receive(s, reply);

    return what == DONE ? SESSION_OK : connection_lost(s, what);
}

/* ---- User and cookie ---- */

static bool copy(char *to, size_t size, smsp_span from)
{
    if (from.len == 0 || from.len >= size)
        return false;
    memmove(to, from.at, from.len); /* from may be `to` itself */
    to[from.len] = '\0';
    return true;
}

bool session_set_cookie(session *s, smsp_span user, smsp_span cookie)
{
    session_clear_cookie(s);
    return copy(s->user, sizeof s->user, user) && copy(s->cookie, sizeof s->cookie, cookie);
}

void session_clear_cookie(session *s)
{
    explicit_bzero(s->cookie, sizeof s->cookie);
}

void session_close(session *s)
{
    disconnect(s);
    session_clear_cookie(s);
    explicit_bzero(s->buffer, sizeof s->buffer);
}
