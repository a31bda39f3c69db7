/* SPDX-License-Identifier: ISC */
/* State and store in step: what the state does is kept in the store, or undone. */
#ifndef PERSIST_H
#define PERSIST_H

#include <stdatomic.h>

#include "options.h"
#include "store/store.h"

typedef struct persist {
    smsp_state *state;
    store *store; /* NULL: the state lives in memory only */
    void *memory; /* of the state */
    size_t size;
    smsp_config config;
    _Atomic uint32_t *costs; /* of passwords, for the workers */
    bool read_only;   /* nothing can be kept at the moment */
    bool reloaded;    /* because of the batch under way */
    bool again;       /* the batch under way is run again */
    int64_t probe_at; /* ms: when to try to keep something again */
    int64_t look_at;  /* ms: when to look whether somebody else has written */
} persist;

typedef enum persist_result {
    PERSIST_DONE,  /* the batch is done, and on the disk if there is a store */
    PERSIST_RETRY, /* it is undone; run it again: the state has changed, or is read-only now */
    PERSIST_FATAL   /* the keeper cannot continue; the reason is logged */
} persist_result;

/* Reserves zeroed memory; the kernel provides only the pages that are used. NULL: there is not
 * enough, which is logged. */
void *persist_reserve(size_t size);

/* Keeper: makes the state and loads it; costs gets the LOGIN_COSTS costs of passwords, each time it
 * loads. False: it failed, and the reason is logged. */
bool persist_open(persist *p, const server_options *options, _Atomic uint32_t *costs) SMSP_MUST_USE;

/* A batch: begin, execute requests in p->state, keep each effect, end. False: as
 * PERSIST_FATAL. */
bool persist_begin(persist *p) SMSP_MUST_USE;
void persist_effect(persist *p, const smsp_effect *effect);
persist_result persist_commit(persist *p) SMSP_MUST_USE;

/* Closes the store, so that the next start has nothing to recover. */
void persist_close(persist *p);

#endif
