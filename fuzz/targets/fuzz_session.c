/* SPDX-License-Identifier: ISC */
/* Sessions: what several clients send to one state, cut in pieces.
 *
 * The engine runs first; each reply and each DUMP is recorded. It runs again with other cuts
 * and, if the input asks for it, with a fifth client whose requests all fail: the replies
 * must be the same. Then the model reads the same transcript byte by byte, and each record
 * must agree with it. */
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "oracle.h"
#include "target.h"
#include "transcript.h"
#include "world.h"

const char target_name[] = "session";

#define DUMPS_MAX 3u /* compared in a run, besides the one at the end */

typedef struct record {
    unsigned client;
    size_t at, len; /* the reply, with its terminator */
    bool committed; /* the journal was full before it */
    bool dumped;
    size_t dump_at, dump_len;
} record;

typedef struct bytes {
    uint8_t *at;
    size_t len, room;
} bytes;

/* The record of one run of the engine. */
typedef struct run {
    world w;
    smsp_frame frames[TRANSCRIPT_CLIENTS];
    uint8_t *buffers[TRANSCRIPT_CLIENTS]; /* blocks of exactly the size that a frame needs */
    record *records;
    size_t count, room;
    bytes out, dumps;
    unsigned dump_count;
    bool read_only;
} run;

static uint8_t *reserve(bytes *b, size_t more)
{
    if (b->room - b->len < more) {
        b->room = b->room * 2 + more;
        b->at = realloc(b->at, b->room);
        ORACLE("memory", b->at != NULL, "%zu bytes", b->room);
    }
    return b->at + b->len;
}

/* ---- The engine's run ---- */

static void open_frame(run *r, unsigned client)
{
    size_t size = SMSP_FRAME_SIZE(SMSP_REQUEST_MAX);

    if (r->buffers[client] == NULL)
        r->buffers[client] = malloc(size);
    ORACLE("frame", r->buffers[client] != NULL &&
                        smsp_frame_init(&r->frames[client], r->buffers[client], size, SMSP_REQUEST_MAX) == SMSP_OK,
           "no frame");
}

static void run_open(run *r, const transcript *t)
{
    world_open(&r->w, t->pool, t->shared_mailboxes);
    for (unsigned i = 0; i < TRANSCRIPT_CLIENTS; i++)
        open_frame(r, i);
    r->count = 0;
    r->out.len = 0;
    r->dumps.len = 0;
    r->dump_count = 0;
    r->read_only = false;
}

static void note_dump(run *r, record *rec)
{
    if (r->dump_count++ >= DUMPS_MAX)
        return;
    rec->dumped = true;
    rec->dump_at = r->dumps.len;
    rec->dump_len = world_dump(&r->w, reserve(&r->dumps, WORLD_DUMP_MAX), WORLD_DUMP_MAX);
    r->dumps.len += rec->dump_len;
}

static void run_line(run *r, unsigned client, smsp_error framed, smsp_span line)
{
    record rec = {.client = client, .at = r->out.len};
    bool dump;

    rec.len = world_answer(&r->w, framed, line, r->frames[client].ending, reserve(&r->out, SMSP_REPLY_MAX + 1),
                           &dump, &rec.committed);
    r->out.len += rec.len;
    if (oracles() == ORACLES_ALL) {
        if (dump)
            note_dump(r, &rec);
        world_check(&r->w);
    }
    if (r->count == r->room) {
        r->room = r->room * 2 + 64;
        r->records = realloc(r->records, r->room * sizeof *r->records);
        ORACLE("memory", r->records != NULL, "%zu records", r->room);
    }
    r->records[r->count++] = rec;
}

static void run_lines(run *r, unsigned client)
{
    smsp_frame *frame = &r->frames[client];
    smsp_span line = {NULL, 0};

    for (;;) {
        engine_enters();
        smsp_error framed = smsp_frame_next(frame, &line);
        engine_leaves();
        if (framed == SMSP_NEED_MORE)
            return;
        run_line(r, client, framed, line);
    }
}

static void run_piece(run *r, unsigned client, const uint8_t *at, size_t len)
{
    smsp_frame *frame = &r->frames[client];
    size_t room;

    while (len > 0) {
        engine_enters();
        uint8_t *to = smsp_frame_room(frame, &room);
        engine_leaves();
        ORACLE("frame", room > 0, "no room for more bytes");
        size_t count = len < room ? len : room;
        memcpy(to, at, count);
        ORACLE("frame", smsp_frame_fed(frame, count) == SMSP_OK, "%zu bytes into %zu", count, room);
        at += count;
        len -= count;
        run_lines(r, client);
    }
}

