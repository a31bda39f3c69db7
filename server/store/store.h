/* SPDX-License-Identifier: ISC */
/* Where the effects of requests are kept for good (--data DIR): store_sqlite.c
 * and store_load.c, or store_none.c where SQLite was not there at build time.
 *
 * A store is NULL if everything lives in memory only: then a batch is kept at
 * once. The keeper is the only process that opens one. */
#ifndef STORE_H
#define STORE_H

#include "smsp.h"

typedef struct store store;

typedef enum store_result {
    STORE_DONE,    /* it is kept */
    STORE_REFUSED, /* nothing of the batch is kept: disk full, read-only, in use */
    STORE_CHANGED, /* nothing is kept either: somebody else has written; load again */
    STORE_UNKNOWN  /* nobody can tell: the keeper must end and load again */
} store_result;

/* What is built in, for start-up and --version. */
const char *store_about(void);

/* Supervisor: makes DIR, mode 0700, if it is missing and takes its lock, which
 * lasts until this process and the keepers forked from it have ended. The
 * lock's descriptor; -1: one line said why not. */
int store_lock(const char *directory) SMSP_MUST_USE;

/* Keeper: opens the database of DIR, or makes it. The name is that of realpath: SQLite
 * follows no symbolic link here. salt_key: in, for a new one;
 * out, the database's own. NULL: one line said why not (no
 * database of ours, of a newer version, damaged), and it is as it was. */
store *store_open(const char *directory, uint8_t salt_key[SMSP_KEY_LEN]) SMSP_MUST_USE;

/* Before store_open, in a process that has a root directory of its own: the directory has this
 * name there. Messages keep the other one. */
void store_at(const char *name);

/* Replays the database into an empty state; progress goes to the log. False:
 * one line said why not (damaged, over the state's limits), it is as it was. */
bool store_load(store *s, smsp_state *state) SMSP_MUST_USE;

/* A batch: begin, apply each effect, commit. Whatever fails on the
 * way shows as the result of the commit. STORE_DONE: it is on the disk. */
void store_begin(store *s);
void store_apply(store *s, const smsp_effect *effect);
store_result store_commit(store *s) SMSP_MUST_USE;

/* True if somebody else has written to the database since it was loaded. */
bool store_changed(store *s);

/* Writes and syncs something without meaning: can batches be kept (again)? */
bool store_probe(store *s) SMSP_MUST_USE;

/* Why the last batch or probe was not kept, in words. */
const char *store_why(const store *s);

void store_close(store *s);

/* --check: reads the database of DIR, a name as above, without changing it, says on standard
 * output whether it is sound, and counts. False: it is not, or one line said why it
 * cannot be read. */
bool store_check(const char *directory, const smsp_limits *limits) SMSP_MUST_USE;

#endif
