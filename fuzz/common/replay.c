/* SPDX-License-Identifier: ISC */
/* Runs a target on files, without a fuzzer: TARGET [--show] FILE-OR-FOLDER...
 * Prints TAP, one case for each file or folder. --show prints the inputs in readable form
 * instead of testing them. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target.h"

#define PATH_BYTES 4096

static char current[PATH_BYTES];
static int show_only;

/* Reports the input that a failed check or a crash ended. */
static void on_abort(int signal_number)
{
    static const char words[] = "\nnot ok - while running ";

    (void)signal_number;
    if (write(STDOUT_FILENO, words, sizeof words - 1) < 0 || write(STDOUT_FILENO, current, strlen(current)) < 0 ||
        write(STDOUT_FILENO, "\n", 1) < 0)
        _exit(2);
    _exit(1);
}

static void fail(const char *path)
{
    fprintf(stderr, "%s: %s: %s\n", target_name, path, strerror(errno));
    exit(2);
}

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0;
    size_t room = 0;

    if (file == NULL)
        fail(path);
    while (!feof(file) && !ferror(file)) {
        room = size + 65536;
        data = realloc(data, room); /* NOLINT(clang-analyzer-optin.taint.TaintedAlloc): a file of any size */
        if (data == NULL)
            fail(path);
        size += fread(data + size, 1, room - size, file);
    }
    if (ferror(file))
        fail(path);
    (void)fclose(file);
    (void)snprintf(current, sizeof current, "%s", path);
    if (show_only) {
        printf("%s, %zu bytes: ", path, size);
        target_show(data, size, stdout);
    } else {
        (void)LLVMFuzzerTestOneInput(data, size);
    }
    free(data);
}

static int is_folder(const char *path)
{
    struct stat about;

    if (stat(path, &about) != 0)
        fail(path);
    return S_ISDIR(about.st_mode);
}

static unsigned run_folder(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    unsigned count = 0;

    if (folder == NULL)
        fail(path);
    while ((entry = readdir(folder)) != NULL) {
        char below[PATH_BYTES];
        int len = snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || len < 0 || (size_t)len >= sizeof below)
            continue;
        run_file(below);
        count++;
    }
    (void)closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    int first = 1;

    show_only = argc > 1 && strcmp(argv[1], "--show") == 0;
    first += show_only;
    if (argc <= first) {
        fprintf(stderr, "%s: no input; usage: [--show] FILE-OR-FOLDER...\n", target_name);
        return 2;
    }
    (void)signal(SIGABRT, on_abort);
    (void)signal(SIGSEGV, on_abort);
    for (int i = first; i < argc; i++) {
        unsigned count = is_folder(argv[i]) ? run_folder(argv[i]) : (run_file(argv[i]), 1u);
        if (count == 0)
            printf("not ok %d - fuzz %s: no input in %s\n", i - first + 1, target_name, argv[i]);
        else if (!show_only)
            printf("ok %d - fuzz %s: %u inputs of %s\n", i - first + 1, target_name, count, argv[i]);
        (void)fflush(stdout);
        if (count == 0)
            return 1;
    }
    if (!show_only)
        printf("1..%d\n", argc - first);
    return 0;
}
