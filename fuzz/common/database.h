/* SPDX-License-Identifier: ISC */
/* Databases for the store target, in SQLite's in-memory file system, and the edits that an
 * input makes in them. */
#ifndef DATABASE_H
#define DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define IMAGE_MAX 262144u

typedef struct image {
    uint8_t bytes[IMAGE_MAX];
    size_t len;
} image;

/* Two folders, each with a file mail.db, as the store expects. */
extern const char database_folder[], database_copy[];

/* The first call creates the folders and makes in-memory files SQLite's default. */
void database_open(void);

/* A connection of its own; the caller closes it. */
sqlite3 *database_connect(const char *folder);

void database_read(const char *folder, image *to);
void database_write(const char *folder, const image *from);

/* Applies an input's edits to the file of database_folder, first those of rows and tables,
 * then those of bytes. Prints the edits to `to` unless it is NULL. Returns the number of
 * edits of bytes that had an effect. */
unsigned database_edit(const uint8_t *data, size_t size, FILE *to);

#endif
