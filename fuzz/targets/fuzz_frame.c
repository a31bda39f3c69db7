/* SPDX-License-Identifier: ISC */
/* Framing: the lines found in a stream must not depend on how it is cut, and must be those
 * that the model finds byte by byte. The input is a transcript (transcript.h); all clients'
 * bytes go into one frame. Bits 4 and 5 of byte 0 select the longest line, bit 6 a buffer
 * that is larger than necessary. */
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "oracle.h"
#include "target.h"
#include "transcript.h"
#include "world.h"

const char target_name[] = "frame";

#define FOUND_MAX 400000u

/* The lines that a run finds, one after the other: S, the ending, the length and the bytes
 * of a line, or L and the ending of a line that is too long. */
typedef struct found {
    uint8_t at[FOUND_MAX];
    size_t len;
} found;

static size_t longest;
static size_t spare;

static void note(found *f, bool too_long, int ending, const uint8_t *line, size_t len)
{
    ORACLE("memory", FOUND_MAX - f->len > 6 + len, "more lines than the input can have");
    f->at[f->len++] = too_long ? 'L' : 'S';
    f->at[f->len++] = (uint8_t)('0' + ending);
    for (int i = 0; !too_long && i < 4; i++)
        f->at[f->len++] = (uint8_t)(len >> (8 * i));
    if (!too_long && len > 0)
        memcpy(f->at + f->len, line, len);
    f->len += too_long ? 0 : len;
}

/* ---- The engine ---- */

static void take_lines(smsp_frame *frame, found *f)
{
    for (;;) {
        smsp_span line = {NULL, 0};
        engine_enters();
        smsp_error error = smsp_frame_next(frame, &line);
        engine_leaves();
        if (error == SMSP_NEED_MORE)
            return;
        ORACLE("frame", error == SMSP_OK || error == SMSP_TOO_LONG, "%s", smsp_strerror(error));
        ORACLE("frame", line.len <= longest, "a line of %zu bytes", line.len);
        note(f, error == SMSP_TOO_LONG, (int)frame->ending, line.at, line.len);
    }
}

static void feed(smsp_frame *frame, const uint8_t *at, size_t len, found *f)
{
    size_t room;

    while (len > 0) {
        uint8_t *to = smsp_frame_room(frame, &room);
        ORACLE("frame", room > 0 && to + room == frame->buffer + frame->size, "%zu bytes of room", room);
        size_t count = len < room ? len : room;
        memcpy(to, at, count);
        engine_enters();
        smsp_error error = smsp_frame_fed(frame, count);
        engine_leaves();
        ORACLE("frame", error == SMSP_OK, "%s", smsp_strerror(error));
        at += count;
        len -= count;
        take_lines(frame, f);
    }
}

/* A wrong call fails and changes nothing. */
static void check_refusals(smsp_frame *frame)
{
    smsp_span line = {NULL, 0};
    size_t room, end = frame->end;
    uint8_t *to = smsp_frame_room(frame, &room);

    ORACLE("frame", smsp_frame_fed(frame, room + 1) == SMSP_NO_ROOM, "smsp_frame_fed accepted more bytes than there is room for");
    ORACLE("frame", to + room == frame->buffer + frame->size, "%zu bytes of room", room);
    ORACLE("frame", smsp_frame_partial(frame) == (to > frame->buffer || frame->discarding), "%zu bytes are held", end);
    if (room == 0 || frame->ending != SMSP_ENDS_UNKNOWN)
        return;
    *to = '\n';
    ORACLE("frame", smsp_frame_fed(frame, 1) == SMSP_OK && smsp_frame_end_here(frame, &line) == SMSP_NEED_MORE &&
                        frame->ending == SMSP_ENDS_UNKNOWN,
           "a silence ended a line before its bytes were searched");
    frame->end--;
}

static void end_here(smsp_frame *frame, found *f)
{
    smsp_span line = {NULL, 0};

    if (oracles() == ORACLES_ALL)
        check_refusals(frame);
    int silence = smsp_frame_silence_ms(frame);
    smsp_error error = smsp_frame_end_here(frame, &line);
    ORACLE("frame", (silence >= 0) == (error != SMSP_NEED_MORE), "a silence of %d ms ends the request, but smsp_frame_end_here returned: %s", silence, smsp_strerror(error));
    if (error != SMSP_NEED_MORE)
        note(f, error == SMSP_TOO_LONG, (int)frame->ending, line.at, line.len);
    take_lines(frame, f);
}

