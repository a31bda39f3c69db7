/* SPDX-License-Identifier: ISC */
/* Reads a fuzzed input as a transcript: requests of several clients, with repeats and cookies. */
#include "transcript.h"

#include <stdlib.h>
#include <string.h>

#include "oracle.h"

#define BYTES_MAX  (4 * REPEAT_MAX)
#define REPEAT_MAX (SMSP_REQUEST_MAX + 864u) /* longer than any line may be */
#define ENDS_MAX   8u /* more empty requests test nothing new */
#define FINE_FIRST 64u  /* these first pieces, and */
#define FINE_LAST  150u /* these last bytes, are cut finely; the middle of a long stream coarsely */
#define SHOWN_MAX  300u

static void *grow(void *at, size_t *room, size_t wanted, size_t each)
{
    if (wanted <= *room)
        return at;
    *room = *room * 2 + wanted;
    at = realloc(at, *room * each);
    if (at == NULL)
        abort();
    return at;
}

static void add_event(transcript *t, event_kind kind, unsigned client)
{
    t->events = grow(t->events, &t->event_room, t->event_count + 1, sizeof *t->events);
    t->events[t->event_count++] = (event){.kind = kind, .client = client, .at = t->len};
}

/* Adds to the client's bytes; begins a new event after a cut or another event. */
static void add_bytes(transcript *t, unsigned client, bool *cut, const uint8_t *at, size_t len)
{
    event *last = t->event_count > 0 ? &t->events[t->event_count - 1] : NULL;

    if (len > BYTES_MAX - t->len)
        return;
    if (last == NULL || last->kind != EVENT_BYTES || last->client != client || *cut) {
        add_event(t, EVENT_BYTES, client);
        last = &t->events[t->event_count - 1];
    }
    *cut = false;
    t->bytes = grow(t->bytes, &t->room, t->len + len, 1);
    memcpy(t->bytes + t->len, at, len);
    t->len += len;
    last->len += len;
}

static bool cookie_number(uint8_t byte, unsigned *number)
{
    if (byte >= '0' && byte <= '9')
        *number = byte - (unsigned)'0';
    else if (byte >= 'a' && byte <= 'v')
        *number = byte - (unsigned)'a' + 10;
    else
        return false;
    return true;
}

static bool event_of(uint8_t byte, event_kind *kind)
{
    static const char letters[] = ".!&~%";
    static const event_kind kinds[] = {EVENT_SILENCE, EVENT_CLOSE, EVENT_COMMIT, EVENT_ROLLBACK, EVENT_READ_ONLY};
    const char *found = byte == 0 ? NULL : strchr(letters, byte);

    if (found == NULL)
        return false;
    *kind = kinds[found - letters];
    return true;
}

static void repeat(transcript *t, unsigned client, bool *cut, const uint8_t count[2])
{
    size_t times = (size_t)count[0] * 256 + count[1];
    uint8_t run[REPEAT_MAX];

    if (t->len == 0)
        return;
    uint8_t byte = t->bytes[t->len - 1];
    size_t most = byte == '\n' || byte == '\0' ? ENDS_MAX : REPEAT_MAX;
    times = times < most ? times : most;
    memset(run, byte, times);
    add_bytes(t, client, cut, run, times);
}

void transcript_read(transcript *t, const uint8_t *data, size_t size, const cookie_text *cookies)
{
    static const unsigned pools[] = {32, 5, 3, 2};
    unsigned client = 0;
    unsigned number;
    event_kind kind;
    bool cut = false;

    t->flags = size > 0 ? data[0] : 0;
    t->cuts = size > 1 ? data[1] : 0;
    t->pool = pools[t->flags & 3];
    t->shared_mailboxes = (t->flags & 4) != 0;
    t->noise = (t->flags & 8) != 0;
    t->event_count = 0;
    t->len = 0;
    for (size_t i = 2; i < size; i++) {
        if (data[i] != TRANSCRIPT_ESCAPE || i + 1 == size) {
            add_bytes(t, client, &cut, data + i, 1);
            continue;
        }
        uint8_t escape = data[++i];
        if (escape >= 'A' && escape < 'A' + TRANSCRIPT_CLIENTS)
            client = escape - (unsigned)'A';
        else if (cookie_number(escape, &number))
            add_bytes(t, client, &cut, cookies[number], SMSP_COOKIE_LEN);
        else if (escape == '|')
            cut = true;
        else if (event_of(escape, &kind))
            add_event(t, kind, client);
        else if (escape == '*' && size - i > 2) {
            repeat(t, client, &cut, data + i + 1);
            i += 2;
        } else
            add_bytes(t, client, &cut, data + i, 1);
    }
}

size_t transcript_piece(uint8_t cuts, size_t n, size_t left)
{
    bool fine = n < FINE_FIRST || left <= FINE_LAST;
    size_t most = !fine ? 1000 : cuts < 64 ? 1 : cuts < 128 ? 3 : cuts < 192 ? 17 : 100;
    size_t piece = 1 + (n * 2654435761u + cuts) / 7 % most;

    return cuts == 0 || piece > left ? left : piece;
}

/* ---- Printing ---- */

void show_bytes(FILE *to, const uint8_t *at, size_t len)
{
    size_t shown = 0;

    for (size_t i = 0; i < len; i++) {
        if (shown++ == SHOWN_MAX) {
            fprintf(to, "... and %zu bytes more", len - i);
            return;
        }
        size_t run = 1;
        while (i + run < len && at[i + run] == at[i])
            run++;
        if (at[i] == '\n')
            fputs("\\n", to);
        else if (at[i] == '\r')
            fputs("\\r", to);
        else if (at[i] >= 0x20 && at[i] < 0x7f && at[i] != '\\')
            fputc(at[i], to);
        else
            fprintf(to, "\\x%02x", at[i]);
        if (run > 16) {
            fprintf(to, "{%zu times}", run);
            i += run - 1;
        }
    }
}

static void show_event(const transcript *t, const event *e, FILE *to)
{
    static const char *const names[] = {"", "(silence: the request ends here)", "(closes, and connects again)",
                                        "(commit, begin)", "(roll back)", "(toggle read-only)"};
    size_t begin = e->at;

    if (e->kind != EVENT_BYTES) {
        fprintf(to, "%c  %s\n", 'A' + (int)e->client, names[e->kind]);
        return;
    }
    for (size_t i = e->at; i < e->at + e->len; i++) {
        bool ends = t->bytes[i] == '\n' || t->bytes[i] == '\0';
        if (!ends && i + 1 < e->at + e->len)
            continue;
        fprintf(to, "%c> ", 'A' + (int)e->client);
        show_bytes(to, t->bytes + begin, i + 1 - begin);
        fputc('\n', to);
        begin = i + 1;
    }
}

void transcript_show(const transcript *t, FILE *to)
{
    fprintf(to, "%u cookies in the pool, %s mailboxes, pieces by %u%s\n", t->pool,
            t->shared_mailboxes ? "shared" : "own", t->cuts, t->noise ? ", noise" : "");
    for (size_t i = 0; i < t->event_count; i++)
        show_event(t, &t->events[i], to);
}
