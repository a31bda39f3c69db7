/* SPDX-License-Identifier: ISC */
/* The mutator for targets whose inputs are transcripts (transcript.h): changes lines, cookies,
 * clients and cuts. */
#include "mutator.h"

#include <string.h>

#define HEAD   2u
#define ESCAPE 0x10

typedef struct text {
    uint8_t *data;
    size_t size, max;
    uint32_t seed;
} text;

static uint32_t number(text *t, uint32_t n)
{
    return mutator_number(&t->seed, n);
}

static void insert(text *t, size_t place, const void *at, size_t len)
{
    if (len > t->max - t->size)
        return;
    memmove(t->data + place + len, t->data + place, t->size - place);
    memcpy(t->data + place, at, len);
    t->size += len;
}

static void cut_out(text *t, size_t place, size_t len)
{
    memmove(t->data + place, t->data + place + len, t->size - place - len);
    t->size -= len;
}

/* The beginning of a random line; *len is its length. */
static size_t some_line(text *t, size_t *len)
{
    size_t at = HEAD + number(t, (uint32_t)(t->size - HEAD) + 1);
    size_t end;

    while (at > HEAD && t->data[at - 1] != '\n' && t->data[at - 1] != '\0')
        at--;
    for (end = at; end < t->size && t->data[end] != '\n' && t->data[end] != '\0'; end++)
        ;
    *len = end < t->size ? end + 1 - at : end - at;
    return at;
}

static size_t put(uint8_t *out, size_t len, const char *words)
{
    memcpy(out + len, words, strlen(words));
    return len + strlen(words);
}

static void insert_request(text *t)
{
    static const char *const verbs[] = {"REGISTER ", "LOGIN ", "LOGOUT ", "MESSAGE ", "STORE ",
                                        "COUNT ",    "DELMSG ", "GETMSG ", "DUMP"};
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    uint8_t line[64];
    size_t ignored;
    uint32_t verb = number(t, 9);
    size_t len = put(line, 0, verbs[verb]);

    if (verb != 2 && verb != 8)
        len = put(line, len, names[number(t, 5)]);
    if (verb < 2) {
        len = put(line, len, number(t, 4) == 0 ? " q" : " p");
    } else if (verb != 8) {
        if (verb != 2)
            line[len++] = ' ';
        line[len++] = ESCAPE;
        line[len++] = (uint8_t)('0' + number(t, 6));
    }
    line[len++] = '\n';
    insert(t, some_line(t, &ignored), line, len);
}

static void insert_escape(text *t)
{
    static const uint8_t letters[] = "ABCD|.!&~%0123";
    static const uint16_t counts[] = {48, 49, 50, 51, 54, 55, 56, 109, 110, 126, 127, 128, 4094, 4095, 4096, 4097, 4135};
    uint8_t escape[4] = {ESCAPE, letters[number(t, sizeof letters - 1)]};
    size_t ignored;
    size_t place = number(t, 2) ? some_line(t, &ignored) : HEAD + number(t, (uint32_t)(t->size - HEAD) + 1);

    if (number(t, 5) != 0) {
        insert(t, place, escape, 2);
        return;
    }
    uint16_t count = counts[number(t, sizeof counts / sizeof counts[0])];
    escape[1] = '*';
    escape[2] = (uint8_t)(count >> 8);
    escape[3] = (uint8_t)count;
    insert(t, place, escape, 4);
}

static void change_escape(text *t)
{
    size_t at = HEAD + number(t, (uint32_t)(t->size - HEAD) + 1);

    while (at + 1 < t->size && t->data[at] != ESCAPE)
        at++;
    if (at + 1 < t->size && t->data[at + 1] >= '0' && t->data[at + 1] <= '9')
        t->data[at + 1] = (uint8_t)('0' + number(t, 6));
    else if (at + 1 < t->size && t->data[at + 1] >= 'A' && t->data[at + 1] <= 'D')
        t->data[at + 1] = (uint8_t)('A' + number(t, 4));
}

static void copy_line(text *t)
{
    uint8_t line[512];
    size_t len, ignored;
    size_t at = some_line(t, &len);

    if (len > sizeof line)
        return;
    memcpy(line, t->data + at, len);
    insert(t, number(t, 2) ? at : some_line(t, &ignored), line, len);
}

static void change_ending(text *t)
{
    static const char *const endings[] = {"\n", "\r\n", "\r\r\n", "\n\r", " \n"};
    const char *ending = endings[number(t, 5)];
    size_t len;
    size_t at = some_line(t, &len);

    if (len == 0)
        return;
    cut_out(t, at + len - 1, 1);
    if (number(t, 6) == 0)
        insert(t, at + len - 1, "\0", 1);
    else
        insert(t, at + len - 1, ending, strlen(ending));
}

size_t mutate_input(uint8_t *data, size_t size, size_t max, uint32_t seed)
{
    text t = {data, size, max, seed * 2654435761u + 1};
    size_t len;

    if (size < HEAD || max < HEAD + 8)
        return 0;
    switch (number(&t, 10)) {
    case 0:
        data[number(&t, 2)] = (uint8_t)number(&t, 256);
        break;
    case 1: {
        size_t at = some_line(&t, &len);
        cut_out(&t, at, len);
        break;
    }
    case 2:
        copy_line(&t);
        break;
    case 3:
        change_escape(&t);
        break;
    case 4:
        insert_escape(&t);
        break;
    case 5:
        change_ending(&t);
        break;
    default:
        insert_request(&t);
        break;
    }
    return t.size;
}
