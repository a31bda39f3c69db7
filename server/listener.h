#ifndef LISTENER_H
#define LISTENER_H

#include "smsp.h"

#define LISTENERS_MAX 8u

typedef struct listeners {
    int fds[LISTENERS_MAX];
    uint32_t count;
} listeners;

/* Binds a socket to each address of host, all with the same port; "0" takes a
 * free one. False: one line said why not, and nothing stays open. */
bool listeners_bind(listeners *all, const char *host, const char *port) SMSP_MUST_USE;

/* Says on which address a socket listens: "smspd: listening on HOST:PORT",
 * brackets around an IPv6 address. */
void listener_announce(int fd);

#endif
