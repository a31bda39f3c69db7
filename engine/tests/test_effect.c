/* SPDX-License-Identifier: ISC */
/* Effects as bytes, replay, snapshots, and batches with rollback. */
#include "test_support.h"

/* ---- A log of effects, as a store keeps it ---- */

typedef struct {
    uint8_t bytes[200000];
    size_t len;
} effect_log;

static bool append(void *context, const smsp_effect *effect)
{
    effect_log *log = context;
    size_t len = 0;

    assert_int_equal(smsp_effect_encode(effect, log->bytes + log->len, sizeof log->bytes - log->len, &len), SMSP_OK);
    log->len += len;
    return true;
}

static void note(world *w, effect_log *log)
{
    if (w->what.effect.kind != SMSP_EFFECT_NONE)
        (void)append(log, &w->what.effect);
}

/* A new state, made from a log alone. */
static uint64_t replayed(const world *w, const effect_log *log)
{
    void *memory;
    smsp_state *state = new_state(&w->config, &memory);
    size_t at = 0;

    while (at < log->len) {
        smsp_effect effect;
        size_t used = 0;
        uint8_t *copy = exact(log->bytes + at, log->len - at);
        assert_int_equal(smsp_effect_decode(copy, log->len - at, &effect, &used), SMSP_OK);
        assert_int_equal(smsp_replay(state, &effect), SMSP_OK);
        free(copy);
        at += used;
    }
    assert_null(smsp_state_check(state));
    uint64_t digest = smsp_state_digest(state);
    free(memory);
    return digest;
}

static uint32_t random_number(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 8) % below;
}

static const char *const names[] = {"alice", "bob", "carol", "dave", "eve"};

/* One random request by one of four users (a fifth is one too many). */
static void random_request(world *w, uint32_t *seed, cookie_text cookies[5])
{
    uint32_t who = random_number(seed, 5);
    uint32_t whom = random_number(seed, 5);
    const char *reply = "";

    switch (random_number(seed, 9)) {
    case 0:
        reply = say(w, "REGISTER %s password", names[who]);
        break;
    case 1:
        reply = say(w, "LOGIN %s password", names[who]);
        break;
    case 2:
        (void)say(w, "LOGOUT %s", cookies[who]);
        break;
    case 3:
    case 4:
    case 5:
        (void)say(w, "MESSAGE %0*d %s", (int)random_number(seed, 300) + 1, 0, cookies[who]);
        break;
    case 6:
    case 7:
        (void)say(w, "STORE %s %s", names[whom], cookies[who]);
        break;
    default:
        (void)say(w, "DELMSG %s %s", names[who], cookies[who]);
        break;
    }
    if (strncmp(reply, "OK ", 3) == 0)
        memcpy(cookies[who], reply + 3, SMSP_COOKIE_LEN + 1);
}

static void replay_rebuilds_the_state(void **unused)
{
    static effect_log log, snapshot;
    cookie_text cookies[5] = {"-", "-", "-", "-", "-"};
    uint32_t seed = 1;
    world w;

    (void)unused;
    log.len = snapshot.len = 0;
    world_open(&w, small_limits());
    for (int i = 0; i < 1500; i++) {
        random_request(&w, &seed, cookies);
        note(&w, &log);
    }
    assert_int_equal(smsp_snapshot(w.state, append, &snapshot), SMSP_OK);
    assert_in_range(snapshot.len, 300, log.len / 2);
    assert_true(replayed(&w, &log) == smsp_state_digest(w.state));
    assert_true(replayed(&w, &snapshot) == smsp_state_digest(w.state));
    world_close(&w);
}

/* Rollback undoes everything that a batch did; commit keeps it. */
static void rollback_leaves_no_trace(void **unused)
{
    cookie_text cookies[5] = {"-", "-", "-", "-", "-"};
    uint32_t seed = 2;
    world w;

    (void)unused;
    world_open(&w, small_limits());
    for (int batch = 0; batch < 400; batch++) {
        cookie_text kept[5];
        uint64_t before = smsp_state_digest(w.state);
        smsp_counts counts = smsp_state_counts(w.state);
        memcpy(kept, cookies, sizeof kept);
        smsp_begin(w.state);
        for (uint32_t n = random_number(&seed, 20); n > 0; n--)
            random_request(&w, &seed, cookies);
        uint64_t after = smsp_state_digest(w.state);
        if (random_number(&seed, 2) == 0) {
            smsp_commit(w.state);
            assert_true(smsp_state_digest(w.state) == after);
        } else {
            smsp_rollback(w.state);
            assert_true(smsp_state_digest(w.state) == before);
            smsp_counts back = smsp_state_counts(w.state);
            assert_memory_equal(&back, &counts, sizeof counts);
            memcpy(cookies, kept, sizeof kept);
        }
        assert_null(smsp_state_check(w.state));
    }
    world_close(&w);
}