static void run_silence(run *r, unsigned client)
{
    smsp_span line = {NULL, 0};
    smsp_error framed = smsp_frame_end_here(&r->frames[client], &line);

    if (framed != SMSP_NEED_MORE)
        run_line(r, client, framed, line);
    run_lines(r, client);
}

static void run_event(run *r, const transcript *t, const event *e, uint8_t cuts)
{
    size_t piece;

    switch (e->kind) {
    case EVENT_BYTES:
        for (size_t at = 0, n = 0; at < e->len; at += piece, n++) {
            piece = transcript_piece(cuts, n, e->len - at);
            run_piece(r, e->client, t->bytes + e->at + at, piece);
        }
        break;
    case EVENT_CLOSE:
        run_silence(r, e->client);
        open_frame(r, e->client);
        break;
    case EVENT_SILENCE:
        run_silence(r, e->client);
        break;
    case EVENT_COMMIT:
        world_commit(&r->w);
        world_begin(&r->w);
        break;
    case EVENT_ROLLBACK:
        world_rollback(&r->w);
        break;
    default:
        r->read_only = !r->read_only;
        smsp_state_read_only(r->w.state, r->read_only);
        break;
    }
}

/* Noise: requests that fail, which must not affect other clients (REQ-7). */
static void make_noise(run *r, unsigned n)
{
    static const char *const failing[] = {
        "REGISTER a", "MESSAGE x 0", "LOGOUT 0", "GETMSG a  ", "LOGIN a ", "\xff", "", "DELMSG a 0", "dump", "STORE a",
    };
    const char *words = failing[n % (sizeof failing / sizeof failing[0])];
    uint8_t out[SMSP_REPLY_MAX + 1];
    bool dump, committed;
    uint64_t before = smsp_state_digest(r->w.state);

    (void)world_answer(&r->w, SMSP_OK, (smsp_span){(const uint8_t *)words, strlen(words)}, SMSP_ENDS_LF, out, &dump,
                       &committed);
    ORACLE("isolation", !committed && smsp_state_digest(r->w.state) == before, "'%s' changed the state", words);
}

static void run_all(run *r, const transcript *t, uint8_t cuts, bool noise)
{
    run_open(r, t);
    for (size_t i = 0; i < t->event_count; i++) {
        run_event(r, t, &t->events[i], cuts);
        if (noise)
            make_noise(r, (unsigned)i + t->flags);
    }
}

/* ---- The model's run ---- */

typedef struct walk {
    const run *of;
    const transcript *t;
    model now, kept; /* kept: when the batch began */
    bool batch;
    model_stream streams[TRANSCRIPT_CLIENTS];
    size_t next; /* record */
    uint8_t *out; /* a reply, then a dump */
} walk;

static void keep(walk *k)
{
    k->kept = k->now;
}

static void check_dump(walk *k, const uint8_t *actual, size_t len)
{
    size_t expected = model_dump(&k->now, k->out, WORLD_DUMP_MAX);

    oracle_same_bytes("model-dump", "what DUMP prints", k->out, expected, actual, len);
}

static void walk_line(walk *k, unsigned client, size_t len)
{
    model_stream *s = &k->streams[client];
    uint8_t end;
    bool dump;

    ORACLE("model-reply", k->next < k->of->count, "reply %zu is missing", k->next);
    const record *rec = &k->of->records[k->next++];
    if (rec->committed)
        keep(k);
    size_t reply = model_answer(&k->now, s->held, len, k->out, &dump);
    ORACLE("grammar", model_is_reply(&k->now.limits, k->out, reply), "the model's reply of %zu bytes", reply);
    if (model_stream_terminator(s, &end) > 0)
        k->out[reply++] = end;
    oracle_same_bytes("model-reply", "a reply", k->out, reply, k->of->out.at + rec->at, rec->len);
    if (rec->dumped)
        check_dump(k, k->of->dumps.at + rec->dump_at, rec->dump_len);
    model_stream_next(s);
}

