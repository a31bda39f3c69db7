/* SPDX-License-Identifier: ISC */
/* The language of session inputs: what several clients send, almost as they send
 * it, so that a transcript of a real session is a good input as it stands.
 *
 *   byte 0   bits 0-1: the pool of cookies (32, 5, 3 or 2), bit 2: shared mailboxes,
 *            bit 3: noise (see fuzz_session.c)
 *   byte 1   how the bytes are cut into pieces; 0: not at all
 *   the rest, bytes of the client who speaks, at first A; the byte 0x10 begins an
 *   escape of two bytes:
 *     A B C D   this client speaks from here on
 *     0-9 a-v   the cookie with this number
 *     |         a cut
 *     .         the client is silent: the request ends here
 *     !         the client closes, and connects anew
 *     &         a batch: commit, begin
 *     ~         roll the batch back
 *     %         read-only, or no longer
 *     * h l     the byte before it, 256 h + l times more, at most 5,000
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

/* Reads an input; cookies as world.h has them. Its memory is kept for the next. */
void transcript_read(transcript *t, const uint8_t *data, size_t size, const cookie_text *cookies);

/* The length of piece number n of what is left, for cuts as in byte 1. */
size_t transcript_piece(uint8_t cuts, size_t n, size_t left);

/* The transcript for people: one line a request, cookies by number. */
void transcript_show(const transcript *t, FILE *to);

/* Bytes made visible: printable ASCII stands, the rest is \xHH; what
 * is long is told, not shown. */
void show_bytes(FILE *to, const uint8_t *at, size_t len);

#endif
