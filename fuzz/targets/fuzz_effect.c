/* SPDX-License-Identifier: ISC */
/* Effects from an untrusted source: decodes and encodes them, and replays them on a state
 * and on the model. If bit 0 of byte 0 is set, the effects are replayed in batches, and
 * every third batch is rolled back. */
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "oracle.h"
#include "target.h"
#include "transcript.h"
#include "world.h"

const char target_name[] = "effect";

#define EFFECTS_MAX 300u

static world w;
static model now, kept;

/* ---- The model's reading of an effect ---- */

static model_user *user_named(smsp_span name)
{
    for (unsigned i = 0; i < now.user_count; i++)
        if (now.users[i].name_len == name.len && memcmp(now.users[i].name, name.at, name.len) == 0)
            return &now.users[i];
    return NULL;
}

/* In this target the model's cookies are tokens, and its texts point into the input. */
static bool cookie_known(const smsp_token *cookie)
{
    for (unsigned i = 0; i < now.user_count; i++)
        if (now.users[i].cookie != NULL && memcmp(now.users[i].cookie, cookie->bytes, SMSP_TOKEN_LEN) == 0)
            return true;
    return false;
}

static unsigned blocks_of(size_t len)
{
    return len <= 50 ? 1 : 1 + (unsigned)((len - 50 + 59) / 60);
}

static unsigned queue_blocks(const model_queue *queue)
{
    unsigned blocks = 0;

    for (unsigned i = 0; i < queue->count; i++)
        blocks += blocks_of(queue->at[i].len);
    return blocks;
}

static bool message_fits(size_t len)
{
    unsigned blocks = blocks_of(len) + queue_blocks(&now.imq);
    unsigned messages = now.imq.count;

    for (unsigned i = 0; i < now.user_count; i++) {
        blocks += queue_blocks(&now.users[i].mailbox);
        messages += now.users[i].mailbox.count;
    }
    return blocks <= now.limits.blocks && messages < now.limits.messages && now.imq.count < now.limits.imq;
}

static smsp_error add_account(const smsp_effect *e, const uint8_t *cookie)
{
    if (now.user_count == now.limits.users)
        return SMSP_FULL;
    now.users[now.user_count++] =
        (model_user){.name = e->username.at, .name_len = e->username.len, .cookie = cookie};
    return SMSP_OK;
}

static smsp_error add_message(const model_user *user, smsp_span content)
{
    if (!message_fits(content.len))
        return SMSP_FULL;
    now.imq.at[now.imq.count++] = (model_message){content.at, content.len, (unsigned)(user - now.users)};
    return SMSP_OK;
}

static smsp_error store(model_user *user)
{
    if (now.imq.count == 0)
        return SMSP_BAD_EFFECT;
    if (user->mailbox.count == now.limits.mailbox)
        return SMSP_FULL;
    user->mailbox.at[user->mailbox.count++] = now.imq.at[--now.imq.count];
    return SMSP_OK;
}

static smsp_error delete(model_user *user)
{
    if (user->mailbox.count == 0)
        return SMSP_BAD_EFFECT;
    user->mailbox.count--;
    memmove(user->mailbox.at, user->mailbox.at + 1, user->mailbox.count * sizeof user->mailbox.at[0]);
    return SMSP_OK;
}

/* cookie points to the effect's token in the input. */
static smsp_error model_replay(const smsp_effect *e, const uint8_t *cookie)
{
    model_user *user = user_named(e->username);

    if (e->kind == SMSP_EFFECT_ACCOUNT && user == NULL && !(e->has_cookie && cookie_known(&e->cookie)))
        return add_account(e, e->has_cookie ? cookie : NULL);
    if (user == NULL || e->kind == SMSP_EFFECT_ACCOUNT)
        return SMSP_BAD_EFFECT;
    if (e->kind == SMSP_EFFECT_SESSION) {
        if (cookie_known(&e->cookie))
            return SMSP_BAD_EFFECT;
        user->cookie = cookie;
        return SMSP_OK;
    }
    if (e->kind == SMSP_EFFECT_LOGOUT) {
        bool had = user->cookie != NULL;
        user->cookie = NULL;
        return had ? SMSP_OK : SMSP_BAD_EFFECT;
    }
    if (e->kind == SMSP_EFFECT_MESSAGE)
        return add_message(user, e->content);
    return e->kind == SMSP_EFFECT_STORE ? store(user) : delete(user);
}

/* ---- The target ---- */

static void check_shape(const smsp_effect *e, const uint8_t *at, size_t used)
{
    bool has_content = e->kind == SMSP_EFFECT_MESSAGE;
    uint8_t *out = malloc(used);
    size_t len = 0;

    ORACLE("shape", e->kind > SMSP_EFFECT_NONE && e->kind < SMSP_EFFECTS, "kind %d", (int)e->kind);
    ORACLE("shape", model_is_name(&now.limits, e->username.at, e->username.len), "the username");
    ORACLE("span", e->username.at >= at && e->username.at + e->username.len <= at + used, "the username");
    if (has_content) {
        ORACLE("span", e->content.at >= at && e->content.at + e->content.len <= at + used, "the content");
        ORACLE("shape", e->content.len >= 1 && e->content.len <= now.limits.content &&
                            model_is_text(e->content.at, e->content.len),
               "the content");
    }
    ORACLE("memory", out != NULL, "%zu bytes", used);
    ORACLE("round-trip", smsp_effect_encode(e, out, used, &len) == SMSP_OK, "the effect cannot be encoded");
    oracle_same_bytes("round-trip", "encode(decode(effect))", at, used, out, len);
    ORACLE("round-trip", smsp_effect_encode(e, out, used - 1, &len) == SMSP_NO_ROOM, "it fits into one byte less");
    free(out);
}

