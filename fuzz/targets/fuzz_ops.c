/* SPDX-License-Identifier: ISC */
/* Sequences of commands. After two bytes as in transcript.h, every four bytes are one
 * command, so every mutation is a valid sequence again.
 *
 *   byte 0  the verb, or an operation of the server
 *   byte 1  the cookie: below 128 that of user N if they have a session, otherwise one of
 *           the pool; from 224 a malformed one
 *   byte 2  the username
 *   byte 3  the length of the content, or the password
 *
 * The engine and the model must give the same reply to each command. */
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "oracle.h"
#include "target.h"
#include "transcript.h"
#include "world.h"

const char target_name[] = "ops";

enum {
    OP_BEGIN = SMSP_VERBS, /* commit, begin */
    OP_ROLLBACK,
    OP_READ_ONLY,
    OP_SNAPSHOT, /* continue with a state rebuilt from the snapshot */
    OP_RELOAD,   /* continue with a state rebuilt from the committed effects */
    OP_BROKEN,   /* toggles: the random source or hashing fails */
    OP_TOKENIZED, /* a tokenized request that smsp_tokenize never makes */
    OPS
};

#define COMMANDS_MAX 400u
#define LINE_BYTES   (SMSP_REQUEST_MAX + 64u)

typedef struct ops_run {
    world worlds[2];
    unsigned in_use; /* which of them */
    bool read_only;
    bool batch;
    model now, kept;
    uint8_t line[LINE_BYTES];
    size_t len;
} ops_run;

static world *the_world(ops_run *g)
{
    return &g->worlds[g->in_use];
}

/* ---- Lines ---- */

static void put(ops_run *g, const void *at, size_t len)
{
    ORACLE("memory", len <= LINE_BYTES - g->len, "the line buffer is too small");
    memcpy(g->line + g->len, at, len);
    g->len += len;
}

static void put_run(ops_run *g, char byte, size_t len)
{
    for (size_t i = 0; i < len; i++)
        put(g, &byte, 1);
}

static void put_name(ops_run *g, uint8_t which)
{
    char letter = (char)('a' + which % 14);

    switch (which >> 4) {
    case 15:
        put_run(g, letter, SMSP_NAME_MAX + 1);
        break;
    case 14:
        break; /* no name */
    case 13:
        put(g, "a-", 2);
        break;
    case 12:
        put_run(g, letter, SMSP_NAME_MAX);
        break;
    case 11:
        put_run(g, letter, SMSP_NAME_MAX - 1);
        break;
    case 10:
        put(g, "aA", 2);
        break;
    default:
        put(g, &letter, 1);
        break;
    }
}

static void put_password(ops_run *g, uint8_t which)
{
    static const size_t lengths[] = {1, 2, SMSP_PASSWORD_MAX, SMSP_PASSWORD_MAX + 1, SMSP_PASSWORD_MAX - 1, 0, 3, 1};
    size_t len = lengths[which & 7];

    put_run(g, 'p', len > 0 ? len - 1 : 0);
    put_run(g, (char)('p' + (which >> 3) % 3), len > 0);
}

/* Lengths around what a block, a chain and a request hold. */
static void put_content(ops_run *g, uint8_t which)
{
    static const size_t lengths[] = {1, 2, 49, 50, 51, SMSP_CONTENT_MAX - 1, SMSP_CONTENT_MAX, SMSP_CONTENT_MAX + 1,
                                     0, 3, 10, 20, 53, 54, 55, 56};
    static const size_t more[] = {109, 110, 111, 170, 171, 230, 500, 1000};
    size_t len = lengths[which & 15];

    if (which >= 240 && SMSP_CONTENT_MAX > 1000)
        len = more[which & 7];
    len = len < SMSP_CONTENT_MAX + 1 ? len : SMSP_CONTENT_MAX + 1;
    if (which >= 224 && which < 240)
        put(g, "\xc3\xa9 ", 3);
    put_run(g, (char)('A' + which / 16), len);
}

static void put_cookie(ops_run *g, uint8_t who)
{
    const model *m = &g->now;

    if (who < 128 && who % MODEL_USERS < m->user_count && m->users[who % MODEL_USERS].cookie != NULL)
        put(g, m->users[who % MODEL_USERS].cookie, m->limits.cookie);
    else if (who < 224)
        put(g, the_world(g)->cookies[who % 32], SMSP_COOKIE_LEN);
    else
        put_run(g, who % 2 ? 'a' : 'g', SMSP_COOKIE_LEN - (who >> 1 & 1));
}

