/* SPDX-License-Identifier: ISC */
/* The hash table: insert and remove. */
#include "table.h"

void smsp_table_clear(smsp_table *table)
{
    for (uint32_t i = 0; i <= table->mask; i++)
        table->heads[i] = SMSP_NIL;
}

void smsp_table_insert(smsp_table *table, uint64_t hash, uint32_t record)
{
    uint32_t *head = &table->heads[(uint32_t)hash & table->mask];

    table->next[record] = *head;
    *head = record;
}

void smsp_table_remove(smsp_table *table, uint64_t hash, uint32_t record)
{
    uint32_t *link = &table->heads[(uint32_t)hash & table->mask];

    while (*link != record && *link != SMSP_NIL)
        link = &table->next[*link];
    if (*link == record)
        *link = table->next[record];
}
