/* SPDX-License-Identifier: ISC */
/* Answers clients over the limit: a KO, and the connection is closed. */
#define _GNU_SOURCE
#include "refusal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_MS 1000

static void drop(refusals *all, uint32_t i)
{
    (void)close(all->fds[i]);
    all->count--;
    memmove(all->fds + i, all->fds + i + 1, (all->count - i) * sizeof all->fds[0]);
    memmove(all->until + i, all->until + i + 1, (all->count - i) * sizeof all->until[0]);
}

void refuse_client(refusals *all, int client, int64_t now)
{
    static const char ko[] = {'K', 'O', '\n'};

    if (all->count == REFUSALS_MAX)
        drop(all, 0);
    if (send(client, ko, sizeof ko, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 || shutdown(client, SHUT_WR) != 0) {
        (void)close(client);
        return;
    }
    all->fds[all->count] = client;
    all->until[all->count++] = now + LINGER_MS;
}

void refusals_poll(const refusals *all, struct pollfd *fds)
{
    for (uint32_t i = 0; i < all->count; i++)
        fds[i] = (struct pollfd){.fd = all->fds[i], .events = POLLIN};
}

/* True if the client has closed too. */
static bool drained(int fd)
{
    uint8_t lost[4096];
    ssize_t got = recv(fd, lost, sizeof lost, MSG_DONTWAIT);

    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

void refusals_handle(refusals *all, const struct pollfd *fds, int64_t now)
{
    for (uint32_t i = all->count; i-- > 0;) { /* drop moves only those behind */
        if (now >= all->until[i] || (fds[i].revents != 0 && drained(all->fds[i])))
            drop(all, i);
    }
}