static void make_line(ops_run *g, const uint8_t op[4], unsigned verb)
{
    g->len = 0;
    put(g, smsp_verb_name((smsp_verb)verb), strlen(smsp_verb_name((smsp_verb)verb)));
    if (verb == SMSP_DUMP)
        return;
    put(g, " ", 1);
    if (verb == SMSP_REGISTER || verb == SMSP_LOGIN) {
        put_name(g, op[2]);
        put(g, " ", 1);
        put_password(g, op[3]);
        return;
    }
    if (verb == SMSP_MESSAGE)
        put_content(g, op[3]);
    else if (verb != SMSP_LOGOUT)
        put_name(g, op[2]);
    if (verb != SMSP_LOGOUT)
        put(g, " ", 1);
    put_cookie(g, op[1]);
}

/* ---- Operations of a server ---- */

static void begin(ops_run *g)
{
    world_commit(the_world(g));
    world_begin(the_world(g));
    g->kept = g->now;
    g->batch = true;
}

static void roll_back(ops_run *g)
{
    unsigned granted = g->now.granted;
    bool read_only = g->now.read_only;
    bool broken = g->now.broken;

    world_rollback(the_world(g));
    if (g->batch)
        g->now = g->kept;
    g->now.granted = granted;
    g->now.read_only = read_only;
    g->now.broken = broken;
    g->batch = false;
}

static bool take(void *context, const smsp_effect *effect)
{
    world *to = context;

    world_log(to, effect);
    return smsp_replay(to->state, effect) == SMSP_OK;
}

/* Continues with the other state, rebuilt from this one. */
static void move(ops_run *g, bool from_snapshot)
{
    const world *from = the_world(g);
    world *to = &g->worlds[1 - g->in_use];
    smsp_effect effect;
    size_t used;

    world_open(to, from->pool, from->config.shared_mailboxes);
    if (from_snapshot) {
        ORACLE("snapshot", smsp_snapshot(from->state, take, to) == SMSP_OK, "the snapshot cannot be replayed");
    } else {
        for (size_t at = 0; at < from->log_len; at += used) {
            smsp_error error = smsp_effect_decode(from->log + at, from->log_len - at, &effect, &used);
            ORACLE("effect", error == SMSP_OK, "the log: %s", smsp_strerror(error));
            ORACLE("replay", take(to, &effect), "an effect of kind %d cannot be replayed", (int)effect.kind);
        }
    }
    ORACLE(from_snapshot ? "snapshot" : "replay", smsp_state_digest(from->state) == smsp_state_digest(to->state),
           "the rebuilt state differs");
    to->granted = from->granted;
    to->log_kept = to->log_len;
    smsp_state_read_only(to->state, g->read_only);
    g->in_use = 1 - g->in_use;
}

/* A request from a hostile worker must not change the state or fail with an error. */
static void ask_hostile(ops_run *g, const uint8_t op[4])
{
    smsp_tokenized tokenized = {.verb = (smsp_verb)(op[1] % 14), .username = {g->line, 0}, .content = {g->line, 0}};
    smsp_result result = {.code = SMSP_NO_REPLY};
    uint64_t before = smsp_state_digest(the_world(g)->state);

    memset(&tokenized.cookie, op[2], sizeof tokenized.cookie);
    memset(&tokenized.password, op[3], sizeof tokenized.password);
    smsp_error error = smsp_execute(the_world(g)->state, &tokenized, &result);
    ORACLE("hostile", error == SMSP_OK && result.effect.kind == SMSP_EFFECT_NONE, "a request without parts: %s",
           smsp_strerror(error));
    ORACLE("hostile", smsp_state_digest(the_world(g)->state) == before, "a request without parts changed the state");
}

/* ---- Commands ---- */

static void answer(ops_run *g)
{
    static uint8_t expected[SMSP_REPLY_MAX + 64];
    uint8_t out[SMSP_REPLY_MAX + 1];
    bool dump, committed, model_dump_too;
    uint64_t before = 0;

    if (oracles() == ORACLES_ALL)
        before = smsp_state_digest(the_world(g)->state);
    size_t effects = the_world(g)->log_len;
    size_t len = world_answer(the_world(g), SMSP_OK, (smsp_span){g->line, g->len}, SMSP_ENDS_SILENCE, out, &dump,
                              &committed);
    if (committed)
        g->kept = g->now;
    size_t reply = model_answer(&g->now, g->line, g->len, expected, &model_dump_too);
    if (oracles() == ORACLES_NONE)
        return;
    oracle_same_bytes("model-reply", "a reply", expected, reply, out, len);
    ORACLE("model-reply", dump == model_dump_too, "the engine and the model disagree about printing a DUMP");
    if (oracles() != ORACLES_ALL)
        return;
    ORACLE("effect", (before != smsp_state_digest(the_world(g)->state)) == (the_world(g)->log_len > effects),
           "the state changed without an effect, or an effect left it unchanged");
}

