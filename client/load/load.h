/* SPDX-License-Identifier: ISC */
/* smsp-load: many clients against one server, every reply checked.
 *
 * The loop (load_run.c) is the same for every server; what differs stands in a
 * load_protocol: our own protocol, and those of the servers that people would
 * use instead, so that comparing them costs the driver the same. A client's
 * requests are lines made once; what changes from one message to the next are
 * eight digits in its text.
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
    unsigned depth;    /* requests that a client has under way */
    uint64_t requests; /* in all, or 0 */
    double seconds;    /* or this long */
    double warmup;     /* seconds that do not count */
    double rate;       /* requests a second in all, or 0: as fast as it goes */
    size_t size;       /* bytes of a message */
    const char *cookies; /* the file that keeps sessions from run to run, or NULL */
    unsigned accounts; /* shared by the clients in turn */
    uint64_t seed;
    bool json;
    bool quiet;
    bool reconnect; /* a new connection for each request */
} load_options;

/* A request as the client sends it, again and again. */
typedef struct load_line {
    uint8_t *bytes;
    size_t len;
    size_t text_at; /* where the message's text begins; 0: there is none */
} load_line;

/* A request under way. */
typedef struct load_request {
    uint8_t step;
    uint32_t number; /* of the message it is about */
    uint64_t due;    /* when it was, or should have been, sent; ns */
} load_request;

typedef struct load_client {
    const load_options *options;
    unsigned number;
    int fd;
    uint8_t *out; /* what is to be sent */
    size_t out_len, out_done;
    uint8_t *in; /* what has come and is not taken yet */
    size_t in_len, in_taken;
    load_request window[LOAD_DEPTH_MAX]; /* a ring of requests under way */
    unsigned first, count;
    uint64_t replies; /* that have come so far */
    load_line lines[LOAD_STEPS_MAX];
    uint8_t text[LOAD_TEXT_MAX];    /* as it was last sent or compared */
    uint32_t sent, looked, removed; /* messages: the next number of each */
    uint64_t next_due;              /* rate mode: when the next request should go */
    uint8_t step;                   /* the protocol's place in its round */
    const uint8_t *steps;           /* our own protocol: the steps of a round */
    uint8_t step_count;
    bool in_round; /* the round is to be finished, so that nothing stays behind */
    char name[32]; /* account, key or tube */
    char cookie[LOAD_COOKIE_MAX];
    uint64_t ids[LOAD_DEPTH_MAX]; /* beanstalkd: of the jobs of this round */
} load_client;

typedef enum { LOAD_MORE, LOAD_RIGHT, LOAD_WRONG } load_verdict;

struct load_protocol {
    const char *name;
    const char *mix; /* the mix that is meant if none is given */
    /* Makes the client's lines with load_make_line; accounts are registered
     * here, over a connection of its own. False after one line on standard error. */
    bool (*prepare)(load_client *client);
    /* Prepares a new connection; NULL: there is nothing to do. */
    bool (*greet)(load_client *client);
    /* Adds the next requests (a pair that belongs together, or one) with
     * load_put; false: replies must come first. */
    bool (*send)(load_client *client, uint64_t due);
    /* Judges the reply at the front of len bytes, at least 1; *used gets its
     * length unless LOAD_MORE. */
    load_verdict (*take)(load_client *client, const load_request *request, const uint8_t *at, size_t len,
                         size_t *used);
    /* Is this request the last of a message's round? */
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
    uint64_t unsent; /* rate mode: due, and not sent when the time was over */
    double seconds;
    bool stopped; /* by SIGINT, before its time */
    histogram latency;
    char complaint[600]; /* about the first wrong reply */
} load_totals;

/* ---- For protocols (load_wire.c) ---- */

/* Makes the line of a step: before, then, if has_text, the client's text, then
 * after. False after one line on standard error. */
bool load_make_line(load_client *client, uint8_t step, const char *before, bool has_text, const char *after);

/* Adds the step's line, with the text of message `number`, to what the client
 * sends; it is under way from `due` on. */
void load_put(load_client *client, uint8_t step, uint32_t number, uint64_t due);

/* The same for a line that is made each time. */
void load_put_bytes(load_client *client, load_request request, const void *at, size_t len);

/* Is this the client's message with that number? */
bool load_text_is(load_client *client, uint32_t number, const uint8_t *at, size_t len);

/* Is this a message that some client of this run has sent? */
bool load_text_of_anyone(load_client *client, const uint8_t *at, size_t len);

/* The length of the line at the front, without LF or CR LF; *used gets it with
 * them. False: it is not whole. */
bool load_line_of(const uint8_t *at, size_t len, size_t *line_len, size_t *used);

/* Finds the server's addresses, once; false after one line on standard error. */
bool load_resolve(const load_options *options);

/* Connects; -1 after one line on standard error. */
int load_connect(const load_options *options);

/* Closes, without leaving the address in TIME_WAIT where that would exhaust the ports. */
void load_disconnect(int fd);

/* Sends all of it and reads one reply that ends with LF into reply (without
 * it); false after one line on standard error. */
bool load_ask(int fd, const char *request, size_t len, char *reply, size_t size);

/* ---- The loop ---- */

/* Runs the load; false if it could not be run, after one line on standard error. */
bool load_run(const load_options *options, load_totals *totals);

uint64_t load_now(void);

#endif
