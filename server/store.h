/* Where the effects of requests are kept for good. The keeper applies those of
 * one batch and commits them before anybody is answered. store_none.c keeps
 * nothing: the state lives in the keeper's memory. */
#ifndef STORE_H
#define STORE_H

#include "smsp.h"

typedef enum store_result {
    STORE_DONE,    /* it is kept */
    STORE_REFUSED, /* nothing of the batch is kept: disk full, read-only */
    STORE_UNKNOWN  /* nobody can tell: the keeper must end and load again */
} store_result;

/* What is built in, for start-up and --version. */
const char *store_about(void);

/* Keeper: opens what was kept and replays it into the empty state. False: one
 * line said why not. */
bool store_open(smsp_state *state) SMSP_MUST_USE;

/* A batch: begin, apply each effect, commit. Whatever fails on the way shows as
 * the result of the commit. */
void store_begin(void);
void store_apply(const smsp_effect *effect);
store_result store_commit(void) SMSP_MUST_USE;

#endif
