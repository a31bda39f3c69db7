/* SPDX-License-Identifier: ISC */
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

#include "show.h"

#define TIMEOUT_DEFAULT 30000

/* A server that does not end its replies is known by its silence. It is waited
 * for longer than FRM-4 would have it: a reply that the network delivers in
 * pieces must not be taken short. Only a connection's first reply is at stake. */
#define FIRST_SILENCE 1000
#define LATER_SILENCE 150

/* How soon after a first KO a close means that it was no answer. */
#define REFUSAL 20

/* What became of lines or of a reply. */
typedef enum { WENT_WELL, LOST_BEFORE, LOST_AFTER, COMPLAINED } outcome;

static int64_t now(void)
{
    struct timespec t = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- Connect ---- */

void session_init(session *s, const char *host, const char *port)
{
    *s = (session){.host = host, .port = port, .timeout = TIMEOUT_DEFAULT, .fd = -1};
}

static void disconnect(session *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
}

/* Waits until the descriptor is ready or the deadline has passed: 0 then. */
static int wait_for(int fd, short events, int64_t deadline)
{
    for (;;) {
        struct pollfd one = {.fd = fd, .events = events};
        int64_t left = deadline - now();
        int ready = poll(&one, 1, left > 0 ? (int)left : 0);

        if (ready >= 0 || errno != EINTR)
            return ready;
    }
}

/* Connects one address within the time: 0, or an errno. */
static int connect_socket(int fd, const struct addrinfo *a, int timeout)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    int ready = wait_for(fd, POLLOUT, now() + timeout);
    if (ready <= 0)
        return ready == 0 ? ETIMEDOUT : errno;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

/* A connected socket to the first address that takes it, or -1 and an errno. */
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
        complain("cannot find host '%s': %s; check the name, or give an address", s->host,
                 error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
        return SESSION_TROUBLE;
    }
    s->fd = connect_any(list, s->timeout, &error);
    freeaddrinfo(list);
    if (s->fd < 0) {
        complain("cannot connect to %s port %s: %s; is a server running there?", s->host, s->port,
                 strerror(error));
        return SESSION_TROUBLE;
    }
    s->answered = false;
    /* The buffer has room for the longest line, so this cannot fail. */
    return smsp_frame_init(&s->frame, s->buffer, sizeof s->buffer, SESSION_LINE_MAX) == SMSP_OK
               ? SESSION_OK
               : SESSION_TROUBLE;
}

/* ---- Send and receive ---- */

/* How much of a line may be shown: all but a password. */
static size_t public_part(smsp_span line)
{
    smsp_request request;
    const uint8_t *space;

    if (smsp_request_parse(line.at, line.len, &request) != SMSP_OK ||
        (request.verb != SMSP_REGISTER && request.verb != SMSP_LOGIN))
        return line.len;
    space = memrchr(line.at, ' ', line.len); /* the password is the last part */
    return space == NULL ? line.len : (size_t)(space - line.at) + 1;
}

/* One line for --trace. */
static void trace(const session *s, char direction, smsp_span line)
{
    size_t shown = direction == '>' ? public_part(line) : line.len;

    if (!s->trace)
        return;
    fprintf(stderr, "%c ", direction);
    show_text(stderr, (smsp_span){line.at, shown}, true);
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

/* Writes all lines. LOST_BEFORE: not one byte of them went out. */
static outcome deliver(session *s, smsp_span lines)
{
    int64_t deadline = now() + s->timeout;
    size_t done = 0;

    trace_lines(s, lines);
    while (done < lines.len) {
        ssize_t sent = send(s->fd, lines.at + done, lines.len - done, MSG_NOSIGNAL);

        if (sent > 0) {
            done += (size_t)sent;
        } else if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (wait_for(s->fd, POLLOUT, deadline) == 0) {
                complain("%s port %s takes no request: nothing for %d s", s->host, s->port,
                         s->timeout / 1000);
                return COMPLAINED;
            }
        } else {
            return done == 0 ? LOST_BEFORE : LOST_AFTER;
        }
    }
    return WENT_WELL;
}

/* A whole reply, if there is one. SMSP_NEED_MORE: the peer must say more. */
static smsp_error take_reply(session *s, bool ends_here, smsp_span *reply)
{
    smsp_error error = smsp_frame_next(&s->frame, reply);

    if (error == SMSP_NEED_MORE && ends_here)
        error = smsp_frame_end_here(&s->frame, reply);
    if (s->frame.ending == SMSP_ENDS_SILENCE)
        s->unterminated = true;
    return error;
}

/* Until when to wait for more bytes of a reply. */
static int64_t silence_from_now(const session *s, int64_t deadline)
{
    int64_t silence = now() + (s->frame.ending == SMSP_ENDS_SILENCE ? LATER_SILENCE : FIRST_SILENCE);
    bool may_end_so = s->frame.ending == SMSP_ENDS_UNKNOWN || s->frame.ending == SMSP_ENDS_SILENCE;

    return may_end_so && smsp_frame_partial(&s->frame) && silence < deadline ? silence : deadline;
}

