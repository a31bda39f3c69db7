/* SPDX-License-Identifier: ISC */
/* A store in a temporary folder, and what the tests of the store ask of it. */
#define _GNU_SOURCE
#include "store_fixture.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- A directory, a state and a store ---- */

const smsp_limits fixture_limits = {.accounts = 8, .messages = 64, .text = 65536, .mailbox = 32, .journal = 256};

void fixture_calm(void)
{
    atomic_store(&fault_disk_control()->kinds, 0);
}

void fixture_new_state(fixture *r)
{
    smsp_config config = {.limits = fixture_limits, .cost = 7};
    size_t size = smsp_state_size(&fixture_limits);

    memcpy(config.salt_key, r->salt_key, SMSP_KEY_LEN);
    free(r->memory);
    r->memory = calloc(1, size);
    assert_non_null(r->memory);
    assert_int_equal(smsp_state_init(r->memory, size, &config, &r->state), SMSP_OK);
}

void fixture_open(fixture *r)
{
    r->store = store_open(r->dir, r->salt_key);
    assert_non_null(r->store);
    fixture_new_state(r);
    assert_true(store_load(r->store, r->state));
}

void fixture_reopen(fixture *r)
{
    fixture_calm();
    store_close(r->store);
    fixture_open(r);
}

int fixture_begin(void **context)
{
    fixture *r = calloc(1, sizeof *r);

    if (r == NULL)
        return -1;
    (void)snprintf(r->dir, sizeof r->dir, "%s/smspd-store-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(r->dir) == NULL) {
        free(r);
        return -1;
    }
    (void)snprintf(r->file, sizeof r->file, "%s/mail.db", r->dir);
    r->random = 1;
    memset(r->salt_key, 0x5a, sizeof r->salt_key);
    *context = r;
    return 0;
}

FILE *fixture_file(const fixture *r, const char *mode)
{
    FILE *file = fopen(r->file, mode);

    assert_non_null(file);
    return file;
}

void fixture_remove_files(const fixture *r)
{
    static const char *const names[] = {"mail.db", "mail.db-wal", "mail.db-shm", "mail.db-journal", "lock"};
    char path[128];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", r->dir, names[i]);
        (void)unlink(path);
    }
}

int fixture_end(void **context)
{
    fixture *r = *context;

    fixture_calm();
    store_close(r->store);
    fixture_remove_files(r);
    int gone = rmdir(r->dir);
    free(r->memory);
    free(r);
    return gone;
}

/* ---- Requests ---- */

unsigned fixture_draw(fixture *r, unsigned below)
{
    r->random = r->random * 6364136223846793005ul + 1442695040888963407ul;
    return (unsigned)(r->random >> 33) % below;
}

static smsp_span name_of(unsigned user)
{
    static const char *const names[USERS] = {"ada", "bob", "cy", "dan", "eve"};

    return (smsp_span){(const uint8_t *)names[user], strlen(names[user])};
}

/* A random request, mostly one that has an effect. */
static smsp_tokenized draw_request(fixture *r)
{
    static const smsp_verb verbs[] = {SMSP_REGISTER, SMSP_LOGIN, SMSP_LOGOUT, SMSP_MESSAGE, SMSP_MESSAGE,
                                      SMSP_MESSAGE,  SMSP_STORE, SMSP_STORE,  SMSP_DELMSG};
    static uint8_t text[600];
    unsigned user = fixture_draw(r, USERS);
    smsp_tokenized tokenized = {.verb = verbs[fixture_draw(r, sizeof verbs / sizeof verbs[0])],
                          .username = name_of(user)};

    if (tokenized.verb == SMSP_REGISTER || tokenized.verb == SMSP_LOGIN) {
        for (size_t i = 0; i < SMSP_TOKEN_LEN; i++)
            r->cookies[user].bytes[i] = (uint8_t)fixture_draw(r, 256);
    }
    tokenized.cookie = r->cookies[user];
    size_t len = 1 + fixture_draw(r, sizeof text);
    for (size_t i = 0; i < len; i++)
        text[i] = (uint8_t)('a' + fixture_draw(r, 26));
    tokenized.content = (smsp_span){text, len};
    return tokenized;
}

/* One batch; what it comes to. */
store_result fixture_batch(fixture *r, unsigned requests)
{
    smsp_result result;

    smsp_begin(r->state);
    store_begin(r->store);
    for (unsigned n = 0; n < requests; n++) {
        smsp_tokenized tokenized = draw_request(r);
        assert_int_equal(smsp_execute(r->state, &tokenized, &result), SMSP_OK);
        if (result.effect.kind != SMSP_EFFECT_NONE)
            store_apply(r->store, &result.effect);
    }
    return store_commit(r->store);
}

void fixture_fill(fixture *r)
{
    for (unsigned n = 0; n < BATCHES; n++) {
        assert_int_equal(fixture_batch(r, REQUESTS), STORE_DONE);
        smsp_commit(r->state);
    }
}

uint64_t fixture_digest(const fixture *r)
{
    return smsp_state_digest(r->state);
}

void fixture_sql(const fixture *r, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(r->file, &db), SQLITE_OK);
    int done = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (done != SQLITE_OK)
        print_error("%s: %s\n", sql, sqlite3_errmsg(db));
    assert_int_equal(done, SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}
