/* SPDX-License-Identifier: ISC */
/* A world is one state of the engine with predictable secrets and a log of its effects,
 * and the checks of the state that targets share. */
#ifndef WORLD_H
#define WORLD_H

#include "model.h"
#include "oracle.h"
#include "smsp.h"

/* Cookies come from a short list (the pool), so that an input can name them and a candidate
 * is often in use: the nth granted cookie is number n modulo the pool's size, or the first
 * free one after it. All cookies, and the tokens made from them, differ in one byte only, at
 * the front, in the middle or at the end: a comparison that stops early is detected. */
#define WORLD_COOKIES 32u

typedef struct world {
    smsp_config config;
    smsp_state *state;
    void *memory;
    size_t size;
    smsp_secrets secrets;
    unsigned pool;    /* cookies in the pool */
    unsigned granted; /* cookies given out */
    unsigned draws;   /* in the current request */
    uint8_t cookies[WORLD_COOKIES][SMSP_COOKIE_LEN];
    bool batch;
    unsigned broken; /* 1: no randomness, 2: no hashing */
    /* Encoded effects in order; the first log_kept bytes are committed. */
    uint8_t *log;
    size_t log_len, log_kept, log_room;
} world;

/* The limits of all worlds: small, and with tiny lines even smaller. */
smsp_limits world_limits(void);
model_limits world_model_limits(bool shared_mailboxes);

/* Makes an empty state; a world that was open before uses its memory again. */
void world_open(world *w, unsigned pool, bool shared_mailboxes);

/* Overwrites len bytes of the state, beginning at byte number place. From now on
 * MemorySanitizer treats all of the state's memory as written. */
void world_overwrite(world *w, size_t place, const void *at, size_t len);

/* Answers one line; framed and ending as for smsp_answer. If the journal is full, commits
 * first and sets *committed. out has SMSP_REPLY_MAX + 1 bytes. */
size_t world_answer(world *w, smsp_error framed, smsp_span line, smsp_ending ending, uint8_t *out, bool *dump,
                    bool *committed);

void world_begin(world *w);
void world_commit(world *w);
void world_rollback(world *w);

/* The model's candidates for cookies: the same list. */
const uint8_t *world_candidate(void *context, unsigned n);

/* Appends an effect to the log. */
void world_log(world *w, const smsp_effect *effect);

/* Writes what DUMP prints to out; returns the length. */
size_t world_dump(const world *w, uint8_t *out, size_t size);
#define WORLD_DUMP_MAX (600000u)

/* ORACLE invariant */
void world_check(const world *w);
/* ORACLE replay and snapshot: the logged effects rebuild the state, and so does a snapshot. */
void world_check_effects(const world *w);

#endif
