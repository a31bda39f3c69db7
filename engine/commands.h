/* SPDX-License-Identifier: ISC */
/* The table of SMSP_COMMANDS (smsp.h) as data: what parsing, tokenizing, executing and
 * reading replies know of each command. */
#ifndef SMSP_COMMANDS_H
#define SMSP_COMMANDS_H

#include "smsp.h"

static const struct {
    uint8_t word[9]; /* with its NUL */
    uint8_t len;
    smsp_parts parts;
    smsp_reply_code success;
    smsp_reply_code unknown_cookie;
} commands[SMSP_VERBS] = {
#define SMSP_ROW(verb, name, parts, success, unknown_cookie)                                                 \
    [SMSP_##verb] = {#verb, sizeof #verb - 1, SMSP_PARTS_##parts, SMSP_REPLY_##success, SMSP_REPLY_##unknown_cookie},
    SMSP_COMMANDS(SMSP_ROW)
#undef SMSP_ROW
};

/* A command with a cookie needs a session. */
static inline bool smsp_parts_have_cookie(smsp_parts parts)
{
    return parts == SMSP_PARTS_NAME_COOKIE || parts == SMSP_PARTS_CONTENT_COOKIE || parts == SMSP_PARTS_COOKIE;
}

#endif
