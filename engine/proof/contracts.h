/* What the public functions promise, in ACSL. Frama-C reads this page before
 * each source file; compilers never see it. The contracts assume what smsp.h
 * says of its parameters and no more. */
#ifndef SMSP_CONTRACTS_H
#define SMSP_CONTRACTS_H

#include "memory.h"
#include "smsp.h"

#define __FC_STRING_H_ /* memory.h stands for string.h */

/* ---- Text: the grammar of PROTOCOL.md, section 2 ---- */

/*@ predicate alphanumeric(integer b) = 'a' <= b <= 'z' || 'A' <= b <= 'Z' || '0' <= b <= '9';

    predicate name(uint8_t *s, integer n) =
        1 <= n <= SMSP_NAME_MAX && \forall integer k; 0 <= k < n ==> alphanumeric(s[k]);
*/

#ifdef SMSP_PROVE_TEXT
/*@ predicate continues(integer b) = 0x80 <= b <= 0xbf;

    predicate plain(integer b) = 0x20 <= b <= 0x7e;

    predicate hexadecimal(integer b) = '0' <= b <= '9' || 'a' <= b <= 'f';

    // RFC 3629, section 4: UTF8-2 without the controls U+0080 to U+009F, UTF8-3, UTF8-4
    predicate two(uint8_t *s) =
        continues(s[1]) && (0xc3 <= s[0] <= 0xdf || (s[0] == 0xc2 && 0xa0 <= s[1]));

    predicate three(uint8_t *s) =
        continues(s[1]) && continues(s[2]) &&
        ((s[0] == 0xe0 && 0xa0 <= s[1]) || 0xe1 <= s[0] <= 0xec || (s[0] == 0xed && s[1] <= 0x9f) ||
         0xee <= s[0] <= 0xef);

    predicate four(uint8_t *s) =
        continues(s[1]) && continues(s[2]) && continues(s[3]) &&
        ((s[0] == 0xf0 && 0x90 <= s[1]) || 0xf1 <= s[0] <= 0xf3 || (s[0] == 0xf4 && s[1] <= 0x8f));

    // the first len of the n bytes are one character
    predicate character(uint8_t *s, integer n, integer len) =
        len <= n && ((len == 1 && plain(s[0])) || (len == 2 && two(s)) || (len == 3 && three(s)) ||
                     (len == 4 && four(s)));

    predicate no_character(uint8_t *s, integer n) =
        !character(s, n, 1) && !character(s, n, 2) && !character(s, n, 3) && !character(s, n, 4);

    // s[i..n) is text
    predicate text(uint8_t *s, integer i, integer n) =
        i >= n || (character(s + i, n - i, 1) && text(s, i + 1, n)) ||
        (character(s + i, n - i, 2) && text(s, i + 2, n)) ||
        (character(s + i, n - i, 3) && text(s, i + 3, n)) ||
        (character(s + i, n - i, 4) && text(s, i + 4, n));

    // each of the n bytes is plain, or hexadecimal
    predicate all_plain(uint8_t *s, integer n) = n <= 0 || (plain(s[n - 1]) && all_plain(s, n - 1));

    predicate all_hexadecimal(uint8_t *s, integer n) =
        n <= 0 || (hexadecimal(s[n - 1]) && all_hexadecimal(s, n - 1));

    predicate cookie(uint8_t *s, integer n) = n == SMSP_COOKIE_LEN && all_hexadecimal(s, n);
*/
#else /* Elsewhere nothing rests on what these say, and the prover gets lost in their definitions. */
/*@ axiomatic Text {
        predicate text(uint8_t *s, integer i, integer n) reads s[i .. n - 1];
        predicate cookie(uint8_t *s, integer n) reads s[0 .. n - 1];
    }
*/
#endif

/*@ requires readable: \valid_read(at + (0 .. len - 1));
    assigns \nothing;
    ensures \result <==> text(at, 0, len);
*/
bool smsp_text_ok(const uint8_t *at, size_t len);

/*@ requires readable: \valid_read(at + (0 .. len - 1));
    assigns \nothing;
    ensures \result <==> name(at, len);
*/
bool smsp_name_ok(const uint8_t *at, size_t len);

/*@ requires readable: \valid_read(at + (0 .. len - 1));
    assigns \nothing;
    ensures \result <==> cookie(at, len);
*/
bool smsp_cookie_ok(const uint8_t *at, size_t len);

/* ---- Frame ---- */

