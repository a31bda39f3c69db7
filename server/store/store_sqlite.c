/* SPDX-License-Identifier: ISC */
/* The store in SQLite: opening, and keeping batches. */
#define _GNU_SOURCE
#include "store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define BUSY_MS 1000 /* for others who read or write with sqlite3 */

/* Frames in the WAL until they are moved into the database, and their bytes: pages of
 * 4,096 with 24 in front of each. */
#define WAL_FRAMES "1000"
#define WAL_BYTES  (32 + 1000 * (24 + 4096))

/* ---- Statements, in SQL ---- */

static const char put_session[] = "INSERT INTO ID (username, cookie) VALUES (?1, ?2)"
                                  " ON CONFLICT (username) DO UPDATE SET cookie = excluded.cookie";
static const char put_mail[] = "INSERT INTO MBX (place, username, sender, content)"
                               " SELECT ?2, ?1, sender, content FROM IMQ ORDER BY place DESC LIMIT 1";

static const char *const sql[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [PUT_ACCOUNT] = "INSERT INTO RA (username, verifier, salt, cost) VALUES (?1, ?2, ?3, ?4)",
    [PUT_SESSION] = put_session,
    [CUT_SESSION] = "DELETE FROM ID WHERE username = ?1",
    [PUT_MESSAGE] = "INSERT INTO IMQ (place, sender, content) VALUES (?2, ?1, ?3)",
    [PUT_MAIL] = put_mail,
    [CUT_MESSAGE] = "DELETE FROM IMQ WHERE place = (SELECT max(place) FROM IMQ)",
    [CUT_MAIL] = "DELETE FROM MBX WHERE place = (SELECT min(place) FROM MBX WHERE username = ?1)",
    [PROBE] = "INSERT OR REPLACE INTO server (name, value) VALUES ('probe', randomblob(8))",
    [VERSION] = "PRAGMA data_version",
};

const char *store_about(void)
{
    return "SQLite " SQLITE_VERSION;
}

/* Writes SQLite's message about the last call on db; adds the system's reason if it hides that. */
static void describe_error(sqlite3 *db, char *out, size_t size)
{
    int code = db != NULL ? sqlite3_errcode(db) : SQLITE_NOMEM;
    int error = code == SQLITE_CANTOPEN || code == SQLITE_IOERR ? sqlite3_system_errno(db) : 0;

    if (error != 0)
        (void)snprintf(out, size, "%s (%s)", sqlite3_errmsg(db), log_reason(error));
    else
        (void)snprintf(out, size, "%s", sqlite3_errmsg(db)); /* "out of memory" if db is NULL */
}

bool store_complain(const store *s, const char *what)
{
    char why[sizeof s->why];

    describe_error(s->db, why, sizeof why);
    log_line("%s: %s: %s", s->path, what, why);
    return false;
}

const char *store_why(const store *s)
{
    return s->why;
}

/* ---- The directory ---- */

int store_lock(const char *directory)
{
    char path[PATH_MAX];

    if (mkdir(directory, 0700) != 0 && errno != EEXIST) {
        log_line("--data %s: cannot make it: %s", directory, log_reason(errno));
        return -1;
    }
    if ((size_t)snprintf(path, sizeof path, "%s/lock", directory) >= sizeof path) {
        log_line("--data: the directory's name is too long");
        return -1;
    }
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0) {
        log_line("--data %s: cannot use it: %s", directory, log_reason(errno));
        return -1;
    }
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            log_line("--data %s: another smspd uses it; end that one or give another directory", directory);
        else
            log_line("--data %s: cannot lock it: %s; give a directory on another file system", directory,
                     log_reason(errno));
        (void)close(lock);
        return -1;
    }
    return lock;
}

/* ---- Opening ---- */

/* Settings that protect this process from a hostile database file. */
static bool defend(sqlite3 *db)
{
    return sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) == SQLITE_OK &&
           sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) == SQLITE_OK &&
           sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL) == SQLITE_OK &&
           sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL) == SQLITE_OK &&
           sqlite3_exec(db, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;",
                        NULL, NULL, NULL) == SQLITE_OK;
}

static const char *directory_here; /* NULL: it has its own name */

void store_at(const char *name)
{
    directory_here = name;
}

