/* SPDX-License-Identifier: ISC */
/* Implements database.h: in-memory files, and edits of rows, tables and bytes. */
#include "database.h"

#include <stdio.h>
#include <string.h>

#include "oracle.h"
#include "smsp.h"
#include "transcript.h"

#define EDITS_MAX 40u

const char database_folder[] = "/mail";
const char database_copy[] = "/copy";

/* ---- Files in memory ---- */

/* SQLite keeps an in-memory file as long as a connection to it is open: the owner. */
typedef struct disk {
    const char *folder;
    sqlite3 *owner;
    sqlite3_file *file;
} disk;

static disk disks[] = {{.folder = database_folder}, {.folder = database_copy}};

sqlite3 *database_connect(const char *folder)
{
    char path[32];
    sqlite3 *db = NULL;

    (void)snprintf(path, sizeof path, "%s/mail.db", folder);
    ORACLE("memory", sqlite3_open(path, &db) == SQLITE_OK, "%s", path);
    return db;
}

void database_open(void)
{
    if (disks[0].owner != NULL)
        return;
    ORACLE("memory",
           sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) == SQLITE_OK && sqlite3_initialize() == SQLITE_OK,
           "SQLite does not start");
    ORACLE("memory", sqlite3_vfs_register(sqlite3_vfs_find("memdb"), 1) == SQLITE_OK, "no files in memory");
    for (size_t i = 0; i < sizeof disks / sizeof disks[0]; i++) {
        disks[i].owner = database_connect(disks[i].folder);
        ORACLE("memory",
               sqlite3_file_control(disks[i].owner, "main", SQLITE_FCNTL_FILE_POINTER, (void *)&disks[i].file) ==
                   SQLITE_OK,
               "no file");
    }
}

static sqlite3_file *file_of(const char *folder)
{
    return disks[folder == database_copy].file;
}

void database_write(const char *folder, const image *from)
{
    sqlite3_file *file = file_of(folder);
    int len = (int)from->len;

    ORACLE("memory",
           file->pMethods->xTruncate(file, 0) == SQLITE_OK &&
               (len == 0 || file->pMethods->xWrite(file, from->bytes, len, 0) == SQLITE_OK),
           "%d bytes", len);
}

void database_read(const char *folder, image *to)
{
    sqlite3_file *file = file_of(folder);
    sqlite3_int64 size = 0;

    ORACLE("memory", file->pMethods->xFileSize(file, &size) == SQLITE_OK && size <= (sqlite3_int64)IMAGE_MAX,
           "%lld bytes", (long long)size);
    to->len = (size_t)size;
    ORACLE("memory", size == 0 || file->pMethods->xRead(file, to->bytes, (int)size, 0) == SQLITE_OK,
           "a read");
}

/* ---- Values ---- */

typedef struct input {
    const uint8_t *at;
    size_t len;
} input;

static unsigned byte(input *in)
{
    if (in->len == 0)
        return 0;
    in->len--;
    return *in->at++;
}

/* A text or a blob from the input: its length, then its bytes. */
static void bind_input(sqlite3_stmt *to, int at, bool text, input *in)
{
    size_t len = byte(in);

    len = len < in->len ? len : in->len;
    if (text)
        (void)sqlite3_bind_text(to, at, (const char *)in->at, (int)len, SQLITE_TRANSIENT);
    else
        (void)sqlite3_bind_blob(to, at, in->at, (int)len, SQLITE_TRANSIENT);
    in->at += len;
    in->len -= len;
}

/* A text or a blob of equal bytes whose length is at, below or above a limit. */
static void bind_filled(sqlite3_stmt *to, int at, bool text, unsigned which, unsigned with)
{
    static const unsigned lengths[] = {SMSP_TOKEN_LEN,     SMSP_SALT_LEN,       SMSP_TOKEN_LEN - 1,
                                       SMSP_TOKEN_LEN + 1, SMSP_SALT_LEN - 1,   SMSP_SALT_LEN + 1,
                                       SMSP_CONTENT_MAX,   SMSP_CONTENT_MAX + 1};
    static char filled[SMSP_CONTENT_MAX + 1];
    int len = (int)lengths[which % (sizeof lengths / sizeof lengths[0])];

    memset(filled, (int)with, sizeof filled);
    if (text)
        (void)sqlite3_bind_text(to, at, filled, len, SQLITE_TRANSIENT);
    else
        (void)sqlite3_bind_blob(to, at, filled, len, SQLITE_TRANSIENT);
}

