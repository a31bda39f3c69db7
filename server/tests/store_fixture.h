/* SPDX-License-Identifier: ISC */
/* What the tests of the SQLite store share: a directory with a store, a state
 * beside it, and random batches of requests. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "fault_disk.h"
#include "store/store.h"

#define BATCHES  24u
#define REQUESTS 6u /* in a batch */
#define USERS    5u

typedef struct fixture {
    char dir[64];
    char file[80];
    uint8_t salt_key[SMSP_KEY_LEN];
    void *memory;
    smsp_state *state;
    store *store;
    unsigned long random;
    smsp_token cookies[USERS];
} fixture;

extern const smsp_limits fixture_limits;

/* Set-up and teardown for cmocka; *context is the fixture. */
int fixture_begin(void **context);
int fixture_end(void **context);
#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

/* A number under below, the same ones in every run. */
unsigned fixture_draw(fixture *r, unsigned below);

/* An empty state in the place of the old one. */
void fixture_new_state(fixture *r);

/* Opens the store and loads a new state from it; asserts that both work. */
void fixture_open(fixture *r);

/* Closes the store, and the same. The disk is calm again. */
void fixture_reopen(fixture *r);

/* The file of the database, opened in a mode of fopen; asserts that it works. */
FILE *fixture_file(const fixture *r, const char *mode);

void fixture_remove_files(const fixture *r);

/* Executes so many random requests as one batch; what it comes to. The state's
 * own batch is still open. */
store_result fixture_batch(fixture *r, unsigned requests);

/* Keeps BATCHES batches: then there is something of everything. */
void fixture_fill(fixture *r);

uint64_t fixture_digest(const fixture *r);

/* From here on no call fails. */
void fixture_calm(void);

/* Changes the database as another program would. */
void fixture_sql(const fixture *r, const char *sql);

#endif
