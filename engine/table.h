/* SPDX-License-Identifier: ISC */
/* A hash table of record indices: chains in two arrays that the caller provides. The
 * caller hashes the keys and compares the records. */
#ifndef SMSP_TABLE_H
#define SMSP_TABLE_H

#include <stdint.h>

#define SMSP_NIL UINT32_MAX /* no index */

typedef struct smsp_table {
    uint32_t *heads; /* of the buckets, a power of two */
    uint32_t *next;  /* for each record */
    uint32_t mask;   /* number of buckets - 1, at most 2^31 - 1 */
} smsp_table;

/* Empties the table. */
void smsp_table_clear(smsp_table *table);

void smsp_table_insert(smsp_table *table, uint64_t hash, uint32_t record);

/* Does nothing if the record is not in the table under this hash. */
void smsp_table_remove(smsp_table *table, uint64_t hash, uint32_t record);

/* Returns the first record of the bucket of this hash, or SMSP_NIL; table->next[] links
 * to the next record. */
static inline uint32_t smsp_table_first(const smsp_table *table, uint64_t hash)
{
    return table->heads[(uint32_t)hash & table->mask];
}

#endif
