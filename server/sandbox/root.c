/* SPDX-License-Identifier: ISC */
/* Gives up root: chooses the user, gives it the directory of --data, and becomes it. */
#define _GNU_SOURCE /* fgetpwent */
#include "root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

#define NOBODY 65534u /* also where no user has a name, as in an empty container */
#define CAPABILITIES 64u

/* ---- Who ---- */

/* From /etc/passwd alone, by name or, if that is NULL, by number: no module of a name service is
 * loaded into a process of root. Valid until the next call; NULL: there is none. */
static const struct passwd *find_entry(const char *name, uid_t uid)
{
    const struct passwd *entry = NULL;
    FILE *file = fopen("/etc/passwd", "re");

    if (file == NULL)
        return NULL;
    while ((entry = fgetpwent(file)) != NULL &&
           (name != NULL ? strcmp(entry->pw_name, name) != 0 : entry->pw_uid != uid))
        continue;
    (void)fclose(file);
    return entry;
}

static void set_user(new_user *user, uid_t uid, gid_t gid)
{
    const struct passwd *known = find_entry(NULL, uid);

    user->uid = uid;
    user->gid = gid;
    if (known != NULL && strlen(known->pw_name) < sizeof user->name)
        (void)snprintf(user->name, sizeof user->name, "%s", known->pw_name);
    else
        (void)snprintf(user->name, sizeof user->name, "%lu", (unsigned long)uid);
}

/* A name, or a number, which needs no entry in /etc/passwd. */
static bool find_user(const char *name, new_user *user)
{
    const struct passwd *known = find_entry(name, 0);
    char *end = NULL;

    if (known != NULL) {
        set_user(user, known->pw_uid, known->pw_gid);
        return true;
    }
    errno = 0;
    unsigned long number = strtoul(name, &end, 10);
    if (name[0] < '0' || name[0] > '9' || *end != '\0' || errno != 0 || number >= UINT32_MAX)
        return false;
    known = find_entry(NULL, (uid_t)number);
    set_user(user, (uid_t)number, known != NULL ? known->pw_gid : (gid_t)number);
    return true;
}

/* The owner of the directory, if that is not root; else smspd, if there is such a user; else nobody. */
static void choose_default(const char *data, new_user *user)
{
    struct stat about;

    if (data != NULL && stat(data, &about) == 0 && about.st_uid != 0)
        set_user(user, about.st_uid, about.st_gid);
    else if (!find_user("smspd", user) && !find_user("nobody", user))
        set_user(user, NOBODY, NOBODY);
}

static bool become(const new_user *user)
{
    return setgroups(0, NULL) == 0 && setresgid(user->gid, user->gid, user->gid) == 0 &&
           setresuid(user->uid, user->uid, user->uid) == 0;
}

/* Tries the change of user in a child: in some containers root cannot change it. False, with errno. */
static bool can_become(const new_user *user)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        _exit(become(user) ? 0 : errno);
    if (child < 0)
        return false;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : EPERM;
    return errno == 0;
}

static bool stay_the_same(const char *wanted)
{
    new_user user;

    if (wanted == NULL || (find_user(wanted, &user) && user.uid == geteuid()))
        return true;
    log_line("--user %s: only root can become another user; leave it out", wanted);
    return false;
}

bool root_choose_user(const server_options *options, new_user *user)
{
    *user = (new_user){.changes = false};
    if (geteuid() != 0)
        return stay_the_same(options->user);
    if (options->user == NULL)
        choose_default(options->data, user);
    else if (!find_user(options->user, user)) {
        log_line("--user %s: there is no such user; give a name or a number", options->user);
        return false;
    }
    user->changes = user->uid != 0;
    if (!user->changes || can_become(user))
        return true;
    if (options->user != NULL) {
        log_line("--user %s: cannot become this user: %s", options->user, log_reason(errno));
        return false;
    }
    log_line("this is root, and cannot become user %s: %s; it goes on as root", user->name, log_reason(errno));
    user->changes = false;
    return true;
}

