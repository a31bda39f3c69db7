/* SPDX-License-Identifier: ISC */
/* Execution: each command in a state with few and with many accounts and
 * messages, at random places of it. And what a state weighs. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine_cases.h"

#define BATCH 64u /* requests between begin and commit, as in a keeper under load */
#define TEXT  "0000-00000000-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" /* 64 bytes */

/* What stands ready before the clock runs. */
typedef struct prepared {
    smsp_tokenized tokenized;
    char name[16];
} prepared;

typedef struct bench_world {
    smsp_state *state;
    void *memory;
    size_t size;
    uint32_t accounts;
    prepared *requests;
    uint32_t count;
    uint64_t random;
} bench_world;

static uint32_t draw(bench_world *w, uint32_t below)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((w->random >> 33) % below);
}

static smsp_token token_of(uint32_t user, uint32_t version)
{
    smsp_token token = {{0}};

    memcpy(token.bytes, &user, sizeof user);
    memcpy(token.bytes + 4, &version, sizeof version);
    return token;
}

static smsp_span name_of(uint32_t user, char out[16])
{
    int len = snprintf(out, 16, "user%07u", user);

    return (smsp_span){(const uint8_t *)out, (size_t)len};
}

static void add_account(bench_world *w, uint32_t user)
{
    char name[16];
    smsp_effect effect = {.kind = SMSP_EFFECT_ACCOUNT, .has_cookie = true, .username = name_of(user, name)};

    effect.cookie = token_of(user, 0);
    effect.verifier = token_of(user, 1000);
    bench_check(smsp_replay(w->state, &effect) == SMSP_OK, "replay of an account");
    effect.kind = SMSP_EFFECT_MESSAGE;
    effect.content = (smsp_span){(const uint8_t *)TEXT, strlen(TEXT)};
    bench_check(smsp_replay(w->state, &effect) == SMSP_OK, "replay of a message");
    effect.kind = SMSP_EFFECT_STORE;
    bench_check(smsp_replay(w->state, &effect) == SMSP_OK, "replay of a store");
}

static void *set_aside(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    bench_check(at != MAP_FAILED, "memory");
    (void)madvise(at, size, MADV_HUGEPAGE); /* as the keeper does */
    return at;
}

/* As many accounts, each with a session and one message, and room for count more. */
static void make_world(bench_world *w, uint32_t accounts, uint32_t count)
{
    smsp_config config = {.limits = {.accounts = accounts + count, .messages = accounts + count,
                                     .text = (uint64_t)(accounts + count) * 128, .mailbox = accounts + count,
                                     .share = accounts + count, .journal = BATCH}};

    w->accounts = accounts;
    w->count = count;
    w->random = 1;
    w->size = smsp_state_size(&config.limits);
    w->memory = set_aside(w->size);
    w->requests = set_aside(count * sizeof *w->requests);
    bench_check(smsp_state_init(w->memory, w->size, &config, &w->state) == SMSP_OK, "state");
    for (uint32_t i = 0; i < accounts; i++)
        add_account(w, i);
}

/* Requests of one verb, from and to users that are drawn; distinct: number i is user i's. */
static void prepare(bench_world *w, smsp_verb verb, uint32_t version, bool distinct)
{
    for (uint32_t i = 0; i < w->count; i++) {
        prepared *p = &w->requests[i];
        uint32_t user = distinct ? i % w->accounts : draw(w, w->accounts);
        uint32_t named = verb == SMSP_REGISTER ? w->accounts + i
                         : verb == SMSP_STORE || verb == SMSP_COUNT ? draw(w, w->accounts) : user;
        p->tokenized = (smsp_tokenized){
            .verb = verb, .username = name_of(named, p->name), .cookie = token_of(user, version)};
        if (verb == SMSP_MESSAGE)
            p->tokenized.content = (smsp_span){(const uint8_t *)TEXT, strlen(TEXT)};
        if (verb == SMSP_REGISTER || verb == SMSP_LOGIN)
            p->tokenized.cookie = token_of(i, version + 1);
        p->tokenized.password = token_of(named, 1000);
    }
}

