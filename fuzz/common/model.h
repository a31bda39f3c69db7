/* SPDX-License-Identifier: ISC */
/* An independent model of the protocol, written from engine/PROTOCOL.md with plain arrays and
 * linear search. It shares no code, header or table with the engine: if they disagree, one
 * of them is wrong. */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_USERS    16u
#define MODEL_MESSAGES 64u /* most in one queue */

/* The limits of section 8 and the options of a server. */
typedef struct model_limits {
    size_t name, password, content; /* most bytes */
    size_t cookie;                  /* the length of a cookie in bytes */
    unsigned users, messages, mailbox, imq, share;
    unsigned blocks; /* of text memory: a message's first block holds 50 bytes, each further block 60 */
    bool shared_mailboxes;
} model_limits;

/* Owns all texts, so that a model can be copied by assignment. */
typedef struct model_arena model_arena;

typedef struct model_message {
    const uint8_t *text;
    size_t len;
    unsigned sender;
} model_message;

typedef struct model_queue {
    model_message at[MODEL_MESSAGES]; /* oldest first */
    unsigned count;
} model_queue;

typedef struct model_user {
    const uint8_t *name, *password, *cookie; /* RA, ID; no cookie: NULL */
    size_t name_len, password_len;
    model_queue mailbox; /* MBX */
} model_user;

typedef struct model {
    model_limits limits;
    model_arena *arena;
    model_user users[MODEL_USERS]; /* in the order of registration */
    unsigned user_count;
    model_queue imq;
    const uint8_t *assigned[MODEL_USERS]; /* AC */
    unsigned assigned_count;
    bool read_only;
    bool broken; /* no randomness: no cookies */
    unsigned granted; /* cookies */
    /* Returns the nth candidate for a new cookie. The first candidate of a request has the
     * number of cookies granted before. */
    const uint8_t *(*candidate)(void *context, unsigned n);
    void *context;
} model;

model_arena *model_arena_new(void);
void model_arena_free(model_arena *arena);

void model_init(model *m, const model_limits *limits, model_arena *arena);

/* Sections 4 to 6: answers one request of len bytes without terminator. Writes the reply
 * without terminator to reply, which has room for the longest one, and returns its length.
 * *dump is set if the server prints its structures now. */
size_t model_answer(model *m, const uint8_t *line, size_t len, uint8_t *reply, bool *dump);

/* Section 7: writes what DUMP prints, at most size bytes; returns the length. */
size_t model_dump(const model *m, uint8_t *out, size_t size);

/* ---- Section 2: words of the grammar ---- */

bool model_is_name(const model_limits *limits, const uint8_t *at, size_t len);
bool model_is_cookie(const model_limits *limits, const uint8_t *at, size_t len);
/* REQ-1 */
bool model_is_text(const uint8_t *at, size_t len);
/* A line that a server may send: "reply" of the grammar, or a content. */
bool model_is_reply(const model_limits *limits, const uint8_t *at, size_t len);

/* ---- Section 3: where requests end ---- */

typedef enum { MODEL_UNKNOWN, MODEL_LF, MODEL_NUL, MODEL_SILENCE } model_ending;

typedef struct model_stream {
    model_ending ending;
    uint8_t *held; /* bytes of the current request */
    size_t len, room;
} model_stream;

void model_stream_open(model_stream *s);
void model_stream_close(model_stream *s);

/* Adds one byte. True: a request is complete, *len bytes at s->held. */
bool model_stream_byte(model_stream *s, uint8_t byte, size_t *len);
/* A silence: ends the request if FRM-4 to FRM-6 allow it. True as above. */
bool model_stream_silence(model_stream *s, size_t *len);
/* Removes the complete request. */
void model_stream_next(model_stream *s);
/* The terminator of a reply (FRM-3, FRM-5): returns its length, 0 or 1, and sets *byte. */
size_t model_stream_terminator(const model_stream *s, uint8_t *byte);

#endif
