/* SPDX-License-Identifier: ISC */
/* Contracts of the static functions of frame.c. */
#ifndef SMSP_FRAME_CONTRACTS_H
#define SMSP_FRAME_CONTRACTS_H

/*@ requires \valid_read(buffer + (from .. from + BLOCK - 1)) && from + BLOCK <= SIZE_MAX;
    assigns \nothing;
    ensures !\result ==> \forall integer k; from <= k < from + BLOCK ==> buffer[k] != a && buffer[k] != b;
*/
static bool block_has(const uint8_t *buffer, size_t from, uint8_t a, uint8_t b);

/*@ requires from <= to && \valid_read(buffer + (0 .. to - 1));
    assigns \nothing;
    ensures from <= \result <= to;
    ensures \result < to ==> buffer[\result] == a || buffer[\result] == b;
    ensures \forall integer k; from <= k < \result ==> buffer[k] != a && buffer[k] != b;
*/
static size_t find(const uint8_t *buffer, size_t from, size_t to, uint8_t a, uint8_t b);

/*@ requires \valid(frame) && frame_ok(frame) && frame->scanned <= frame->end;
    assigns frame->discarding, frame->start, frame->scanned;
    ensures frame_ok(frame) && frame->scanned >= \old(frame->scanned);
    ensures frame->scanned == \old(frame->scanned) || frame->scanned == frame->end;
    ensures frame->discarding || frame->end - frame->start <= most;
*/
static void drop_too_long(smsp_frame *frame, size_t most);

/*@ requires \valid(frame) && frame_ok(frame) && \valid(line);
    requires \separated(line, frame, frame->buffer + (0 .. frame->size - 1));
    requires frame->start <= stop <= next <= frame->end;
    assigns *line, frame->start, frame->scanned, frame->discarding;
    ensures frame->start == next && frame->scanned == next;
    ensures frame_ok(frame);
    ensures \result == SMSP_OK || \result == SMSP_TOO_LONG;
    ensures \result == SMSP_OK ==> \old(frame->start) + line->len <= stop;
    ensures \result == SMSP_OK ==> line->at == frame->buffer + \old(frame->start);
    ensures \result == SMSP_OK ==> line->len <= frame->longest;
*/
static smsp_error take_line(smsp_frame *frame, size_t stop, size_t next, smsp_span *line);

/*@ requires \valid_read(frame) && frame_ok(frame) && frame->start <= lf < frame->end;
    assigns \nothing;
    ensures frame->start <= \result <= lf <= \result + 1;
    ensures \result < lf ==> frame->buffer[\result] == '\r';
*/
static size_t before_cr(const smsp_frame *frame, size_t lf);

/*@ requires \valid_read(frame) && frame_ok(frame);
    assigns \nothing;
    ensures \result <==> silence_ends(frame);
*/
static bool silence_ends(const smsp_frame *frame);

#endif