static void run(bench_world *w, smsp_verb verb, smsp_reply_code expected)
{
    char name[64];
    smsp_result result;
    uint32_t right = 0;

    (void)snprintf(name, sizeof name, "execute %s, %u accounts", smsp_verb_name(verb), w->accounts);
    measure_begin();
    for (uint32_t i = 0; i < w->count; i++) {
        if (i % BATCH == 0)
            smsp_begin(w->state);
        if (smsp_execute(w->state, &w->requests[i].tokenized, &result) == SMSP_OK)
            right += result.code == expected;
        if (i % BATCH == BATCH - 1 || i == w->count - 1)
            smsp_commit(w->state);
    }
    measure_end(name, w->accounts, w->count, 0);
    bench_check(right == w->count, name);
}

static void execute_all(uint32_t accounts, uint32_t count)
{
    static bench_world w;

    make_world(&w, accounts, count);
    prepare(&w, SMSP_COUNT, 0, false);
    run(&w, SMSP_COUNT, SMSP_REPLY_COUNTED);
    prepare(&w, SMSP_GETMSG, 0, false);
    run(&w, SMSP_GETMSG, SMSP_REPLY_TEXT);
    prepare(&w, SMSP_MESSAGE, 0, false);
    run(&w, SMSP_MESSAGE, SMSP_REPLY_OK);
    prepare(&w, SMSP_STORE, 0, false);
    run(&w, SMSP_STORE, SMSP_REPLY_OK);
    prepare(&w, SMSP_DELMSG, 0, true);
    run(&w, SMSP_DELMSG, SMSP_REPLY_OK);
    prepare(&w, SMSP_REGISTER, 1, false);
    run(&w, SMSP_REGISTER, SMSP_REPLY_COOKIE);
    prepare(&w, SMSP_LOGIN, 1 << 20, false);
    run(&w, SMSP_LOGIN, SMSP_REPLY_COOKIE);
    bench_check(smsp_state_check(w.state) == NULL, "the state afterwards");
    (void)munmap(w.memory, w.size);
    (void)munmap(w.requests, w.count * sizeof *w.requests);
    make_world(&w, accounts, count < accounts ? count : accounts);
    prepare(&w, SMSP_LOGOUT, 0, true);
    run(&w, SMSP_LOGOUT, SMSP_REPLY_OK);
    (void)munmap(w.memory, w.size);
    (void)munmap(w.requests, w.count * sizeof *w.requests);
}

void bench_execute(bool brief)
{
    execute_all(1000, brief ? 100 : 1000);
    execute_all(brief ? 2000 : 1000000, brief ? 100 : 50000);
}

/* ---- Memory ---- */

static size_t size_with(uint32_t accounts, uint32_t messages, uint64_t text)
{
    const smsp_limits limits = {.accounts = accounts, .messages = messages, .text = text, .mailbox = 1, .journal = 1};

    return smsp_state_size(&limits);
}

static void say_memory(const char *name, double bytes)
{
    printf("{\"case\": \"memory %s\", \"bytes_each\": %.2f}\n", name, bytes);
}

void bench_memory(bool brief)
{
    const uint32_t many = 1u << 20; /* a power of two, as the tables like it best */
    const double empty = (double)size_with(1, 1, 64);
    const size_t texts[] = {16, 50, 64, 1024, 4096};
    char name[64];

    (void)brief;
    say_memory("an account", ((double)size_with(many, 1, 64) - empty) / many);
    say_memory("an account, one more than a power of two", ((double)size_with(many + 1, 1, 64) - empty) / (many + 1));
    double place = ((double)size_with(1, many, 64) - empty) / many;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t blocks = texts[i] <= 50 ? 1 : 1 + (texts[i] - 50 + 59) / 60; /* PROTOCOL.md, section 8 */
        (void)snprintf(name, sizeof name, "a message of %zu", texts[i]);
        say_memory(name, place + 64.0 * (double)blocks);
    }
}
