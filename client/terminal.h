/* SPDX-License-Identifier: ISC */
/* The settings of the terminal, which another program may have left raw. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <termios.h>

/* Changes the settings so that the terminal hands over lines, Enter ends a line,
 * and Ctrl-C sends SIGINT. */
void terminal_set_lines(struct termios *settings);

/* Does the same with the terminal itself, if it is needed. It stays so: whoever
 * left it raw has ended, and the user wants to go on typing. */
void terminal_repair(int fd);

#endif