/* Reads what has come. False: the peer has closed the connection. */
static bool feed(session *s)
{
    size_t room;
    uint8_t *at = smsp_frame_room(&s->frame, &room);
    ssize_t got = recv(s->fd, at, room, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    return got > 0 && smsp_frame_fed(&s->frame, (size_t)got) == SMSP_OK;
}

/* Waits for one reply. LOST_AFTER: the connection ended before it. */
static outcome receive(session *s, smsp_span *reply)
{
    int64_t deadline = now() + s->timeout;
    bool ends_here = false, open = true;

    for (;;) {
        smsp_error error = take_reply(s, ends_here, reply);

        if (error == SMSP_OK) {
            trace(s, '<', *reply);
            return WENT_WELL;
        }
        if (error != SMSP_NEED_MORE) {
            complain("the reply of %s port %s is longer than %u bytes", s->host, s->port, SESSION_LINE_MAX);
            return COMPLAINED;
        }
        if (!open)
            return LOST_AFTER;
        int64_t until = silence_from_now(s, deadline);
        int ready = wait_for(s->fd, POLLIN, until);
        if (ready <= 0 && now() >= deadline) {
            complain("%s port %s sent no reply within %d s; the request may or may not have been carried out",
                     s->host, s->port, s->timeout / 1000);
            return COMPLAINED;
        }
        if (ready != 0)
            open = feed(s);
        ends_here = ready == 0 || !open;
    }
}

/* ---- Ask ---- */

/* True if the peer has closed a connection on which it owes nothing. */
static bool closed_by_peer(const session *s)
{
    uint8_t byte;
    ssize_t got = recv(s->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

/* Drops a connection that is of no use any more. Something unasked on it would
 * be taken for the reply to the next request: then replies are out of step. */
static session_result drop_useless(session *s)
{
    smsp_span unasked = {NULL, 0};
    struct pollfd one = {.fd = s->fd, .events = POLLIN};

    if (s->fd < 0 || (!smsp_frame_partial(&s->frame) && poll(&one, 1, 0) == 0))
        return SESSION_OK;
    if (!smsp_frame_partial(&s->frame) && closed_by_peer(s)) {
        disconnect(s);
        return SESSION_OK;
    }
    (void)feed(s);
    (void)(take_reply(s, true, &unasked) == SMSP_OK); /* if not, there is nothing to show */
    complain("%s port %s said '%.*s' unasked%s", s->host, s->port, (int)(unasked.len > 80 ? 80 : unasked.len),
             unasked.len > 0 ? (const char *)unasked.at : "",
             s->answered ? "" : "; it may have too many clients");
    disconnect(s);
    return s->answered ? SESSION_OK : SESSION_TROUBLE;
}

/* A server with too many clients says KO and closes (FRM-12); the reader should
 * know that this KO may not be about the request. */
static void note_refusal(const session *s, smsp_span reply)
{
    if (s->answered || reply.len != 2 || memcmp(reply.at, "KO", 2) != 0)
        return;
    if (wait_for(s->fd, POLLIN, now() + REFUSAL) > 0 && closed_by_peer(s))
        complain("%s port %s closed the connection after this KO; it may have too many clients", s->host, s->port);
}

static session_result give_up(session *s, outcome what)
{
    disconnect(s);
    if (what != COMPLAINED)
        complain("%s port %s closed the connection before its reply came; %s", s->host, s->port,
                 what == LOST_BEFORE ? "the request was not sent"
                                     : "the request may or may not have been carried out");
    return SESSION_TROUBLE;
}

session_result session_ask(session *s, smsp_span lines, bool repeatable, smsp_span *reply)
{
    outcome what = LOST_BEFORE;
    bool old, again = true;

    if (drop_useless(s) != SESSION_OK)
        return SESSION_TROUBLE;
    for (old = s->fd >= 0; again; old = false) {
        if (session_connect(s) != SESSION_OK)
            return SESSION_TROUBLE;
        what = deliver(s, lines);
        if (what == WENT_WELL)
            what = receive(s, reply);
        if (what == WENT_WELL)
            break;
        /* Only one that has stood idle is likely to have been closed for its age. */
        again = old && (what == LOST_BEFORE || (what == LOST_AFTER && repeatable));
        disconnect(s);
    }
    if (what != WENT_WELL)
        return give_up(s, what);
    note_refusal(s, *reply);
    s->answered = true;
    return SESSION_OK;
}

session_result session_next(session *s, smsp_span *reply)
{
    outcome what = s->fd < 0 ? LOST_AFTER : receive(s, reply);

    return what == WENT_WELL ? SESSION_OK : give_up(s, what);
}

/* ---- User and cookie ---- */

static bool keep(char *to, size_t size, smsp_span from)
{
    if (from.len == 0 || from.len >= size)
        return false;
    memmove(to, from.at, from.len); /* it may be the same name once more */
    to[from.len] = '\0';
    return true;
}

bool session_enter(session *s, smsp_span user, smsp_span cookie)
{
    session_leave(s);
    return keep(s->user, sizeof s->user, user) && keep(s->cookie, sizeof s->cookie, cookie);
}

void session_leave(session *s)
{
    explicit_bzero(s->cookie, sizeof s->cookie);
}

void session_close(session *s)
{
    disconnect(s);
    session_leave(s);
    explicit_bzero(s->buffer, sizeof s->buffer);
}
