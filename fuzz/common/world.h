/* SPDX-License-Identifier: ISC */
/* One state of the engine with secrets that can be foretold, and the checks that
 * every target makes on it. */
#ifndef WORLD_H
#define WORLD_H

#include "model.h"
#include "oracle.h"
#include "smsp.h"

/* Cookies come from a short list, so that an input can name them and so that a
 * candidate is often in use: the nth that is granted is cookie n modulo the
 * pool's size, or the first after it that is free. They share all bytes but one,
 * and so do the tokens made of them: what compares short, shows. */
#define WORLD_COOKIES 32u

typedef struct world {
    smsp_config config;
    smsp_state *state;
    void *memory;
    size_t size;
    smsp_secrets secrets;
    unsigned pool;    /* cookies in the pool */
    unsigned granted; /* cookies given out */
    unsigned draws;   /* in the request under way */
    uint8_t cookies[WORLD_COOKIES][SMSP_COOKIE_LEN];
    bool batch;
    unsigned broken; /* 1: no randomness, 2: no hashing */
    /* Effects, encoded, in order; those before kept are committed. */
    uint8_t *log;
    size_t log_len, log_kept, log_room;
} world;

/* Small limits for real line lengths, tiny ones for tiny lines. */
smsp_limits world_limits(void);
model_limits world_model_limits(bool shared_mailboxes);

/* Begins with an empty state; a world that was open before keeps its memory. */
void world_open(world *w, unsigned pool, bool shared_mailboxes);

/* Overwrites len bytes of the state at a place that is counted from its first
 * byte, behind its back: from now on all of its memory counts as written. */
void world_overwrite(world *w, size_t place, const void *at, size_t len);

/* Answers one line; framed and ending as smsp_answer has them. Commits first if
 * the journal asks for it: *committed. out has SMSP_REPLY_MAX + 1 bytes. */
size_t world_answer(world *w, smsp_error framed, smsp_span line, smsp_ending ending, uint8_t *out, bool *dump,
                    bool *committed);

void world_begin(world *w);
void world_commit(world *w);
void world_rollback(world *w);

/* The model's candidates: the same list, as text. */
const uint8_t *world_candidate(void *context, unsigned n);

/* Keeps an effect in the log. */
void world_log(world *w, const smsp_effect *effect);

/* What DUMP prints; its length. */
size_t world_dump(const world *w, uint8_t *out, size_t size);
#define WORLD_DUMP_MAX (600000u)

/* ORACLE invariant */
void world_check(const world *w);
/* ORACLE replay and snapshot: the effects, and a snapshot, rebuild the state. */
void world_check_effects(const world *w);

#endif
