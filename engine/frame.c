/* SPDX-License-Identifier: ISC */
/* Framing: where a request ends (FRM-1 to FRM-8, FRM-15). */
#include "smsp.h"
#include <string.h>

/* Bytes that block_has searches at once: the compiler makes vector code of its loop. */
#define BLOCK 16u

#ifdef __FRAMAC__
#include "proof/frame_contracts.h"
#endif

/* Returns true if the BLOCK bytes at offset from contain a or b. */
static bool block_has(const uint8_t *buffer, size_t from, uint8_t a, uint8_t b)
{
    uint8_t hits = 0;

    /*@ loop invariant 0 <= i <= BLOCK && 0 <= hits <= i;
        loop invariant hits == 0 ==> \forall integer k; from <= k < from + i ==> buffer[k] != a && buffer[k] != b;
        loop assigns i, hits;
        loop variant BLOCK - i;
    */
    for (size_t i = 0; i < BLOCK; i++) /* a sum is as fast as | and easier to prove */
        hits = (uint8_t)(hits + (buffer[from + i] == a || buffer[from + i] == b));
    return hits != 0;
}

/* Returns the first offset in from..to with the byte a or b, or to. */
static size_t find(const uint8_t *buffer, size_t from, size_t to, uint8_t a, uint8_t b)
{
    /*@ loop invariant \at(from, Pre) <= from <= to;
        loop invariant \forall integer k; \at(from, Pre) <= k < from ==> buffer[k] != a && buffer[k] != b;
        loop assigns from;
        loop variant to - from;
    */
    while (to - from >= BLOCK && !block_has(buffer, from, a, b))
        from += BLOCK;
    /*@ loop invariant \at(from, Pre) <= from <= to;
        loop invariant \forall integer k; \at(from, Pre) <= k < from ==> buffer[k] != a && buffer[k] != b;
        loop assigns from;
        loop variant to - from;
    */
    while (from < to && buffer[from] != a && buffer[from] != b)
        from++;
    return from;
}

smsp_error smsp_frame_init(smsp_frame *frame, uint8_t *buffer, size_t size, size_t longest)
{
    if (size < 3 || size - 3 < longest) /* SMSP_FRAME_SIZE without overflow */
        return SMSP_NO_ROOM;
    *frame = (smsp_frame){.buffer = buffer, .size = size, .longest = longest, .ending = SMSP_ENDS_UNKNOWN};
    return SMSP_OK;
}

uint8_t *smsp_frame_room(smsp_frame *frame, size_t *room)
{
    size_t held = frame->end - frame->start;

    if (frame->start > 0 && held > 0)
        memmove(frame->buffer, frame->buffer + frame->start, held);
    frame->scanned -= frame->start;
    frame->start = 0;
    frame->end = held;
    *room = frame->size - held;
    return frame->buffer + held;
}

smsp_error smsp_frame_fed(smsp_frame *frame, size_t count)
{
    if (count > frame->size - frame->end)
        return SMSP_NO_ROOM;
    frame->end += count;
    return SMSP_OK;
}

/* Drops the current line if it has more than most bytes without a terminator. The error is
 * reported when the line ends. */
static void drop_too_long(smsp_frame *frame, size_t most)
{
    if (!frame->discarding && frame->end - frame->start <= most)
        return;
    frame->discarding = true;
    frame->start = frame->end;
    frame->scanned = frame->end;
}

/* Takes the line from start to stop; the next line begins at next. */
static smsp_error take_line(smsp_frame *frame, size_t stop, size_t next, smsp_span *line)
{
    const uint8_t *at = frame->buffer + frame->start;
    size_t len = stop - frame->start;
    bool too_long = frame->discarding || len > frame->longest;

    frame->start = next;
    frame->scanned = next;
    frame->discarding = false;
    if (too_long)
        return SMSP_TOO_LONG;
    line->at = at;
    line->len = len;
    return SMSP_OK;
}

/* Returns the end of a line with LF at lf: one CR directly before it is dropped (FRM-2). */
static size_t before_cr(const smsp_frame *frame, size_t lf)
{
    return lf > frame->start && frame->buffer[lf - 1] == '\r' ? lf - 1 : lf;
}

smsp_error smsp_frame_next(smsp_frame *frame, smsp_span *line)
{
    uint8_t a = frame->ending == SMSP_ENDS_NUL ? '\0' : '\n';
    uint8_t b = frame->ending == SMSP_ENDS_LF ? '\n' : '\0'; /* a == b if the terminator is known */

    if (frame->ending == SMSP_ENDS_SILENCE) {
        drop_too_long(frame, frame->longest + 2); /* LF or CR LF may end it */
        return SMSP_NEED_MORE;
    }
    size_t at = find(frame->buffer, frame->scanned, frame->end, a, b);
    frame->scanned = at;
    if (at == frame->end) {
        drop_too_long(frame, frame->longest + 1); /* its last byte may be a CR */
        return SMSP_NEED_MORE;
    }
    if (frame->buffer[at] == '\0') {
        frame->ending = SMSP_ENDS_NUL;
        return take_line(frame, at, at + 1, line);
    }
    frame->ending = SMSP_ENDS_LF;
    return take_line(frame, before_cr(frame, at), at + 1, line);
}

/* Returns true if silence ends the current request now (FRM-4, FRM-5, FRM-8). */
static bool silence_ends(const smsp_frame *frame)
{
    size_t least = frame->ending == SMSP_ENDS_UNKNOWN ? 2 : 1; /* FRM-4: more than one byte */

    if (frame->ending == SMSP_ENDS_LF || frame->ending == SMSP_ENDS_NUL)
        return false;
    return frame->end - frame->start >= least || frame->discarding;
}

int smsp_frame_silence_ms(const smsp_frame *frame)
{
    if (!silence_ends(frame))
        return -1;
    return frame->ending == SMSP_ENDS_UNKNOWN ? SMSP_FIRST_SILENCE_MS : SMSP_SILENCE_MS;
}

smsp_error smsp_frame_end_here(smsp_frame *frame, smsp_span *line)
{
    size_t held = frame->end - frame->start;
    size_t stop = frame->end;

    if (!silence_ends(frame))
        return SMSP_NEED_MORE;
    if (frame->ending == SMSP_ENDS_UNKNOWN && frame->scanned != frame->end)
        return SMSP_NEED_MORE; /* the bytes may contain a terminator: call smsp_frame_next first */
    frame->ending = SMSP_ENDS_SILENCE;
    if (held > 0 && frame->buffer[stop - 1] == '\n')
        stop = before_cr(frame, stop - 1);
    else if (held > 0 && frame->buffer[stop - 1] == '\0')
        stop--;
    return take_line(frame, stop, frame->end, line);
}

bool smsp_frame_partial(const smsp_frame *frame)
{
    return frame->end > frame->start || frame->discarding;
}