static void walk_event(walk *k, const event *e)
{
    model_stream *s = &k->streams[e->client];
    unsigned granted = k->now.granted;
    size_t len;

    switch (e->kind) {
    case EVENT_BYTES:
        for (size_t i = 0; i < e->len; i++)
            if (model_stream_byte(s, k->t->bytes[e->at + i], &len))
                walk_line(k, e->client, len);
        break;
    case EVENT_CLOSE:
    case EVENT_SILENCE:
        if (model_stream_silence(s, &len))
            walk_line(k, e->client, len);
        if (e->kind == EVENT_CLOSE)
            model_stream_close(s);
        break;
    case EVENT_COMMIT:
        keep(k);
        k->batch = true;
        break;
    case EVENT_ROLLBACK:
        if (k->batch) {
            bool read_only = k->now.read_only;
            k->now = k->kept;
            k->now.granted = granted;
            k->now.read_only = read_only;
        }
        k->batch = false;
        break;
    default:
        k->now.read_only = !k->now.read_only;
        break;
    }
}

static void check_against_model(run *r, const transcript *t)
{
    static walk k;
    model_limits limits = world_model_limits(t->shared_mailboxes);
    model_arena *arena = model_arena_new();

    if (k.out == NULL)
        k.out = malloc(WORLD_DUMP_MAX);
    ORACLE("memory", k.out != NULL, "no room for a dump");
    k.of = r;
    k.t = t;
    k.next = 0;
    k.batch = false;
    model_init(&k.now, &limits, arena);
    k.now.candidate = world_candidate;
    k.now.context = &r->w;
    for (unsigned i = 0; i < TRANSCRIPT_CLIENTS; i++)
        model_stream_open(&k.streams[i]);
    for (size_t i = 0; i < t->event_count; i++)
        walk_event(&k, &t->events[i]);
    ORACLE("model-reply", k.next == r->count, "%zu replies too many", r->count - k.next);
    static uint8_t dump[WORLD_DUMP_MAX];
    check_dump(&k, dump, world_dump(&r->w, dump, sizeof dump));
    for (unsigned i = 0; i < TRANSCRIPT_CLIENTS; i++)
        model_stream_close(&k.streams[i]);
    model_arena_free(arena);
}

/* ---- The target ---- */

static void check_runs(run *a, run *b, const char *name)
{
    oracle_same_bytes(name, "the replies", a->out.at, a->out.len, b->out.at, b->out.len);
    ORACLE(name, smsp_state_digest(a->w.state) == smsp_state_digest(b->w.state), "the state differs");
}

static run first, again;
static transcript t;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (first.w.memory == NULL)
        world_open(&first.w, 1, false);
    transcript_read(&t, data, size, (const cookie_text *)first.w.cookies);
    work_reset();
    run_all(&first, &t, t.cuts, false);
    ORACLE("work", work_done() <= 20000 + 400 * t.len + 40 * first.out.len + 20 * first.dumps.len,
           "%llu blocks for %zu bytes in, %zu out", (unsigned long long)work_done(), t.len, first.out.len);
    if (oracles() == ORACLES_NONE)
        return 0;
    run_all(&again, &t, t.cuts == 0 ? 130 : 0, t.noise);
    check_runs(&first, &again, t.noise ? "isolation" : "split");
    world_check(&again.w);
    if (oracles() == ORACLES_ALL) {
        check_against_model(&first, &t);
        world_check_effects(&first.w);
    }
    return 0;
}

/* Prints a reply; in hex for fuzz/fuzz-server (FUZZ_SHOW=hex). */
static void show_reply(const run *r, const record *rec, bool hex, FILE *to)
{
    fprintf(to, "%c< ", 'A' + (int)rec->client);
    for (size_t i = 0; hex && i < rec->len; i++)
        fprintf(to, "%02x", r->out.at[rec->at + i]);
    if (!hex)
        show_bytes(to, r->out.at + rec->at, rec->len);
    fputc('\n', to);
}

void target_show(const uint8_t *data, size_t size, FILE *to)
{
    const char *how = getenv("FUZZ_SHOW");
    bool hex = how != NULL && strcmp(how, "hex") == 0;

    if (first.w.memory == NULL)
        world_open(&first.w, 1, false);
    transcript_read(&t, data, size, (const cookie_text *)first.w.cookies);
    if (!hex)
        transcript_show(&t, to);
    setenv("FUZZ_ORACLES", "none", 1);
    run_all(&first, &t, t.cuts, false);
    fputs("the replies, in order:\n", to);
    for (size_t i = 0; i < first.count; i++)
        show_reply(&first, &first.records[i], hex, to);
}
