/* SPDX-License-Identifier: ISC */
/* The parser that people write first: copy, strtok, compare. See parsers.h. */
#define _POSIX_C_SOURCE 200809L /* strtok_r */
#include <ctype.h>
#include <string.h>

#include "parsers.h"

/* The bytes that follow the first of a character, or -1; the second byte's range. */
static int follow(unsigned char first, unsigned char *low, unsigned char *high)
{
    *low = first == 0xe0 || first == 0xc2 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first < 0x80)
        return first >= 0x20 && first != 0x7f ? 0 : -1;
    if (first < 0xc2 || first > 0xf4)
        return -1;
    return first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

static bool text_ok(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at != '\0') {
        unsigned char low;
        unsigned char high;
        int more = follow(*at++, &low, &high);
        if (more < 0)
            return false;
        for (int i = 0; i < more; i++, at++) {
            if (*at < low || *at > high)
                return false;
            low = 0x80;
            high = 0xbf;
        }
    }
    return true;
}

static bool all(const char *word, size_t least, size_t most, int (*is)(int))
{
    size_t len = strlen(word);

    for (size_t i = 0; i < len; i++)
        if (!is((unsigned char)word[i]))
            return false;
    return len >= least && len <= most;
}

static int is_cookie_digit(int c)
{
    return isxdigit(c) && !isupper(c);
}

static smsp_span span(const char *word)
{
    return (smsp_span){(const uint8_t *)word, strlen(word)};
}

static bool find_verb(const char *word, smsp_verb *verb)
{
    for (smsp_verb v = SMSP_REGISTER; v < SMSP_VERBS; v++) {
        if (strcmp(word, smsp_verb_name(v)) == 0) {
            *verb = v;
            return true;
        }
    }
    return false;
}

static bool take_cookie(const char *word, smsp_request *request)
{
    if (word == NULL || !all(word, SMSP_COOKIE_LEN, SMSP_COOKIE_LEN, is_cookie_digit))
        return false;
    request->cookie = span(word);
    return true;
}

static bool parse_message(char *rest, smsp_request *request)
{
    char *last = strrchr(rest, ' ');

    if (last == NULL || last == rest || last - rest > (long)SMSP_CONTENT_MAX)
        return false;
    *last = '\0';
    request->content = span(rest);
    return take_cookie(last + 1, request);
}

/* A name, then a password or a cookie, one space between. */
static bool parse_name(char *rest, smsp_request *request)
{
    char *save;
    char *name = strtok_r(rest, " ", &save);
    char *second = strtok_r(NULL, " ", &save);

    if (name != rest || second == NULL || second != name + strlen(name) + 1 || *save != '\0')
        return false;
    if (!all(name, 1, SMSP_NAME_MAX, isalnum))
        return false;
    request->username = span(name);
    if (request->verb != SMSP_REGISTER && request->verb != SMSP_LOGIN)
        return take_cookie(second, request);
    request->password = span(second);
    return request->password.len <= SMSP_PASSWORD_MAX;
}

bool parse_by_strtok(const uint8_t *line, size_t len, smsp_request *request)
{
    static char copy[SMSP_REQUEST_MAX + 1];
    char *rest = copy;

    *request = (smsp_request){.verb = SMSP_DUMP};
    if (len > SMSP_REQUEST_MAX || memchr(line, '\0', len) != NULL)
        return false;
    memcpy(copy, line, len);
    copy[len] = '\0';
    if (!text_ok(copy))
        return false;
    if (len == 4 && strcmp(copy, "DUMP") == 0)
        return true;
    const char *word = strtok_r(copy, " ", &rest);
    if (word != copy || !find_verb(word, &request->verb))
        return false;
    if (request->verb == SMSP_DUMP)
        return true;
    rest = copy + strlen(word) + 1;
    if (rest > copy + len)
        return false;
    if (request->verb == SMSP_MESSAGE)
        return parse_message(rest, request);
    return request->verb == SMSP_LOGOUT ? take_cookie(rest, request) : parse_name(rest, request);
}
