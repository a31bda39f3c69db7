/* SPDX-License-Identifier: ISC */
/* The mutator for fuzz_ops.c, whose inputs are two bytes and commands of four bytes. */
#include "mutator.h"

#include <string.h>

#define HEAD    2u
#define COMMAND 4u

/* Values that often matter: few users and cookies, lengths at the limits, valid verbs. */
static uint8_t likely(unsigned byte, uint32_t *seed)
{
    static const uint8_t names[] = {0, 1, 2, 3, 4, 192, 240, 224};
    static const uint8_t lengths[] = {0, 1, 2, 3, 4, 5, 6, 7, 9, 16, 17, 240, 241, 243};

    if (byte == 0)
        return (uint8_t)mutator_number(seed, 15);
    if (byte == 1)
        return (uint8_t)(mutator_number(seed, 5) + (mutator_number(seed, 8) == 0 ? 128 : 0));
    if (byte == 2)
        return names[mutator_number(seed, sizeof names)];
    return lengths[mutator_number(seed, sizeof lengths)];
}

static void make_command(uint8_t *at, uint32_t *seed)
{
    for (unsigned i = 0; i < COMMAND; i++)
        at[i] = likely(i, seed);
}

/* A typical sequence of one user: REGISTER, MESSAGE, STORE, GETMSG, DELMSG. */
static size_t make_story(uint8_t *at, size_t room, uint32_t *seed)
{
    static const uint8_t verbs[] = {0, 3, 4, 7, 6};
    uint8_t user = (uint8_t)mutator_number(seed, 5);
    size_t len = 0;

    for (size_t i = 0; i < sizeof verbs && len + COMMAND <= room; i++, len += COMMAND) {
        at[len] = verbs[i];
        at[len + 1] = user;
        at[len + 2] = user;
        at[len + 3] = i == 0 ? 1 : likely(3, seed);
    }
    return len;
}

static size_t insert(uint8_t *data, size_t size, size_t max, uint32_t *seed)
{
    uint8_t made[5 * COMMAND];
    size_t place = HEAD + COMMAND * mutator_number(seed, (uint32_t)((size - HEAD) / COMMAND + 1));
    size_t room = max - size < sizeof made ? max - size : sizeof made;
    size_t len = 0;

    if (mutator_number(seed, 3) == 0)
        len = make_story(made, room, seed);
    else if (room >= COMMAND)
        len = COMMAND;
    if (len == COMMAND)
        make_command(made, seed);
    memmove(data + place + len, data + place, size - place);
    memcpy(data + place, made, len);
    return size + len;
}

static size_t copy_command(uint8_t *data, size_t size, size_t max, uint8_t *from, uint32_t *seed)
{
    uint8_t command[COMMAND];
    size_t times = 1 + mutator_number(seed, 4);

    memcpy(command, from, COMMAND);
    while (times-- > 0 && max - size >= COMMAND) {
        memmove(from + COMMAND, from, size - (size_t)(from - data));
        memcpy(from, command, COMMAND);
        size += COMMAND;
    }
    return size;
}

size_t mutate_input(uint8_t *data, size_t size, size_t max, uint32_t seed)
{
    uint32_t s = seed * 2654435761u + 1;
    uint8_t command[COMMAND];

    if (size < HEAD || max < HEAD + COMMAND)
        return 0;
    size -= (size - HEAD) % COMMAND;
    uint32_t count = (uint32_t)((size - HEAD) / COMMAND);
    uint32_t kind = mutator_number(&s, count == 0 ? 2 : 8);
    uint8_t *one = data + HEAD + COMMAND * (count > 0 ? mutator_number(&s, count) : 0);
    uint8_t *two = data + HEAD + COMMAND * (count > 0 ? mutator_number(&s, count) : 0);

    if (kind == 0) {
        data[0] = (uint8_t)mutator_number(&s, 16);
    } else if (kind <= 2) {
        return insert(data, size, max, &s);
    } else if (kind == 3) {
        memmove(one, one + COMMAND, size - (size_t)(one + COMMAND - data));
        return size - COMMAND;
    } else if (kind == 4) {
        return copy_command(data, size, max, one, &s);
    } else if (kind == 5) {
        memcpy(command, one, COMMAND);
        memmove(one, two, COMMAND);
        memcpy(two, command, COMMAND);
    } else {
        uint32_t byte = mutator_number(&s, COMMAND);
        one[byte] = likely(byte, &s);
    }
    return size;
}
