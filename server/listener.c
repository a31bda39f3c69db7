/* SPDX-License-Identifier: ISC */
/* Opens the sockets that the server listens on, for each address of the host. */
#define _GNU_SOURCE
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

#define IPV6_NETWORK 8u /* bytes of a /64, the smallest network that one customer gets */
#define PORT_TRIES 16u /* a free port on one address may be taken on the next */

static void close_all(listeners *all)
{
    while (all->count > 0)
        (void)close(all->fds[--all->count]);
}

static in_port_t *port_of(struct sockaddr *address)
{
    if (address->sa_family == AF_INET6)
        return &((struct sockaddr_in6 *)(void *)address)->sin6_port;
    return &((struct sockaddr_in *)(void *)address)->sin_port;
}

/* Options that accepted sockets inherit: replies are sent at once, and dead peers are
 * detected. */
static bool set_options(int fd, int family)
{
    static const int on = 1;

    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
        return false;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0;
}

/* A socket bound to the address, or -1 with errno. */
static int bind_one(const struct addrinfo *at)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    if (set_options(fd, at->ai_family) && bind(fd, at->ai_addr, at->ai_addrlen) == 0)
        return fd;
    int error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

/* The port of a bound socket in network byte order; 0: unknown. */
static in_port_t bound_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } own = {.v6 = {0}};
    socklen_t len = sizeof own;

    if (getsockname(fd, &own.any, &len) != 0)
        return 0;
    return own.any.sa_family == AF_INET6 ? own.v6.sin6_port : own.v4.sin_port;
}

/* Tries to bind all addresses. An address that this machine does not have is ignored if
 * another one works. False, with errno, and no socket is open. */
static bool bind_all(listeners *all, struct addrinfo *addresses)
{
    int error = EADDRNOTAVAIL;

    all->count = 0;
    for (struct addrinfo *at = addresses; at != NULL && all->count < LISTENERS_MAX; at = at->ai_next) {
        if (at->ai_family != AF_INET && at->ai_family != AF_INET6)
            continue;
        in_port_t *port = port_of(at->ai_addr);
        in_port_t asked = *port;
        if (asked == 0 && all->count > 0)
            *port = bound_port(all->fds[0]);
        int fd = bind_one(at);
        int why = errno;
        *port = asked;
        if (fd >= 0) {
            all->fds[all->count++] = fd;
        } else {
            error = why;
            if (why != EADDRNOTAVAIL && why != EAFNOSUPPORT) {
                close_all(all);
                break;
            }
        }
    }
    errno = error;
    return all->count > 0;
}

/* Advice to print after the reason if a socket could not be bound or listen; "" if another
 * address or port would not help. */
static const char *advice(int error)
{
    switch (error) {
    case EADDRINUSE:
    case EACCES:
        return "; choose another port, or 0 for any free one";
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return "; give an address of this machine";
    default:
        return "";
    }
}

/* "::" in any spelling. */
static bool is_any_v6(const char *host)
{
    struct in6_addr address;

    return inet_pton(AF_INET6, host, &address) == 1 && IN6_IS_ADDR_UNSPECIFIED(&address);
}

static void complain_host(const char *host, int why)
{
    if (why == EAI_SYSTEM)
        log_line("host %s: %s", host, log_reason(errno));
    else
        log_line("host %s: %s%s", host, gai_strerror(why),
                 why == EAI_MEMORY ? "" : "; give an address or name of this machine");
}

bool listeners_bind(listeners *all, const char *host, const char *port)
{
    const struct addrinfo want = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    bool any_port = strspn(port, "0") == strlen(port);
    bool bound = false;

    /* No host means all addresses. IPv4 and IPv6 get a socket each, so that it does not matter
     * whether IPv6 sockets of this system also accept IPv4. */
    int why = getaddrinfo(is_any_v6(host) ? NULL : host, port, &want, &addresses);
    if (why != 0) {
        complain_host(host, why);
        return false;
    }
    for (unsigned tries = 0; !bound && tries < PORT_TRIES; tries++) {
        bound = bind_all(all, addresses);
        if (!bound && (errno != EADDRINUSE || !any_port))
            break;
    }
    if (!bound)
        log_line("%s port %s: %s%s", host, port, log_reason(errno), advice(errno));
    freeaddrinfo(addresses);
    return bound;
}

/* Says on which address a socket listens. */
static bool announce(int fd)
{
    struct sockaddr_storage own = {0};
    socklen_t len = sizeof own;
    char host[NI_MAXHOST];
    char port[NI_MAXSERV];

    if (getsockname(fd, (struct sockaddr *)&own, &len) != 0) {
        log_line("cannot find out where it listens: %s; start again", strerror(errno));
        return false;
    }
    int why = getnameinfo((struct sockaddr *)&own, len, host, sizeof host, port, sizeof port,
                          NI_NUMERICHOST | NI_NUMERICSERV);
    if (why != 0) {
        log_line("cannot print where it listens: %s; start again", gai_strerror(why));
        return false;
    }
    log_line(own.ss_family == AF_INET6 ? "listening on [%s]:%s" : "listening on %s:%s", host, port);
    return true;
}

bool listeners_begin(const listeners *all)
{
    for (uint32_t i = 0; i < all->count; i++) {
        if (listen(all->fds[i], SOMAXCONN) != 0) {
            log_line("cannot listen: %s%s", log_reason(errno), advice(errno));
            return false;
        }
    }
    for (uint32_t i = 0; i < all->count; i++)
        if (!announce(all->fds[i]))
            return false;
    return true;
}

client_address listener_address(const struct sockaddr *peer)
{
    client_address from = {{0}};

    if (peer->sa_family == AF_INET6)
        memcpy(from.bytes, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr, IPV6_NETWORK);
    else
        memcpy(from.bytes, &((const struct sockaddr_in *)(const void *)peer)->sin_addr, 4);
    return from;
}
