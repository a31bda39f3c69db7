/* SPDX-License-Identifier: ISC */
/* The options of smspd, as the command line sets them. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "smsp.h"

typedef enum framing_mode {
    FRAMING_AUTO,       /* FRM-1 to FRM-6 */
    FRAMING_TERMINATED, /* without FRM-4 to FRM-6 */
    FRAMING_COURSE      /* replies to unterminated requests end with NUL */
} framing_mode;

typedef struct server_options {
    const char *host;
    const char *port;
    smsp_limits limits;
    uint32_t max_clients;
    framing_mode framing;
    bool shared_mailboxes;
    const char *data; /* the directory that keeps everything; NULL: memory only */
    const char *data_name; /* the same in the root directory that the keeper has */
    const char *user; /* the user that the server becomes if root starts it; NULL: the default */
    int data_lock;    /* the descriptor of its lock, once there is one */
    bool check;       /* only check whether the database is sound */
    bool test_cost;   /* passwords cost next to nothing */
    bool no_dump;     /* DUMP prints counts only */
    bool no_sandbox;
    uint32_t max_hashing;     /* passwords hashed at a time */
    uint32_t request_seconds; /* for a request to arrive, for replies to be read */
    uint32_t idle_seconds;    /* without a request */
    uint32_t max_per_address; /* clients; 0: no limit */
} server_options;

typedef enum options_result {
    OPTIONS_RUN,  /* *options is filled in */
    OPTIONS_DONE, /* --help or --version was printed: exit 0 */
    OPTIONS_WRONG /* wrong usage, which is logged: exit 2 */
} options_result;

/* Reads the command line. host and port stay NULL with check. */
options_result options_read(int argc, char **argv, server_options *out) SMSP_MUST_USE;

#endif
