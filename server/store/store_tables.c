/* SPDX-License-Identifier: ISC */
/* The tables of the store in SQLite: what they are, and how a version is upgraded. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "store_sqlite.h"

#define APPLICATION_ID 0x736d7370 /* "smsp": how file(1) and we know our databases */

/* ---- The tables ---- */

/* Step n upgrades version n to version n + 1; version 0 is an empty database.
 * Tables and columns have the document's names. A cookie is kept as its hash, a
 * password as a hash of its Argon2id hash. AC is the cookies of ID. */
static const char version_1[] =
    "CREATE TABLE server (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE RA (number INTEGER PRIMARY KEY, username TEXT NOT NULL UNIQUE,"
    " verifier BLOB NOT NULL, salt BLOB NOT NULL, cost INTEGER NOT NULL);"
    "CREATE TABLE ID (username TEXT PRIMARY KEY, cookie BLOB NOT NULL UNIQUE) WITHOUT ROWID;"
    "CREATE TABLE IMQ (place INTEGER PRIMARY KEY, sender TEXT NOT NULL, content TEXT NOT NULL);"
    "CREATE TABLE MBX (place INTEGER PRIMARY KEY, username TEXT NOT NULL,"
    " sender TEXT NOT NULL, content TEXT NOT NULL);"
    "CREATE INDEX MBX_of_user ON MBX (username, place);";

static const char *const steps[] = {version_1};
#define SCHEMA_VERSION ((sqlite3_int64)(sizeof steps / sizeof steps[0]))

bool store_number(sqlite3 *db, const char *query, sqlite3_int64 *value)
{
    sqlite3_stmt *q = NULL;
    bool got = sqlite3_prepare_v2(db, query, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW;

    if (got)
        *value = sqlite3_column_int64(q, 0);
    return sqlite3_finalize(q) == SQLITE_OK && got;
}

bool store_run(store *s, const char *text)
{
    return sqlite3_exec(s->db, text, NULL, NULL, NULL) == SQLITE_OK;
}

/* ---- Are they as we made them? ---- */

/* The whole schema as one text, without the tables that ANALYZE creates. */
static const char schema[] =
    "SELECT group_concat(name || char(10) || coalesce(sql, ''), char(10)) FROM"
    " (SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY name)";

/* The text, until the query is finalized; NULL: there is none. */
static const char *read_schema(sqlite3 *db, sqlite3_stmt **q)
{
    if (sqlite3_prepare_v2(db, schema, -1, q, NULL) != SQLITE_OK || sqlite3_step(*q) != SQLITE_ROW)
        return NULL;
    return (const char *)sqlite3_column_text(*q, 0);
}

bool store_check_tables(store *s)
{
    sqlite3 *model = NULL;
    sqlite3_stmt *theirs = NULL;
    sqlite3_stmt *ours = NULL;
    bool made = sqlite3_open(":memory:", &model) == SQLITE_OK;

    for (sqlite3_int64 step = 0; made && step < SCHEMA_VERSION; step++)
        made = sqlite3_exec(model, steps[step], NULL, NULL, NULL) == SQLITE_OK;
    const char *wanted = made ? read_schema(model, &ours) : NULL;
    const char *found = wanted != NULL ? read_schema(s->db, &theirs) : NULL;
    bool same = found != NULL && strcmp(found, wanted) == 0;
    if (found != NULL && !same)
        log_line(
            "%s: its tables are not those of smspd: bring it back from a copy, or give another directory",
            s->path);
    else if (!same)
        (void)store_complain(s, "cannot read it");
    (void)sqlite3_finalize(theirs);
    (void)sqlite3_finalize(ours);
    (void)sqlite3_close(model);
    return same;
}

/* ---- From version to version ---- */

bool store_check_version(store *s, sqlite3_int64 *version)
{
    sqlite3_int64 application = 0;
    sqlite3_int64 tables = 0;

    if (!store_number(s->db, "PRAGMA application_id", &application) ||
        !store_number(s->db, "PRAGMA user_version", version) ||
        !store_number(s->db, "SELECT count(*) FROM sqlite_schema", &tables))
        return store_complain(s, "cannot read it");
    if (application == 0 && *version == 0 && tables == 0)
        return true;
    if (application != APPLICATION_ID || *version < 1) {
        log_line("%s: this is no database of smspd; give another directory", s->path);
        return false;
    }
    if (*version > SCHEMA_VERSION) {
        log_line("%s: it is of version %lld, this smspd knows %lld: use a newer smspd", s->path,
                 (long long)*version, (long long)SCHEMA_VERSION);
        return false;
    }
    return true;
}

static bool put_salt_key(store *s, const uint8_t *key)
{
    sqlite3_stmt *put = NULL;
    bool done = sqlite3_prepare_v2(s->db, "INSERT INTO server VALUES ('salt key', ?1)", -1, &put, NULL) ==
                    SQLITE_OK &&
                sqlite3_bind_blob(put, 1, key, SMSP_KEY_LEN, SQLITE_STATIC) == SQLITE_OK &&
                sqlite3_step(put) == SQLITE_DONE;

    return sqlite3_finalize(put) == SQLITE_OK && done;
}

bool store_get_salt_key(const store *s, uint8_t key[SMSP_KEY_LEN])
{
    sqlite3_stmt *q = NULL;
    bool got = sqlite3_prepare_v2(s->db, "SELECT value FROM server WHERE name = 'salt key'", -1, &q, NULL) ==
                   SQLITE_OK &&
               sqlite3_step(q) == SQLITE_ROW && sqlite3_column_bytes(q, 0) == (int)SMSP_KEY_LEN;

    if (got)
        memcpy(key, sqlite3_column_blob(q, 0), SMSP_KEY_LEN);
    (void)sqlite3_finalize(q);
    if (!got)
        log_line("%s: its salt key is missing: damaged, or not written by smspd", s->path);
    return got;
}

bool store_migrate(store *s, sqlite3_int64 version, const uint8_t *salt_key)
{
    char mark[100];

    if (version == SCHEMA_VERSION)
        return store_check_tables(s);
    bool done = version > 0 || store_run(s, "PRAGMA journal_mode = WAL");
    (void)snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %lld; COMMIT;",
                   APPLICATION_ID, (long long)SCHEMA_VERSION);
    done = done && store_run(s, "BEGIN IMMEDIATE");
    for (sqlite3_int64 step = version; done && step < SCHEMA_VERSION; step++)
        done = store_run(s, steps[step]);
    if (done && version == 0)
        done = put_salt_key(s, salt_key);
    if (done && store_run(s, mark))
        return true;
    return store_complain(s, "cannot make its tables");
}
