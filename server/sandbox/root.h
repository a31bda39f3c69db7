/* SPDX-License-Identifier: ISC */
/* Gives up root: a server that root has started becomes an ordinary user, in a root directory
 * that contains its mail or nothing. */
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

/* Before --data is used: chooses the user that the server becomes. False: logged. */
bool root_choose_user(const server_options *options, new_user *user) SMSP_MUST_USE;

/* Gives the directory of --data, whose lock exists already, to that user. False: logged. */
bool root_give_data(const server_options *options, const new_user *user) SMSP_MUST_USE;

/* Logs the user of the server if root has started it. */
void root_announce(const server_options *options, const new_user *user);

/* After the sockets are bound, before the first child: enters the new root directory where the
 * system allows it, and becomes the user. Sets options->data_name, the name of the directory
 * of --data from there. False: logged. */
bool root_give_up(server_options *options, const new_user *user) SMSP_MUST_USE;

#endif
