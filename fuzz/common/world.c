/* SPDX-License-Identifier: ISC */
/* Implements world.h: predictable secrets, the log of effects, batches and the shared checks. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define UNWRITTEN(at, len) __msan_poison((at), (len))
#define WRITTEN(at, len)   __msan_unpoison((at), (len))
#endif
#endif
#ifndef UNWRITTEN
#define UNWRITTEN(at, len) memset((at), 0x5a, (len)) /* the engine must not rely on zeroed memory */
#define WRITTEN(at, len)   ((void)(at), (void)(len))
#endif

#define TINY (SMSP_CONTENT_MAX < 1000u)

/* ---- Secrets ---- */

static bool draw(void *context, uint8_t *out, size_t len)
{
    world *w = context;
    unsigned n = w->granted + w->draws++;

    if (w->broken == 1)
        return false;

    ORACLE("draw", len == SMSP_COOKIE_BYTES, "asked for %zu random bytes", len);
    for (size_t i = 0; i < len; i++) {
        const uint8_t *hex = w->cookies[n % w->pool] + 2 * i;
        unsigned high = hex[0] <= '9' ? hex[0] - (unsigned)'0' : hex[0] - (unsigned)'a' + 10;
        unsigned low = hex[1] <= '9' ? hex[1] - (unsigned)'0' : hex[1] - (unsigned)'a' + 10;
        out[i] = (uint8_t)(16 * high + low);
    }
    return true;
}

/* Passwords that differ in the last byte give tokens that differ in the last byte. */
static bool password_token(void *context, smsp_span password, const smsp_salt *salt, smsp_token *out)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    if (((const world *)context)->broken == 2)
        return false;
    memset(out->bytes, 0, SMSP_TOKEN_LEN);
    for (size_t i = 0; i < password.len; i++)
        hash = (hash ^ password.at[i]) * UINT64_C(1099511628211);
    if (password.len > 16)
        memcpy(out->bytes, &hash, 8);
    for (size_t i = 0; i < SMSP_SALT_LEN; i++)
        out->bytes[8 + i % 8] ^= (uint8_t)(salt->bytes[i] * (i + 1) + salt->cost);
    for (size_t i = 0; i < 16 && i < password.len; i++)
        out->bytes[31 - i] = password.at[password.len - 1 - i];
    return true;
}

/* A cookie's token is its text, at the end of the token. */
static void cookie_token(void *context, smsp_span cookie, smsp_token *out)
{
    (void)context;
    memset(out->bytes, 0, SMSP_TOKEN_LEN);
    for (size_t i = 0; i < cookie.len && i < SMSP_TOKEN_LEN; i++)
        out->bytes[SMSP_TOKEN_LEN - 1 - i] = cookie.at[cookie.len - 1 - i];
}

static void verifier(void *context, const smsp_token *token, smsp_token *out)
{
    (void)context;
    for (size_t i = 0; i < SMSP_TOKEN_LEN; i++)
        out->bytes[i] = token->bytes[i] ^ 0x5c;
}

static void make_cookies(world *w)
{
    static const char digits[] = "0123456789abcdef";

    memset(w->cookies, 'a', sizeof w->cookies);
    for (unsigned n = 0; n < WORLD_COOKIES; n++) {
        size_t places[3] = {SMSP_COOKIE_BYTES - 1, 0, SMSP_COOKIE_BYTES / 2};
        uint8_t *at = w->cookies[n] + 2 * places[n % 3];
        at[0] = (uint8_t)digits[n / 16];
        at[1] = (uint8_t)digits[n % 16];
    }
}

const uint8_t *world_candidate(void *context, unsigned n)
{
    const world *w = context;

    return w->cookies[n % w->pool];
}

/* ---- Opening ---- */

smsp_limits world_limits(void)
{
    if (TINY)
        return (smsp_limits){.accounts = 4, .messages = 5, .text = 7 * 64 + 63, .mailbox = 3, .imq = 4,
                             .share = 3, .journal = 6};
    return (smsp_limits){.accounts = 12, .messages = 30, .text = 150 * 64, .mailbox = 10, .journal = 12};
}

