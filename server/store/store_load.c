/* SPDX-License-Identifier: ISC */
/* The store in SQLite: loading and checking. */
#define _GNU_SOURCE
#include "store_sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

#define PROGRESS_MS 1000
#define CHECK_STEPS 100000          /* of SQLite's machine, between two looks at the clock */
#define PLACE_MAX   (INT64_MAX / 2) /* half of the range, so that it never overflows */

/* ---- Rows become effects ---- */

/* The tables, in an order in which their rows can be replayed: messages need
 * their senders, and while mailboxes are filled the IMQ must be empty. */
typedef enum { ACCOUNTS, MAIL, MESSAGES, TABLES } table;

static const char *const rows_of[TABLES] = {
    [ACCOUNTS] =
        "SELECT username, verifier, salt, cost, cookie FROM RA LEFT JOIN ID USING (username) ORDER BY number",
    [MAIL] = "SELECT sender, content, username FROM MBX ORDER BY place",
    [MESSAGES] = "SELECT sender, content FROM IMQ ORDER BY place",
};
static const char *const names[TABLES] = {[ACCOUNTS] = "RA", [MAIL] = "MBX", [MESSAGES] = "IMQ"};

/* A column's text, valid until the next row. SQLite never treats a blob as equal to a text, so a
 * blob counts as an empty text, and replaying an empty name or text fails. */
static smsp_span text_column(sqlite3_stmt *row, int at)
{
    bool is_text = sqlite3_column_type(row, at) == SQLITE_TEXT;
    const void *bytes =
        is_text ? sqlite3_column_text(row, at) : NULL; /* before its size: the order SQLite asks for */
    int len = bytes != NULL ? sqlite3_column_bytes(row, at) : 0;

    return (smsp_span){bytes, len > 0 ? (size_t)len : 0};
}

static bool blob_column(sqlite3_stmt *row, int at, void *out, size_t len)
{
    if (sqlite3_column_type(row, at) != SQLITE_BLOB || sqlite3_column_bytes(row, at) != (int)len)
        return false;
    memcpy(out, sqlite3_column_blob(row, at), len);
    return true;
}

static smsp_error replay_account(smsp_state *state, sqlite3_stmt *row)
{
    smsp_effect effect = {.kind = SMSP_EFFECT_ACCOUNT, .username = text_column(row, 0)};
    sqlite3_int64 cost = sqlite3_column_int64(row, 3);

    effect.has_cookie = sqlite3_column_type(row, 4) != SQLITE_NULL;
    if (sqlite3_column_type(row, 3) != SQLITE_INTEGER || cost < 0 || cost > UINT32_MAX ||
        !blob_column(row, 1, effect.verifier.bytes, SMSP_TOKEN_LEN) ||
        !blob_column(row, 2, effect.salt.bytes, SMSP_SALT_LEN) ||
        (effect.has_cookie && !blob_column(row, 4, effect.cookie.bytes, SMSP_TOKEN_LEN)))
        return SMSP_BAD_EFFECT;
    effect.salt.cost = (uint32_t)cost;
    return smsp_replay(state, &effect);
}

static smsp_error replay_row(smsp_state *state, table from, sqlite3_stmt *row)
{
    if (from == ACCOUNTS)
        return replay_account(state, row);
    smsp_effect effect = {
        .kind = SMSP_EFFECT_MESSAGE, .username = text_column(row, 0), .content = text_column(row, 1)};
    smsp_error error = smsp_replay(state, &effect);
    if (error != SMSP_OK || from == MESSAGES)
        return error;
    effect = (smsp_effect){.kind = SMSP_EFFECT_STORE, .username = text_column(row, 2)};
    return smsp_replay(state, &effect);
}

/* ---- Loading ---- */

typedef struct progress {
    unsigned long rows;
    int64_t next; /* ms: when to say something again */
} progress;

/* Once a second, so that a large store does not look like a hang. */
static void show_progress(const store *s, progress *p)
{
    if (++p->rows % 1024 != 0 || clock_ms() < p->next)
        return;
    p->next = clock_ms() + PROGRESS_MS;
    log_line("%s: %lu rows loaded", s->path, p->rows);
}

/* Why a row cannot be replayed, and what to do; always false. */
static bool complain_row(const store *s, table from, unsigned long row, smsp_error error)
{
    static const char *const raise[TABLES] = {
        [ACCOUNTS] = "it is over --max-accounts, raise that",
        [MAIL] = "it is over --max-messages, --max-text or --max-mailbox, raise that",
        [MESSAGES] = "it is over --max-messages or --max-text, raise that",
    };

    log_line("%s: table %s, row %lu: %s", s->path, names[from], row,
             error == SMSP_FULL ? raise[from] : "damaged, or not written by smspd");
    return false;
}