bool store_name_file(store *s, const char *directory)
{
    const char *here = directory_here != NULL ? directory_here : directory;

    if ((size_t)snprintf(s->path, sizeof s->path, "%s/mail.db", directory) < sizeof s->path &&
        (size_t)snprintf(s->file, sizeof s->file, "%s/mail.db", here) < sizeof s->file)
        return true;
    log_line("--data: the directory's name is too long");
    return false;
}

bool store_open_as(store *s, const char *name, int flags, const char *vfs, int *result)
{
    if (sqlite3_open_v2(name, &s->db, flags | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX, vfs) != SQLITE_OK)
        return store_complain(s, "cannot open it");
    /* Nothing may change the file until it is loaded; closing it would. */
    if (sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) != SQLITE_OK || !defend(s->db) ||
        (s->alone && !store_run(s, "PRAGMA locking_mode = EXCLUSIVE")))
        return store_complain(s, "cannot open it");
    (void)sqlite3_busy_timeout(s->db, BUSY_MS);
    (void)store_run(s, "SELECT 1 FROM sqlite_schema");
    *result = sqlite3_extended_errcode(s->db);
    return true;
}

/* On a full disk there may be no room for mail.db-shm, which lets others read while we
 * write. Then open it for this process alone, which needs no such file. */
bool store_open_file(store *s, int flags)
{
    int result = SQLITE_OK;

    s->alone = false;
    if (!store_open_as(s, s->file, flags, NULL, &result))
        return false;
    if (result != SQLITE_IOERR_SHMSIZE && result != SQLITE_IOERR_SHMMAP && result != SQLITE_IOERR_SHMOPEN)
        return true;
    (void)sqlite3_close(s->db);
    s->db = NULL;
    s->alone = true;
    return store_open_as(s, s->file, flags, NULL, &result);
}

static bool prepare_statements(store *s)
{
    for (int i = 0; i < STATEMENTS; i++)
        if (sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[i], NULL) !=
            SQLITE_OK)
            return store_complain(s, "its tables are not those of smspd");
    return true;
}

store *store_open(const char *directory, uint8_t salt_key[SMSP_KEY_LEN])
{
    store *s = calloc(1, sizeof *s);
    sqlite3_int64 version = 0;

    if (s == NULL) {
        log_line("--data %s: out of memory", directory);
        return NULL;
    }
    (void)umask(077);
    if (store_name_file(s, directory) && store_open_file(s, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) &&
        store_check_version(s, &version) && store_migrate(s, version, salt_key) &&
        store_get_salt_key(s, salt_key) && prepare_statements(s))
        return s;
    store_close(s);
    return NULL;
}

static void close_file(store *s)
{
    for (int i = 0; i < STATEMENTS; i++) {
        (void)sqlite3_finalize(s->statements[i]);
        s->statements[i] = NULL;
    }
    (void)sqlite3_close(s->db);
    s->db = NULL;
    s->durable = false;
    s->long_wal = false;
    s->checked = false;
}

void store_close(store *s)
{
    if (s == NULL)
        return;
    close_file(s);
    free(s);
}

/* ---- Statements ---- */

/* Notes that the batch is refused (no client is meant), and why. A failure before the COMMIT
 * changes nothing on disk. */
static bool refuse_batch(store *s)
{
    describe_error(s->db, s->why, sizeof s->why);
    s->batch = STORE_REFUSED;
    return false;
}

/* Runs a statement that gives no rows. */
static bool run(store *s, store_statement which)
{
    sqlite3_stmt *statement = s->statements[which];
    bool done = sqlite3_step(statement) == SQLITE_DONE;

    if (!done)
        (void)refuse_batch(s);
    (void)sqlite3_reset(statement);
    return done;
}

static void bind_text(store *s, store_statement which, int at, smsp_span text)
{
    (void)sqlite3_bind_text64(s->statements[which], at, (const char *)text.at, text.len, SQLITE_STATIC,
                              SQLITE_UTF8);
}

static void bind_bytes(store *s, store_statement which, int at, const void *bytes, size_t len)
{
    (void)sqlite3_bind_blob64(s->statements[which], at, bytes, len, SQLITE_STATIC);
}

