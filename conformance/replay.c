/* SPDX-License-Identifier: ISC */
/* Replays exported transcripts against the engine, in one process and without
 * sockets: replay FILE.flat... README.md, "The cases for other programs", has the
 * format. TAP out, one test a case; status 1 if any fails, 2 for wrong usage.
 *
 * Each case is played three times, see delivery_names; the first step that
 * goes wrong is told with its file, its line and the bytes on both sides. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay_server.h"
#include "smsp.h"

enum { COOKIES = 512 };

/* As --export writes them. */
static void show(const char *title, const uint8_t *at, size_t len)
{
    printf("#   %s", title);
    for (size_t i = 0; i < len; i++)
        printf(at[i] >= 0x20 && at[i] < 0x7f && at[i] != '\\' ? "%c" : "\\x%02X", at[i]);
    puts(len > 0 ? "" : "nothing");
}

/* ---- A play of one case ---- */

typedef struct play {
    const char *file;
    unsigned line;
    unsigned number; /* in the TAP */
    char id[80];
    bool failed;
    server server;
    uint8_t cookies[COOKIES][SMSP_COOKIE_LEN];
    bool known[COOKIES];
    bytes text; /* of the step under way */
} play;

/* Tells of the first step that goes wrong; the case is over then. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static bool wrong(play *p, const char *format, ...)
{
    va_list args;

    if (!p->failed)
        printf("not ok %u - %s\n# %s:%u: %s: ", p->number, p->id, p->file, p->line, delivery_names[p->server.how]);
    else
        printf("# ");
    p->failed = true;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    return false;
}

static bool differs(play *p, const char *what, const uint8_t *actual, size_t len)
{
    (void)wrong(p, "%s", what);
    show("expected ", p->text.at, p->text.len);
    show("actual   ", actual, len);
    return false;
}

/* What the server says of itself: NULL is fine. */
static bool fine(play *p, const char *broken)
{
    return broken == NULL || wrong(p, "the engine: %s", broken);
}

/* ---- Steps ---- */

static unsigned hex(char digit)
{
    const char *digits = "0123456789ABCDEF";
    const char *found = digit != '\0' ? strchr(digits, digit) : NULL;

    return found != NULL ? (unsigned)(found - digits) : 16;
}

/* A cookie's number after "$"; COOKIES if there is none. */
static size_t cookie_number(const char **text)
{
    size_t number = 0;
    size_t digits = 0;

    for (; isdigit((unsigned char)**text) && number < COOKIES; digits++)
        number = 10 * number + (size_t)(*(*text)++ - '0');
    return digits > 0 && number < COOKIES ? number : COOKIES;
}

/* Puts cookie n into p->text, or what stands at its place in actual. */
static bool put_cookie(play *p, size_t n, const uint8_t *actual, size_t len)
{
    size_t at = p->text.len;

    if (n == COOKIES)
        return wrong(p, "after $ comes a cookie's number under %d", COOKIES);
    if (!p->known[n]) {
        if (actual == NULL || len < at + SMSP_COOKIE_LEN || !smsp_cookie_ok(actual + at, SMSP_COOKIE_LEN))
            return wrong(p, "$%zu is no cookie yet, and none has come here", n);
        memcpy(p->cookies[n], actual + at, SMSP_COOKIE_LEN);
        p->known[n] = true;
    }
    put(&p->text, p->cookies[n], SMSP_COOKIE_LEN);
    return true;
}

/* Puts a step's bytes into p->text. A cookie that is not known yet is taken out
 * of actual, where it would stand; NULL: there is nothing to take it from. */
static bool read_text(play *p, const char *text, const uint8_t *actual, size_t len)
{
    p->text.len = 0;
    while (*text != '\0') {
        char c = *text++;
        if (c == '\\') {
            unsigned high = *text == 'x' ? hex(text[1]) : 16;
            unsigned low = high < 16 ? hex(text[2]) : 16;
            if (low == 16)
                return wrong(p, "after \\ come x and two digits of 0-9 A-F");
            text += 3;
            put(&p->text, &(uint8_t){(uint8_t)(16 * high + low)}, 1);
        } else if (c == '$') {
            if (!put_cookie(p, cookie_number(&text), actual, len))
                return false;
        } else {
            put(&p->text, &c, 1);
        }
    }
    return true;
}