/* The next value of the input, of any type, often nearly valid. */
static void bind_value(sqlite3_stmt *to, int at, input *in)
{
    static const char *const texts[] = {"a",        "bb", "c",        "dddd",   "",
                                        "no name!", "A",  "salt key", "text\n", "1"};
    static const sqlite3_int64 numbers[] = {-1,
                                            INT32_MAX,
                                            UINT32_MAX,
                                            (sqlite3_int64)UINT32_MAX + 1,
                                            INT64_MAX,
                                            INT64_MAX / 2,
                                            INT64_MAX / 2 - 1000000,
                                            INT64_MIN};
    unsigned kind = byte(in);
    unsigned which = kind / 8;

    if (kind % 8 == 0)
        (void)sqlite3_bind_int(to, at, (int)byte(in));
    else if (kind % 8 == 1)
        (void)sqlite3_bind_int64(to, at, numbers[which % (sizeof numbers / sizeof numbers[0])]);
    else if (kind % 8 == 2)
        (void)sqlite3_bind_text(to, at, texts[which % (sizeof texts / sizeof texts[0])], -1, SQLITE_STATIC);
    else if (kind % 8 <= 4)
        bind_input(to, at, kind % 8 == 3, in);
    else if (kind % 8 <= 6)
        bind_filled(to, at, kind % 8 == 5, which, byte(in));
    else if (which % 2 == 0)
        (void)sqlite3_bind_null(to, at);
    else
        (void)sqlite3_bind_double(to, at, 1.5);
}

/* ---- Edits of rows and tables ---- */

typedef struct place {
    const char *table, *key, *column;
} place;

static const place columns[] = {
    {"RA", "number", "number"},   {"RA", "number", "username"}, {"RA", "number", "verifier"},
    {"RA", "number", "salt"},     {"RA", "number", "cost"},     {"ID", "username", "username"},
    {"ID", "username", "cookie"}, {"IMQ", "place", "place"},    {"IMQ", "place", "sender"},
    {"IMQ", "place", "content"},  {"MBX", "place", "place"},    {"MBX", "place", "username"},
    {"MBX", "place", "sender"},   {"MBX", "place", "content"},  {"server", "name", "name"},
    {"server", "name", "value"},
};
static const char *const inserts[] = {
    "INSERT INTO RA VALUES (?, ?, ?, ?, ?)", "INSERT INTO ID VALUES (?, ?)",
    "INSERT INTO IMQ VALUES (?, ?, ?)",      "INSERT INTO MBX VALUES (?, ?, ?, ?)",
    "INSERT INTO server VALUES (?, ?)",
};
#define LOOSE(table)                                                                                         \
    "CREATE TABLE t AS SELECT * FROM " table "; DROP TABLE " table "; ALTER TABLE t RENAME TO " table
#define SCHEMA "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET "
static const char *const schemas[] = {
    "PRAGMA user_version = 0",
    "PRAGMA user_version = 2",
    "PRAGMA user_version = -1",
    "PRAGMA application_id = 0",
    "DROP TABLE RA",
    "DROP TABLE ID",
    "DROP TABLE IMQ",
    "DROP TABLE MBX",
    "DROP TABLE server",
    "DROP INDEX MBX_of_user",
    LOOSE("RA"),
    LOOSE("ID"),
    LOOSE("IMQ"),
    LOOSE("MBX"),
    LOOSE("server"),
    "DROP TABLE IMQ; CREATE VIEW IMQ AS SELECT 1 AS place, 'a' AS sender, 'x' AS content",
    "DROP TABLE MBX; CREATE VIEW MBX AS SELECT 1 AS place, 'a' AS username, 'a' AS sender, 'x' AS content",
    "CREATE TRIGGER t AFTER INSERT ON IMQ BEGIN DELETE FROM MBX; END",
    "CREATE UNIQUE INDEX t ON MBX (username)",
    "CREATE TABLE \"\x1b[31m\nt\" (x CHECK (x > abs(x)))",
    "CREATE INDEX \"\x1b[31m\" ON RA (abs(number))",
    "ALTER TABLE MBX ADD COLUMN more",
    "ALTER TABLE MBX RENAME COLUMN sender TO \"\x1b[31m\"",
    SCHEMA "sql = 'no' WHERE name = 'RA'",
    SCHEMA "name = char(27) WHERE name = 'MBX_of_user'",
    SCHEMA "rootpage = 3",
    SCHEMA "sql = replace(sql, 'NOT NULL', '')",
    SCHEMA "sql = replace(sql, ' PRIMARY KEY', '') WHERE name = 'MBX'",
    SCHEMA "sql = replace(sql, 'TEXT', 'BLOB')",
    SCHEMA "name = char(27, 10), sql = 'CREATE no' WHERE name = 'IMQ'",
    "ANALYZE",
    "VACUUM",
    "PRAGMA auto_vacuum = FULL; VACUUM",
};

