/* SPDX-License-Identifier: ISC */
/* bytes.h and table.c: checked writing, comparing, the hash table. */
#include "bytes.h"
#include "table.h"
#include "test_support.h"

static void writer_takes_all_of_a_piece_or_nothing(void **unused)
{
    uint8_t out[4] = "....";
    smsp_writer w = {out, 3, 0, false};

    (void)unused;
    smsp_put(&w, NULL, 0);
    assert_int_equal(w.len, 0);
    smsp_put(&w, BYTES("ab"));
    smsp_put_span(&w, SPAN("cd"));
    assert_true(w.full);
    assert_memory_equal(out, "ab..", 4);
    smsp_put_byte(&w, 'c');
    assert_memory_equal(out, "abc.", 4);
    assert_int_equal(w.len, 3);
    assert_true(w.full); /* full stays set */
}

static void writer_writes_numbers(void **unused)
{
    uint8_t out[11];
    smsp_writer w = {out, sizeof out, 0, false};

    (void)unused;
    smsp_put_number(&w, 0);
    smsp_put_number(&w, UINT32_MAX);
    assert_span_is((smsp_span){out, w.len}, "04294967295", 11);
    assert_false(w.full);
}

static void comparing(void **unused)
{
    (void)unused;
    assert_true(smsp_same(NULL, 0, NULL, 0));
    assert_true(smsp_same(BYTES("ab"), BYTES("ab")));
    assert_false(smsp_same(BYTES("ab"), BYTES("ac")));
    assert_false(smsp_same(BYTES("ab"), BYTES("a")));
    assert_true(SMSP_IS_WORD((const uint8_t *)"KO", 2, "KO"));
    assert_false(SMSP_IS_WORD((const uint8_t *)"KO", 1, "KO"));
    for (size_t i = 0; i < SMSP_TOKEN_LEN; i++) {
        smsp_token a = {{0}};
        smsp_token b = {{0}};
        assert_true(smsp_same_token(&a, &b));
        b.bytes[i] = 0x80;
        assert_false(smsp_same_token(&a, &b));
    }
}

/* Four records in one chain, removed in each of three orders. */
static void table_keeps_its_chains(void **unused)
{
    static const uint32_t orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}};

    (void)unused;
    for (size_t order = 0; order < 3; order++) {
        uint32_t heads[2], next[4];
        smsp_table table = {heads, next, 1};
        smsp_table_clear(&table);
        smsp_table_remove(&table, 5, 2); /* not in the table */
        assert_int_equal(smsp_table_first(&table, 5), SMSP_NIL);
        for (uint32_t record = 0; record < 4; record++)
            smsp_table_insert(&table, 5, record);
        for (uint32_t left = 4; left > 0; left--) {
            smsp_table_remove(&table, 4, orders[order][4 - left]); /* another bucket */
            smsp_table_remove(&table, 5, orders[order][4 - left]);
            smsp_table_remove(&table, 5, orders[order][4 - left]); /* removed before */
            uint32_t found = 0;
            for (uint32_t at = smsp_table_first(&table, 5); at != SMSP_NIL; at = next[at])
                found++;
            assert_int_equal(found, left - 1);
        }
        assert_int_equal(smsp_table_first(&table, 4), SMSP_NIL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writer_takes_all_of_a_piece_or_nothing),
        cmocka_unit_test(writer_writes_numbers),
        cmocka_unit_test(comparing),
        cmocka_unit_test(table_keeps_its_chains),
    };
    return cmocka_run_group_tests_name("ground", tests, NULL, NULL);
}