static bool load_table(store *s, smsp_state *state, table from, progress *p)
{
    sqlite3_stmt *q = NULL;
    smsp_error error = SMSP_OK;
    unsigned long row = 0;
    int step = sqlite3_prepare_v2(s->db, rows_of[from], -1, &q, NULL);

    while (step == SQLITE_OK || step == SQLITE_ROW) {
        step = sqlite3_step(q);
        if (step != SQLITE_ROW)
            break;
        row++;
        error = replay_row(state, from, q);
        if (error != SMSP_OK)
            break;
        show_progress(s, p);
    }
    bool loaded = error == SMSP_OK && step == SQLITE_DONE;
    if (error != SMSP_OK)
        (void)complain_row(s, from, row, error);
    else if (step != SQLITE_DONE)
        (void)store_complain(s, "cannot read it");
    (void)sqlite3_finalize(q);
    return loaded;
}

/* The join above silently drops sessions of unknown users. */
static bool sessions_have_users(store *s)
{
    sqlite3_int64 strays = 0;

    if (!store_number(s->db, "SELECT count(*) FROM ID WHERE username NOT IN (SELECT username FROM RA)",
                      &strays))
        return store_complain(s, "cannot read it");
    if (strays > 0)
        log_line("%s: table ID: %lld sessions of users that are not in RA", s->path, (long long)strays);
    return strays == 0;
}

/* Finds the next place and checks that the numbers are far from overflowing. */
static bool find_next_place(store *s)
{
    sqlite3_int64 account = 0;

    if (!store_number(s->db,
                      "SELECT 1 + max(coalesce((SELECT max(place) FROM IMQ), 0),"
                      " coalesce((SELECT max(place) FROM MBX), 0))",
                      &s->next_place) ||
        !store_number(s->db, "SELECT 1 + coalesce(max(number), 0) FROM RA", &account))
        return store_complain(s, "cannot read it");
    bool low = s->next_place <= PLACE_MAX && account <= PLACE_MAX;
    if (!low)
        log_line("%s: places in IMQ or MBX, or numbers in RA are too high: damaged, or not written by smspd",
                 s->path);
    return low;
}

static int show_checking(void *context)
{
    store *s = context;

    if (clock_ms() >= s->say_at) {
        log_line("%s: SQLite checks it", s->path);
        s->say_at = clock_ms() + PROGRESS_MS;
    }
    return 0; /* go on */
}

/* SQLite's own check of the file: one row "ok", or what is wrong. Once for each opening:
 * it takes as long as loading. */
static bool check_file(store *s)
{
    sqlite3_stmt *q = NULL;
    bool sound = false;

    if (s->checked)
        return true;
    s->say_at = clock_ms() + PROGRESS_MS;
    sqlite3_progress_handler(s->db, CHECK_STEPS, show_checking, s);
    if (sqlite3_prepare_v2(s->db, "PRAGMA integrity_check(1)", -1, &q, NULL) != SQLITE_OK)
        return store_complain(s, "cannot read it");
    if (sqlite3_step(q) == SQLITE_ROW) {
        const unsigned char *said = sqlite3_column_text(q, 0);
        sound = said != NULL && strcmp((const char *)said, "ok") == 0;
        if (!sound)
            log_line("%s: damaged: %s", s->path, said != NULL ? (const char *)said : "no more memory");
    } else {
        (void)store_complain(s, "cannot read it");
    }
    (void)sqlite3_finalize(q);
    sqlite3_progress_handler(s->db, 0, NULL, NULL);
    s->checked = sound;
    return sound;
}

/* All tables as they are at one moment. */
static bool load_tables(store *s, smsp_state *state)
{
    progress p = {.next = clock_ms() + PROGRESS_MS};

    for (table from = ACCOUNTS; from < TABLES; from++)
        if (!load_table(s, state, from, &p))
            return false;
    return sessions_have_users(s) && find_next_place(s);
}