#define PICK(list, which) (&(list)[(which) % (sizeof(list) / sizeof(list)[0])])

typedef enum { INSERT, UPDATE, DELETE, TABLES, PATCH, CUT, KINDS } edit_kind;

/* Runs one statement with the input's values. */
static void run(sqlite3 *db, const char *sql, input *in)
{
    sqlite3_stmt *edit = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &edit, NULL) == SQLITE_OK) {
        for (int at = 1; at <= sqlite3_bind_parameter_count(edit); at++)
            bind_value(edit, at, in);
        (void)sqlite3_step(edit);
    }
    (void)sqlite3_finalize(edit);
}

/* Reads the next edit as SQL; sql is empty if it is an edit of bytes. */
static void read_edit(input *in, char *sql, size_t size)
{
    unsigned kind = byte(in);
    unsigned which = byte(in);
    unsigned row = kind / KINDS % 4;
    const place *at = PICK(columns, which);

    sql[0] = '\0';
    if (kind % KINDS == INSERT)
        (void)snprintf(sql, size, "%s", *PICK(inserts, which));
    else if (kind % KINDS == UPDATE)
        (void)snprintf(sql, size, "UPDATE %s SET %s = ? WHERE %s = (SELECT %s FROM %s LIMIT 1 OFFSET %u)",
                       at->table, at->column, at->key, at->key, at->table, row);
    else if (kind % KINDS == DELETE)
        (void)snprintf(sql, size, "DELETE FROM %s WHERE %s = (SELECT %s FROM %s LIMIT 1 OFFSET %u)",
                       at->table, at->key, at->key, at->table, row);
    else if (kind % KINDS == TABLES)
        (void)snprintf(sql, size, "%s", *PICK(schemas, which));
}

static void print_edit(FILE *to, const char *sql, sqlite3 *db)
{
    if (to == NULL || sql[0] == '\0')
        return;
    fputs("  ", to);
    show_bytes(to, (const uint8_t *)sql, strlen(sql));
    fprintf(to, " -- %s\n", sqlite3_errmsg(db));
}

/* ---- Edits of bytes ---- */

typedef struct patch {
    unsigned place;
    bool cut; /* the file ends there; otherwise the byte is changed */
    uint8_t with;
} patch;

static unsigned apply(const patch *patches, unsigned count)
{
    static image file;
    unsigned changed = 0;

    database_read(database_folder, &file);
    for (unsigned n = 0; n < count && file.len > 0; n++) {
        size_t at = patches[n].place % file.len;
        changed += patches[n].cut || patches[n].with > 0;
        if (patches[n].cut)
            file.len = at;
        else
            file.bytes[at] ^= patches[n].with;
    }
    if (changed > 0)
        database_write(database_folder, &file);
    return changed;
}

/* ---- All of them ---- */

/* Edits rows and tables, and collects the edits of bytes in patches. */
static unsigned edit_rows(input in, patch *patches, FILE *to)
{
    sqlite3 *db = database_connect(database_folder);
    unsigned count = 0;
    char sql[300];

    for (unsigned n = 0; n < EDITS_MAX && in.len > 0; n++) {
        edit_kind kind = (edit_kind)(in.at[0] % KINDS);
        unsigned high = in.len > 1 ? in.at[1] * 256u : 0;
        read_edit(&in, sql, sizeof sql);
        if (kind == TABLES)
            (void)sqlite3_exec(db, sql, NULL, NULL, NULL);
        else if (kind == PATCH || kind == CUT)
            patches[count++] = (patch){high + byte(&in), kind == CUT, (uint8_t)(kind == CUT ? 0 : byte(&in))};
        else
            run(db, sql, &in);
        print_edit(to, sql, db);
    }
    ORACLE("memory", sqlite3_close(db) == SQLITE_OK, "a connection stays open");
    return count;
}

unsigned database_edit(const uint8_t *data, size_t size, FILE *to)
{
    patch patches[EDITS_MAX];
    unsigned count = edit_rows((input){data, size}, patches, to);
    unsigned changed = apply(patches, count);

    if (to != NULL && count > 0)
        fprintf(to, "  %u edits of bytes\n", changed);
    return changed;
}
