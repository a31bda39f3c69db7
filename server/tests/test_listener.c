/* SPDX-License-Identifier: ISC */
/* Unit tests of listener.c, with the addresses of a host that this machine need not have. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "listener.h"

#define MANY (LISTENERS_MAX + 3u)

/* ---- In libc's place ---- */

static struct sockaddr_storage given[MANY];
static struct addrinfo list[MANY];
static unsigned binds, refused_from; /* calls of bind; from which on they are refused, 0: none is */

int getaddrinfo(const char *host, const char *port, const struct addrinfo *wanted, struct addrinfo **found)
{
    (void)host;
    (void)port;
    (void)wanted;
    *found = list;
    return 0;
}

void freeaddrinfo(struct addrinfo *found)
{
    (void)found;
}

/* The second address of each try is taken by somebody. (libc declares bind with a union.) */
int refusing_bind(int fd, const struct sockaddr *address, socklen_t len) __asm__("bind");
int refusing_bind(int fd, const struct sockaddr *address, socklen_t len)
{
    binds += refused_from > 0;
    if (refused_from > 0 && binds % 2 == 0 && binds >= refused_from) {
        errno = EADDRINUSE;
        return -1;
    }
    return (int)syscall(SYS_bind, fd, address, len);
}

static void give(unsigned at, int family, bool last)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + at)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool six = family == AF_INET6;

    memset(&given[at], 0, sizeof given[at]);
    memcpy(&given[at], six ? (const void *)&v6 : (const void *)&v4, six ? sizeof v6 : sizeof v4);
    list[at] = (struct addrinfo){.ai_family = family,
                                 .ai_addr = (struct sockaddr *)&given[at],
                                 .ai_addrlen = six ? sizeof v6 : sizeof v4,
                                 .ai_next = last ? NULL : &list[at + 1]};
    refused_from = binds = 0;
}

static in_port_t port_of(int fd)
{
    struct sockaddr_storage own = {0};
    socklen_t len = sizeof own;
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;

    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &len), 0);
    memcpy(&v6, &own, sizeof v6);
    memcpy(&v4, &own, sizeof v4);
    return own.ss_family == AF_INET6 ? v6.sin6_port : v4.sin_port;
}

static void same_port(listeners *all, uint32_t count)
{
    assert_int_equal(all->count, count);
    in_port_t port = port_of(all->fds[0]);
    assert_int_not_equal(port, 0);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(port_of(all->fds[i]), port);
        (void)close(all->fds[i]);
    }
}

/* ---- Tests ---- */

static void a_free_port_is_the_same_on_all_addresses(void **state)
{
    listeners all = {.count = 0};

    (void)state;
    give(0, AF_INET, false);
    give(1, AF_UNIX, false); /* is left out */
    give(2, AF_INET, true);
    assert_true(listeners_bind(&all, "several", "0"));
    same_port(&all, 2);
}

static void and_so_it_is_if_the_first_is_of_ipv6(void **state)
{
    listeners all = {.count = 0};
    int probe = socket(AF_INET6, SOCK_STREAM, 0);

    (void)state;
    give(0, AF_INET6, false);
    give(1, AF_INET, true);
    bool six = probe >= 0 && bind(probe, list[0].ai_addr, list[0].ai_addrlen) == 0;
    (void)close(probe);
    assert_true(listeners_bind(&all, "both", "0"));
    same_port(&all, six ? 2 : 1);
}

static void of_many_addresses_the_first_are_taken(void **state)
{
    listeners all = {.count = 0};

    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        give(i, AF_INET, i == MANY - 1);
    assert_true(listeners_bind(&all, "many", "0"));
    same_port(&all, LISTENERS_MAX);
}

/* Another free port is tried, but not for ever; then nothing stays open. */
static void a_port_that_the_second_address_has_not(void **state)
{
    listeners all = {.count = 0};
    int before = dup(STDERR_FILENO);

    (void)state;
    give(0, AF_INET, false);
    give(1, AF_INET, true);
    refused_from = 1;
    assert_false(listeners_bind(&all, "taken", "0"));
    assert_int_equal(all.count, 0);
    assert_in_range(binds, 4, 64);
    (void)close(before);
    int after = dup(STDERR_FILENO);
    assert_int_equal(after, before);
    (void)close(after);
}

/* An IPv6 network of 64 bits is one address; IPv4 addresses are each their own. */
static void who_shares_a_limit(void **state)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    client_address one, same, other;

    (void)state;
    assert_int_equal(inet_pton(AF_INET6, "2001:db8:1:2::1", &v6.sin6_addr), 1);
    one = listener_address((struct sockaddr *)&v6);
    assert_int_equal(inet_pton(AF_INET6, "2001:db8:1:2:ffff::2", &v6.sin6_addr), 1);
    same = listener_address((struct sockaddr *)&v6);
    assert_memory_equal(&one, &same, sizeof one);
    assert_int_equal(inet_pton(AF_INET6, "2001:db8:1:3::1", &v6.sin6_addr), 1);
    other = listener_address((struct sockaddr *)&v6);
    assert_memory_not_equal(&one, &other, sizeof one);
    assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &v4.sin_addr), 1);
    one = listener_address((struct sockaddr *)&v4);
    assert_int_equal(inet_pton(AF_INET, "192.0.2.2", &v4.sin_addr), 1);
    other = listener_address((struct sockaddr *)&v4);
    assert_memory_not_equal(&one, &other, sizeof one);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_shares_a_limit),
        cmocka_unit_test(a_free_port_is_the_same_on_all_addresses),
        cmocka_unit_test(and_so_it_is_if_the_first_is_of_ipv6),
        cmocka_unit_test(of_many_addresses_the_first_are_taken),
        cmocka_unit_test(a_port_that_the_second_address_has_not),
    };

    return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