model_limits world_model_limits(bool shared_mailboxes)
{
    if (TINY)
        return (model_limits){.name = SMSP_NAME_MAX, .password = SMSP_PASSWORD_MAX, .content = SMSP_CONTENT_MAX,
                              .cookie = SMSP_COOKIE_LEN, .users = 4, .messages = 5, .mailbox = 3, .imq = 4,
                              .share = 3, .blocks = 7, .shared_mailboxes = shared_mailboxes};
    return (model_limits){.name = 32, .password = 128, .content = 4096, .cookie = 32, .users = 12,
                          .messages = 30, .mailbox = 10, .imq = 30, .share = 8, .blocks = 150,
                          .shared_mailboxes = shared_mailboxes};
}

void world_open(world *w, unsigned pool, bool shared_mailboxes)
{
    w->config = (smsp_config){.limits = world_limits(),
                              .hash_key = "the tables' key",
                              .salt_key = "the salts' key",
                              .cost = 7,
                              .shared_mailboxes = shared_mailboxes,
                              .verifier = verifier};
    if (w->memory == NULL) {
        w->size = smsp_state_size(&w->config.limits);
        w->memory = malloc(w->size);
        make_cookies(w);
    }
    ORACLE("memory", w->memory != NULL, "a state of %zu bytes", w->size);
    UNWRITTEN(w->memory, w->size);
    w->secrets = (smsp_secrets){w, draw, password_token, cookie_token};
    w->pool = pool;
    w->granted = 0;
    w->batch = false;
    w->log_len = 0;
    w->log_kept = 0;
    ORACLE("init", smsp_state_init(w->memory, w->size, &w->config, &w->state) == SMSP_OK, "no state");
}

void world_overwrite(world *w, size_t place, const void *at, size_t len)
{
    WRITTEN(w->memory, w->size);
    memcpy((uint8_t *)w->memory + place, at, len);
}

/* ---- Effects ---- */

static void log_room(world *w, size_t more)
{
    if (w->log_room - w->log_len >= more)
        return;
    w->log_room = w->log_room * 2 + more;
    w->log = realloc(w->log, w->log_room);
    ORACLE("memory", w->log != NULL, "a log of %zu bytes", w->log_room);
}

void world_log(world *w, const smsp_effect *effect)
{
    size_t len = 0;

    if (effect->kind == SMSP_EFFECT_NONE)
        return;
    log_room(w, SMSP_EFFECT_MAX);
    ORACLE("effect", smsp_effect_encode(effect, w->log + w->log_len, SMSP_EFFECT_MAX, &len) == SMSP_OK,
           "an effect of kind %d cannot be encoded", (int)effect->kind);
    w->log_len += len;
}

/* The state that effects are replayed into. */
static world second;

static void replay_one(smsp_state *state, const smsp_effect *effect)
{
    smsp_error error = smsp_replay(state, effect);

    ORACLE("replay", error == SMSP_OK, "an effect of kind %d of the log: %s", (int)effect->kind,
           smsp_strerror(error));
}

static bool take_effect(void *context, const smsp_effect *effect)
{
    world *to = context;

    to->granted += effect->has_cookie;
    return smsp_replay(to->state, effect) == SMSP_OK;
}

/* Stops after the given number of effects. */
static bool take_some(void *context, const smsp_effect *effect)
{
    size_t *left = context;

    return effect->kind != SMSP_EFFECT_NONE && (*left)-- > 1;
}

static bool write_some(void *context, const uint8_t *at, size_t len)
{
    size_t *left = context;

    (void)at;
    *left -= len < *left ? len : *left;
    return *left > 0;
}

/* smsp_dump and smsp_snapshot stop when their callback asks for it. */
static void check_stops(const world *w)
{
    smsp_counts counts = smsp_state_counts(w->state);
    size_t effects = 1 + w->log_len % 8;
    size_t bytes = 1 + w->log_len % 64;

    ORACLE("stop", (smsp_dump(w->state, write_some, &bytes) == SMSP_STOPPED) == (bytes == 0), "DUMP");
    if (counts.accounts + counts.messages >= effects)
        ORACLE("stop", smsp_snapshot(w->state, take_some, &effects) == SMSP_STOPPED, "the snapshot");
}

