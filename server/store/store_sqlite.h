/* SPDX-License-Identifier: ISC */
/* What the files of the SQLite store share. */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include <limits.h>
#include <sqlite3.h>

#include "store.h"

/* What is done to the tables, a prepared statement each. */
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
    int64_t say_at;           /* ms: when to say again that it is being checked */
    bool checked;             /* SQLite has found the file sound */
    bool long_wal;            /* the WAL has been given its length, or there is no room for that */
    bool alone;               /* the disk has no room for what SQLite shares with others */
    char why[160];
    char path[PATH_MAX]; /* for people */
    char file[PATH_MAX]; /* the same in this process's root directory */
};

/* One line on what is wrong with the database; always false. */
bool store_complain(const store *s, const char *what);

/* The single number that a query gives; false: it gives none. */
bool store_number(sqlite3 *db, const char *query, sqlite3_int64 *value);

/* Runs statements that give no rows. */
bool store_run(store *s, const char *text);

/* Sets s->path and s->file. False: one line said that the name is too long. */
bool store_name_file(store *s, const char *directory);

/* Opens a database by its name or URI, alone if s->alone; result: the error of a first look
 * at it, which is none of this function's. False: one line said why not. */
bool store_open_as(store *s, const char *name, int flags, const char *vfs, int *result);

/* Opens the file s->path. False: one line said why not. */
bool store_open_file(store *s, int flags);

/* Is it a database of ours, of a version that we know? *version: 0 if it is
 * empty. False: one line said why not. */
bool store_check_version(store *s, sqlite3_int64 *version);

/* Are the tables those of our version, word for word? False: one line said what is not. */
bool store_check_tables(store *s);

/* Makes our version of this one, in one transaction, with the key if it is empty;
 * of ours it checks the tables. False: one line said why not. */
bool store_migrate(store *s, sqlite3_int64 version, const uint8_t *salt_key);

/* Reads the key from which salts are made. False: one line said why not. */
bool store_get_salt_key(const store *s, uint8_t key[SMSP_KEY_LEN]);

/* Remembers the state of the database as the loaded one. */
bool store_note_version(store *s);

#endif
