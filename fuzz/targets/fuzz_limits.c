/* SPDX-License-Identifier: ISC */
/* A state with extreme limits. The input is seven limits of four bytes each, one byte (the
 * shift of the text limit, and an error number), and encoded effects. The size that
 * smsp_state_size returns must be enough, one byte less must be rejected, and the effects
 * must not exceed the limits. */
#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "smsp.h"
#include "target.h"
#include "transcript.h"

const char target_name[] = "limits";

#define HEAD     29u
#define SIZE_MAX_HERE (1u << 20) /* of larger states only the size is computed */

static uint32_t number(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static smsp_limits read_limits(const uint8_t *data)
{
    return (smsp_limits){.accounts = number(data), .messages = number(data + 4),
                         .text = (uint64_t)number(data + 8) << (data[28] & 31), .mailbox = number(data + 12),
                         .imq = number(data + 16), .share = number(data + 20), .journal = number(data + 24)};
}

static void check_counts(const smsp_state *state, const smsp_limits *limits)
{
    smsp_counts counts = smsp_state_counts(state);
    uint32_t imq = limits->imq > 0 ? limits->imq : limits->messages;
    const char *wrong = smsp_state_check(state);

    ORACLE("invariant", wrong == NULL, "%s", wrong);
    ORACLE("limits", counts.accounts <= limits->accounts && counts.messages <= limits->messages &&
                         counts.imq <= imq && counts.blocks <= limits->text / 64,
           "%u accounts, %u messages, %u on the IMQ, %u blocks", counts.accounts, counts.messages, counts.imq,
           counts.blocks);
}

static void replay(smsp_state *state, const smsp_limits *limits, const uint8_t *at, size_t len)
{
    smsp_effect effect;
    size_t used;

    if (len > 0 && at[0] & 128)
        smsp_begin(state);
    for (; smsp_effect_decode(at, len, &effect, &used) == SMSP_OK; at += used, len -= used) {
        smsp_error error = smsp_replay(state, &effect);
        if (error == SMSP_JOURNAL_FULL)
            smsp_rollback(state);
        ORACLE("replay", smsp_strerror(error) != NULL, "smsp_strerror returned NULL");
        check_counts(state, limits);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD)
        return 0;
    smsp_config config = {.limits = read_limits(data), .hash_key = "key"};
    size_t needed = smsp_state_size(&config.limits);
    smsp_state *state = NULL;
    uint64_t nothing[4];
    const char *words = smsp_strerror((smsp_error)data[28]);

    ORACLE("strerror", words != NULL && strlen(words) > 0, "error %u has no text", data[28]);
    ORACLE("limits", (needed == 0) == (smsp_state_init(nothing, needed > 0 ? 8 : SIZE_MAX, &config, &state) ==
                                       SMSP_BAD_LIMITS),
           "size %zu", needed);
    if (needed == 0 || needed > SIZE_MAX_HERE)
        return 0;
    ORACLE("limits", needed / 64 >= config.limits.text / 64, "%zu bytes are too few", needed);
    uint8_t *memory = malloc(needed);
    ORACLE("memory", memory != NULL, "%zu bytes", needed);
    ORACLE("limits", smsp_state_init(memory, needed - 1, &config, &state) == SMSP_NO_ROOM, "one byte less was accepted");
    /* cppcheck-suppress nullPointerArithmeticOutOfMemory ; ORACLE ends the process */
    ORACLE("limits", smsp_state_init(memory + 1, needed, &config, &state) == SMSP_NO_ROOM, "unaligned memory was accepted");
    ORACLE("limits", smsp_state_init(NULL, needed, &config, &state) == SMSP_NO_ROOM, "NULL was accepted as memory");
    ORACLE("limits", smsp_state_init(memory, needed, &config, &state) == SMSP_OK, "%zu bytes are too few", needed);
    check_counts(state, &config.limits);
    replay(state, &config.limits, data + HEAD, size - HEAD);
    free(memory);
    return 0;
}

void target_show(const uint8_t *data, size_t size, FILE *to)
{
    if (size < HEAD)
        return;
    smsp_limits l = read_limits(data);
    fprintf(to, "accounts %u, messages %u, text %llu, mailbox %u, imq %u, share %u, journal %u: %zu bytes\n",
            l.accounts, l.messages, (unsigned long long)l.text, l.mailbox, l.imq, l.share, l.journal,
            smsp_state_size(&l));
    show_bytes(to, data + HEAD, size - HEAD);
    fputc('\n', to);
}
