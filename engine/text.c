#include "smsp.h"

/* Bytes that are checked at once; the compiler makes vector code of the loop. */
#define BLOCK 32u

/* True if the BLOCK bytes are all printable ASCII, 0x20 to 0x7e. */
static bool plain_block(const uint8_t *at)
{
    uint8_t bad = 0;

    for (size_t i = 0; i < BLOCK; i++)
        bad |= (uint8_t)((uint8_t)(at[i] - 0x20u) > 0x5eu);
    return bad == 0;
}

static bool within(uint8_t byte, uint8_t low, uint8_t high)
{
    return low <= byte && byte <= high;
}

/* The length of the character at the front of left > 0 bytes, or 0 if it is
 * malformed or a control character. The second byte's range keeps out overlong
 * forms, surrogates, what is beyond U+10FFFF, and C1 (U+0080 to U+009F). */
static size_t character(const uint8_t *at, size_t left)
{
    uint8_t first = at[0];
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    size_t len;

    if (first < 0x80)
        return within(first, 0x20, 0x7e) ? 1 : 0;
    if (within(first, 0xc2, 0xdf)) {
        len = 2;
        low = first == 0xc2 ? 0xa0 : 0x80;
    } else if (within(first, 0xe0, 0xef)) {
        len = 3;
        low = first == 0xe0 ? 0xa0 : 0x80;
        high = first == 0xed ? 0x9f : 0xbf;
    } else if (within(first, 0xf0, 0xf4)) {
        len = 4;
        low = first == 0xf0 ? 0x90 : 0x80;
        high = first == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (left < len || !within(at[1], low, high))
        return 0;
    for (size_t i = 2; i < len; i++)
        if (!within(at[i], 0x80, 0xbf))
            return 0;
    return len;
}

bool smsp_text_ok(const uint8_t *at, size_t len)
{
    size_t i = 0;

    while (i < len) {
        if (len - i >= BLOCK && plain_block(at + i)) {
            i += BLOCK;
            continue;
        }
        size_t stop = len - i > BLOCK ? i + BLOCK : len;
        while (i < stop) {
            size_t step = character(at + i, len - i);
            if (step == 0)
                return false;
            i += step;
        }
    }
    return true;
}

static bool is_alphanumeric(uint8_t byte)
{
    return within(byte, 'a', 'z') || within(byte, 'A', 'Z') || within(byte, '0', '9');
}

bool smsp_name_ok(const uint8_t *at, size_t len)
{
    if (len == 0 || len > SMSP_NAME_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_alphanumeric(at[i]))
            return false;
    return true;
}

bool smsp_cookie_ok(const uint8_t *at, size_t len)
{
    uint8_t bad = 0;

    if (len != SMSP_COOKIE_LEN)
        return false;
    for (size_t i = 0; i < SMSP_COOKIE_LEN; i++) /* no early way out: vector code */
        bad |= (uint8_t)!(within(at[i], '0', '9') || within(at[i], 'a', 'f'));
    return bad == 0;
}
