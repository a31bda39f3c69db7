/* SPDX-License-Identifier: ISC */
/* The server that transcripts are played against in one process: the engine, its clients and their frames. */
#include "replay_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/test_secrets.h"

const char *const delivery_names[DELIVERIES] = {
    "each send in one piece", "byte by byte", "each request done, taken back and done again"};

void put(bytes *to, const void *at, size_t len)
{
    if (to->room - to->len < len) {
        to->room = 2 * to->room + len;
        uint8_t *more = realloc(to->at, to->room);
        if (more == NULL) {
            perror("replay");
            exit(1);
        }
        to->at = more;
    }
    if (len > 0)
        memcpy(to->at + to->len, at, len);
    to->len += len;
}

/* Limits under those of smspd: no case comes near them, and a state is quickly made. */
void server_reset(server *s, delivery how)
{
    s->limits = (smsp_limits){
        .accounts = 2000, .messages = 10000, .text = UINT64_C(16) << 20, .mailbox = 10000, .journal = 10};
    s->shared_mailboxes = false;
    s->how = how;
    s->begun = false;
    s->draws = 0;
    s->terminal.len = s->seen = 0;
    for (size_t i = 0; i < CONNECTIONS; i++) {
        s->connections[i].open = false;
        s->connections[i].out.len = s->connections[i].taken = 0;
    }
}

const char *server_begin(server *s)
{
    smsp_config config = {.limits = s->limits,
                          .hash_key = "the tables' key",
                          .salt_key = "the salts' key",
                          .cost = 1,
                          .shared_mailboxes = s->shared_mailboxes,
                          .verifier = test_verifier};
    size_t size = smsp_state_size(&s->limits);

    if (size > s->size) { /* otherwise what the last case left there is one test more */
        free(s->memory);
        s->memory = malloc(size);
        s->size = s->memory == NULL ? 0 : size;
    }
    s->begun = true;
    if (size == 0 || s->size < size)
        return "no state of this size with these limits";
    smsp_error error = smsp_state_init(s->memory, s->size, &config, &s->state);
    return error == SMSP_OK ? NULL : smsp_strerror(error);
}

const char *server_connect(connection *c)
{
    smsp_error error = smsp_frame_init(&c->frame, c->input, sizeof c->input, SMSP_REQUEST_MAX);

    c->open = true;
    return error == SMSP_OK ? NULL : smsp_strerror(error);
}

static bool print(void *context, const uint8_t *at, size_t len)
{
    put(context, at, len);
    return true;
}

static const char *answer(server *s, connection *c, smsp_error framed, smsp_span line)
{
    smsp_secrets secrets = {&s->draws, test_draw_counted, test_password, test_cookie};
    uint8_t reply[SMSP_REPLY_MAX + 1];
    smsp_line in = {line, framed == SMSP_TOO_LONG, c->frame.ending};
    smsp_answer_out what = {.dump = false};
    smsp_error error = SMSP_OK;

    for (int again = s->how == TAKEN_BACK; again >= 0 && error == SMSP_OK; again--) {
        uint32_t draws = s->draws;
        smsp_begin(s->state);
        error = smsp_answer(s->state, &secrets, &in, reply, sizeof reply, &what);
        if (again > 0) {
            smsp_rollback(s->state);
            s->draws = draws;
        } else {
            smsp_commit(s->state);
        }
    }
    if (error == SMSP_OK && what.dump)
        error = smsp_dump(s->state, print, &s->terminal);
    if (error != SMSP_OK)
        return smsp_strerror(error);
    put(&c->out, reply, what.len);
    return NULL;
}

static const char *answer_lines(server *s, connection *c)
{
    smsp_span line = {NULL, 0};
    smsp_error framed;
    const char *wrong = NULL;

    while (wrong == NULL && (framed = smsp_frame_next(&c->frame, &line)) != SMSP_NEED_MORE)
        wrong = answer(s, c, framed, line);
    return wrong;
}

const char *server_silence(server *s, connection *c)
{
    smsp_span line = {NULL, 0};
    smsp_error framed = smsp_frame_end_here(&c->frame, &line);
    const char *wrong = framed == SMSP_NEED_MORE ? NULL : answer(s, c, framed, line);

    return wrong == NULL ? answer_lines(s, c) : wrong;
}

const char *server_receive(server *s, connection *c, const uint8_t *at, size_t len)
{
    const char *wrong = NULL;

    while (len > 0 && wrong == NULL) {
        size_t room;
        uint8_t *to = smsp_frame_room(&c->frame, &room);
        size_t count = s->how == BYTE_BY_BYTE ? 1 : len < room ? len : room;
        if (room == 0)
            return "a frame leaves no room for more bytes";
        memcpy(to, at, count);
        if (smsp_frame_fed(&c->frame, count) != SMSP_OK)
            return "a frame does not take as many bytes as it had room for";
        wrong = answer_lines(s, c);
        at += count;
        len -= count;
    }
    return wrong;
}

void server_free(server *s)
{
    free(s->memory);
    free(s->terminal.at);
    for (size_t i = 0; i < CONNECTIONS; i++)
        free(s->connections[i].out.at);
}
