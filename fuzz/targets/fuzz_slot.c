/* SPDX-License-Identifier: ISC */
/* A slot that a hostile worker has written, as the keeper reads it. Bytes 0 and 1 are the
 * count of requests, bytes 2 and 3 their length, which may exceed the limit. Byte 4 says
 * which accounts, sessions and messages the state has before. The rest is the contents of
 * the slot, followed by bytes 0xff. */
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "oracle.h"
#include "slot.h"
#include "target.h"
#include "transcript.h"
#include "world.h"

const char target_name[] = "slot";

#define HEAD 5u

static world w;

/* Makes a state with accounts, sessions and messages. */
static void prepare(uint8_t how)
{
    static const char *const lines[] = {"REGISTER a p", "REGISTER b p", "MESSAGE x ", "STORE a ", "MESSAGE y ",
                                        "MESSAGE z ", "STORE b "};
    uint8_t line[64];
    uint8_t out[SMSP_REPLY_MAX + 1];
    bool dump, committed;

    world_open(&w, 32, (how & 128) != 0);
    for (unsigned i = 0; i < how % 8u && i < 7; i++) {
        size_t len = strlen(lines[i]);
        memcpy(line, lines[i], len);
        if (i >= 2) {
            memcpy(line + len, w.cookies[i % 2], SMSP_COOKIE_LEN);
            len += SMSP_COOKIE_LEN;
        }
        (void)world_answer(&w, SMSP_OK, (smsp_span){line, len}, SMSP_ENDS_LF, out, &dump, &committed);
    }
}

/* What the keeper accepts is a valid tokenized request, and encoding it gives the same bytes. */
static void check_request(const smsp_tokenized *tokenized, const uint8_t *at, size_t len)
{
    model_limits limits = world_model_limits(false);
    uint8_t out[SLOT_REQUEST_MAX];
    size_t written = 0;

    ORACLE("shape", (unsigned)tokenized->verb <= SMSP_SALT, "verb %d", (int)tokenized->verb);
    ORACLE("shape", tokenized->username.len == 0 ||
                        model_is_name(&limits, tokenized->username.at, tokenized->username.len),
           "the username");
    ORACLE("shape", tokenized->content.len <= limits.content && model_is_text(tokenized->content.at, tokenized->content.len),
           "the content");
    ORACLE("span", tokenized->username.len == 0 ||
                       (tokenized->username.at >= at && tokenized->username.at + tokenized->username.len <= at + len),
           "the username");
    ORACLE("span", tokenized->content.len == 0 ||
                       (tokenized->content.at >= at && tokenized->content.at + tokenized->content.len <= at + len),
           "the content");
    ORACLE("round-trip", slot_put_request(out, sizeof out, tokenized, &written) == SLOT_OK, "it cannot be written");
    oracle_same_bytes("round-trip", "put(get(request))", at, len, out, written);
    ORACLE("round-trip", slot_put_request(out, len - 1, tokenized, &written) == SLOT_NO_ROOM, "it fits into one byte less");
}

static void check_reply(const smsp_result *result, smsp_span text)
{
    static const smsp_salt none;
    uint8_t *entry = malloc(SLOT_REPLY_MAX);
    smsp_result read = {.code = SMSP_NO_REPLY};
    smsp_span read_text = {NULL, 0};
    size_t len = 0;
    size_t again = 0;

    ORACLE("memory", entry != NULL, "%u bytes", SLOT_REPLY_MAX);
    ORACLE("round-trip", slot_put_reply(entry, SLOT_REPLY_MAX, result, text, &len) == SLOT_OK, "a reply");
    uint8_t *copy = exact_copy(entry, len);
    ORACLE("round-trip", slot_get_reply(copy, len, &read, &read_text, &again) == SLOT_OK && again == len, "a reply");
    ORACLE("round-trip", read.code == result->code, "code %d for %d", (int)read.code, (int)result->code);
    ORACLE("round-trip", result->code != SMSP_REPLY_COUNTED || read.count == result->count, "the count");
    if (result->code == SMSP_REPLY_TEXT)
        oracle_same_bytes("round-trip", "a text", text.at, text.len, read_text.at, read_text.len);
    ORACLE("round-trip", result->code != SMSP_REPLY_SALT || memcmp(&read.salt, &result->salt, sizeof none) == 0,
           "the salt");
    for (size_t less = 0; less < len; less += 1 + len / 8) {
        uint8_t *shorter = exact_copy(copy, less);
        ORACLE("prefix", slot_get_reply(shorter, less, &read, &read_text, &again) == SLOT_BAD, "%zu of %zu bytes",
               less, len);
        free(shorter);
    }
    free(copy);
    free(entry);
}