static smsp_error say_error(world *w, const char *line)
{
    smsp_line in = {{(const uint8_t *)line, strlen(line)}, false, SMSP_ENDS_LF};

    return smsp_answer(w->state, &w->secrets, &in, (uint8_t *)w->reply, sizeof w->reply, &w->what);
}

static void full_journal(void **unused)
{
    smsp_limits limits = small_limits();
    cookie_text alice, again;
    char line[100];
    world w;

    (void)unused;
    limits.journal = 2;
    world_open(&w, limits);
    enter(&w, "REGISTER", "alice", alice);
    static const char *const full[] = {"MESSAGE two %s", "STORE alice %s", "DELMSG alice %s", "LOGOUT %s"};
    smsp_begin(w.state);
    assert_string_equal(say(&w, "MESSAGE one %s", alice), "OK");
    assert_string_equal(say(&w, "STORE alice %s", alice), "OK");
    smsp_commit(w.state);
    (void)say(&w, "MESSAGE three %s", alice);
    smsp_begin(w.state);
    (void)say(&w, "MESSAGE four %s", alice);
    (void)say(&w, "STORE alice %s", alice);
    uint64_t before = smsp_state_digest(w.state);
    for (size_t i = 0; i < 4; i++) {
        snprintf(line, sizeof line, "%.*s%s", (int)(strlen(full[i]) - 2), full[i], alice);
        assert_int_equal(say_error(&w, line), SMSP_JOURNAL_FULL);
    }
    assert_int_equal(say_error(&w, "REGISTER bob password"), SMSP_JOURNAL_FULL);
    assert_int_equal(say_error(&w, "LOGIN alice password"), SMSP_JOURNAL_FULL);
    assert_true(smsp_state_digest(w.state) == before);
    smsp_commit(w.state);
    smsp_begin(w.state);
    enter(&w, "LOGIN", "alice", again);
    smsp_rollback(w.state);
    assert_string_equal(say(&w, "COUNT alice %s", again), LOG_IN);
    assert_string_equal(say(&w, "COUNT alice %s", alice), "COUNTED 2");
    world_close(&w);
}

/* The memory of a text that a batch deleted is free only after its commit: the engine returns
 * SMSP_JOURNAL_FULL instead of rejecting a message. */
static void deleted_text_waits_for_commit(void **unused)
{
    smsp_limits limits = small_limits();
    cookie_text alice;
    char line[100];
    world w;

    (void)unused;
    limits.text = 64;
    world_open(&w, limits);
    enter(&w, "REGISTER", "alice", alice);
    (void)say(&w, "MESSAGE one %s", alice);
    (void)say(&w, "STORE alice %s", alice);
    smsp_begin(w.state);
    assert_string_equal(say(&w, "DELMSG alice %s", alice), "OK");
    snprintf(line, sizeof line, "MESSAGE two %s", alice);
    assert_int_equal(say_error(&w, line), SMSP_JOURNAL_FULL);
    smsp_rollback(w.state);
    assert_string_equal(say(&w, "GETMSG alice %s", alice), "one");
    smsp_begin(w.state);
    assert_string_equal(say(&w, "DELMSG alice %s", alice), "OK");
    smsp_commit(w.state);
    assert_string_equal(say(&w, "MESSAGE two %s", alice), "OK");
    assert_string_equal(say(&w, "MESSAGE three %s", alice), KO);
    world_close(&w);
}

/* ---- Effects that do not apply ---- */

static smsp_effect effect_of(smsp_effect_kind kind, const char *name)
{
    return (smsp_effect){.kind = kind,
                         .username = {(const uint8_t *)name, strlen(name)},
                         .content = SPAN("text"),
                         .cookie = {{(uint8_t)name[0]}}};
}

static smsp_error replay(world *w, smsp_effect_kind kind, const char *name)
{
    smsp_effect effect = effect_of(kind, name);

    effect.has_cookie = true;
    return smsp_replay(w->state, &effect);
}

