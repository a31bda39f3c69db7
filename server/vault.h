/* SPDX-License-Identifier: ISC */
/* State and store in step: what the state does is kept in the store, or undone. */
#ifndef VAULT_H
#define VAULT_H

#include "options.h"
#include "store.h"

typedef struct vault {
    smsp_state *state;
    store *store; /* NULL: the state lives in memory only */
    void *memory; /* of the state */
    size_t size;
    smsp_config config;
    bool read_only;   /* nothing can be kept at the moment */
    bool reloaded;    /* because of the batch under way */
    bool again;       /* the batch under way is run again */
    int64_t probe_at; /* ms: when to try to keep something again */
    int64_t look_at;  /* ms: when to look whether somebody else has written */
} vault;

typedef enum vault_result {
    VAULT_KEPT,  /* the batch is done, and on the disk if there is a store */
    VAULT_AGAIN, /* it is undone; run it again: the state has changed, or is read-only now */
    VAULT_LOST   /* one line said why nobody can go on from here */
} vault_result;

/* Zeroed memory of which only what is used gets touched. NULL: one line said that
 * there is not enough. */
void *vault_set_aside(size_t size);

/* Keeper: makes the state and loads it. False: one line said why not. */
bool vault_open(vault *v, const server_options *options) SMSP_MUST_USE;

/* A batch: begin, execute requests in v->state, keep each effect, end. False: as
 * VAULT_LOST. */
bool vault_begin(vault *v) SMSP_MUST_USE;
void vault_keep(vault *v, const smsp_effect *effect);
vault_result vault_end(vault *v) SMSP_MUST_USE;

/* Lets go of the store, so that nothing is left to be done at the next start. */
void vault_close(vault *v);

#endif
