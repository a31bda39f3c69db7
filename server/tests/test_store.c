/* SPDX-License-Identifier: ISC */
/* The SQLite store: what was committed is there after a restart, whatever the
 * disk did in between; what was refused is not. */
#define _GNU_SOURCE
#include "store_fixture.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Runs batches until the outcome of one is unknown (then 1); then what is on the
 * disk must be the state before it or after it, otherwise (0) the state as it is. */
static unsigned run_and_restart(fixture *r, unsigned batches)
{
    unsigned unknown = 0;
    uint64_t before = fixture_digest(r);
    uint64_t after = before;

    for (unsigned n = 0; n < batches; n++) {
        store_result kept = fixture_batch(r, REQUESTS);
        before = after;
        if (kept == STORE_DONE || kept == STORE_UNKNOWN)
            after = fixture_digest(r);
        unknown += kept == STORE_UNKNOWN;
        if (kept == STORE_UNKNOWN)
            break;
        assert_true(kept == STORE_DONE || kept == STORE_REFUSED);
        if (kept == STORE_DONE) {
            smsp_commit(r->state);
            before = after;
        } else {
            smsp_rollback(r->state);
            assert_true(fixture_digest(r) == after);
            before = after;
        }
    }
    fixture_reopen(r);
    assert_true(fixture_digest(r) == before || fixture_digest(r) == after);
    assert_null(smsp_state_check(r->state));
    return unknown;
}

/* ---- Tests ---- */

static void test_everything_comes_back(void **context)
{
    fixture *r = *context;

    fixture_open(r);
    for (unsigned round = 0; round < 20; round++) {
        fixture_fill(r);
        uint64_t had = fixture_digest(r);
        fixture_reopen(r);
        assert_true(fixture_digest(r) == had);
    }
    assert_true(smsp_state_counts(r->state).messages > 0);
    assert_true(smsp_state_counts(r->state).sessions > 0);
}

static void test_the_salt_key_stays(void **context)
{
    fixture *r = *context;

    fixture_open(r);
    memset(r->salt_key, 1, sizeof r->salt_key);
    fixture_reopen(r);
    assert_int_equal(r->salt_key[0], 0x5a);
}

static void set_faults(uint32_t kinds, uint32_t first, uint32_t every, uint32_t most, int error)
{
    fault_disk *disk = fault_disk_control();

    atomic_store(&disk->calls, 0);
    atomic_store(&disk->failed, 0);
    atomic_store(&disk->first, first);
    atomic_store(&disk->every, every);
    atomic_store(&disk->most, most);
    atomic_store(&disk->error, (uint32_t)error);
    atomic_store(&disk->kinds, kinds);
}

/* The Nth call fails, for every N that there is; each time on a new database. */
static void sweep(fixture *r, uint32_t kinds, uint32_t every, uint32_t most, int error)
{
    unsigned failed = 0;

    for (uint32_t n = 1; n < 200; n++) {
        fixture_open(r);
        assert_true(store_probe(r->store));
        set_faults(kinds, n, every, most, error);
        unsigned unknown = run_and_restart(r, BATCHES);
        if (error == ENOSPC)
            assert_int_equal(unknown, 0); /* a full disk is nothing to end for */
        bool reached = atomic_load(&fault_disk_control()->failed) > 0;
        failed += reached;
        store_close(r->store);
        r->store = NULL;
        fixture_remove_files(r);
        if (!reached)
            break;
    }
    assert_in_range(failed, BATCHES / 2, 198); /* it was used, and it came to its end */
}

static void test_one_write_fails(void **context)
{
    sweep(*context, FAULT_WRITE, 1, 1, ENOSPC);
    sweep(*context, FAULT_WRITE, 1, 1, EIO);
}

static void test_one_sync_fails(void **context)
{
    sweep(*context, FAULT_SYNC, 1, 1, EIO);
}

static void test_the_disk_is_full_from_then_on(void **context)
{
    sweep(*context, FAULT_WRITE | FAULT_TRUNCATE, 1, UINT32_MAX, ENOSPC);
}

static void test_every_nth_write_or_sync_fails(void **context)
{
    fixture *r = *context;

    for (uint32_t n = 1; n < 12; n++) {
        fixture_open(r);
        set_faults(FAULT_WRITE, n, n, UINT32_MAX, ENOSPC);
        assert_int_equal(run_and_restart(r, BATCHES), 0);
        set_faults(FAULT_WRITE | FAULT_SYNC | FAULT_TRUNCATE, n, n, UINT32_MAX, EIO);
        (void)run_and_restart(r, BATCHES);
        store_close(r->store);
        r->store = NULL;
        fixture_remove_files(r);
    }
}

static void test_writing_resumes(void **context)
{
    fixture *r = *context;

    fixture_open(r);
    set_faults(FAULT_WRITE, 1, 1, UINT32_MAX, ENOSPC);
    assert_int_equal(fixture_batch(r, 40), STORE_REFUSED);
    smsp_rollback(r->state);
    assert_false(store_probe(r->store));
    fixture_calm();
    assert_true(store_probe(r->store));
    assert_int_equal(fixture_batch(r, 40), STORE_DONE);
    smsp_commit(r->state);
    uint64_t had = fixture_digest(r);
    fixture_reopen(r);
    assert_true(fixture_digest(r) == had);
}