static void effects_that_do_not_apply(void **unused)
{
    world w;
    smsp_effect effect;

    (void)unused;
    world_open(&w, small_limits());
    for (int kind = SMSP_EFFECT_SESSION; kind < SMSP_EFFECTS; kind++)
        assert_int_equal(replay(&w, (smsp_effect_kind)kind, "alice"), SMSP_BAD_EFFECT);
    assert_int_equal(replay(&w, SMSP_EFFECT_NONE, "alice"), SMSP_BAD_EFFECT);
    assert_int_equal(replay(&w, SMSP_EFFECTS, "alice"), SMSP_BAD_EFFECT);
    assert_int_equal(replay(&w, SMSP_EFFECT_ACCOUNT, "a-b"), SMSP_BAD_EFFECT);
    assert_int_equal(replay(&w, SMSP_EFFECT_ACCOUNT, "alice"), SMSP_OK);
    assert_int_equal(replay(&w, SMSP_EFFECT_ACCOUNT, "alice"), SMSP_BAD_EFFECT);
    assert_int_equal(replay(&w, SMSP_EFFECT_ACCOUNT, "axel"), SMSP_BAD_EFFECT); /* alice's cookie */
    effect = effect_of(SMSP_EFFECT_ACCOUNT, "axel"); /* without a session that is fine */
    assert_int_equal(smsp_replay(w.state, &effect), SMSP_OK);
    assert_int_equal(replay(&w, SMSP_EFFECT_LOGOUT, "axel"), SMSP_BAD_EFFECT);
    assert_int_equal(replay(&w, SMSP_EFFECT_SESSION, "axel"), SMSP_BAD_EFFECT);
    assert_int_equal(replay(&w, SMSP_EFFECT_LOGOUT, "alice"), SMSP_OK);
    assert_int_equal(replay(&w, SMSP_EFFECT_SESSION, "axel"), SMSP_OK);
    assert_int_equal(replay(&w, SMSP_EFFECT_STORE, "alice"), SMSP_BAD_EFFECT);
    assert_int_equal(replay(&w, SMSP_EFFECT_DELETE, "alice"), SMSP_BAD_EFFECT);
    for (int i = 0; i < 8; i++) /* over the sender's share, up to the IMQ's limit */
        assert_int_equal(replay(&w, SMSP_EFFECT_MESSAGE, "alice"), SMSP_OK);
    assert_int_equal(replay(&w, SMSP_EFFECT_MESSAGE, "alice"), SMSP_FULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(replay(&w, SMSP_EFFECT_STORE, "axel"), SMSP_OK);
    assert_int_equal(replay(&w, SMSP_EFFECT_STORE, "axel"), SMSP_FULL);
    assert_int_equal(replay(&w, SMSP_EFFECT_DELETE, "axel"), SMSP_OK);
    for (int i = 0; i < 2; i++) { /* invalid kinds, for a user who exists and has mail */
        smsp_effect_kind kind = i == 0 ? SMSP_EFFECT_NONE : SMSP_EFFECTS;
        uint8_t out[100];
        size_t len = 0;
        assert_int_equal(replay(&w, kind, "axel"), SMSP_BAD_EFFECT);
        effect = effect_of(kind, "axel");
        assert_int_equal(smsp_effect_encode(&effect, out, sizeof out, &len), SMSP_BAD_EFFECT);
    }
    effect = effect_of(SMSP_EFFECT_MESSAGE, "alice");
    effect.content = SPAN("a\nb");
    assert_int_equal(smsp_replay(w.state, &effect), SMSP_BAD_EFFECT);
    effect.content = SPAN("");
    assert_int_equal(smsp_replay(w.state, &effect), SMSP_BAD_EFFECT);
    world_close(&w);
}

/* ---- Bytes ---- */

/* Each shorter input needs more bytes, each smaller buffer is rejected, and decoding gives the
 * effect back. */
static void encode_and_decode(void **unused)
{
    uint8_t out[300], again[300];

    (void)unused;
    for (int kind = SMSP_EFFECT_ACCOUNT; kind < SMSP_EFFECTS; kind++) {
        smsp_effect effect = effect_of((smsp_effect_kind)kind, "alice");
        smsp_effect back;
        size_t len = 0, used = 0, again_len = 0;
        effect.has_cookie = kind == SMSP_EFFECT_ACCOUNT;
        effect.salt.cost = 0x01020304;
        assert_int_equal(smsp_effect_encode(&effect, out, sizeof out, &len), SMSP_OK);
        for (size_t cut = 0; cut < len; cut++) {
            uint8_t *copy = exact(out, cut);
            assert_int_equal(smsp_effect_decode(copy, cut, &back, &used), SMSP_NEED_MORE);
            assert_int_equal(smsp_effect_encode(&effect, again, cut, &again_len), SMSP_NO_ROOM);
            free(copy);
        }
        assert_int_equal(smsp_effect_decode(out, sizeof out, &back, &used), SMSP_OK);
        assert_int_equal(used, len);
        assert_int_equal(smsp_effect_encode(&back, again, sizeof again, &again_len), SMSP_OK);
        assert_span_is((smsp_span){again, again_len}, out, len);
    }
}

static void hostile_bytes(void **unused)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"\0\0", 2},              /* not a kind: more bytes would not help */
        {"\7\0", 2},              /* a kind too many */
        {"\3\1", 2},              /* LOGOUT with a cookie */
        {"\3\2", 2},              /* not a flag */
        {"\1\2", 2},
        {"\3\0\0", 3},            /* no name */
        {"\3\0\1-", 4},           /* a malformed name */
        {"\4\0\1a\0\0", 6},       /* an empty message */
        {"\4\0\1a\1\0\n", 7},     /* one with a control character */
    };
    uint8_t big[5 + SMSP_CONTENT_MAX + 2] = {SMSP_EFFECT_MESSAGE, 0, 1, 'a'};
    smsp_effect effect = {.kind = SMSP_EFFECT_NONE};
    size_t used = 0;

    (void)unused;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(smsp_effect_decode((const uint8_t *)bad[i].bytes, bad[i].len, &effect, &used), SMSP_BAD_EFFECT);
    memset(big + 6, 'x', sizeof big - 6);
    big[4] = (SMSP_CONTENT_MAX + 1) & 0xff;
    big[5] = (SMSP_CONTENT_MAX + 1) >> 8;
    assert_int_equal(smsp_effect_decode(big, sizeof big, &effect, &used), SMSP_BAD_EFFECT);
    big[4] = SMSP_CONTENT_MAX & 0xff;
    big[5] = SMSP_CONTENT_MAX >> 8;
    assert_int_equal(smsp_effect_decode(big, sizeof big, &effect, &used), SMSP_OK);
    assert_int_equal(effect.content.len, SMSP_CONTENT_MAX);
    effect.content.len++;
    assert_int_equal(smsp_effect_encode(&effect, big, sizeof big, &used), SMSP_BAD_EFFECT);
}

