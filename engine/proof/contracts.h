/* SPDX-License-Identifier: ISC */
/* Contracts of the public functions, in ACSL. Frama-C includes this file before each source
 * file; compilers never see it. A contract requires of the caller only what smsp.h says. */
#ifndef SMSP_CONTRACTS_H
#define SMSP_CONTRACTS_H

#include "memory.h"
#include "smsp.h"

#define __FC_STRING_H_            /* memory.h replaces string.h */
#define _Static_assert(what, why) /* Frama-C 25 cannot read it; compilers check it */

/* ---- Text: the grammar of PROTOCOL.md, section 2 ---- */

/*@ predicate alphanumeric(integer b) = 'a' <= b <= 'z' || 'A' <= b <= 'Z' || '0' <= b <= '9';

    predicate name(uint8_t *s, integer n) =
        1 <= n <= SMSP_NAME_MAX && \forall integer k; 0 <= k < n ==> alphanumeric(s[k]);
*/

#ifdef SMSP_PROVE_TEXT
/*@ predicate continues(integer b) = 0x80 <= b <= 0xbf;

    predicate plain(integer b) = 0x20 <= b <= 0x7e;

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

    // each of the n bytes is plain
    predicate all_plain(uint8_t *s, integer n) = n <= 0 || (plain(s[n - 1]) && all_plain(s, n - 1));
*/
#else /* other files do not need the definitions, which only slow the prover down */
/*@ axiomatic Text {
        predicate text(uint8_t *s, integer i, integer n) reads s[i .. n - 1];
    }
*/
#endif

/*@ predicate hexadecimal(integer b) = '0' <= b <= '9' || 'a' <= b <= 'f';

    predicate all_hexadecimal(uint8_t *s, integer n) =
        n <= 0 || (hexadecimal(s[n - 1]) && all_hexadecimal(s, n - 1));
*/
#if defined SMSP_PROVE_TEXT || defined SMSP_PROVE_SPACES
//@ predicate cookie(uint8_t *s, integer n) = n == SMSP_COOKIE_LEN && all_hexadecimal(s, n);
#else
/*@ axiomatic Cookie {
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

#ifndef SMSP_PROVE_TEXT /* text.c needs nothing of the following */

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

/*@ // FRM-4, FRM-5, FRM-8
    predicate silence_ends(smsp_frame *f) =
        (f->ending == SMSP_ENDS_UNKNOWN && (f->end - f->start >= 2 || f->discarding)) ||
        (f->ending == SMSP_ENDS_SILENCE && (f->end > f->start || f->discarding));
*/

/*@ requires \valid_read(frame) && frame_ok(frame);
    assigns \nothing;
    ensures silence_ends(frame) && frame->ending == SMSP_ENDS_UNKNOWN ==> \result == SMSP_FIRST_SILENCE_MS;
    ensures silence_ends(frame) && frame->ending == SMSP_ENDS_SILENCE ==> \result == SMSP_SILENCE_MS;
    ensures !silence_ends(frame) ==> \result == -1;
*/
int smsp_frame_silence_ms(const smsp_frame *frame);

/*@ requires \valid_read(frame) && frame_ok(frame);
    assigns \nothing;
    ensures \result <==> frame->end > frame->start || frame->discarding;
*/
bool smsp_frame_partial(const smsp_frame *frame);

/* ---- Requests: the grammar of PROTOCOL.md, section 2 ---- */

#ifdef SMSP_PROVE_SPACES
/*@ // the number of bytes before the first space, or n
    logic integer word(uint8_t *s, integer n) = n <= 0 || *s == ' ' ? 0 : 1 + word(s + 1, n - 1);

    // the offset of the last space of the first i bytes, or n
    logic integer until_last(uint8_t *s, integer i, integer n) =
        i <= 0 ? n : s[i - 1] == ' ' ? i - 1 : until_last(s, i - 1, n);
*/
#else
/*@ axiomatic Spaces {
        logic integer word(uint8_t *s, integer n) reads s[0 .. n - 1];
        logic integer until_last(uint8_t *s, integer i, integer n) reads s[0 .. i - 1];
    }
*/
#endif

/*@ // the span is empty, or part of the n bytes at s
    predicate inside(uint8_t *at, integer len, uint8_t *s, integer n) =
        len == 0 || (\base_addr(at) == \base_addr(s) && s <= at && at + len <= s + n);

    lemma inside_inside: \forall uint8_t *a, *s, *t, integer k, m, n;
        0 <= k ==> inside(a, k, s, m) ==> inside(s, m, t, n) ==> inside(a, k, t, n);
*/

/* In commands.h. */
/*@ assigns \nothing;
    ensures \result <==> parts == SMSP_PARTS_NAME_COOKIE || parts == SMSP_PARTS_CONTENT_COOKIE ||
        parts == SMSP_PARTS_COOKIE;
*/
static inline bool smsp_parts_have_cookie(smsp_parts parts);

