/* SPDX-License-Identifier: ISC */
/* A state whose memory is overwritten. smsp_state_check must return for any contents of the
 * tables and counts, and a state that passes must be safe to print and to copy.
 * Byte 0 says how the state is made. Each change has three bytes: the place (2) and the value
 * (1). The first places are the counts, each overwritten as a whole; the tables follow. If
 * bit 7 of byte 0 is set, a change of the tables writes an index of four bytes at a multiple
 * of four. */
#include <stddef.h>
#include <string.h>

#include "state.h"

#include "oracle.h"
#include "target.h"
#include "transcript.h"
#include "world.h"

const char target_name[] = "memory";

static world w;

static void say(const char *words, unsigned cookie)
{
    uint8_t line[200];
    uint8_t out[SMSP_REPLY_MAX + 1];
    size_t len = strlen(words);
    bool dump, committed;

    memcpy(line, words, len);
    memcpy(line + len, w.cookies[cookie], SMSP_COOKIE_LEN);
    len += words[0] == 'R' || words[0] == 'D' ? 0 : SMSP_COOKIE_LEN;
    (void)world_answer(&w, SMSP_OK, (smsp_span){line, len}, SMSP_ENDS_LF, out, &dump, &committed);
}

/* Makes a state with accounts, sessions and messages. In a batch the journal has entries. */
static void prepare(uint8_t how)
{
    static const char text[] = "MESSAGE a text that takes more than one block of sixty-four ";
    static const char *const steps[] = {"REGISTER a p", "REGISTER b p", text, "STORE a ", "MESSAGE x ", text,
                                        "STORE b ", "LOGOUT "};

    world_open(&w, 32, false);
    if (how & 16)
        world_begin(&w);
    for (unsigned i = 0; i < 8 && i < (how & 15u); i++)
        say(steps[i], i == 7);
}

static bool discard(void *context, const uint8_t *at, size_t len)
{
    *(size_t *)context += len;
    return at != NULL;
}

static bool ignore(void *context, const smsp_effect *effect)
{
    *(size_t *)context += effect->username.len;
    return true;
}

/* The fields of the state that are counts. The others are pointers and the caller's choices. */
static const size_t counts[] = {
    offsetof(smsp_state, account_count), offsetof(smsp_state, session_count), offsetof(smsp_state, message_count),
    offsetof(smsp_state, imq_count),     offsetof(smsp_state, journal_count), offsetof(smsp_state, deleted_count),
    offsetof(smsp_state, pool.used),     offsetof(smsp_state, pool.fresh),    offsetof(smsp_state, pool.total),
    offsetof(smsp_state, pool.free),
};
#define COUNTS (sizeof counts / sizeof counts[0])

static void overwrite(const uint8_t *data, size_t size, bool words)
{
    size_t first = sizeof(smsp_state);

    for (size_t i = 1; i + 3 <= size; i += 3) {
        size_t chosen = (data[i] * 256u + data[i + 1]) % (w.size - first + COUNTS);
        size_t place = chosen < COUNTS ? counts[chosen] : first + chosen - COUNTS;
        uint32_t index = data[i + 2] >= 250 ? SMSP_NIL : data[i + 2];
        if (chosen < COUNTS)
            world_overwrite(&w, place, &index, 4);
        else if (words && place / 4 * 4 >= first && place / 4 * 4 + 4 <= w.size)
            world_overwrite(&w, place / 4 * 4, &index, 4);
        else
            world_overwrite(&w, place, &data[i + 2], 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t count = 0;

    if (size < 1)
        return 0;
    prepare(data[0]);
    overwrite(data, size, (data[0] & 128) != 0);
    work_reset();
    engine_enters();
    const char *wrong = smsp_state_check(w.state);
    engine_leaves();
    ORACLE("work", work_done() <= 400000, "%llu blocks for one check", (unsigned long long)work_done());
    if (wrong == NULL) {
        ORACLE("dump", smsp_dump(w.state, discard, &count) == SMSP_OK, "it returned an error");
        ORACLE("snapshot", smsp_snapshot(w.state, ignore, &count) == SMSP_OK, "it returned an error");
        smsp_commit(w.state); /* no rollback: it trusts the journal, which the check does not cover */
        ORACLE("invariant", smsp_state_check(w.state) == NULL, "the check fails after a commit");
    }
    return 0;
}

void target_show(const uint8_t *data, size_t size, FILE *to)
{
    if (size < 1)
        return;
    prepare(data[0]);
    fprintf(to, "after %u steps%s, %zu changes: ", data[0] & 15u, data[0] & 16 ? " in a batch" : "", (size - 1) / 3);
    overwrite(data, size, (data[0] & 128) != 0);
    const char *wrong = smsp_state_check(w.state);
    fprintf(to, "%s\n", wrong == NULL ? "nothing wrong" : wrong);
}
