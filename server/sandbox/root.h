/* SPDX-License-Identifier: ISC */
/* Gives up root: a server that root has started becomes an ordinary user, in a root directory
 * that has its mail and nothing else, or nothing at all. */
#ifndef ROOT_H
#define ROOT_H

#include <sys/types.h>

#include "options.h"

typedef struct new_user {
    bool changes; /* root has started us, and we become this user */
    uid_t uid;
    gid_t gid;
    char name[64];
} new_user;

/* Before --data is used: who the server becomes. False: one line said what is wrong. */
bool root_choose_user(const server_options *options, new_user *user) SMSP_MUST_USE;

/* The directory of --data, which has its lock already, becomes that user's. False: likewise. */
bool root_give_data(const server_options *options, const new_user *user) SMSP_MUST_USE;

/* Says who the server is, if root has started it. */
void root_announce(const server_options *options, const new_user *user);

/* After the sockets are bound, before the first child: enters the new root directory where the
 * system allows it, and becomes the user. Sets options->data_name, the name of the directory
 * of --data from there. False: one line said why not. */
bool root_give_up(server_options *options, const new_user *user) SMSP_MUST_USE;

#endif
