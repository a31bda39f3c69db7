/* SPDX-License-Identifier: ISC */
/* A server without sockets, for replay.c: connections are numbers, time passes
 * when it is told so, and the terminal is a text. */
#ifndef REPLAY_SERVER_H
#define REPLAY_SERVER_H

#include "smsp.h"

enum { CONNECTIONS = 32 };

/* Bytes that grow. put ends the program if there is no memory. */
typedef struct bytes {
    uint8_t *at;
    size_t len, room;
} bytes;

void put(bytes *to, const void *at, size_t len);

typedef enum delivery { WHOLE, BYTE_BY_BYTE, TAKEN_BACK, DELIVERIES } delivery;

extern const char *const delivery_names[DELIVERIES];

typedef struct connection {
    smsp_frame frame;
    uint8_t input[SMSP_FRAME_SIZE(SMSP_REQUEST_MAX)];
    bool open;
    bytes out;    /* what the server has answered */
    size_t taken; /* so much of it the client has read */
} connection;

/* All zero to begin with. */
typedef struct server {
    smsp_limits limits;
    bool shared_mailboxes;
    delivery how;
    bool begun;
    uint32_t draws;
    connection connections[CONNECTIONS];
    bytes terminal; /* what DUMP printed */
    size_t seen;    /* so much of it is not new any more */
    void *memory;
    size_t size;
    smsp_state *state;
} server;

/* Forgets everything but the memory: a server that has not begun, with usual options. */
void server_reset(server *s, delivery how);

/* These return NULL, or a sentence on what the engine did wrong. */
const char *server_begin(server *s);
const char *server_connect(connection *c); /* also anew */
const char *server_receive(server *s, connection *c, const uint8_t *at, size_t len);
const char *server_silence(server *s, connection *c); /* "the request ends here" */

/* Releases what it holds. */
void server_free(server *s);

#endif