static void bind_number(store *s, store_statement which, int at, sqlite3_int64 number)
{
    (void)sqlite3_bind_int64(s->statements[which], at, number);
}

/* Runs a statement about a user. */
static bool run_user(store *s, store_statement which, const smsp_effect *effect)
{
    bind_text(s, which, 1, effect->username);
    return run(s, which);
}

/* The same for a statement that must change one row; if it does not, the tables differ from the
 * state. */
static bool run_user_row(store *s, store_statement which, const smsp_effect *effect)
{
    if (!run_user(s, which, effect))
        return false;
    if (sqlite3_changes(s->db) == 1)
        return true;
    (void)snprintf(s->why, sizeof s->why, "its rows are not those that were loaded");
    s->batch = STORE_CHANGED;
    return false;
}

/* ---- Effects ---- */

static bool keep_session(store *s, const smsp_effect *effect)
{
    bind_bytes(s, PUT_SESSION, 2, effect->cookie.bytes, SMSP_TOKEN_LEN);
    return run_user(s, PUT_SESSION, effect);
}

static bool keep_account(store *s, const smsp_effect *effect)
{
    bind_bytes(s, PUT_ACCOUNT, 2, effect->verifier.bytes, SMSP_TOKEN_LEN);
    bind_bytes(s, PUT_ACCOUNT, 3, effect->salt.bytes, SMSP_SALT_LEN);
    bind_number(s, PUT_ACCOUNT, 4, effect->salt.cost);
    return run_user(s, PUT_ACCOUNT, effect) && (!effect->has_cookie || keep_session(s, effect));
}

static bool keep_message(store *s, const smsp_effect *effect)
{
    bind_number(s, PUT_MESSAGE, 2, s->next_place++);
    bind_text(s, PUT_MESSAGE, 3, effect->content);
    return run_user(s, PUT_MESSAGE, effect);
}

static bool keep_mail(store *s, const smsp_effect *effect)
{
    bind_number(s, PUT_MAIL, 2, s->next_place++);
    return run_user_row(s, PUT_MAIL, effect) && run(s, CUT_MESSAGE);
}

static bool keep(store *s, const smsp_effect *effect)
{
    switch (effect->kind) {
    case SMSP_EFFECT_ACCOUNT:
        return keep_account(s, effect);
    case SMSP_EFFECT_SESSION:
        return keep_session(s, effect);
    case SMSP_EFFECT_LOGOUT:
        return run_user_row(s, CUT_SESSION, effect);
    case SMSP_EFFECT_MESSAGE:
        return keep_message(s, effect);
    case SMSP_EFFECT_STORE:
        return keep_mail(s, effect);
    case SMSP_EFFECT_DELETE:
        return run_user_row(s, CUT_MAIL, effect);
    default: /* SMSP_EFFECT_NONE, which is not handed on */
        return true;
    }
}

/* ---- Batches ---- */

static bool data_version(store *s, sqlite3_int64 *version)
{
    sqlite3_stmt *q = s->statements[VERSION];
    bool got = sqlite3_step(q) == SQLITE_ROW;

    if (got)
        *version = sqlite3_column_int64(q, 0);
    (void)sqlite3_reset(q);
    return got;
}

bool store_note_version(store *s)
{
    return data_version(s, &s->version);
}

bool store_changed(store *s)
{
    sqlite3_int64 version = 0;

    return s->db == NULL || (data_version(s, &version) && version != s->version);
}

/* Every reply must be on the disk: WAL with a sync at each commit. The
 * checkpoint moves what a broken run may have left in the WAL, and syncs it. */
static bool make_durable(store *s)
{
    sqlite3_int64 busy = 1;

    if (s->durable)
        return true;
    if (sqlite3_db_readonly(s->db, "main") != 0) {
        (void)snprintf(s->why, sizeof s->why, "it is read-only: by its rights, or it was written by a newer SQLite");
        s->batch = STORE_REFUSED;
        return false;
    }
    s->durable = store_run(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                              "PRAGMA wal_autocheckpoint = " WAL_FRAMES "; PRAGMA cache_size = -65536;") &&
                 store_number(s->db, "PRAGMA wal_checkpoint(TRUNCATE)", &busy) && busy == 0 &&
                 sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL) == SQLITE_OK;
    if (!s->durable)
        (void)refuse_batch(s);
    return s->durable;
}

