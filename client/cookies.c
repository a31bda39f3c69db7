/* SPDX-License-Identifier: ISC */
/* Finds, writes, reads and removes the cookie files. */
#define _GNU_SOURCE /* mkostemp, O_NOFOLLOW */
#include "cookies.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"

/* ---- Names ---- */

/* The user's home directory, or NULL: then errno is 0 if there is none. */
static const char *home_directory(void)
{
    const char *home = getenv("HOME");
    const struct passwd *user;

    if (home != NULL && home[0] == '/')
        return home;
    errno = 0; /* getpwuid leaves it alone if there is no such user */
    user = getpwuid(getuid());
    return user != NULL && user->pw_dir[0] == '/' ? user->pw_dir : NULL;
}

/* $XDG_STATE_HOME/smsp, or ~/.local/state/smsp. False: see errno, 0 if there is no
 * home directory. */
static bool state_directory(char *out, size_t size)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home;
    int n;

    if (state != NULL && state[0] == '/') { /* the specification: ignore a relative one */
        n = snprintf(out, size, "%s/smsp", state);
    } else {
        home = home_directory();
        if (home == NULL)
            return false;
        n = snprintf(out, size, "%s/.local/state/smsp", home);
    }
    errno = ENAMETOOLONG;
    return (size_t)n < size;
}

/* Appends a part of a file name. Other characters than letters, digits, '.', '-'
 * and '_' become %HH, so that different parts give different names, and no name
 * leaves the directory. */
static bool add_part(char *name, size_t size, const char *part)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    size_t len = strlen(name);

    for (; *part != '\0'; part++) {
        bool is_plain = strchr(plain, *part) != NULL;
        int n = snprintf(name + len, size - len, is_plain ? "%c" : "%%%02X", (unsigned char)*part);

        if ((size_t)n >= size - len)
            return false;
        len += (size_t)n;
    }
    return true;
}

static bool add_colon(char *name, size_t size)
{
    size_t len = strlen(name);

    return snprintf(name + len, size - len, ":") < (int)(size - len);
}

/* DIRECTORY/HOST:PORT:USER, or DIRECTORY/HOST:PORT if user is NULL. False: as for state_directory. */
static bool path_of(const session *s, const char *user, char *out, size_t size)
{
    char name[NAME_MAX - 8] = ""; /* room for the suffix of a temporary file */
    bool fits = add_part(name, sizeof name, s->host) && add_colon(name, sizeof name) &&
                add_part(name, sizeof name, s->port);
    int n;

    if (fits && user != NULL)
        fits = add_colon(name, sizeof name) && add_part(name, sizeof name, user);
    if (!state_directory(out, size))
        return false;
    errno = ENAMETOOLONG;
    if (!fits)
        return false;
    size_t len = strlen(out);
    n = snprintf(out + len, size - len, "/%s", name);
    return (size_t)n < size - len;
}

/* ---- Write ---- */

/* Creates the missing directories of the path, with mode 0700. */
static bool make_directories(const char *path)
{
    char part[PATH_MAX];
    size_t len = strlen(path);

    errno = ENAMETOOLONG;
    if (len >= sizeof part)
        return false;
    memcpy(part, path, len + 1);
    for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return false;
        *slash = '/';
    }
    return true;
}

/* Writes a temporary file and renames it, so that nobody reads an incomplete one. */
static bool write_file(const char *path, const char *line)
{
    char temporary[PATH_MAX];
    int n = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    size_t len = strlen(line);
    bool done;

    errno = ENAMETOOLONG;
    if ((size_t)n >= sizeof temporary || !make_directories(path))
        return false;
    int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
    if (fd < 0)
        return false;
    errno = ENOSPC; /* for a short write, which does not set errno */
    done = write(fd, line, len) == (ssize_t)len && write(fd, "\n", 1) == 1;
    done = close(fd) == 0 && done && rename(temporary, path) == 0;
    if (!done) {
        int error = errno;

        (void)unlink(temporary);
        errno = error;
    }
    return done;
}

bool cookies_save(const session *s)
{
    char path[PATH_MAX] = "";

    if (path_of(s, s->user, path, sizeof path) && write_file(path, s->cookie) &&
        path_of(s, NULL, path, sizeof path) && write_file(path, s->user))
        return true;
    int error = errno;
    if (error == 0)
        print_error("cannot store the cookie: HOME is not set, and user ID %ld has no home directory; set "
                    "XDG_STATE_HOME to a directory that you can write",
                    (long)getuid());
    else
        print_error(
            "cannot store the cookie in %.500s: %s; set XDG_STATE_HOME to a directory that you can write",
            path[0] != '\0' ? path : "a file", strerror(error));
    return false;
}

/* ---- Read ---- */

/* Reads the only line of a file that belongs to the user and that nobody else can
 * read. False; if the file exists, an error has been printed. */
static bool read_file(const char *path, char *out, size_t size)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = -1;

    if (fd < 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            print_error("cannot read %s: %s", path, strerror(errno));
        return false;
    }
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || about.st_uid != geteuid() ||
        (about.st_mode & 077) != 0)
        print_error("%s: not a regular file that only you can read; remove it and log in again", path);
    else
        got = read(fd, out, size);
    (void)close(fd);
    if (got < 0)
        return false;
    if (got < 2 || out[got - 1] != '\n' || memchr(out, ' ', (size_t)got) != NULL ||
        !smsp_text_ok((const uint8_t *)out, (size_t)got - 1)) {
        print_error("%s: damaged; remove it and log in again", path);
        return false;
    }
    out[got - 1] = '\0';
    return true;
}

bool cookies_load(session *s)
{
    char path[PATH_MAX];

    if (s->user[0] == '\0' || !path_of(s, s->user, path, sizeof path))
        return false;
    if (read_file(path, s->cookie, sizeof s->cookie))
        return true;
    session_clear_cookie(s);
    return false;
}

bool cookies_load_last_user(session *s)
{
    char path[PATH_MAX];

    if (path_of(s, NULL, path, sizeof path) && read_file(path, s->user, sizeof s->user))
        return true;
    s->user[0] = '\0';
    return false;
}

void cookies_remove(const session *s)
{
    char path[PATH_MAX];
    char kept[sizeof s->cookie] = "";

    if (path_of(s, s->user, path, sizeof path) && read_file(path, kept, sizeof kept) &&
        strcmp(kept, s->cookie) == 0)
        (void)unlink(path);
    explicit_bzero(kept, sizeof kept);
}