bool store_load(store *s, smsp_state *state)
{
    if (s == NULL)
        return true;
    if (sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
        return store_complain(s, "cannot read it");
    bool loaded = check_file(s) && load_tables(s, state);
    if (loaded && !store_note_version(s))
        loaded = store_complain(s, "cannot read it");
    (void)sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
    return loaded;
}

/* The highest first: should there be more than most, the cheapest are left out. */
uint32_t store_costs(store *s, uint32_t *costs, uint32_t most)
{
    sqlite3_stmt *rows = NULL;
    uint32_t count = 0;

    if (s != NULL &&
        sqlite3_prepare_v2(s->db, "SELECT DISTINCT cost FROM RA ORDER BY cost DESC", -1, &rows, NULL) == SQLITE_OK)
        while (count < most && sqlite3_step(rows) == SQLITE_ROW)
            costs[count++] = (uint32_t)sqlite3_column_int64(rows, 0);
    (void)sqlite3_finalize(rows);
    return count;
}

/* ---- Checking ---- */

static bool check_state(store *s, const smsp_limits *limits)
{
    smsp_config config = {.limits = *limits};
    size_t size = smsp_state_size(limits);
    /* As in the server: the kernel provides only the pages that are used. */
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    smsp_state *state = NULL;
    bool sound = false;

    if (memory == MAP_FAILED) {
        log_line("%s: not enough memory to check it: %s", s->path, log_reason(errno));
        return false;
    }
    if (!store_get_salt_key(s, config.salt_key)) {
        sound = false;
    } else if (smsp_state_init(memory, size, &config, &state) != SMSP_OK) {
        log_line("%s: the limits are too large to check it", s->path);
    } else if (store_load(s, state)) {
        smsp_counts counts = smsp_state_counts(state);
        const char *wrong = smsp_state_check(state);
        sound = wrong == NULL;
        if (!sound)
            log_line("%s: %s", s->path, wrong);
        else
            printf("%s: sound\naccounts: %u\nsessions: %u\nmessages in IMQ: %u\nmessages in MBX: %u\n",
                   s->path, counts.accounts, counts.sessions, counts.imq, counts.messages - counts.imq);
    }
    (void)munmap(memory, size); /* the end of the program gives it back, too */
    return sound;
}

/* The statements that store_load uses; a reader has no others. */
static bool prepare_reader(store *s)
{
    if (sqlite3_prepare_v2(s->db, "PRAGMA data_version", -1, &s->statements[VERSION], NULL) == SQLITE_OK)
        return true;
    return store_complain(s, "cannot read it");
}

/* The file whose name is that of the database and an ending. */
static bool file_is_there(const store *s, const char *ending)
{
    char name[PATH_MAX + 8];

    (void)snprintf(name, sizeof name, "%s%s", s->path, ending);
    return access(name, F_OK) == 0;
}

/* Opens the file with "immutable", which SQLite accepts in a URI only. */
static bool open_immutable(store *s, int *result)
{
    char uri[3 * PATH_MAX + 32] = "file:";
    size_t len = strlen(uri);

    for (const unsigned char *at = (const unsigned char *)s->path; *at != '\0'; at++)
        len += (size_t)snprintf(uri + len, sizeof uri - len, *at > ' ' && strchr("%?#", *at) == NULL ? "%c" : "%%%02x", *at);
    (void)snprintf(uri + len, sizeof uri - len, "?immutable=1");
    return store_open_as(s, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL, result);
}

/* Opens the file read-only. On a read-only file system SQLite cannot create mail.db-shm, which
 * it needs to read a database with a WAL. Nobody can write to such a database, so it is read
 * without locks, together with its WAL. */
static bool open_to_check(store *s)
{
    int result = SQLITE_OK;

    if (!store_open_file(s, SQLITE_OPEN_READONLY))
        return false;
    result = sqlite3_errcode(s->db);
    if ((result != SQLITE_CANTOPEN && result != SQLITE_READONLY) || file_is_there(s, "-shm"))
        return true;
    (void)sqlite3_close(s->db);
    s->db = NULL;
    if (!file_is_there(s, "-wal"))
        return open_immutable(s, &result);
    s->alone = true;
    return store_open_as(s, s->path, SQLITE_OPEN_READONLY, "unix-none", &result);
}

bool store_check(const char *directory, const smsp_limits *limits)
{
    store *s = calloc(1, sizeof *s);
    sqlite3_int64 version = 0;
    bool sound = false;

    if (s == NULL) {
        log_line("--data %s: out of memory", directory);
    } else if (!store_name_file(s, directory)) {
        sound = false;
    } else if (access(s->path, F_OK) != 0) {
        log_line("%s: %s", s->path, errno == ENOENT ? "there is no database" : log_reason(errno));
    } else if (open_to_check(s) && store_check_version(s, &version)) {
        if (version == 0)
            log_line("%s: it is empty", s->path);
        else
            sound = store_check_tables(s) && prepare_reader(s) && check_state(s, limits);
    }
    store_close(s);
    return sound;
}
