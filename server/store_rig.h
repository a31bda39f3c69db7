/* SPDX-License-Identifier: ISC */
/* What the tests of the SQLite store share: a directory with a store, a state
 * beside it, and random batches of requests. */
#ifndef STORE_RIG_H
#define STORE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fault_disk.h"
#include "store.h"

#define BATCHES  24u
#define REQUESTS 6u /* in a batch */
#define USERS    5u

typedef struct rig {
    char dir[64];
    char file[80];
    uint8_t salt_key[SMSP_KEY_LEN];
    void *memory;
    smsp_state *state;
    store *store;
    unsigned long random;
    smsp_token cookies[USERS];
} rig;

extern const smsp_limits rig_limits;

/* Set-up and teardown for cmocka; *context is the rig. */
int rig_begin(void **context);
int rig_end(void **context);
#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin, rig_end)

/* A number under below, the same ones in every run. */
unsigned rig_draw(rig *r, unsigned below);

/* An empty state in the place of the old one. */
void rig_new_state(rig *r);

/* Opens the store and loads a new state from it; asserts that both work. */
void rig_open(rig *r);

/* Closes the store, and the same. The disk is calm again. */
void rig_reopen(rig *r);

void rig_remove_files(const rig *r);

/* Executes so many random requests as one batch; what it comes to. The state's
 * own batch is still open. */
store_result rig_batch(rig *r, unsigned requests);

/* Keeps BATCHES batches: then there is something of everything. */
void rig_fill(rig *r);

uint64_t rig_digest(const rig *r);

/* From here on no call fails. */
void rig_calm(void);

/* Changes the database as another program would. */
void rig_sql(const rig *r, const char *sql);

#endif