/* cut_at: if not 0, each piece of bytes is cut only there. */
static void run(const transcript *t, uint8_t cuts, size_t cut_at, found *f)
{
    size_t size = SMSP_FRAME_SIZE(longest) + spare;
    uint8_t *buffer = malloc(size);
    smsp_frame frame;
    size_t piece;

    f->len = 0;
    ORACLE("frame", smsp_frame_init(&frame, buffer, SMSP_FRAME_SIZE(longest) - 1, longest) == SMSP_NO_ROOM &&
                        smsp_frame_init(&frame, buffer, 2, 0) == SMSP_NO_ROOM,
           "smsp_frame_init accepted too little memory");
    ORACLE("frame", buffer != NULL && smsp_frame_init(&frame, buffer, size, longest) == SMSP_OK, "smsp_frame_init failed");
    for (size_t i = 0; i < t->event_count; i++) {
        const event *e = &t->events[i];
        if (e->kind == EVENT_CLOSE || e->kind == EVENT_SILENCE)
            end_here(&frame, f);
        if (e->kind == EVENT_CLOSE)
            ORACLE("frame", smsp_frame_init(&frame, buffer, size, longest) == SMSP_OK, "smsp_frame_init failed");
        if (e->kind != EVENT_BYTES)
            continue;
        for (size_t at = 0, n = 0; at < e->len; at += piece, n++) {
            piece = transcript_piece(cuts, n, e->len - at);
            if (cut_at > at && cut_at < e->len)
                piece = cut_at - at;
            feed(&frame, t->bytes + e->at + at, piece, f);
        }
    }
    free(buffer);
}

/* ---- The model ---- */

static void run_model(const transcript *t, found *f)
{
    model_stream s;
    size_t len;

    f->len = 0;
    model_stream_open(&s);
    for (size_t i = 0; i < t->event_count; i++) {
        const event *e = &t->events[i];
        bool silent = e->kind == EVENT_CLOSE || e->kind == EVENT_SILENCE;
        if (silent && model_stream_silence(&s, &len)) {
            note(f, len > longest, (int)s.ending, s.held, len);
            model_stream_next(&s);
        }
        if (e->kind == EVENT_CLOSE)
            model_stream_close(&s);
        for (size_t k = 0; e->kind == EVENT_BYTES && k < e->len; k++) {
            if (!model_stream_byte(&s, t->bytes[e->at + k], &len))
                continue;
            note(f, len > longest, (int)s.ending, s.held, len);
            model_stream_next(&s);
        }
    }
    model_stream_close(&s);
}

/* ---- The target ---- */

static transcript t;
static world cookies;

static void read_input(const uint8_t *data, size_t size)
{
    static const size_t lengths[] = {SMSP_REQUEST_MAX, 8, 16, 40};

    if (cookies.memory == NULL)
        world_open(&cookies, 1, false);
    transcript_read(&t, data, size, (const cookie_text *)cookies.cookies);
    longest = lengths[t.flags >> 4 & 3];
    spare = t.flags & 64 ? 5 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static found one, other;

    read_input(data, size);
    work_reset();
    run(&t, t.cuts, 0, &one);
    ORACLE("work", work_done() <= 2000 + 120 * t.len, "%llu blocks for %zu bytes", (unsigned long long)work_done(),
           t.len);
    if (oracles() == ORACLES_NONE)
        return 0;
    run(&t, t.cuts == 0 ? 1 : 0, 0, &other);
    oracle_same_bytes("split", "the list of lines", other.at, other.len, one.at, one.len);
    if (oracles() == ORACLES_SPLIT)
        return 0;
    run_model(&t, &other);
    oracle_same_bytes("model-frame", "the list of lines", other.at, other.len, one.at, one.len);
    for (size_t at = 1; at < t.len && t.len <= 48; at++) {
        run(&t, 0, at, &other);
        oracle_same_bytes("split", "the list of lines", one.at, one.len, other.at, other.len);
    }
    return 0;
}

void target_show(const uint8_t *data, size_t size, FILE *to)
{
    static found lines;

    read_input(data, size);
    fprintf(to, "lines of at most %zu bytes\n", longest);
    transcript_show(&t, to);
    run(&t, t.cuts, 0, &lines);
    fputs("found: ", to);
    show_bytes(to, lines.at, lines.len);
    fputc('\n', to);
}
