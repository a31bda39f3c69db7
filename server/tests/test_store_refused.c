/* SPDX-License-Identifier: ISC */
/* A database that is not ours, damaged, newer or too large is refused and stays
 * as it is. One server at a time, and nobody else may read its files. */
#define _GNU_SOURCE
#include "store_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t file_sum(const fixture *r)
{
    FILE *file = fixture_file(r, "rb");
    uint64_t sum = 14695981039346656037u;

    for (int c = getc(file); c != EOF; c = getc(file))
        sum = (sum ^ (uint64_t)c) * 1099511628211u;
    assert_int_equal(fclose(file), 0);
    return sum;
}

/* A database with something of everything, changed by sql, cannot be loaded. */
static void refuses(fixture *r, const char *sql)
{
    fixture_open(r);
    fixture_fill(r);
    store_close(r->store);
    r->store = NULL;
    fixture_sql(r, sql);
    uint64_t sum = file_sum(r);
    assert_false(store_check(r->dir, &fixture_limits));
    store *s = store_open(r->dir, r->salt_key);
    fixture_new_state(r);
    bool loaded = s != NULL && store_load(s, r->state);
    store_close(s);
    if (loaded)
        print_error("loaded after: %s\n", sql);
    assert_false(loaded);
    assert_true(file_sum(r) == sum);
    fixture_remove_files(r);
}

static const char too_many_accounts[] =
    "INSERT INTO RA SELECT 100 + value, 'u' || value, zeroblob(32), zeroblob(16), 1"
    " FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 9)"
    " SELECT value FROM n)";
static const char a_view[] =
    "DROP TABLE IMQ; CREATE VIEW IMQ AS SELECT 1 AS place, 'ada' AS sender, 'x' AS content";

static void test_hostile_rows(void **context)
{
    static const char *const changes[] = {
        "PRAGMA user_version = 2",
        "PRAGMA user_version = 0",
        "PRAGMA application_id = 1",
        "PRAGMA application_id = 0",
        "PRAGMA application_id = 0; PRAGMA user_version = 0",
        "DROP TABLE IMQ",
        "DELETE FROM server",
        "UPDATE server SET value = 'short' WHERE name = 'salt key'",
        "UPDATE RA SET username = 'no name!' WHERE number = 1",
        "UPDATE RA SET username = '' WHERE number = 1",
        "UPDATE RA SET salt = zeroblob(15)",
        "UPDATE RA SET verifier = zeroblob(0)",
        "UPDATE RA SET cost = -1",
        "UPDATE RA SET cost = 4294967296",
        "DELETE FROM RA WHERE number = 1",
        "INSERT INTO ID VALUES ('nobody', zeroblob(32))",
        "UPDATE ID SET cookie = zeroblob(31) WHERE username = (SELECT min(username) FROM ID)",
        "INSERT INTO IMQ VALUES (900, 'nobody', 'text')",
        "INSERT INTO IMQ SELECT 900, username, x'c0af' FROM RA LIMIT 1",
        "INSERT INTO IMQ SELECT 900, username, 'a' || char(10) FROM RA LIMIT 1",
        "INSERT INTO IMQ SELECT 900, username, '' FROM RA LIMIT 1",
        "INSERT INTO IMQ SELECT 900, username, zeroblob(5000) FROM RA LIMIT 1",
        "INSERT INTO IMQ SELECT 9223372036854775807, username, 'text' FROM RA LIMIT 1",
        "INSERT INTO MBX SELECT 900, 'nobody', username, 'text' FROM RA LIMIT 1",
        too_many_accounts,
        a_view,
        /* Rows that would load, and that later requests would not find again. */
        "UPDATE MBX SET username = CAST(username AS BLOB)",
        "UPDATE RA SET username = CAST(username AS BLOB) WHERE number = 1",
        "UPDATE RA SET cost = 1.5 WHERE number = 1",
        "UPDATE RA SET number = 9223372036854775807 WHERE number = 1",
        "CREATE TABLE t AS SELECT * FROM MBX; DROP TABLE MBX; ALTER TABLE t RENAME TO MBX",
        "DROP INDEX MBX_of_user",
        "CREATE UNIQUE INDEX one_each ON MBX (content, place)",
        "CREATE TABLE more (x)",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 3 WHERE name = 'MBX_of_user'",
    };

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        refuses(*context, changes[i]);
}