/* Who waits for a reply lets time pass. */
static bool step_recv(play *p, connection *c, const char *text)
{
    if (c->out.len == c->taken && !fine(p, server_silence(&p->server, c)))
        return false;
    const uint8_t *actual = c->out.at + c->taken;
    size_t len = c->out.len - c->taken;
    if (!read_text(p, text, actual, len)) {
        show("actual   ", actual, len);
        return false;
    }
    if (len < p->text.len || memcmp(actual, p->text.at, p->text.len) != 0)
        return differs(p, "another reply", actual, len);
    c->taken += p->text.len;
    return true;
}

static bool step_line(play *p, connection *c)
{
    if (c->out.len == c->taken && !fine(p, server_silence(&p->server, c)))
        return false;
    const uint8_t *actual = c->out.at + c->taken;
    size_t len = c->out.len - c->taken;
    const uint8_t *end = len > 0 ? memchr(actual, c->frame.ending == SMSP_ENDS_NUL ? '\0' : '\n', len) : NULL;
    if (len == 0)
        return wrong(p, "no reply has come");
    c->taken += end != NULL ? (size_t)(end - actual) + 1 : len;
    return true;
}

static bool step_none(play *p, connection *c)
{
    p->text.len = 0;
    return c->out.len == c->taken ||
           differs(p, "a reply that is not owed", c->out.at + c->taken, c->out.len - c->taken);
}

static bool step_end(play *p, connection *c)
{
    return fine(p, server_silence(&p->server, c)) && fine(p, server_connect(c));
}

static bool on_connection(play *p, const char *word, const char *text)
{
    char *rest;
    unsigned long number = strtoul(text, &rest, 10);

    if (rest == text || number >= CONNECTIONS)
        return wrong(p, "'%s' wants a connection's number under %d", word, CONNECTIONS);
    connection *c = &p->server.connections[number];
    if (!c->open && !fine(p, server_connect(c)))
        return false;
    rest += *rest == ' ';
    if (strcmp(word, "send") == 0)
        return read_text(p, rest, NULL, 0) &&
               fine(p, server_receive(&p->server, c, p->text.at, p->text.len));
    if (strcmp(word, "recv") == 0)
        return step_recv(p, c, rest);
    if (strcmp(word, "line") == 0)
        return step_line(p, c);
    if (strcmp(word, "none") == 0)
        return step_none(p, c);
    return strcmp(word, "end") == 0 ? step_end(p, c) : fine(p, server_silence(&p->server, c));
}

/* The lines of a run of "dump" are all that is new on the terminal. */
static bool step_dump(play *p, const char *text, bool last)
{
    const uint8_t *actual = p->server.terminal.at + p->server.seen;
    size_t len = p->server.terminal.len - p->server.seen;

    if (!read_text(p, text, NULL, 0))
        return false;
    put(&p->text, "\n", 1);
    if (len < p->text.len || memcmp(actual, p->text.at, p->text.len) != 0)
        return differs(p, "another line from DUMP", actual, len);
    p->server.seen += p->text.len;
    if (last && p->server.seen < p->server.terminal.len)
        return wrong(p, "DUMP printed %zu bytes more after this line", p->server.terminal.len - p->server.seen);
    return true;
}

static bool contains(const uint8_t *at, size_t len, const bytes *what)
{
    for (size_t i = 0; i + what->len <= len; i++)
        if (memcmp(at + i, what->at, what->len) == 0)
            return true;
    return false;
}

static bool step_dump_holds(play *p, const char *text, bool wanted)
{
    const uint8_t *actual = p->server.terminal.at + p->server.seen;
    size_t len = p->server.terminal.len - p->server.seen;

    if (!read_text(p, text, NULL, 0))
        return false;
    bool there = len > 0 && contains(actual, len, &p->text);
    return there == wanted ||
           differs(p, wanted ? "DUMP did not print this" : "DUMP printed this, which it should not", actual, len);
}

static bool set_option(play *p, const char *text)
{
    smsp_limits *limits = &p->server.limits;
    const char *value = text + strcspn(text, " ");
    size_t len = (size_t)(value - text);
    char *end;
    unsigned long number = strtoul(value, &end, 10);
    const struct {
        const char *name;
        uint32_t *to;
    } known[] = {{"accounts", &limits->accounts}, {"mailbox", &limits->mailbox}, {"messages", &limits->messages}};

    if (p->server.begun)
        return wrong(p, "an option comes before the first step");
    if (strcmp(text, "shared-mailboxes") == 0) {
        p->server.shared_mailboxes = true;
        return true;
    }
    bool valued = end > value && *end == '\0';
    for (size_t i = 0; valued && i < sizeof known / sizeof known[0]; i++) {
        if (len == strlen(known[i].name) && memcmp(text, known[i].name, len) == 0) {
            *known[i].to = (uint32_t)number;
            return true;
        }
    }
    if (valued && strncmp(text, "text ", 5) == 0) {
        limits->text = number;
        return true;
    }
    return wrong(p, "option '%s' is not known here", text);
}

