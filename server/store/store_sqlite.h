/* SPDX-License-Identifier: ISC */
/* What the files of the SQLite store share. "Logged" as in store.h. */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include <limits.h>
#include <sqlite3.h>

#include "store.h"

/* One prepared statement for each operation: PUT_ inserts rows, CUT_ deletes them. */
typedef enum store_statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    PUT_ACCOUNT,
    PUT_SESSION,
    CUT_SESSION,
    PUT_MESSAGE,
    PUT_MAIL,
    CUT_MESSAGE,
    CUT_MAIL,
    PROBE,
    VERSION,
    STATEMENTS
} store_statement;

struct store {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    sqlite3_int64 next_place; /* of a message, in IMQ or MBX: it only grows */
    sqlite3_int64 version;    /* PRAGMA data_version when it was loaded */
    store_result batch;       /* what has become of the batch so far */
    bool open_batch;          /* a transaction is under way */
    bool durable;             /* WAL with a sync at each commit is set */
    int64_t say_at;           /* ms: when to log again that it is being checked */
    bool checked;             /* SQLite has found the file sound */
    bool long_wal;            /* the WAL has been given its length, or there is no room for that */
    bool alone;               /* nobody else can open it: the disk has no room for mail.db-shm */
    char why[160];
    char path[PATH_MAX]; /* for people */
    char file[PATH_MAX]; /* the same in this process's root directory */
};

/* Logs what is wrong with the database, and SQLite's reason. Always false. */
bool store_complain(const store *s, const char *what);

/* Sets *value to the single number that a query returns. False: it returns none. */
bool store_number(sqlite3 *db, const char *query, sqlite3_int64 *value);

/* Runs statements that give no rows. */
bool store_run(store *s, const char *text);

/* Sets s->path and s->file. False: one line said that the name is too long. */
bool store_name_file(store *s, const char *directory);

/* Opens a database by its name or URI; if s->alone, locked for this process. *result: the error
 * of a first query, which the caller judges. False: logged. */
bool store_open_as(store *s, const char *name, int flags, const char *vfs, int *result);

/* Opens the file s->path. False: logged. */
bool store_open_file(store *s, int flags);

/* Sets *version, 0 for an empty database. False (logged): not a database of ours, or of a newer
 * version. */
bool store_check_version(store *s, sqlite3_int64 *version);

/* Are the tables exactly those of our version? False: logged. */
bool store_check_tables(store *s);

/* Upgrades the database from this version to ours in one transaction; an empty one also gets the
 * key. If the version is ours, checks the tables instead. False: logged. */
bool store_migrate(store *s, sqlite3_int64 version, const uint8_t *salt_key);

/* Reads the key from which salts are made. False: logged. */
bool store_get_salt_key(const store *s, uint8_t key[SMSP_KEY_LEN]);

/* Remembers the present version of the data as the one that is loaded. */
bool store_note_version(store *s);

#endif
