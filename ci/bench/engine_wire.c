/* SPDX-License-Identifier: ISC */
/* Parsing, framing, text: what happens to a request before the state sees it. */
#include <stdio.h>
#include <string.h>

#include "engine_cases.h"
#include "parsers.h"

static bool parse_ours(const uint8_t *line, size_t len, smsp_request *request)
{
    return smsp_request_parse(line, len, request) == SMSP_OK;
}

/* Keeps the compiler from leaving out work whose result nobody looks at. */
static volatile size_t sink;

static const struct {
    const char *name;
    bool (*parse)(const uint8_t *line, size_t len, smsp_request *request);
} parsers[] = {{"ours", parse_ours}, {"re2c", parse_by_re2c}, {"strtok", parse_by_strtok}};

/* A line in memory of its own, with NUL behind it. */
typedef struct sample {
    const char *name;
    size_t len;
    uint8_t bytes[SMSP_REQUEST_MAX + 1];
} sample;

static sample samples[8];

static void make_sample(sample *s, const char *name, const char *before, size_t content, const char *unit)
{
    int len = snprintf((char *)s->bytes, sizeof s->bytes, "%s", before);
    size_t step = strlen(unit);

    s->name = name;
    s->len = (size_t)len;
    for (size_t i = 0; i + step <= content; i += step, s->len += step)
        memcpy(s->bytes + s->len, unit, step);
    if (content > 0)
        s->len += (size_t)snprintf((char *)s->bytes + s->len, sizeof s->bytes - s->len, " %s", BENCH_COOKIE);
    s->bytes[s->len] = '\0';
}

static size_t make_samples(void)
{
    size_t n = 0;

    make_sample(&samples[n++], "COUNT", "COUNT alice " BENCH_COOKIE, 0, "x");
    make_sample(&samples[n++], "LOGIN", "LOGIN alice correcthorse", 0, "x");
    make_sample(&samples[n++], "MESSAGE 16", "MESSAGE ", 16, "hello, world... ");
    make_sample(&samples[n++], "MESSAGE 64", "MESSAGE ", 64, "hello, world... ");
    make_sample(&samples[n++], "MESSAGE 1024", "MESSAGE ", 1024, "hello, world... ");
    make_sample(&samples[n++], "MESSAGE 4096", "MESSAGE ", 4096, "hello, world... ");
    make_sample(&samples[n++], "MESSAGE 4096 mixed", "MESSAGE ", 4096, "Gr\xc3\xbc\xc3\x9f" "e, \xe4\xb8\xad! ");
    return n;
}

