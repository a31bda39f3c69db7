/* SPDX-License-Identifier: ISC */
/* A database that was edited or damaged, given to the server's loader. Byte 0 selects a valid
 * database, the rest are edits of it (common/database.h). The loader either rejects it with
 * one line and leaves it unchanged, or loads every row; then the server can save the state
 * and continue with it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "database.h"
#include "oracle.h"
#include "store/store.h"
#include "target.h"
#include "transcript.h"
#include "world.h"

const char target_name[] = "store";

#define LOG_MAX 4096u
#define USERS   4u

static world w, again;

/* ---- The log ---- */

static char said[LOG_MAX];
static size_t said_len;

ssize_t __real_write(int fd, const void *at, size_t len);
ssize_t __wrap_write(int fd, const void *at, size_t len);

/* Replaces write (-Wl,--wrap=write): keeps the log's lines. */
ssize_t __wrap_write(int fd, const void *at, size_t len)
{
    if (fd != STDERR_FILENO)
        return __real_write(fd, at, len);
    ORACLE("log", len < sizeof said - said_len, "more than %zu bytes are logged", said_len);
    memcpy(said + said_len, at, len);
    said_len += len;
    said[said_len] = '\0';
    return (ssize_t)len;
}

static void clear_log(void)
{
    said_len = 0;
    said[0] = '\0';
}

/* A rejection is one line that is safe to print and names the file. */
static void check_refusal(void)
{
    ORACLE("log", said_len > 0, "it was rejected without a message");
    ORACLE("log", strchr(said, '\n') == said + said_len - 1, "more than one line: %s", said);
    ORACLE("log", strstr(said, "/mail.db: ") != NULL, "the file is not named: %s", said);
    for (size_t i = 0; i + 1 < said_len; i++)
        ORACLE("terminal", (unsigned char)said[i] >= ' ' && said[i] != 0x7f, "byte %d in: %s", said[i], said);
}

/* ---- Loading ---- */

/* NULL if the database was rejected. */
static store *load(const char *folder, world *to)
{
    uint8_t key[SMSP_KEY_LEN] = {1};

    clear_log();
    world_open(to, WORLD_COOKIES, false);
    store *s = store_open(folder, key);
    if (s != NULL && store_load(s, to->state))
        return s;
    store_close(s);
    return NULL;
}