/* The WAL gets its length at once: a commit that makes a file longer costs the disk twice
 * the flushes. We are in a transaction, so nobody else appends now, and SQLite
 * ignores zeros. If the disk has no room for that, the WAL grows with each commit as usual. */
static void lengthen_wal(store *s)
{
    static const uint8_t zeros[65536];
    sqlite3_file *wal = NULL;
    sqlite3_int64 len = 0;

    s->long_wal = true;
    if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, (void *)&wal) != SQLITE_OK || wal == NULL ||
        wal->pMethods == NULL || wal->pMethods->xFileSize(wal, &len) != SQLITE_OK)
        return;
    for (sqlite3_int64 at = len; at < WAL_BYTES; at += (sqlite3_int64)sizeof zeros) {
        if (wal->pMethods->xWrite(wal, zeros, (int)sizeof zeros, at) != SQLITE_OK) {
            (void)wal->pMethods->xTruncate(wal, len);
            return;
        }
    }
}

/* Begins the transaction. From here on nobody else can write; if somebody has,
 * the state is not that of the tables. */
static bool open_batch(store *s)
{
    s->open_batch = make_durable(s) && run(s, BEGIN);
    if (s->open_batch && store_changed(s)) {
        (void)snprintf(s->why, sizeof s->why, "another program has written to it");
        s->batch = STORE_CHANGED;
    }
    if (s->open_batch && !s->long_wal)
        lengthen_wal(s);
    return s->batch == STORE_DONE;
}

void store_begin(store *s)
{
    if (s != NULL)
        s->batch = STORE_DONE;
}

void store_apply(store *s, const smsp_effect *effect)
{
    if (s == NULL || s->batch != STORE_DONE || (!s->open_batch && !open_batch(s)))
        return;
    if (!keep(s, effect))
        (void)0; /* s->batch says it */
}

static void abandon(store *s)
{
    if (s->db != NULL && sqlite3_get_autocommit(s->db) == 0) {
        (void)sqlite3_step(s->statements[ROLLBACK]);
        (void)sqlite3_reset(s->statements[ROLLBACK]);
    }
    s->open_batch = false;
}

/* A COMMIT that failed because the disk is full has not happened: SQLITE_FULL comes from a
 * write to the WAL, never from a sync, and the frame that makes the others valid is written
 * last. A COMMIT that failed because of another process has not happened either: the
 * transaction is still open. After any other error the outcome is unknown: the rows may be
 * there after a restart. */
static store_result end_batch(store *s)
{
    sqlite3_stmt *commit = s->statements[COMMIT];
    int result = sqlite3_step(commit);

    (void)sqlite3_reset(commit);
    if (result == SQLITE_DONE) {
        s->open_batch = false;
        return STORE_DONE;
    }
    (void)refuse_batch(s);
    int error = sqlite3_errcode(s->db);
    bool still_open = sqlite3_get_autocommit(s->db) == 0;
    bool nothing_happened =
        error == SQLITE_FULL || (still_open && (error == SQLITE_BUSY || error == SQLITE_READONLY));
    return nothing_happened ? STORE_REFUSED : STORE_UNKNOWN;
}

store_result store_commit(store *s)
{
    if (s == NULL)
        return STORE_DONE;
    if (s->batch == STORE_DONE && s->open_batch)
        s->batch = end_batch(s);
    if (s->batch != STORE_DONE)
        abandon(s);
    return s->batch;
}

/* There is room again: opens the file so that others can read it too. Somebody may have written
 * to it while it was closed, so it counts as changed. That is also so if it cannot be opened. */
static void share_again(store *s)
{
    close_file(s);
    if (!store_open_file(s, SQLITE_OPEN_READWRITE) || !prepare_statements(s))
        close_file(s);
    s->version = -1;
}

bool store_probe(store *s)
{
    if (s == NULL)
        return true;
    store_begin(s);
    if (open_batch(s))
        (void)run(s, PROBE);
    bool kept = store_commit(s) == STORE_DONE;
    if (kept && s->alone)
        share_again(s);
    return kept;
}