static void test_a_failed_sync_is_unknown(void **context)
{
    fixture *r = *context;

    fixture_open(r);
    assert_true(store_probe(r->store));
    set_faults(FAULT_SYNC, 1, 1, 1, EIO);
    assert_int_equal(fixture_batch(r, 40), STORE_UNKNOWN);
}

static off_t wal_length(const fixture *r)
{
    struct stat wal;
    char name[96];

    (void)snprintf(name, sizeof name, "%s-wal", r->file);
    assert_int_equal(stat(name, &wal), 0);
    return wal.st_size;
}

/* A commit that makes the WAL longer costs the disk more, so it has its length before. */
static void test_the_wal_has_its_length_at_once(void **context)
{
    fixture *r = *context;

    fixture_open(r);
    assert_true(store_probe(r->store));
    off_t had = wal_length(r);
    assert_true(had > 1000 * 4096);
    fixture_fill(r);
    assert_int_equal(wal_length(r), had);
}

/* Where there is no room for that it grows with each commit. */
static void test_the_wal_grows_on_a_small_disk(void **context)
{
    fixture *r = *context;

    fixture_open(r);
    set_faults(FAULT_WRITE, 10, 1, 1, ENOSPC);
    assert_true(store_probe(r->store));
    assert_int_equal(atomic_load(&fault_disk_control()->failed), 1);
    assert_true(wal_length(r) < 10 * 4096);
    fixture_calm();
    fixture_fill(r);
    uint64_t had = fixture_digest(r);
    fixture_reopen(r);
    assert_true(fixture_digest(r) == had);
}

/* ---- Other people at the database ---- */

static void test_a_stranger_writes(void **context)
{
    fixture *r = *context;

    fixture_open(r);
    assert_int_equal(fixture_batch(r, 40), STORE_DONE);
    smsp_commit(r->state);
    assert_false(store_changed(r->store));
    fixture_sql(r, "SELECT count(*) FROM RA");
    assert_false(store_changed(r->store));
    fixture_sql(r, "INSERT INTO IMQ SELECT 99, username, 'from outside' FROM RA LIMIT 1");
    assert_true(store_changed(r->store));
    uint64_t had = fixture_digest(r);
    assert_int_equal(fixture_batch(r, 40), STORE_CHANGED);
    smsp_rollback(r->state);
    assert_true(fixture_digest(r) == had);
    fixture_new_state(r);
    assert_true(store_load(r->store, r->state));
    assert_false(store_changed(r->store));
    assert_true(fixture_digest(r) != had);
    assert_int_equal(fixture_batch(r, 40), STORE_DONE);
}

static void test_a_stranger_holds_the_database(void **context)
{
    fixture *r = *context;
    sqlite3 *db;

    fixture_open(r);
    assert_int_equal(sqlite3_open(r->file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(fixture_batch(r, 40), STORE_REFUSED);
    smsp_rollback(r->state);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(fixture_batch(r, 40), STORE_DONE);
}

/* SQLite reads a file whose format it does not know how to write: byte 18 of its header. */
static void test_a_file_that_only_reads(void **context)
{
    fixture *r = *context;

    fixture_open(r);
    fixture_fill(r);
    uint64_t before = fixture_digest(r);
    store_close(r->store);
    r->store = NULL;
    fixture_sql(r, "PRAGMA journal_mode = DELETE");
    FILE *file = fixture_file(r, "r+b");
    assert_int_equal(fseek(file, 18, SEEK_SET), 0);
    assert_int_equal(putc(33, file), 33);
    int closed = fclose(file);
    assert_int_equal(closed, 0);
    fixture_open(r);
    assert_true(fixture_digest(r) == before);
    assert_int_equal(fixture_batch(r, REQUESTS), STORE_REFUSED);
    smsp_rollback(r->state);
    assert_non_null(strstr(store_why(r->store), "read-only"));
    assert_true(fixture_digest(r) == before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_everything_comes_back),
        FIXTURE_TEST(test_the_salt_key_stays),
        FIXTURE_TEST(test_one_write_fails),
        FIXTURE_TEST(test_one_sync_fails),
        FIXTURE_TEST(test_the_disk_is_full_from_then_on),
        FIXTURE_TEST(test_every_nth_write_or_sync_fails),
        FIXTURE_TEST(test_writing_resumes),
        FIXTURE_TEST(test_a_failed_sync_is_unknown),
        FIXTURE_TEST(test_the_wal_has_its_length_at_once),
        FIXTURE_TEST(test_the_wal_grows_on_a_small_disk),
        FIXTURE_TEST(test_a_stranger_writes),
        FIXTURE_TEST(test_a_stranger_holds_the_database),
        FIXTURE_TEST(test_a_file_that_only_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