/* Every row of the database is loaded. */
static void check_counts(void)
{
    static const char query[] = "SELECT (SELECT count(*) FROM RA), (SELECT count(*) FROM ID),"
                                " (SELECT count(*) FROM IMQ), (SELECT count(*) FROM MBX)";
    smsp_counts loaded = smsp_state_counts(w.state);
    sqlite3 *db = database_connect(database_folder);
    sqlite3_stmt *q = NULL;

    ORACLE("rows", sqlite3_prepare_v2(db, query, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW,
           "%s", sqlite3_errmsg(db));
    ORACLE("rows", loaded.accounts == sqlite3_column_int64(q, 0), "%u accounts", loaded.accounts);
    ORACLE("rows", loaded.sessions == sqlite3_column_int64(q, 1), "%u sessions", loaded.sessions);
    ORACLE("rows", loaded.imq == sqlite3_column_int64(q, 2), "%u messages in IMQ", loaded.imq);
    ORACLE("rows", loaded.messages - loaded.imq == sqlite3_column_int64(q, 3), "%u messages in MBX",
           loaded.messages - loaded.imq);
    (void)sqlite3_finalize(q);
    (void)sqlite3_close(db);
}

static void check_same(const char *name, const world *other)
{
    const char *wrong = smsp_state_check(other->state);

    ORACLE(name, wrong == NULL, "%s", wrong);
    ORACLE(name, smsp_state_digest(w.state) == smsp_state_digest(other->state), "the state differs after saving and loading");
}

static void commit(const char *name, store *s)
{
    ORACLE(name, store_commit(s) == STORE_DONE, "the commit failed: %s", store_why(s));
}

static void load_again(const char *name, const char *folder)
{
    store *s = load(folder, &again);

    ORACLE(name, s != NULL, "it was rejected: %s", said);
    store_close(s);
    check_same(name, &again);
}

/* ---- Saving ---- */

static bool save_one(void *context, const smsp_effect *effect)
{
    store_apply(context, effect);
    return true;
}

/* Saving the state in a new database and loading it gives the same state. */
static void check_saved(void)
{
    database_write(database_copy, &(image){.len = 0});
    store *s = load(database_copy, &again);
    ORACLE("save", s != NULL, "no new database was made: %s", said);
    store_begin(s);
    ORACLE("save", smsp_snapshot(w.state, save_one, s) == SMSP_OK, "the snapshot");
    commit("save", s);
    store_close(s);
    load_again("save", database_copy);
}

/* ---- Continuing with the database ---- */

typedef struct users {
    unsigned count;
    uint8_t names[USERS][SMSP_NAME_MAX];
    size_t lens[USERS];
} users;

static bool note_user(void *context, const smsp_effect *effect)
{
    users *all = context;

    if (effect->kind != SMSP_EFFECT_ACCOUNT || all->count == USERS)
        return all->count < USERS;
    memcpy(all->names[all->count], effect->username.at, effect->username.len);
    all->lens[all->count++] = effect->username.len;
    return true;
}

/* An effect that the state accepts must be accepted by the database. */
static void keep(store *s, const smsp_effect *effect)
{
    if (smsp_replay(w.state, effect) == SMSP_OK)
        store_apply(s, effect);
}

static void use(store *s, smsp_span name, unsigned number)
{
    static const uint8_t text[] = "more";
    const smsp_effect message = {
        .kind = SMSP_EFFECT_MESSAGE, .username = name, .content = {text, sizeof text - 1}};
    smsp_effect effect = {.kind = SMSP_EFFECT_DELETE, .username = name};

    keep(s, &effect);
    if (number % 2 == 0)
        keep(s, &message);
    effect.kind = SMSP_EFFECT_STORE;
    keep(s, &effect);
    effect.kind = number % 2 == 0 ? SMSP_EFFECT_SESSION : SMSP_EFFECT_LOGOUT;
    effect.has_cookie = number % 2 == 0;
    memset(effect.cookie.bytes, 0xc0 + (int)number, SMSP_TOKEN_LEN);
    keep(s, &effect);
    if (number % 2 != 0)
        keep(s, &message);
}

/* SQLite can read some file formats that it cannot write. */
static bool only_reads(void)
{
    sqlite3 *db = database_connect(database_folder);

    (void)sqlite3_exec(db, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL);
    bool readonly = sqlite3_db_readonly(db, "main") == 1;
    (void)sqlite3_close(db);
    return readonly;
}

/* Continues with the loaded state, and loads the database again. */
static void check_use(store *s, bool readonly)
{
    static const uint8_t new_name[] = "new";
    users all = {.count = 0};
    smsp_error named = smsp_snapshot(w.state, note_user, &all);

    ORACLE("use", named == SMSP_OK || named == SMSP_STOPPED, "the snapshot");
    store_begin(s);
    keep(s, &(smsp_effect){.kind = SMSP_EFFECT_ACCOUNT, .username = {new_name, sizeof new_name - 1}});
    for (unsigned i = 0; i < all.count; i++)
        use(s, (smsp_span){all.names[i], all.lens[i]}, i);
    if (readonly)
        ORACLE("use", store_commit(s) == STORE_REFUSED && strstr(store_why(s), "read-only") != NULL, "a commit succeeded, or failed for another reason: %s",
               store_why(s));
    else
        commit("use", s);
    store_close(s);
    if (!readonly)
        load_again("use", database_folder);
}

/* ---- The valid databases ---- */

#define BASES 6u

static image bases[BASES];

static void keep_account(store *s, const char *name, uint8_t cookie)
{
    smsp_effect made = {.kind = SMSP_EFFECT_ACCOUNT,
                        .username = {(const uint8_t *)name, strlen(name)},
                        .has_cookie = cookie > 0};

    memset(made.verifier.bytes, name[0], SMSP_TOKEN_LEN);
    memset(made.salt.bytes, 's', SMSP_SALT_LEN);
    made.salt.cost = 7;
    memset(made.cookie.bytes, cookie, SMSP_TOKEN_LEN);
    keep(s, &made);
}

static void keep_message(store *s, const char *from, const char *text, const char *to)
{
    keep(s, &(smsp_effect){.kind = SMSP_EFFECT_MESSAGE,
                           .username = {(const uint8_t *)from, strlen(from)},
                           .content = {(const uint8_t *)text, strlen(text)}});
    if (to != NULL)
        keep(s, &(smsp_effect){.kind = SMSP_EFFECT_STORE, .username = {(const uint8_t *)to, strlen(to)}});
}

/* 0: empty; 1: one account; 2: accounts with and without sessions, and messages in IMQ and MBX. */
static void fill(store *s, unsigned size)
{
    if (size > 0)
        keep_account(s, "a", 1);
    if (size < 2)
        return;
    keep_account(s, "bb", 2);
    keep_account(s, "c", 0);
    keep_message(s, "a", "one", "a");
    keep_message(s, "bb", "two words", "a");
    keep_message(s, "a", "\xc3\xa4", "bb");
    keep_message(s, "c", "waits", NULL);
}

/* The pages have the minimum size, so that most edits of bytes hit data. */
static void make_base(unsigned n)
{
    sqlite3 *db;
    char how[120];

    (void)snprintf(how, sizeof how,
                   "PRAGMA page_size = 512; PRAGMA encoding = '%s'; CREATE TABLE x (y); DROP TABLE x",
                   n % 2 == 0 ? "UTF-8" : "UTF-16le");
    database_write(database_folder, &(image){.len = 0});
    db = database_connect(database_folder);
    ORACLE("base", sqlite3_exec(db, how, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    (void)sqlite3_close(db);
    store *s = load(database_folder, &w);
    ORACLE("base", s != NULL, "%s", said);
    store_begin(s);
    fill(s, n / 2);
    commit("base", s);
    store_close(s);
    database_read(database_folder, &bases[n]);
}

static void prepare(void)
{
    static bool made;

    for (unsigned n = 0; !made && n < BASES; n++) {
        database_open();
        make_base(n);
    }
    made = true;
}

/* ---- The target ---- */

static bool same(const image *one, const image *two)
{
    return one->len == two->len && memcmp(one->bytes, two->bytes, one->len) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static image before, after;

    if (size < 1)
        return 0;
    prepare();
    database_write(database_folder, &bases[data[0] % BASES]);
    (void)database_edit(data + 1, size - 1, NULL);
    database_read(database_folder, &before);
    store *s = load(database_folder, &w);
    database_read(database_folder, &after);
    if (s == NULL)
        check_refusal();
    bool was_empty =
        s != NULL && smsp_state_counts(w.state).accounts == 0; /* then the loader may have created the tables */
    ORACLE("untouched", was_empty || same(&before, &after), "%s", s == NULL ? said : "a loaded database");
    if (s == NULL || oracles() != ORACLES_ALL) {
        store_close(s);
        return 0;
    }
    world_check(&w);
    check_counts();
    check_saved();
    bool readonly = only_reads();
    check_use(s, readonly);
    database_read(database_folder, &after);
    ORACLE("untouched", !readonly || same(&before, &after), "a read-only database was changed");
    return 0;
}

void target_show(const uint8_t *data, size_t size, FILE *to)
{
    if (size < 1)
        return;
    prepare();
    fprintf(to, "database %u\n", data[0] % BASES);
    database_write(database_folder, &bases[data[0] % BASES]);
    (void)database_edit(data + 1, size - 1, to);
    store *s = load(database_folder, &w);
    fprintf(to, "  %s", s != NULL ? "loaded\n" : said);
    store_close(s);
}
