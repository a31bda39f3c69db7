/* SPDX-License-Identifier: ISC */
/* The commands of smsp. Each sends one or two requests to the server. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "session.h"

typedef enum command_mode {
    COMMAND_ONCE,     /* one command from the program's arguments */
    COMMAND_TERMINAL, /* commands typed at a terminal */
    COMMAND_BATCH     /* commands on standard input */
} command_mode;

typedef enum command_result {
    COMMAND_OK,
    COMMAND_KO,      /* the server answered KO or "You should log in first." */
    COMMAND_INVALID, /* unknown or wrong; reported on standard error */
    COMMAND_FAILED,  /* connection, reply or cookie file; reported */
    COMMAND_QUIT
} command_result;

/* Executes one command, or sends a line that begins with a capital letter to the
 * server, and prints the reply. A blank line does nothing. */
command_result commands_run(session *s, command_mode mode, smsp_span line) SMSP_MUST_USE;

/* The name of the i-th command, NULL after the last. */
const char *commands_name(size_t i);

/* Prints the list of commands. */
void commands_help(void);

#endif
