/* SPDX-License-Identifier: ISC */
/* A hash table of record indices: chains in two arrays that the caller gives.
 * It knows no keys; the caller hashes them and compares the records. */
#ifndef SMSP_TABLE_H
#define SMSP_TABLE_H

#include <stdint.h>

#define SMSP_NIL UINT32_MAX /* no index */

typedef struct smsp_table {
    uint32_t *heads; /* of buckets; their number is a power of two */
    uint32_t *next;  /* for each record */
    uint32_t mask;   /* number of buckets - 1, at most 2^31 - 1 */
} smsp_table;

/* Empties the table: SMSP_NIL into every head. */
void smsp_table_clear(smsp_table *table);

void smsp_table_insert(smsp_table *table, uint64_t hash, uint32_t record);

/* A record that is not in the table under that hash is none to remove. */
void smsp_table_remove(smsp_table *table, uint64_t hash, uint32_t record);

/* The first record that may have this hash, or SMSP_NIL; table->next[] goes on. */
static inline uint32_t smsp_table_first(const smsp_table *table, uint64_t hash)
{
    return table->heads[(uint32_t)hash & table->mask];
}

#endif
