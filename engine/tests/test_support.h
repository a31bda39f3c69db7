/* SPDX-License-Identifier: ISC */
/* What the unit tests share: cmocka, buffers of exact size, and a small state that
 * answers requests in one process (world). */
#ifndef SMSP_TEST_SUPPORT_H
#define SMSP_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "siphash.h"
#include "smsp.h"
#include "test_secrets.h"

#define BYTES(literal) (const uint8_t *)("" literal), sizeof(literal) - 1
#define SPAN(literal) ((smsp_span){BYTES(literal)})

static inline void assert_span_is(smsp_span span, const void *expected, size_t len)
{
    assert_int_equal(span.len, len);
    if (len > 0)
        assert_memory_equal(span.at, expected, len);
}

#define assert_span_equal(span, literal) assert_span_is((span), (literal), sizeof(literal) - 1)

/* A copy in a heap block of exactly its size, so that sanitizers and valgrind detect a read
 * past its end. The caller frees it. */
static inline uint8_t *exact(const void *at, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);

    assert_non_null(copy);
    if (len > 0)
        memcpy(copy, at, len);
    return copy;
}

/* ---- A world: one state, predictable secrets, and a buffer for the reply ---- */

typedef struct world {
    smsp_config config;
    smsp_state *state;
    void *memory;
    smsp_secrets secrets;
    uint64_t drawn;          /* number of draws */
    const uint8_t *scripted; /* the next bytes to draw, or NULL */
    size_t scripted_left;
    bool no_randomness; /* draw fails */
    bool no_hashing;    /* password fails */
    uint8_t *line;          /* the last request: what.effect points into it */
    smsp_answer_out what;
    char reply[SMSP_REPLY_MAX + 2];
} world;

static inline bool test_draw(void *context, uint8_t *out, size_t len)
{
    world *w = context;
    uint8_t key[SMSP_KEY_LEN] = "draw";

    if (w->no_randomness)
        return false;
    w->drawn++;
    for (size_t i = 0; i < len; i++) {
        uint64_t input = w->drawn * 1000 + i;
        out[i] = (uint8_t)smsp_siphash(key, (const uint8_t *)&input, sizeof input);
        if (w->scripted_left > 0) {
            out[i] = *w->scripted++;
            w->scripted_left--;
        }
    }
    return true;
}

static inline bool test_password_or_not(void *context, smsp_span password, const smsp_salt *salt, smsp_token *out)
{
    const world *w = context;

    return !w->no_hashing && test_password(NULL, password, salt, out);
}

static inline smsp_limits small_limits(void)
{
    return (smsp_limits){.accounts = 4, .messages = 8, .text = 64 * 80, .mailbox = 3, .journal = 100};
}

static inline smsp_state *new_state(const smsp_config *config, void **memory)
{
    smsp_state *state = NULL;
    size_t size = smsp_state_size(&config->limits);

    assert_int_not_equal(size, 0);
    *memory = malloc(size);
    assert_non_null(*memory);
    memset(*memory, 0x5a, size); /* no code may rely on zeroed memory */
    assert_int_equal(smsp_state_init(*memory, size, config, &state), SMSP_OK);
    return state;
}

static inline void world_open(world *w, smsp_limits limits)
{
    *w = (world){.config = {.limits = limits, .cost = 7, .verifier = test_verifier}};
    memcpy(w->config.salt_key, "the key of salts", SMSP_KEY_LEN);
    w->secrets = (smsp_secrets){w, test_draw, test_password_or_not, test_cookie};
    w->state = new_state(&w->config, &w->memory);
}

static inline void world_close(world *w)
{
    assert_null(smsp_state_check(w->state));
    free(w->memory);
    free(w->line);
}

/* Answers one line; the reply is a string without terminator. */
static inline const char *say_bytes(world *w, const uint8_t *line, size_t len)
{
    free(w->line);
    w->line = exact(line, len);
    smsp_line in = {{w->line, len}, false, SMSP_ENDS_SILENCE};
    assert_int_equal(
        smsp_answer(w->state, &w->secrets, &in, (uint8_t *)w->reply, sizeof w->reply - 1, &w->what), SMSP_OK);
    w->reply[w->what.len] = '\0';
    assert_null(smsp_state_check(w->state));
    return w->reply;
}

static inline const char *say(world *w, const char *format, ...)
{
    char line[SMSP_REQUEST_MAX + 100];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    assert_true(len >= 0 && (size_t)len < sizeof line);
    return say_bytes(w, (const uint8_t *)line, (size_t)len);
}

/* REGISTER or LOGIN, which must succeed; writes the cookie to the caller's array. */
typedef char cookie_text[SMSP_COOKIE_LEN + 1];

static inline void enter(world *w, const char *verb, const char *name, cookie_text cookie)
{
    const char *reply = say(w, "%s %s password", verb, name);

    assert_memory_equal(reply, "OK ", 3);
    assert_true(smsp_cookie_ok((const uint8_t *)reply + 3, strlen(reply) - 3));
    memcpy(cookie, reply + 3, SMSP_COOKIE_LEN + 1);
}

/* For cmocka_unit_test_setup_teardown: a world with small limits for each test. */
static inline int setup(void **data)
{
    world *w = malloc(sizeof *w);

    assert_non_null(w);
    world_open(w, small_limits());
    *data = w;
    return 0;
}

static inline int teardown(void **data)
{
    world_close(*data);
    free(*data);
    return 0;
}

#define KO "KO"
#define LOG_IN "You should log in first."

#endif