void root_announce(const server_options *options, const new_user *user)
{
    if (user->changes)
        log_line("user: %s, no longer root", user->name);
    else if (options->user != NULL && geteuid() == 0)
        log_line("user: root (--user %s): who takes over the server has the machine", options->user);
}

/* ---- The directory ---- */

/* Is this a name of ours, of SQLite, of a tool beside it, or of an empty file system? */
static bool is_ours(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "lock") == 0 ||
           strcmp(name, "lost+found") == 0 || strncmp(name, "mail.db", 7) == 0 || strncmp(name, ".mail.db", 8) == 0;
}

/* Gives a file of root to the user, unless the file has a second (hard) link. */
static bool give_file(int dir, const char *name, const new_user *user)
{
    struct stat about;
    int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT;
    bool given = fstat(fd, &about) == 0;
    if (given && S_ISREG(about.st_mode) && about.st_uid == 0 && about.st_nlink == 1)
        given = fchownat(fd, "", user->uid, user->gid, AT_EMPTY_PATH) == 0;
    int error = errno;
    (void)close(fd);
    errno = error;
    return given;
}

/* EEXIST: the directory has files of others. */
static bool only_ours(DIR *files)
{
    const struct dirent *file;

    while ((file = readdir(files)) != NULL) {
        if (!is_ours(file->d_name)) {
            errno = EEXIST;
            return false;
        }
    }
    return true;
}

/* Files of root first, then the directory: until then only root can put links into it. False,
 * with errno; EACCES: it belongs to somebody else. */
static bool give_all(DIR *files, const new_user *user)
{
    static const char *const names[] = {"lock", "mail.db", "mail.db-wal", "mail.db-shm", "mail.db-journal"};
    struct stat about;

    if (fstat(dirfd(files), &about) != 0)
        return false;
    if (about.st_uid != user->uid && about.st_uid != 0) {
        errno = EACCES;
        return false;
    }
    if (about.st_uid == 0 && !only_ours(files))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!give_file(dirfd(files), names[i], user))
            return false;
    return about.st_uid == user->uid || fchown(dirfd(files), user->uid, user->gid) == 0;
}

bool root_give_data(const server_options *options, const new_user *user)
{
    if (!user->changes || options->data == NULL)
        return true;
    DIR *files = opendir(options->data);
    if (files != NULL && give_all(files, user)) {
        (void)closedir(files);
        return true;
    }
    const char *why = errno == EEXIST   ? "it has other files too"
                      : errno == EACCES ? "it belongs to somebody else"
                                        : log_reason(errno);
    log_line("--data %s: cannot give it to user %s: %s; give another directory, or change its owner by hand",
             options->data, user->name, why);
    if (files != NULL)
        (void)closedir(files);
    return false;
}

/* ---- Becoming the user ---- */

/* Opens a deleted directory, in which nobody can create a file. -1: it cannot be made. */
static int empty_directory(void)
{
    char name[] = "/tmp/smspd-empty-XXXXXX";

    if (mkdtemp(name) == NULL)
        return -1;
    int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (rmdir(name) != 0)
        (void)0; /* it stays, empty */
    return fd;
}

bool root_give_up(server_options *options, const new_user *user)
{
    options->data_name = options->data;
    if (!user->changes)
        return true;
    int dir = options->data != NULL ? open(options->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : empty_directory();
    if (dir >= 0 && fchdir(dir) == 0 && chroot(".") == 0 && options->data != NULL)
        options->data_name = "";
    if (dir >= 0)
        (void)close(dir);
    for (unsigned long capability = 0; capability < CAPABILITIES; capability++)
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
            (void)0; /* this kernel does not know it, or this container has taken it away */
    if (become(user) && setuid(0) != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        return true;
    log_line("cannot become user %s: %s", user->name, log_reason(errno));
    return false;
}
