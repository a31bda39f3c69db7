/* SPDX-License-Identifier: ISC */
/* smsp-load: many clients of one server, with every reply checked.
 *
 * The loop (load_run.c) is the same for all protocols, so that their results can be
 * compared. A load_protocol contains what differs. Each client builds the lines of its
 * requests once; only eight digits change from one message to the next.
 */
#ifndef SMSP_LOAD_H
#define SMSP_LOAD_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"

#define LOAD_TEXT_MIN   16u
#define LOAD_TEXT_MAX   4096u
#define LOAD_DEPTH_MAX  1024u
#define LOAD_COOKIE_MAX 256u
#define LOAD_STEPS_MAX  6u

typedef struct load_protocol load_protocol;

typedef struct load_options {
    const load_protocol *protocol;
    const char *host;
    const char *port;
    const char *mix;
    unsigned clients;
    unsigned depth;      /* requests in flight for each client */
    uint64_t requests;   /* of all clients; 0: until the time is over */
    double seconds;      /* length of the run, if requests is 0 */
    double warmup;       /* seconds before counting begins */
    double rate;         /* requests a second of all clients; 0: as fast as possible */
    size_t size;         /* bytes of a message */
    const char *cookies; /* the file that stores sessions, or NULL */
    unsigned accounts;   /* client i uses account i modulo accounts */
    uint64_t seed;
    bool json;
    bool quiet;
    bool reconnect; /* a new connection for each request */
} load_options;

/* A request that the client sends many times. */
typedef struct load_line {
    uint8_t *bytes;
    size_t len;
    size_t text_at; /* offset of the message's text; 0: there is none */
} load_line;

/* A request in flight. */
typedef struct load_request {
    uint8_t step;
    uint32_t number; /* the message that it sends, reads or deletes */
    uint64_t due;    /* when it was sent or, with a rate, should have been sent; ns */
} load_request;

typedef struct load_client {
    const load_options *options;
    unsigned number;
    int fd;
    uint8_t *out; /* bytes to send */
    size_t out_len, out_done;
    uint8_t *in; /* bytes received and not yet parsed */
    size_t in_len, in_taken;
    load_request window[LOAD_DEPTH_MAX]; /* a ring of the requests in flight */
    unsigned first, count;
    uint64_t replies; /* received so far */
    load_line lines[LOAD_STEPS_MAX];
    uint8_t text[LOAD_TEXT_MAX];    /* the last text that was sent or compared */
    uint32_t sent, looked, removed; /* the next message number of each step */
    uint64_t next_due;              /* with a rate: when the next request is due */
    uint8_t step;                   /* the next step of the round */
    const uint8_t *steps;           /* SMSP: the steps of a round */
    uint8_t step_count;
    bool in_round; /* the round must be finished, so that no message is left */
    char name[32]; /* of the account, key or tube */
    char cookie[LOAD_COOKIE_MAX];
    uint64_t ids[LOAD_DEPTH_MAX]; /* beanstalkd: the ids of the jobs of this round */
} load_client;

typedef enum { LOAD_NEED_MORE, LOAD_RIGHT, LOAD_WRONG } load_verdict;

struct load_protocol {
    const char *name;
    const char *mix; /* the default mix */
    /* Builds the client's lines with load_make_line; registers accounts over a
     * connection of its own. False: an error has been printed. */
    bool (*prepare)(load_client *client);
    /* Prepares a new connection; may be NULL. */
    bool (*on_connect)(load_client *client);
    /* Adds the next request, or a pair that belongs together, with load_add. False:
     * it must wait for replies first. */
    bool (*add_requests)(load_client *client, uint64_t due);
    /* Checks the reply at the beginning of len (at least 1) bytes; sets *used to its
     * length, except with LOAD_NEED_MORE. */
    load_verdict (*check_reply)(load_client *client, const load_request *request, const uint8_t *at,
                                size_t len, size_t *used);
    /* Is this the last request of a round? */
    bool (*ends_round)(const load_client *client, uint8_t step);
};

extern const load_protocol load_smsp;
extern const load_protocol load_redis;
extern const load_protocol load_beanstalk;
extern const load_protocol load_echo;

typedef struct load_totals {
    uint64_t requests;
    uint64_t rounds;
    uint64_t wrong;
    uint64_t unsent; /* with a rate: due but not sent before the end */
    double seconds;
    bool stopped; /* by SIGINT */
    histogram latency;
    char first_wrong[600]; /* describes the first wrong reply */
} load_totals;

/* ---- For protocols (load_wire.c) ---- */

/* Builds the line of a step: before, the client's text if has_text, after. False: an
 * error has been printed. */
bool load_make_line(load_client *client, uint8_t step, const char *before, bool has_text, const char *after);

/* Adds the line of the step, with the text of message `number`, to the bytes to send.
 * The latency of the request begins at `due`. */
void load_add(load_client *client, uint8_t step, uint32_t number, uint64_t due);

/* Adds a request with other bytes. */
void load_add_bytes(load_client *client, load_request request, const void *at, size_t len);

/* Is this the text of the client's message with that number? */
bool load_text_is(load_client *client, uint32_t number, const uint8_t *at, size_t len);

/* Can this be the text of a message of any client of this run? */
bool load_text_of_anyone(load_client *client, const uint8_t *at, size_t len);

/* Finds the first line: *line_len is its length without LF or CR LF, *used with it.
 * False: it is not complete. */
bool load_line_of(const uint8_t *at, size_t len, size_t *line_len, size_t *used);

/* Resolves the server's addresses, once. False: an error has been printed. */
bool load_resolve(const load_options *options);

/* Connects and returns the socket. -1: an error has been printed. */
int load_connect(const load_options *options);

/* Closes with a reset: many connections in TIME_WAIT would use up the ports. */
void load_disconnect(int fd);

/* Sends len bytes and reads one line into reply, without its LF. False: an error has
 * been printed. */
bool load_ask(int fd, const char *request, size_t len, char *reply, size_t size);

/* ---- The loop ---- */

/* Runs all clients. False: the run failed, and an error has been printed. */
bool load_run(const load_options *options, load_totals *totals);

uint64_t load_now(void);

#endif