static void check_same(const world *w, const world *other, const char *name)
{
    const char *wrong = smsp_state_check(other->state);

    ORACLE(name, wrong == NULL, "the rebuilt state: %s", wrong);
    ORACLE(name, smsp_state_digest(w->state) == smsp_state_digest(other->state),
           "the rebuilt state differs");
}

void world_check_effects(const world *w)
{
    smsp_effect effect;
    size_t used;

    check_stops(w);
    world_open(&second, w->pool, w->config.shared_mailboxes);
    for (size_t at = 0; at < w->log_len; at += used) {
        smsp_error error = smsp_effect_decode(w->log + at, w->log_len - at, &effect, &used);
        ORACLE("effect", error == SMSP_OK, "the log: %s", smsp_strerror(error));
        replay_one(second.state, &effect);
    }
    check_same(w, &second, "replay");
    world_open(&second, w->pool, w->config.shared_mailboxes);
    ORACLE("snapshot", smsp_snapshot(w->state, take_effect, &second) == SMSP_OK, "the snapshot cannot be replayed");
    check_same(w, &second, "snapshot");
}

/* ---- Batches ---- */

void world_begin(world *w)
{
    smsp_begin(w->state);
    w->batch = true;
}

void world_commit(world *w)
{
    smsp_commit(w->state);
    w->log_kept = w->log_len;
    w->batch = false;
}

void world_rollback(world *w)
{
    smsp_rollback(w->state);
    w->log_len = w->log_kept;
    w->batch = false;
}

/* ---- Answering ---- */

static bool grants(smsp_effect_kind kind)
{
    return kind == SMSP_EFFECT_ACCOUNT || kind == SMSP_EFFECT_SESSION;
}

size_t world_answer(world *w, smsp_error framed, smsp_span line, smsp_ending ending, uint8_t *out, bool *dump,
                    bool *committed)
{
    smsp_answer_out what = {.dump = false};
    uint8_t *copy = framed == SMSP_OK ? exact_copy(line.at, line.len) : NULL;
    smsp_line exact = {{copy, framed == SMSP_OK ? line.len : 0}, framed != SMSP_OK, ending};
    smsp_error error = SMSP_JOURNAL_FULL;

    *committed = false;
    for (int tries = 0; tries < 2 && error == SMSP_JOURNAL_FULL; tries++) {
        if (tries == 1) {
            ORACLE("journal", w->batch, "the journal is full outside a batch");
            world_commit(w);
            world_begin(w);
            *committed = true;
        }
        w->draws = 0;
        engine_enters();
        error = smsp_answer(w->state, &w->secrets, &exact, out, SMSP_REPLY_MAX + 1, &what);
        engine_leaves();
    }
    ORACLE("answer", error == SMSP_OK, "%s", smsp_strerror(error));
    ORACLE("answer", what.len <= SMSP_REPLY_MAX + 1, "a reply of %zu bytes", what.len);
    world_log(w, &what.effect);
    if (!w->batch)
        w->log_kept = w->log_len;
    w->granted += grants(what.effect.kind);
    *dump = what.dump;
    free(copy);
    return what.len;
}

/* ---- Reading the state ---- */

typedef struct sink {
    uint8_t *out;
    size_t size, len;
} sink;

static bool collect(void *context, const uint8_t *at, size_t len)
{
    sink *s = context;

    if (len > s->size - s->len)
        return false;
    if (len > 0)
        memcpy(s->out + s->len, at, len);
    s->len += len;
    return true;
}

size_t world_dump(const world *w, uint8_t *out, size_t size)
{
    sink s = {out, size, 0};

    engine_enters();
    smsp_error error = smsp_dump(w->state, collect, &s);
    engine_leaves();
    ORACLE("dump", error == SMSP_OK, "%s, with room for %zu bytes", smsp_strerror(error), size);
    return s.len;
}

void world_check(const world *w)
{
    const char *wrong = smsp_state_check(w->state);

    ORACLE("invariant", wrong == NULL, "%s", wrong);
}
