/* SPDX-License-Identifier: ISC */
/* An independent model of the protocol, written from engine/PROTOCOL.md with
 * plain arrays and linear search. It shares no code, no header and no table with
 * the engine: where the two disagree, one of them is wrong. */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_USERS    16u
#define MODEL_MESSAGES 64u /* most in one queue */

/* Section 8, and what a server may be started with. */
typedef struct model_limits {
    size_t name, password, content; /* most bytes */
    size_t cookie;                  /* exactly so many bytes */
    unsigned users, messages, mailbox, imq, share;
    unsigned blocks; /* of text memory: the first of a message holds 50 bytes, each further one 60 */
    bool shared_mailboxes;
} model_limits;

/* Texts live as long as the arena: messages may be copied like numbers. */
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
    /* The nth candidate for a new cookie, as text; a request's first is that of
     * the number of cookies granted before. */
    const uint8_t *(*candidate)(void *context, unsigned n);
    void *context;
} model;

model_arena *model_arena_new(void);
void model_arena_free(model_arena *arena);

void model_init(model *m, const model_limits *limits, model_arena *arena);

/* Sections 4 to 6: answers one request, len bytes without terminator. Writes the
 * reply without terminator to reply, which has room for the longest, and gives
 * back its length. *dump: the server prints now. */
size_t model_answer(model *m, const uint8_t *line, size_t len, uint8_t *reply, bool *dump);

/* Section 7: what DUMP prints, and its length; at most size bytes. */
size_t model_dump(const model *m, uint8_t *out, size_t size);

/* ---- Section 2: words of the grammar ---- */

bool model_is_name(const model_limits *limits, const uint8_t *at, size_t len);
bool model_is_cookie(const model_limits *limits, const uint8_t *at, size_t len);
/* REQ-1 */
bool model_is_text(const uint8_t *at, size_t len);
/* One line that a server may say: the grammar's "reply", or a content. */
bool model_is_reply(const model_limits *limits, const uint8_t *at, size_t len);

/* ---- Section 3: where requests end ---- */

typedef enum { MODEL_UNKNOWN, MODEL_LF, MODEL_NUL, MODEL_SILENCE } model_ending;

typedef struct model_stream {
    model_ending ending;
    uint8_t *held; /* bytes of the request under way */
    size_t len, room;
} model_stream;

void model_stream_open(model_stream *s);
void model_stream_close(model_stream *s);

/* One byte. True: a request is complete, *len bytes at s->held. */
bool model_stream_byte(model_stream *s, uint8_t byte, size_t *len);
/* The request ends here, if it may (FRM-4 to FRM-6). True as above. */
bool model_stream_silence(model_stream *s, size_t *len);
/* Forgets the request that was complete. */
void model_stream_next(model_stream *s);
/* What ends a reply (FRM-3, FRM-5): its length, 0 or 1, the byte at *byte. */
size_t model_stream_terminator(const model_stream *s, uint8_t *byte);

#endif
