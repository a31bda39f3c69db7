/* SPDX-License-Identifier: ISC */
/* Replies as the client reads them. Byte 0 is the verb of the request modulo 10 (9: no verb),
 * byte 1 says how the bytes are cut, the rest is what a server sends. Each line is parsed,
 * compared with an independent reading of the grammar, formatted again, and printed as the
 * client prints it. */
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "oracle.h"
#include "output.h"
#include "smsp.h"
#include "target.h"
#include "transcript.h"

const char target_name[] = "reply";

#define LINE_MAX_FOR(size) ((size) < 4096 ? (size) : 4096)

static bool is(const uint8_t *at, size_t len, const char *words)
{
    return len == strlen(words) && memcmp(at, words, len) == 0;
}

static bool begins(const uint8_t *at, size_t len, const char *words)
{
    return len >= strlen(words) && memcmp(at, words, strlen(words)) == 0;
}

/* The number of "COUNTED <n>"; -1 if it is no number, has leading zeros or exceeds 32 bits. */
static int64_t counted(const uint8_t *at, size_t len)
{
    char digits[12];
    char again[24];

    if (!begins(at, len, "COUNTED ") || len - 8 > 10 || len == 8)
        return -1;
    memcpy(digits, at + 8, len - 8);
    digits[len - 8] = '\0';
    unsigned long long n = strtoull(digits, NULL, 10);
    (void)snprintf(again, sizeof again, "%llu", n);
    return strcmp(digits, again) == 0 && n <= UINT32_MAX ? (int64_t)n : -1;
}

/* The code of the line according to the grammar; SMSP_NO_REPLY if it is no reply. */
static smsp_reply_code expected(smsp_verb verb, const uint8_t *at, size_t len)
{
    bool opens = verb == SMSP_REGISTER || verb == SMSP_LOGIN;
    bool plain = verb == SMSP_LOGOUT || verb == SMSP_MESSAGE || verb == SMSP_STORE || verb == SMSP_DELMSG ||
                 verb == SMSP_DUMP;

    if (is(at, len, "KO"))
        return SMSP_REPLY_KO;
    if (!opens && verb != SMSP_DUMP && is(at, len, "You should log in first."))
        return SMSP_REPLY_LOG_IN;
    if (plain && is(at, len, "OK"))
        return SMSP_REPLY_OK;
    if (opens && begins(at, len, "OK ") && len > 3 && len <= 3 + 255 && memchr(at + 3, ' ', len - 3) == NULL)
        return SMSP_REPLY_COOKIE;
    if (verb == SMSP_COUNT && counted(at, len) >= 0)
        return SMSP_REPLY_COUNTED;
    if (verb == SMSP_GETMSG && len > 0)
        return SMSP_REPLY_TEXT;
    return SMSP_NO_REPLY;
}

static void check_round_trip(const smsp_reply *reply, const uint8_t *line, size_t len)
{
    uint8_t *out = malloc(len + 1);
    size_t written = 0;

    ORACLE("memory", out != NULL, "%zu bytes", len + 1);
    smsp_error error = smsp_reply_format(reply, SMSP_ENDS_SILENCE, out, len, &written);
    ORACLE("round-trip", error == SMSP_OK, "format: %s", smsp_strerror(error));
    oracle_same_bytes("round-trip", "format(parse(reply))", line, len, out, written);
    ORACLE("round-trip", smsp_reply_format(reply, SMSP_ENDS_LF, out, len, &written) == SMSP_NO_ROOM,
           "LF was written although there is no room for it");
    error = smsp_reply_format(reply, SMSP_ENDS_NUL, out, len + 1, &written);
    ORACLE("round-trip", error == SMSP_OK && written == len + 1 && out[len] == '\0', "with NUL");
    free(out);
}

/* The client prints only text on a terminal, whatever the server sent. */
static void check_shown(const uint8_t *line, size_t len)
{
    char *shown = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&shown, &size);

    ORACLE("memory", memory != NULL, "no stream");
    output_text(memory, (smsp_span){line, len}, true);
    (void)fclose(memory);
    ORACLE("terminal", model_is_text((const uint8_t *)shown, size), "a control character is printed");
    ORACLE("terminal", !model_is_text(line, len) || (size == len && memcmp(shown, line, len) == 0),
           "valid text is printed differently");
    free(shown);
}

static void check_line(smsp_verb verb, smsp_span line)
{
    uint8_t *copy = exact_copy(line.at, line.len);
    smsp_reply reply = {.code = SMSP_NO_REPLY};

    engine_enters();
    smsp_error error = smsp_reply_parse(verb, copy, line.len, &reply);
    engine_leaves();
    if (oracles() == ORACLES_ALL) {
        smsp_reply_code wanted = SMSP_NO_REPLY;
        if ((unsigned)verb < SMSP_VERBS && model_is_text(copy, line.len))
            wanted = expected(verb, copy, line.len);
        ORACLE("grammar", reply.code == wanted && (error == SMSP_OK) == (wanted != SMSP_NO_REPLY),
               "%s, code %d; the grammar: %d", smsp_strerror(error), (int)reply.code, (int)wanted);
        ORACLE("grammar", wanted != SMSP_REPLY_COUNTED || (int64_t)reply.count == counted(copy, line.len), "%u",
               (unsigned)reply.count);
        if (error == SMSP_OK)
            check_round_trip(&reply, copy, line.len);
        check_shown(copy, line.len);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t longest = LINE_MAX_FOR(size);
    uint8_t *buffer = malloc(SMSP_FRAME_SIZE(longest));
    smsp_verb verb = (smsp_verb)(data[0] % 10);
    smsp_frame frame;
    smsp_span line = {NULL, 0};
    size_t room;
    size_t count;

    ORACLE("frame", buffer != NULL && smsp_frame_init(&frame, buffer, SMSP_FRAME_SIZE(longest), longest) == SMSP_OK,
           "no frame");
    for (size_t at = 2, n = 0; at < size; at += count, n++) {
        uint8_t *to = smsp_frame_room(&frame, &room);
        count = transcript_piece(data[1], n, size - at);
        count = count < room ? count : room;
        ORACLE("frame", count > 0, "no room");
        memcpy(to, data + at, count);
        ORACLE("frame", smsp_frame_fed(&frame, count) == SMSP_OK, "not fed");
        for (smsp_error e = smsp_frame_next(&frame, &line); e != SMSP_NEED_MORE; e = smsp_frame_next(&frame, &line))
            if (e == SMSP_OK)
                check_line(verb, line);
    }
    if (smsp_frame_end_here(&frame, &line) == SMSP_OK)
        check_line(verb, line);
    free(buffer);
    return 0;
}

void target_show(const uint8_t *data, size_t size, FILE *to)
{
    if (size < 2)
        return;
    fprintf(to, "to %s, pieces by %u\n< ", smsp_verb_name((smsp_verb)(data[0] % 10)), data[1]);
    show_bytes(to, data + 2, size - 2);
    fputc('\n', to);
}
