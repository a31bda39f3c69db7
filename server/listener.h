/* SPDX-License-Identifier: ISC */
/* The sockets that the server listens on, and the addresses of clients. */
#ifndef LISTENER_H
#define LISTENER_H

#include <sys/socket.h>

#include "smsp.h"

#define LISTENERS_MAX 8u

typedef struct listeners {
    int fds[LISTENERS_MAX];
    uint32_t count;
} listeners;

/* Who shares a limit: an IPv4 address, or the /64 network of an IPv6 address. */
typedef struct client_address {
    uint8_t bytes[16];
} client_address;

/* The address of a peer, without its port and an IPv6 interface. */
client_address listener_address(const struct sockaddr *peer);

/* Binds a socket to each address of host, all with the same port; "0" takes a free one.
 * "::" is all addresses, IPv4 and IPv6. False: one line said why not, and nothing stays open. */
bool listeners_bind(listeners *all, const char *host, const char *port) SMSP_MUST_USE;

/* Listens, and says on which addresses: "smspd: listening on HOST:PORT", brackets around an
 * IPv6 address. False: one line said why it cannot. */
bool listeners_begin(const listeners *all) SMSP_MUST_USE;

#endif