static bool same_span(smsp_span a, smsp_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* All three must read the same, or they are not comparable. */
static void compare_parsers(const sample *s)
{
    smsp_request ours;
    smsp_request other;

    bench_check(parse_ours(s->bytes, s->len, &ours), s->name);
    for (size_t p = 1; p < sizeof parsers / sizeof parsers[0]; p++) {
        bench_check(parsers[p].parse(s->bytes, s->len, &other), parsers[p].name);
        bench_check(ours.verb == other.verb && same_span(ours.username, other.username) &&
                        same_span(ours.password, other.password) && same_span(ours.content, other.content) &&
                        same_span(ours.cookie, other.cookie),
                    s->name);
    }
}

/* What the grammar does not allow, all three refuse; ours by a refusal or by an
 * empty part (REQ-5). */
static void compare_refusals(void)
{
    static const char *const wrong[] = {
        "", "count alice " BENCH_COOKIE, "COUNT alice  " BENCH_COOKIE, "COUNT al-ice " BENCH_COOKIE,
        "COUNT alice 0123", "COUNTS alice " BENCH_COOKIE, "MESSAGE a\tb " BENCH_COOKIE,
        "MESSAGE \xc3 " BENCH_COOKIE, "MESSAGE \xc2\x85 " BENCH_COOKIE, "MESSAGE \xed\xa0\x80 " BENCH_COOKIE,
        "LOGIN alice two words", "LOGOUT x", "STORE a b c", "MESSAGE " BENCH_COOKIE,
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const uint8_t *line = (const uint8_t *)wrong[i];
        smsp_request request;
        size_t len = strlen(wrong[i]);
        bool taken = parse_ours(line, len, &request);
        bool login = taken && (request.verb == SMSP_LOGIN || request.verb == SMSP_REGISTER);
        bool whole = taken && (login ? request.username.len > 0 && request.password.len > 0
                                     : request.cookie.len > 0 && (request.verb == SMSP_MESSAGE ? request.content.len > 0
                                                                                               : request.username.len > 0));
        bench_check(!whole && !parse_by_re2c(line, len, &request) && !parse_by_strtok(line, len, &request), wrong[i]);
    }
}

void bench_parse(bool brief)
{
    size_t count = make_samples();
    char name[64];

    compare_refusals();
    for (size_t i = 0; i < count; i++) {
        const sample *s = &samples[i];
        uint64_t operations = brief ? 10 : s->len > 500 ? 20000 : 500000;
        compare_parsers(s);
        for (size_t p = 0; p < sizeof parsers / sizeof parsers[0]; p++) {
            smsp_request request;
            size_t seen = 0;
            (void)snprintf(name, sizeof name, "parse %s, %s", s->name, parsers[p].name);
            measure_begin();
            for (uint64_t k = 0; k < operations; k++)
                seen += parsers[p].parse(s->bytes, s->len, &request) ? request.cookie.len : 1000;
            measure_end(name, 0, operations, operations * s->len);
            sink = seen;
        }
    }
}

/* ---- Framing: a stream in pieces as the network cuts it ---- */

#define STREAM (1u << 20)

static uint8_t stream[STREAM];

/* Feeds len bytes, piece by piece; gives back how many requests there were. */
static uint64_t take_stream(size_t len, size_t piece, bool parse)
{
    static uint8_t buffer[32768];
    smsp_frame frame;
    smsp_request request;
    smsp_span line;
    uint64_t lines = 0;

    bench_check(smsp_frame_init(&frame, buffer, sizeof buffer, SMSP_REQUEST_MAX) == SMSP_OK, "frame");
    for (size_t at = 0; at < len;) {
        size_t room;
        uint8_t *to = smsp_frame_room(&frame, &room);
        size_t take = piece < room ? piece : room;
        take = take < len - at ? take : len - at;
        memcpy(to, stream + at, take);
        at += take;
        if (smsp_frame_fed(&frame, take) != SMSP_OK)
            return 0;
        while (smsp_frame_next(&frame, &line) == SMSP_OK)
            lines += !parse || smsp_request_parse(line.at, line.len, &request) == SMSP_OK;
    }
    return lines;
}

void bench_frame(bool brief)
{
    static const size_t contents[] = {16, 64, 1024, 4096};
    char name[64];

    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        sample *s = &samples[0];
        uint64_t count = 0;
        size_t len = 0;
        make_sample(s, "", "MESSAGE ", contents[i], "hello, world... ");
        s->bytes[s->len] = '\n';
        for (size_t limit = brief ? 20000 : STREAM; len + s->len + 1 <= limit; len += s->len + 1, count++)
            memcpy(stream + len, s->bytes, s->len + 1);
        for (int parse = 0; parse < 2; parse++) {
            (void)snprintf(name, sizeof name, "%s, content of %zu", parse ? "frame and parse" : "frame", contents[i]);
            measure_begin();
            uint64_t lines = take_stream(len, 16384, parse != 0);
            measure_end(name, 0, count, len);
            bench_check(lines == count, name);
        }
    }
}

/* ---- Text ---- */

void bench_text(bool brief)
{
    static const struct {
        const char *name;
        const char *unit;
    } kinds[] = {{"ASCII", "hello, world... "},
                 {"mixed", "Gr\xc3\xbc\xc3\x9f" "e aus K\xc3\xb6ln, sch\xc3\xb6n hier! "},
                 {"Cyrillic", "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 "},
                 {"Chinese", "\xe4\xbd\xa0\xe5\xa5\xbd\xe4\xb8\x96\xe7\x95\x8c"}};
    static uint8_t text[SMSP_CONTENT_MAX];
    uint64_t operations = brief ? 10 : 20000;
    char name[64];

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t step = strlen(kinds[i].unit);
        size_t right = 0;
        memset(text, 'x', sizeof text);
        for (size_t at = 0; at + step <= sizeof text; at += step)
            memcpy(text + at, kinds[i].unit, step);
        (void)snprintf(name, sizeof name, "text of 4096 bytes, %s", kinds[i].name);
        measure_begin();
        for (uint64_t k = 0; k < operations; k++)
            right += smsp_text_ok(text, sizeof text);
        measure_end(name, 0, operations, operations * sizeof text);
        bench_check(right == operations, name);
    }
}
