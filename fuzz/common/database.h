/* SPDX-License-Identifier: ISC */
/* Databases of the server's store, in SQLite's file system in memory: sound ones to begin
 * with, edited as an input says. */
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

/* Two folders with a file mail.db each, as the store wants them. */
extern const char database_folder[], database_copy[];

/* Makes them, and SQLite's files in memory the default, in the first call. */
void database_open(void);

/* A connection beside the store's; the caller closes it. */
sqlite3 *database_connect(const char *folder);

void database_read(const char *folder, image *to);
void database_write(const char *folder, const image *from);

/* Applies an input's edits to the file of database_folder: of rows and tables first, then of
 * its bytes. Gives back how many bytes were changed so. to: where edits are told, or NULL. */
unsigned database_edit(const uint8_t *data, size_t size, FILE *to);

#endif