/* No prefix of an effect is an effect. */
static void check_prefixes(const uint8_t *at, size_t used)
{
    size_t step = used / 40 + 1;
    smsp_effect effect;
    size_t ignored;

    for (size_t len = 0; len < used; len += step) {
        uint8_t *copy = exact_copy(at, len);
        smsp_error error = smsp_effect_decode(copy, len, &effect, &ignored);
        ORACLE("prefix", error == SMSP_NEED_MORE, "%zu of %zu bytes: %s", len, used, smsp_strerror(error));
        free(copy);
    }
}

static void next_batch(unsigned n, bool batches)
{
    if (!batches || n % 4 != 3)
        return;
    if (n % 12 == 11) {
        world_rollback(&w);
        now = kept;
    }
    world_commit(&w);
    world_begin(&w);
    kept = now;
}

static void replay(const smsp_effect *e, const uint8_t *at, size_t used)
{
    uint64_t before = smsp_state_digest(w.state);

    engine_enters();
    smsp_error error = smsp_replay(w.state, e);
    engine_leaves();
    if (error == SMSP_JOURNAL_FULL) {
        world_commit(&w);
        world_begin(&w);
        kept = now;
        error = smsp_replay(w.state, e);
    }
    if (oracles() != ORACLES_ALL)
        return;
    smsp_error wanted = model_replay(e, at + used - SMSP_TOKEN_LEN);
    ORACLE("model-replay", error == wanted, "kind %d: %s; the model: %s", (int)e->kind, smsp_strerror(error),
           smsp_strerror(wanted));
    ORACLE("model-replay", (error == SMSP_OK) == (before != smsp_state_digest(w.state)), "the state");
    world_check(&w);
}

static void check_end(void)
{
    static uint8_t expected[WORLD_DUMP_MAX], actual[WORLD_DUMP_MAX];
    size_t len = world_dump(&w, actual, sizeof actual);

    oracle_same_bytes("model-dump", "what DUMP prints", expected, model_dump(&now, expected, sizeof expected),
                      actual, len);
    for (unsigned i = 0; i < now.user_count; i++) {
        smsp_span name = {now.users[i].name, now.users[i].name_len};
        ORACLE("model-replay", smsp_replay(w.state, &(smsp_effect){.kind = SMSP_EFFECT_LOGOUT, .username = name}) ==
                                   (now.users[i].cookie != NULL ? SMSP_OK : SMSP_BAD_EFFECT),
               "the session of user %u", i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    model_limits limits = world_model_limits(false);
    size_t used = 0;
    smsp_effect effect;

    if (size < 1)
        return 0;
    uint8_t *bytes = exact_copy(data + 1, size - 1);
    world_open(&w, 32, false);
    model_init(&now, &limits, NULL);
    kept = now;
    if (data[0] & 1)
        world_begin(&w);
    for (size_t at = 0, n = 0; at + 1 < size && n < EFFECTS_MAX; at += used, n++) {
        next_batch((unsigned)n, data[0] & 1);
        engine_enters();
        smsp_error error = smsp_effect_decode(bytes + at, size - 1 - at, &effect, &used);
        engine_leaves();
        if (error != SMSP_OK) {
            ORACLE("effect", error == SMSP_NEED_MORE || error == SMSP_BAD_EFFECT, "%s", smsp_strerror(error));
            break;
        }
        ORACLE("span", used > 0 && used <= size - 1 - at, "%zu bytes were used", used);
        if (oracles() == ORACLES_ALL) {
            check_shape(&effect, bytes + at, used);
            check_prefixes(bytes + at, used);
        }
        replay(&effect, bytes + at, used);
    }
    if (oracles() == ORACLES_ALL) {
        world_commit(&w);
        check_end();
    }
    free(bytes);
    return 0;
}

void target_show(const uint8_t *data, size_t size, FILE *to)
{
    static const char *const names[] = {"none", "account", "session", "logout", "message", "store", "delete"};
    size_t used = 0;
    smsp_effect e;

    fprintf(to, "%s\n", size > 0 && data[0] & 1 ? "in batches" : "one by one");
    for (size_t at = 1; at < size; at += used) {
        smsp_error error = smsp_effect_decode(data + at, size - at, &e, &used);
        if (error != SMSP_OK) {
            fprintf(to, "%s\n", smsp_strerror(error));
            break;
        }
        fprintf(to, "%s of %.*s", names[e.kind], (int)e.username.len, (const char *)e.username.at);
        fputs(e.kind == SMSP_EFFECT_MESSAGE ? ": " : e.has_cookie ? " with a session" : "", to);
        if (e.kind == SMSP_EFFECT_MESSAGE)
            show_bytes(to, e.content.at, e.content.len);
        fputc('\n', to);
    }
}