/* ---- Replies ---- */

/*@ predicate of_the_wire(integer code) = 0 <= code < SMSP_REPLIES;

    predicate has_text(integer code) = code == SMSP_REPLY_COOKIE || code == SMSP_REPLY_TEXT;
*/

/*@ requires \valid_read(reply) && \valid(out + (0 .. size - 1)) && \valid(len);
    requires \separated(reply, len, out + (0 .. size - 1));
    requires has_text(reply->code) ==> \valid_read(reply->text.at + (0 .. reply->text.len - 1)) &&
        \separated(reply->text.at + (0 .. reply->text.len - 1), out + (0 .. size - 1));
    assigns out[0 .. size - 1], *len;
    ensures \result == SMSP_OK || \result == SMSP_BAD_REPLY || \result == SMSP_NO_ROOM;
    ensures \result == SMSP_BAD_REPLY <==> !of_the_wire(reply->code);
    ensures \result == SMSP_OK ==> *len <= size;
*/
smsp_error smsp_reply_format(const smsp_reply *reply, smsp_ending ending, uint8_t *out, size_t size,
                             size_t *len);

/*@ requires \valid_read(line + (0 .. len - 1)) && \valid(reply);
    requires \separated(reply, line + (0 .. len - 1));
    assigns *reply;
    ensures \result == SMSP_OK || \result == SMSP_BAD_BYTES || \result == SMSP_BAD_REPLY;
    ensures \result == SMSP_BAD_BYTES <==> 0 <= verb < SMSP_VERBS && !text(line, 0, len);
    ensures \result == SMSP_OK ==> of_the_wire(reply->code);
    ensures \result == SMSP_OK ==> inside(reply->text.at, reply->text.len, line, len);
    ensures \result == SMSP_OK && reply->code == SMSP_REPLY_COOKIE ==>
        (verb == SMSP_REGISTER || verb == SMSP_LOGIN) && 0 < reply->text.len <= 255;
    ensures \result == SMSP_OK && reply->code == SMSP_REPLY_COUNTED ==> verb == SMSP_COUNT;
    ensures \result == SMSP_OK && reply->code == SMSP_REPLY_TEXT ==>
        verb == SMSP_GETMSG && reply->text.len == len > 0;
*/
smsp_error smsp_reply_parse(smsp_verb verb, const uint8_t *line, size_t len, smsp_reply *reply);

/* ---- Effects ---- */

/*@ predicate well_shaped(smsp_effect *e) =
        0 < e->kind < SMSP_EFFECTS && name(e->username.at, e->username.len) &&
        (e->kind == SMSP_EFFECT_MESSAGE ==>
            0 < e->content.len <= SMSP_CONTENT_MAX && text(e->content.at, 0, e->content.len));
*/

/*@ requires \valid_read(effect) && \valid(out + (0 .. size - 1)) && \valid(len);
    requires \separated(effect, len, out + (0 .. size - 1));
    requires \valid_read(effect->username.at + (0 .. effect->username.len - 1)) &&
        \separated(effect->username.at + (0 .. effect->username.len - 1), out + (0 .. size - 1));
    requires effect->kind == SMSP_EFFECT_MESSAGE ==>
        \valid_read(effect->content.at + (0 .. effect->content.len - 1)) &&
        \separated(effect->content.at + (0 .. effect->content.len - 1), out + (0 .. size - 1));
    assigns out[0 .. size - 1], *len;
    ensures \result == SMSP_OK || \result == SMSP_BAD_EFFECT || \result == SMSP_NO_ROOM;
    ensures \result == SMSP_OK ==> *len <= size;
*/
smsp_error smsp_effect_encode(const smsp_effect *effect, uint8_t *out, size_t size, size_t *len);

/*@ requires \valid_read(bytes + (0 .. len - 1)) && \valid(effect) && \valid(used);
    requires \separated(effect, used, bytes + (0 .. len - 1));
    assigns *effect, *used;
    ensures \result == SMSP_OK || \result == SMSP_NEED_MORE || \result == SMSP_BAD_EFFECT;
    ensures \result == SMSP_OK ==> 0 < *used <= len;
    ensures \result == SMSP_OK ==> 0 < effect->kind < SMSP_EFFECTS;
    ensures \result == SMSP_OK ==> inside(effect->username.at, effect->username.len, bytes, len);
    ensures \result == SMSP_OK ==> 0 < effect->username.len <= SMSP_NAME_MAX;
    ensures \result == SMSP_OK && effect->kind == SMSP_EFFECT_MESSAGE ==>
        inside(effect->content.at, effect->content.len, bytes, len) && 0 < effect->content.len <= SMSP_CONTENT_MAX;
*/
smsp_error smsp_effect_decode(const uint8_t *bytes, size_t len, smsp_effect *effect, size_t *used);

#endif
#endif
