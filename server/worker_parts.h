/* SPDX-License-Identifier: ISC */
/* The parts of a worker: what worker.c and the worker_*.c files share, and nobody else.
 *
 *   worker.c          the life of one client
 *   worker_input.c    bytes from the client, and silences that end a request
 *   worker_collect.c  requests that go to the keeper together: a run
 *   worker_answer.c   hands a run over, and turns results into replies
 *   worker_login.c    REGISTER and LOGIN: hash, draw a cookie
 */
#ifndef WORKER_PARTS_H
#define WORKER_PARTS_H

#include "reply_buffer.h"
#include "slot.h"
#include "worker.h"

#define FRAME_BYTES 32768u
_Static_assert(FRAME_BYTES >= SMSP_FRAME_SIZE(SMSP_REQUEST_MAX), "the longest request fits");

/* One request of a run. */
typedef struct step {
    uint16_t len; /* bytes of its entry in the slot; 0: the worker answers it alone */
    uint8_t verb;
    uint8_t code; /* the reply, if the worker answers it alone */
} step;

typedef struct worker {
    slot *slot;
    slot_end end; /* to hand the slot over */
    framing_mode framing;
    smsp_frame frame;
    int request_ms; /* time for a whole request to arrive, and for replies to be read */

    /* Why and when to stop reading. */
    bool ended;            /* the client sends no more */
    bool ends_here;        /* a silence or the end of input ends the request under way */
    bool broken;           /* the socket failed, or the keeper's bytes are not replies */
    bool late;             /* a timeout has passed */
    bool partial;          /* part of a request has arrived, at partial_since */
    int64_t partial_since; /* ms */

    /* The run: requests that go to the keeper together. */
    step steps[SLOT_RUN_MAX];
    uint32_t step_count;
    uint32_t entries;   /* in the slot */
    size_t entry_bytes; /* of these entries */
    smsp_span line;     /* of the last step */
    smsp_span held[2];  /* lines that wait for the next run, a stack: the earliest line is on top */
    uint32_t held_count;
    int64_t pair_until; /* ms: when await_pair gives up; 0: it has not begun */

    /* Secrets. The token of the last cookie is kept until the input is wiped. */
    smsp_secrets secrets;    /* as secret_worker returned them */
    smsp_secrets tokenizing; /* the same, with worker_cookie_token */
    uint8_t last_cookie[SMSP_COOKIE_LEN];
    smsp_token last_token;
    bool has_last;

    /* A REGISTER or LOGIN that has asked for its salt: always the last of its run. */
    smsp_request login;
    smsp_salt salt;
    bool has_salt;

    reply_buffer replies;
    size_t dirty; /* bytes of buffer to wipe */
    uint8_t buffer[FRAME_BYTES];
} worker;

/* ---- worker_input.c ---- */

/* Waits until the client's socket is readable. False: milliseconds have passed, or poll
 * failed and w->broken is set. */
bool worker_readable(worker *w, int milliseconds);

/* Reads once from the client; blocks if nothing has arrived. */
void worker_read_input(worker *w);

/* Waits for bytes, for a silence that ends a request, for the end of input, or until the
 * request under way is late. */
void worker_receive(worker *w);

/* The next line, as smsp_frame_next returns it; held lines come first. */
smsp_error worker_next_line(worker *w, smsp_span *line) SMSP_MUST_USE;

/* ---- worker_collect.c ---- */

/* Puts the requests that have arrived into a run. False: there are none. */
bool worker_collect(worker *w);

/* ---- worker_answer.c ---- */

/* Adds a reply; sends the replies that were added. */
void worker_reply(worker *w, const smsp_reply *reply);
void worker_flush(worker *w);

/* Reads the reply at *at of the slot and advances *at. False, and w->broken: the
 * keeper's bytes are not a reply. */
bool worker_take_reply(worker *w, size_t *at, smsp_result *result, smsp_span *text);

/* Hands the run over, as often as it takes, and replies to all of it. */
void worker_answer(worker *w);

/* ---- worker_login.c ---- */

/* A salt has come: hashes the password and finishes the REGISTER or LOGIN. */
void worker_finish_login(worker *w);

/* smsp_secrets.cookie that remembers the last cookie; context is the worker. */
void worker_cookie_token(void *context, smsp_span cookie, smsp_token *out);

#endif