static void execute(const smsp_tokenized *tokenized)
{
    uint8_t text[SMSP_CONTENT_MAX];
    smsp_result result = {.code = SMSP_NO_REPLY};
    size_t len = 0;

    engine_enters();
    smsp_error error = smsp_execute(w.state, tokenized, &result);
    engine_leaves();
    ORACLE("answer", error == SMSP_OK, "%s", smsp_strerror(error));
    ORACLE("answer", (unsigned)result.code <= SMSP_REPLY_AGAIN, "code %d", (int)result.code);
    if (result.code == SMSP_REPLY_TEXT)
        ORACLE("answer", smsp_message_read(w.state, result.message, text, sizeof text, &len) == SMSP_OK &&
                             len == result.length,
               "a text of %zu bytes, not %u", len, (unsigned)result.length);
    world_log(&w, &result.effect);
    if (oracles() != ORACLES_ALL)
        return;
    world_check(&w);
    check_reply(&result, (smsp_span){text, len});
}

static size_t read_head(slot *s, const uint8_t *data, size_t size)
{
    size_t len = size - HEAD < SLOT_BYTES ? size - HEAD : SLOT_BYTES;

    memset(s, 0xff, sizeof *s);
    memcpy(s->requests, data + HEAD, len);
    atomic_store(&s->request_count, (uint32_t)(data[0] * 256u + data[1]));
    atomic_store(&s->request_len, data[2] == 255 ? (uint32_t)(SLOT_BYTES - 4 + data[3] % 8)
                                                 : (uint32_t)(data[2] * 256u + data[3]));
    return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static slot theirs;
    uint8_t *copy;
    uint32_t count, len;
    size_t used = 0;

    if (size < HEAD)
        return 0;
    (void)read_head(&theirs, data, size);
    prepare(data[4]);
    copy = malloc(SLOT_BYTES);
    ORACLE("memory", copy != NULL, "%u bytes", SLOT_BYTES);
    slot_error taken = slot_copy_in(&theirs, copy, &count, &len);
    if (taken == SLOT_OK) {
        ORACLE("span", count >= 1 && count <= SLOT_RUN_MAX && len <= SLOT_BYTES, "%u requests of %u bytes", count,
               len);
        uint8_t *exact = exact_copy(copy, len);
        for (size_t at = 0; count > 0; count--, at += used) {
            smsp_tokenized tokenized = {.verb = SMSP_DUMP};
            if (slot_get_request(exact + at, len - at, &tokenized, &used) != SLOT_OK)
                break;
            ORACLE("span", used >= 4 && used <= len - at, "%zu bytes were used", used);
            if (oracles() == ORACLES_ALL)
                check_request(&tokenized, exact + at, used);
            execute(&tokenized);
        }
        free(exact);
        if (oracles() == ORACLES_ALL)
            world_check_effects(&w);
    }
    free(copy);
    return 0;
}

void target_show(const uint8_t *data, size_t size, FILE *to)
{
    static slot theirs;
    static uint8_t copy[SLOT_BYTES];
    uint32_t count = 0, len = 0;
    size_t used = 0;
    smsp_tokenized tokenized;

    if (size < HEAD)
        return;
    (void)read_head(&theirs, data, size);
    slot_error taken = slot_copy_in(&theirs, copy, &count, &len);
    fprintf(to, "%u requests in %u bytes%s\n", count, len, taken == SLOT_OK ? "" : ": rejected");
    for (size_t at = 0; taken == SLOT_OK && count > 0; count--, at += used) {
        if (slot_get_request(copy + at, len - at, &tokenized, &used) != SLOT_OK) {
            fputs("not a request: rejected\n", to);
            break;
        }
        fprintf(to, "%s, username '%.*s', content ",
                tokenized.verb == SMSP_SALT ? "(asks for the salt)" : smsp_verb_name(tokenized.verb),
                (int)tokenized.username.len, (const char *)tokenized.username.at);
        show_bytes(to, tokenized.content.at, tokenized.content.len);
        fputc('\n', to);
    }
}