/* Texts kept as UTF-16 are the same texts. */
static void test_another_encoding(void **context)
{
    fixture *r = *context;

    fixture_sql(r, "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (x); DROP TABLE t");
    fixture_open(r);
    fixture_fill(r);
    uint64_t had = fixture_digest(r);
    fixture_reopen(r);
    assert_true(fixture_digest(r) == had);
}

static void test_a_file_that_is_no_database(void **context)
{
    fixture *r = *context;
    FILE *file = fixture_file(r, "wb");

    for (unsigned i = 0; i < 5000; i++)
        assert_true(fputc((int)fixture_draw(r, 256), file) != EOF);
    assert_int_equal(fclose(file), 0);
    uint64_t sum = file_sum(r);
    assert_null(store_open(r->dir, r->salt_key));
    assert_false(store_check(r->dir, &fixture_limits));
    assert_true(file_sum(r) == sum);
}

/* Bytes all over the file are changed; whatever comes of it, nothing breaks, and
 * what is loaded is a sound state. */
static void test_damaged_bytes(void **context)
{
    fixture *r = *context;

    for (unsigned n = 0; n < 150; n++) {
        fixture_open(r);
        for (unsigned b = 0; b < 4; b++) {
            assert_int_equal(fixture_batch(r, 20), STORE_DONE);
            smsp_commit(r->state);
        }
        store_close(r->store);
        int file = open(r->file, O_RDWR);
        off_t size = lseek(file, 0, SEEK_END);
        for (unsigned b = 0; b < 1 + n % 8; b++) {
            uint8_t byte = (uint8_t)fixture_draw(r, 256);
            assert_int_equal(pwrite(file, &byte, 1, fixture_draw(r, (unsigned)size)), 1);
        }
        assert_int_equal(close(file), 0);
        r->store = store_open(r->dir, r->salt_key);
        fixture_new_state(r);
        if (r->store != NULL && store_load(r->store, r->state))
            assert_null(smsp_state_check(r->state));
        store_close(r->store);
        r->store = NULL;
        fixture_remove_files(r);
    }
}

static void test_one_server_at_a_time(void **context)
{
    fixture *r = *context;
    int lock = store_lock(r->dir);

    assert_true(lock >= 0);
    assert_int_equal(store_lock(r->dir), -1);
    assert_int_equal(close(lock), 0);
    lock = store_lock(r->dir);
    assert_true(lock >= 0);
    assert_int_equal(close(lock), 0);
}

static void test_files_are_private(void **context)
{
    fixture *r = *context;
    struct stat made;
    char fresh[80];

    fixture_open(r);
    assert_true(store_probe(r->store));
    assert_int_equal(stat(r->file, &made), 0);
    assert_int_equal(made.st_mode & 077, 0);
    (void)snprintf(fresh, sizeof fresh, "%s/new", r->dir);
    int lock = store_lock(fresh);
    assert_true(lock >= 0);
    assert_int_equal(stat(fresh, &made), 0);
    assert_int_equal(made.st_mode & 0777, 0700);
    assert_int_equal(close(lock), 0);
    (void)snprintf(fresh, sizeof fresh, "%s/new/lock", r->dir);
    assert_int_equal(unlink(fresh), 0);
    (void)snprintf(fresh, sizeof fresh, "%s/new", r->dir);
    assert_int_equal(rmdir(fresh), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_hostile_rows),
        FIXTURE_TEST(test_another_encoding),
        FIXTURE_TEST(test_a_file_that_is_no_database),
        FIXTURE_TEST(test_damaged_bytes),
        FIXTURE_TEST(test_one_server_at_a_time),
        FIXTURE_TEST(test_files_are_private),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
