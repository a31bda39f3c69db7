/* SPDX-License-Identifier: ISC */
/* The permanent store of effects (--data DIR): store_sqlite.c, store_load.c and store_tables.c,
 * or store_none.c in a build without SQLite.
 *
 * A store is NULL if the mail is in memory only; then a commit does nothing and succeeds. Only
 * the keeper opens a store. "Logged" below means: one line on standard error gives the reason. */
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
 * lasts until this process and the keepers forked from it have ended. Returns the
 * lock's descriptor, or -1 (logged). */
int store_lock(const char *directory) SMSP_MUST_USE;

/* Keeper: opens the database of DIR, or makes it. directory is a result of realpath, because
 * SQLite follows no symbolic link here. salt_key: the key for a new database; then set to the
 * key of the database. NULL (logged): not a database of ours, of a newer version, or damaged; it
 * is not changed. */
store *store_open(const char *directory, uint8_t salt_key[SMSP_KEY_LEN]) SMSP_MUST_USE;

/* Before store_open, in a process that has a root directory of its own: the directory has this
 * name there. Messages keep the other one. */
void store_at(const char *name);

/* The different costs that passwords have, at most so many; how many. */
uint32_t store_costs(store *s, uint32_t *costs, uint32_t most);

/* Replays the database into an empty state, and logs its progress. False (logged): damaged, or
 * over the limits of the state. The database is not changed. */
bool store_load(store *s, smsp_state *state) SMSP_MUST_USE;

/* A batch: begin, apply each effect, commit. If a step
 * fails, the commit returns why. STORE_DONE: the batch is on the disk. */
void store_begin(store *s);
void store_apply(store *s, const smsp_effect *effect);
store_result store_commit(store *s) SMSP_MUST_USE;

/* True if somebody else has written to the database since it was loaded. */
bool store_changed(store *s);

/* Writes and syncs a dummy value. True: the store accepts batches (again). */
bool store_probe(store *s) SMSP_MUST_USE;

/* Why the last batch or probe was not kept, in words. */
const char *store_why(const store *s);

void store_close(store *s);

/* --check: reads the database of DIR (as for store_open) without changing it. Prints on standard
 * output that it is sound, and counts. False (logged): it is not sound, or cannot be read. */
bool store_check(const char *directory, const smsp_limits *limits) SMSP_MUST_USE;

#endif
