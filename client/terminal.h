/* SPDX-License-Identifier: ISC */
/* Sets a terminal to line mode, if another program has left it in raw mode. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <termios.h>

/* Changes the settings: the terminal delivers lines, Enter ends a line, Ctrl-C sends
 * SIGINT. */
void terminal_set_line_mode(struct termios *settings);

/* Sets the terminal to line mode, if it is not. Nobody restores the raw mode: the
 * program that wanted it has ended. */
void terminal_repair(int fd);

#endif