static void do_command(ops_run *g, const uint8_t op[4])
{
    unsigned what = op[0] % 32;

    if (what >= OPS) /* most commands are about messages */
        what = what % 3 == 0 ? SMSP_MESSAGE : what % 3 == 1 ? SMSP_STORE : SMSP_GETMSG;
    switch (what) {
    case OP_BEGIN:
        begin(g);
        break;
    case OP_ROLLBACK:
        roll_back(g);
        break;
    case OP_READ_ONLY:
        g->read_only = !g->read_only;
        g->now.read_only = g->read_only;
        smsp_state_read_only(the_world(g)->state, g->read_only);
        break;
    case OP_BROKEN:
        g->worlds[0].broken = g->worlds[1].broken = g->now.broken ? 0 : 1 + op[1] % 2u;
        g->now.broken = !g->now.broken;
        break;
    case OP_SNAPSHOT:
    case OP_RELOAD:
        if (!g->batch && !g->read_only)
            move(g, what == OP_SNAPSHOT);
        break;
    case OP_TOKENIZED:
        ask_hostile(g, op);
        break;
    default:
        make_line(g, op, what);
        answer(g);
        break;
    }
}

static void ops_open(ops_run *g, const transcript *t, model_arena *arena)
{
    model_limits limits = world_model_limits(t->shared_mailboxes);

    g->in_use = 0;
    g->read_only = false;
    g->batch = false;
    g->worlds[0].broken = g->worlds[1].broken = 0;
    world_open(the_world(g), t->pool, t->shared_mailboxes);
    model_init(&g->now, &limits, arena);
    g->now.candidate = world_candidate;
    g->now.context = &g->worlds[0]; /* both have the same cookies */
}

static void check_end(ops_run *g)
{
    static uint8_t expected[WORLD_DUMP_MAX], actual[WORLD_DUMP_MAX];
    size_t expected_len = model_dump(&g->now, expected, sizeof expected);
    size_t actual_len = world_dump(the_world(g), actual, sizeof actual);

    oracle_same_bytes("model-dump", "what DUMP prints", expected, expected_len, actual, actual_len);
    world_check_effects(the_world(g));
}

static ops_run g;
static transcript t;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    model_arena *arena = model_arena_new();
    transcript_read(&t, data, 2, NULL); /* the two bytes only */
    ops_open(&g, &t, arena);
    for (size_t at = 2, n = 0; size - at >= 4 && n < COMMANDS_MAX; at += 4, n++) {
        work_reset();
        do_command(&g, data + at);
        ORACLE("work", work_done() <= 60000, "%llu blocks for one command", (unsigned long long)work_done());
        if (oracles() == ORACLES_ALL)
            world_check(the_world(&g));
    }
    if (oracles() == ORACLES_ALL)
        check_end(&g);
    model_arena_free(arena);
    return 0;
}

void target_show(const uint8_t *data, size_t size, FILE *to)
{
    static const char *const names[] = {"commit, begin", "roll back", "toggle read-only",
                                        "continue with the snapshot", "continue with the effects", "toggle failing secrets",
                                        "a tokenized request"};
    static uint8_t reply[SMSP_REPLY_MAX + 64];
    bool dump;

    if (size < 2)
        return;
    model_arena *arena = model_arena_new();
    transcript_read(&t, data, 2, NULL);
    ops_open(&g, &t, arena);
    fprintf(to, "%u cookies in the pool, %s mailboxes (replies are the model's)\n", t.pool,
            t.shared_mailboxes ? "shared" : "own");
    for (size_t at = 2; size - at >= 4; at += 4) {
        unsigned what = data[at] % 32;
        if (what >= OPS)
            what = what % 3 == 0 ? SMSP_MESSAGE : what % 3 == 1 ? SMSP_STORE : SMSP_GETMSG;
        if (what >= SMSP_VERBS) {
            fprintf(to, "   (%s)\n", names[what - SMSP_VERBS]);
            continue;
        }
        make_line(&g, data + at, what);
        fputs("> ", to);
        show_bytes(to, g.line, g.len);
        fputs("\n< ", to);
        show_bytes(to, reply, model_answer(&g.now, g.line, g.len, reply, &dump));
        fputc('\n', to);
    }
    model_arena_free(arena);
}
