/* SPDX-License-Identifier: ISC */
/* The format of session inputs: the bytes that several clients send, with few escapes, so
 * that the bytes of a real session are a good input.
 *
 *   byte 0   bits 0-1: the pool of cookies (32, 5, 3 or 2), bit 2: shared mailboxes,
 *            bit 3: noise (see fuzz_session.c)
 *   byte 1   how the bytes are cut into pieces; 0: no cuts
 *   the rest: bytes that the current client sends, at first client A. The byte 0x10 begins
 *   an escape of two bytes:
 *     A B C D   this is the current client from here on
 *     0-9 a-v   the cookie with this number
 *     |         a cut
 *     .         the client is silent: the request ends here
 *     !         the client closes its connection and connects again
 *     &         a batch: commit, begin
 *     ~         roll the batch back
 *     %         toggle read-only
 *     * h l     repeat the byte before it 256 h + l times, at most 5,000
 *     other     that byte
 */
#ifndef TRANSCRIPT_H
#define TRANSCRIPT_H

#include <stdio.h>

#include "smsp.h"

#define TRANSCRIPT_CLIENTS 4u
#define TRANSCRIPT_ESCAPE  0x10

typedef enum {
    EVENT_BYTES,
    EVENT_SILENCE,
    EVENT_CLOSE,
    EVENT_COMMIT,
    EVENT_ROLLBACK,
    EVENT_READ_ONLY
} event_kind;

typedef struct event {
    event_kind kind;
    unsigned client;
    size_t at, len; /* of bytes */
} event;

typedef struct transcript {
    uint8_t flags, cuts;
    unsigned pool;
    bool shared_mailboxes, noise;
    event *events;
    size_t event_count, event_room;
    uint8_t *bytes;
    size_t len, room;
} transcript;

typedef uint8_t cookie_text[SMSP_COOKIE_LEN];

/* Reads an input; cookies are those of world.h. The memory of t is used again by the next call. */
void transcript_read(transcript *t, const uint8_t *data, size_t size, const cookie_text *cookies);

/* The length of piece number n if left bytes remain, for the cuts of byte 1. */
size_t transcript_piece(uint8_t cuts, size_t n, size_t left);

/* Prints the transcript, one line for each request. */
void transcript_show(const transcript *t, FILE *to);

/* Prints bytes: printable ASCII unchanged, the rest as \xHH. Repeats and the end of long
 * inputs are printed as counts. */
void show_bytes(FILE *to, const uint8_t *at, size_t len);

#endif