static bool stop_after(void *context, const smsp_effect *effect)
{
    uint32_t *left = context;

    (void)effect;
    return (*left)-- > 0;
}

static void snapshot_can_be_stopped(void **unused)
{
    world w;
    cookie_text alice, bob;

    (void)unused;
    world_open(&w, small_limits());
    enter(&w, "REGISTER", "alice", alice);
    enter(&w, "REGISTER", "bob", bob);
    for (int i = 0; i < 4; i++) {
        (void)say(&w, "MESSAGE one %s", alice);
        (void)say(&w, "STORE %s %s", i < 2 ? "alice" : "bob", alice);
    }
    (void)say(&w, "MESSAGE two %s", alice);
    (void)say(&w, "MESSAGE three %s", bob);
    const uint32_t all = 2 + 4 * 2 + 2; /* accounts, message and store for each, what is on the IMQ */
    for (uint32_t stop = 0; stop <= all; stop++) {
        uint32_t left = stop;
        assert_int_equal(smsp_snapshot(w.state, stop_after, &left), stop < all ? SMSP_STOPPED : SMSP_OK);
        assert_int_equal(left, stop < all ? UINT32_MAX : 0); /* not called again */
    }
    world_close(&w);
}

static void message_read_checks_its_room(void **unused)
{
    world w;
    cookie_text alice;
    uint8_t out[3];
    size_t len = 0;
    smsp_tokenized tokenized = {.verb = SMSP_GETMSG, .username = SPAN("alice")};
    smsp_result result;

    (void)unused;
    world_open(&w, small_limits());
    enter(&w, "REGISTER", "alice", alice);
    (void)say(&w, "MESSAGE one %s", alice);
    (void)say(&w, "STORE alice %s", alice);
    test_cookie(NULL, (smsp_span){(const uint8_t *)alice, SMSP_COOKIE_LEN}, &tokenized.cookie);
    assert_int_equal(smsp_execute(w.state, &tokenized, &result), SMSP_OK);
    assert_int_equal(result.length, 3);
    assert_int_equal(smsp_message_read(w.state, result.message, out, 2, &len), SMSP_NO_ROOM);
    assert_int_equal(smsp_message_read(w.state, result.message, out, 3, &len), SMSP_OK);
    assert_span_is((smsp_span){out, len}, "one", 3);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_rebuilds_the_state),
        cmocka_unit_test(rollback_leaves_no_trace),
        cmocka_unit_test(full_journal),
        cmocka_unit_test(deleted_text_waits_for_commit),
        cmocka_unit_test(effects_that_do_not_apply),
        cmocka_unit_test(encode_and_decode),
        cmocka_unit_test(hostile_bytes),
        cmocka_unit_test(snapshot_can_be_stopped),
        cmocka_unit_test(message_read_checks_its_room),
    };
    return cmocka_run_group_tests_name("effect", tests, NULL, NULL);
}
