/* SPDX-License-Identifier: ISC */
/* Sets a terminal to line mode. */
#define _GNU_SOURCE /* tcsetattr and the flags of struct termios */
#include "terminal.h"

void terminal_set_line_mode(struct termios *settings)
{
    settings->c_iflag &= ~(tcflag_t)(IGNCR | INLCR);
    settings->c_iflag |= ICRNL;
    settings->c_oflag |= OPOST | ONLCR;
    settings->c_lflag |= ICANON | ISIG | IEXTEN | ECHO;
}

void terminal_repair(int fd)
{
    struct termios now, wanted;

    if (tcgetattr(fd, &now) != 0)
        return;
    wanted = now;
    terminal_set_line_mode(&wanted);
    if (wanted.c_iflag != now.c_iflag || wanted.c_oflag != now.c_oflag || wanted.c_lflag != now.c_lflag)
        (void)tcsetattr(fd, TCSADRAIN, &wanted); /* TCSAFLUSH would drop pending input */
}
