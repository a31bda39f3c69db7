/* SPDX-License-Identifier: ISC */
/* smspd-minimal HOST PORT: the whole protocol, with one forked process per client.
 *
 * The state is in memory that all processes share, and one lock protects it. The
 * rest of server/ adds what is missing here: a process that is taken over can read
 * everybody's mail, one slow password hash delays all clients, and the mail is lost
 * when the server ends. See README.md, "From the minimal server to smspd". */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "secret/secret.h"

static smsp_config config;
static smsp_secrets secrets;
static void *memory; /* of the state; shared, and at the same address in every process */
static size_t memory_size;
static smsp_state *state;
static pthread_mutex_t *lock; /* protects the state; shared */
static FILE *dumps;           /* collects what DUMP prints, in dump_text, until the lock is released */
static char *dump_text;
static size_t dump_len;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "smspd-minimal: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- The state and its lock ---- */

static void *share(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (at == MAP_FAILED)
        fail("cannot share memory");
    return at;
}

static void make_state(void)
{
    pthread_mutexattr_t attributes;

    config.limits = smsp_limits_default();
    if (!secret_init() || !secret_keeper(&config, false))
        fail("no randomness");
    secret_worker(&secrets);
    memory_size = smsp_state_size(&config.limits);
    memory = share(memory_size);
    lock = share(sizeof(pthread_mutex_t));
    if (pthread_mutexattr_init(&attributes) != 0 ||
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) != 0 ||
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) != 0 ||
        pthread_mutex_init(lock, &attributes) != 0 ||
        smsp_state_init(memory, memory_size, &config, &state) != SMSP_OK)
        fail("cannot make the state");
}

/* A process was killed while it held the lock. Undo its batch. If it was in the middle
 * of a change, the state may be damaged beyond that: then start with an empty one. */
static void repair_state(void)
{
    smsp_rollback(state);
    const char *damage = smsp_state_check(state);
    fprintf(stderr, "smspd-minimal: a process was killed in the middle of a request: %s\n",
            damage == NULL ? "undone" : "its state is damaged, all mail is lost");
    if (damage == NULL)
        return;
    if (madvise(memory, memory_size, MADV_REMOVE) != 0)
        memset(memory, 0, memory_size);
    if (smsp_state_init(memory, memory_size, &config, &state) != SMSP_OK)
        fail("cannot make the state");
}

static void lock_state(void)
{
    if (pthread_mutex_lock(lock) == EOWNERDEAD) {
        repair_state();
        (void)pthread_mutex_consistent(lock);
    }
    smsp_begin(state);
}

static void unlock_state(void)
{
    smsp_commit(state);
    (void)pthread_mutex_unlock(lock);
}

/* ---- One client ---- */

static bool append(void *file, const uint8_t *at, size_t len)
{
    return fwrite(at, 1, len, file) == len;
}

/* Prints what DUMP has collected. The lock is free: a stopped terminal stops nobody else. */
static void print_dumps(void)
{
    if (fflush(dumps) == 0 && fwrite(dump_text, 1, dump_len, stdout) == dump_len)
        (void)fflush(stdout);
    (void)fseek(dumps, 0, SEEK_SET);
}

/* Answers the requests that have arrived; true if there may be more. One lock for all of
 * them keeps MESSAGE and STORE together (FRM-11); no slow client holds it while we send. */
static bool answer_some(int client, smsp_frame *frame, bool ends_here)
{
    static uint8_t out[16 * (SMSP_REPLY_MAX + 1)];
    smsp_answer_out reply;
    smsp_line line;
    size_t len = 0;
    bool more = true;

    lock_state();
    while (more && sizeof out - len > SMSP_REPLY_MAX) {
        smsp_error framed = smsp_frame_next(frame, &line.text);
        if (framed == SMSP_NEED_MORE && ends_here)
            framed = smsp_frame_end_here(frame, &line.text);
        line.too_long = framed == SMSP_TOO_LONG;
        line.ending = frame->ending;
        more = framed != SMSP_NEED_MORE &&
               smsp_answer(state, &secrets, &line, out + len, sizeof out - len, &reply) == SMSP_OK;
        len += more ? reply.len : 0;
        if (more && reply.dump && smsp_dump(state, append, dumps) != SMSP_OK)
            clearerr(dumps); /* no memory for its text: the reply is OK anyway (DMP-2) */
    }
    unlock_state();
    if (ftell(dumps) > 0)
        print_dumps();
    if (len > 0 && send(client, out, len, MSG_NOSIGNAL) != (ssize_t)len)
        _exit(0); /* the client has gone */
    return more;
}

static void serve(int client)
{
    static uint8_t input[65536];
    smsp_frame frame;
    bool silent = true; /* the client is silent for as long as ends a request */
    ssize_t got = 0;

    dumps = open_memstream(&dump_text, &dump_len);
    if (dumps == NULL || smsp_frame_init(&frame, input, sizeof input, SMSP_REQUEST_MAX) != SMSP_OK)
        fail("cannot serve a client");
    while (got > 0 || silent) {
        struct pollfd readable = {.fd = client, .events = POLLIN};
        size_t room;
        uint8_t *at = smsp_frame_room(&frame, &room);
        silent = poll(&readable, 1, smsp_frame_silence_ms(&frame)) == 0;
        got = silent ? 0 : read(client, at, room);
        if (got > 0 && smsp_frame_fed(&frame, (size_t)got) != SMSP_OK)
            return;
        while (answer_some(client, &frame, got <= 0))
            continue;
    }
}

/* ---- Listen, accept, fork ---- */

static int listen_on(const char *host, const char *port)
{
    const struct addrinfo wanted = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct sockaddr_storage own;
    socklen_t len = sizeof own;
    struct addrinfo *found;
    char name[NI_MAXHOST], number[NI_MAXSERV];
    const int on = 1;
    int error = getaddrinfo(host, port, &wanted, &found);

    if (error != 0) {
        fprintf(stderr, "smspd-minimal: %s port %s: %s\n", host, port, gai_strerror(error));
        exit(1);
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, (struct sockaddr *)&own, &len) != 0 ||
        getnameinfo((struct sockaddr *)&own, len, name, sizeof name, number, sizeof number,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        fail("cannot listen");
    freeaddrinfo(found);
    fprintf(stderr, "smspd-minimal: listening on %s:%s\n", name, number);
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: smspd-minimal HOST PORT\n");
        return 2;
    }
    make_state();
    int listener = listen_on(argv[1], argv[2]);
    pid_t self = getpid();
    (void)signal(SIGCHLD, SIG_IGN); /* the kernel reaps */
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0 && errno != EINTR && errno != ECONNABORTED)
            (void)poll(NULL, 0, 100); /* no descriptors or no memory: wait, do not spin */
        if (client >= 0 && fork() == 0) {
            if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == self)
                serve(client);
            _exit(0);
        }
        if (client >= 0)
            (void)close(client);
    }
}