/*@ predicate frame_ok(smsp_frame *f) =
        f->start <= f->scanned <= f->end <= f->size && f->size >= 3 && f->longest <= f->size - 3 &&
        0 <= f->ending <= SMSP_ENDS_SILENCE && (f->discarding == 0 || f->discarding == 1) &&
        \valid(f->buffer + (0 .. f->size - 1)) && \separated(f, f->buffer + (0 .. f->size - 1));

    // the line is inside the bytes from..to of the frame's buffer
    predicate line_in(smsp_frame *f, smsp_span *line, integer from, integer to) =
        from + line->len <= to && line->at == f->buffer + from && line->len <= f->longest;
*/

/*@ requires \valid(frame) && \valid(buffer + (0 .. size - 1));
    requires \separated(frame, buffer + (0 .. size - 1));
    assigns *frame;
    ensures \result == SMSP_OK ==> frame_ok(frame) && frame->buffer == buffer && frame->size == size;
    ensures \result == SMSP_OK <==> size >= SMSP_FRAME_SIZE(longest);
    ensures \result == SMSP_OK || \result == SMSP_NO_ROOM;
*/
smsp_error smsp_frame_init(smsp_frame *frame, uint8_t *buffer, size_t size, size_t longest);

/*@ requires \valid(frame) && frame_ok(frame) && \valid(room);
    requires \separated(room, frame, frame->buffer + (0 .. frame->size - 1));
    assigns *room, frame->start, frame->scanned, frame->end, frame->buffer[0 .. frame->size - 1];
    ensures frame_ok(frame) && frame->start == 0;
    ensures frame->end == \old(frame->end - frame->start);
    ensures \result == frame->buffer + frame->end && *room == frame->size - frame->end;
    ensures \forall integer k; 0 <= k < frame->end ==> frame->buffer[k] == \old(frame->buffer[frame->start + k]);
*/
uint8_t *smsp_frame_room(smsp_frame *frame, size_t *room);

/*@ requires \valid(frame) && frame_ok(frame);
    assigns frame->end;
    ensures frame_ok(frame);
    ensures \result == SMSP_OK ==> frame->end == \old(frame->end) + count;
    ensures \result != SMSP_OK ==> \result == SMSP_NO_ROOM && frame->end == \old(frame->end);
    ensures \result == SMSP_OK <==> count <= \old(frame->size - frame->end);
*/
smsp_error smsp_frame_fed(smsp_frame *frame, size_t count);

/*@ requires \valid(frame) && frame_ok(frame) && \valid(line);
    requires \separated(line, frame, frame->buffer + (0 .. frame->size - 1));
    assigns *line, frame->start, frame->scanned, frame->discarding, frame->ending;
    ensures frame_ok(frame) && frame->scanned >= \old(frame->scanned);
    ensures \result == SMSP_OK || \result == SMSP_TOO_LONG || \result == SMSP_NEED_MORE;
    ensures \result == SMSP_OK ==> line_in(frame, line, \old(frame->start), frame->start - 1);
    ensures \result == SMSP_NEED_MORE ==> frame->scanned == frame->end || frame->ending == SMSP_ENDS_SILENCE;
    ensures \result != SMSP_NEED_MORE ==> frame->start > \old(frame->start) && frame->scanned == frame->start;
    ensures \result != SMSP_NEED_MORE ==>
        (frame->ending == SMSP_ENDS_LF && frame->buffer[frame->start - 1] == '\n') ||
        (frame->ending == SMSP_ENDS_NUL && frame->buffer[frame->start - 1] == 0);
    ensures \old(frame->ending) != SMSP_ENDS_UNKNOWN ==> frame->ending == \old(frame->ending);
    ensures \old(frame->ending) == SMSP_ENDS_SILENCE ==> \result == SMSP_NEED_MORE;
*/
smsp_error smsp_frame_next(smsp_frame *frame, smsp_span *line);

/*@ requires \valid(frame) && frame_ok(frame) && \valid(line);
    requires \separated(line, frame, frame->buffer + (0 .. frame->size - 1));
    assigns *line, frame->start, frame->scanned, frame->discarding, frame->ending;
    ensures frame_ok(frame);
    ensures \result == SMSP_OK || \result == SMSP_TOO_LONG || \result == SMSP_NEED_MORE;
    ensures \result == SMSP_OK ==> line_in(frame, line, \old(frame->start), frame->end);
    ensures \result != SMSP_NEED_MORE ==> frame->start == frame->end && frame->ending == SMSP_ENDS_SILENCE;
    ensures \old(frame->ending) == SMSP_ENDS_LF || \old(frame->ending) == SMSP_ENDS_NUL ==>
        \result == SMSP_NEED_MORE && frame->ending == \old(frame->ending); // FRM-8
*/
smsp_error smsp_frame_end_here(smsp_frame *frame, smsp_span *line);

/*@ requires \valid_read(frame) && frame_ok(frame);
    assigns \nothing;
    ensures \result <==> frame->end > frame->start || frame->discarding;
*/
bool smsp_frame_partial(const smsp_frame *frame);

#endif