static bool step(play *p, char *line, const char *following)
{
    static const char *const of_connections[] = {"send", "recv", "line", "none", "silence", "end"};
    char *text = strchr(line, ' ');

    if (text != NULL)
        *text++ = '\0';
    else
        text = strchr(line, '\0');
    if (strcmp(line, "option") == 0)
        return set_option(p, text);
    if (!p->server.begun && !fine(p, server_begin(&p->server)))
        return false;
    if (strcmp(line, "dump") == 0)
        return step_dump(p, text, strncmp(following, "dump ", 5) != 0);
    if (strcmp(line, "dump-has") == 0 || strcmp(line, "dump-lacks") == 0)
        return step_dump_holds(p, text, strcmp(line, "dump-has") == 0);
    for (size_t i = 0; i < sizeof of_connections / sizeof of_connections[0]; i++)
        if (strcmp(line, of_connections[i]) == 0)
            return on_connection(p, line, text);
    return wrong(p, "'%s' is no step", line);
}

/* At a case's end nothing may be left over, and the state must be sound. */
static bool end_case(play *p)
{
    if (!p->server.begun)
        return wrong(p, "the case has no step");
    for (size_t i = 0; i < CONNECTIONS; i++) {
        connection *c = &p->server.connections[i];
        bool quiet = !c->open || (fine(p, server_silence(&p->server, c)) && step_none(p, c));
        if (!quiet)
            return wrong(p, "on connection %zu, after the last step", i);
    }
    const char *broken = smsp_state_check(p->server.state);
    return broken == NULL || wrong(p, "the state is broken: %s", broken);
}

/* ---- Files ---- */

static char *read_file(const char *name)
{
    FILE *file = fopen(name, "rb");
    bytes all = {NULL, 0, 0};
    char piece[4096];

    while (file != NULL && !feof(file) && !ferror(file))
        put(&all, piece, fread(piece, 1, sizeof piece, file));
    if (file == NULL || ferror(file)) {
        perror(name);
        exit(2);
    }
    (void)fclose(file);
    put(&all, "", 1);
    return (char *)all.at;
}

/* Cuts a line off; the text behind it. */
static char *line_end(char *line)
{
    char *end = line + strcspn(line, "\n");

    if (*end != '\0')
        *end++ = '\0';
    return end;
}

/* Plays the whole file once; it is cut into lines and words for good. */
static bool play_once(play *p, char *text)
{
    bool good = true;

    p->failed = false;
    memset(p->known, 0, sizeof p->known);
    p->line = 1;
    char *next = line_end(text);
    bool named = strncmp(text, "case ", 5) == 0 && text[5] != '\0';
    (void)snprintf(p->id, sizeof p->id, "%s", named ? text + 5 : p->file);
    if (!named)
        return wrong(p, "the first line is to be 'case ID'");
    while (good && *next != '\0') {
        char *line = next;
        next = line_end(line);
        p->line++;
        if (*line != '\0')
            good = step(p, line, next);
    }
    return good && end_case(p);
}

static bool play_file(play *p, const char *name)
{
    char *text = read_file(name);
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    bool good = copy != NULL;

    p->file = name;
    for (int how = 0; good && how < DELIVERIES; how++) {
        server_reset(&p->server, (delivery)how);
        memcpy(copy, text, size);
        good = play_once(p, copy);
    }
    if (good)
        printf("ok %u - %s\n", p->number, p->id);
    free(copy);
    free(text);
    return good;
}

int main(int argc, char **argv)
{
    static play p;
    int failed = 0;

    if (argc < 2) {
        fputs("replay: usage: replay FILE.flat... (conformance/smsp-conformance --export DIR writes them)\n", stderr);
        return 2;
    }
    printf("1..%d\n", argc - 1);
    for (int i = 1; i < argc; i++) {
        p.number = (unsigned)i;
        failed += !play_file(&p, argv[i]);
    }
    printf("# %d cases replayed in %d ways, %d failed\n", argc - 1, DELIVERIES, failed);
    free(p.text.at);
    server_free(&p.server);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("replay: cannot write the output\n", stderr);
        return 2;
    }
    return failed > 0 ? 1 : 0;
}
