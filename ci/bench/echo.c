/* SPDX-License-Identifier: ISC */
/* echo PORT: a server that forks for each client and sends back what it reads.
 * It shows what loopback, the kernel and a fork take without any work done.
 * echo --fork SECONDS: how many times a second this machine forks a process
 * that ends at once, and reaps it.
 *
 * PORT 0 picks a free one; "echo: listening on 127.0.0.1:PORT" on standard error
 * says which. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int forks_a_second(double seconds)
{
    double began = seconds_now();
    double ended = began;
    unsigned long forks = 0;

    for (; ended - began < seconds; ended = seconds_now(), forks++) {
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        if (child < 0 || waitpid(child, NULL, 0) < 0) {
            perror("echo: fork");
            return 1;
        }
    }
    printf("%.1f\n", (double)forks / (ended - began));
    return 0;
}

/* What `one byte at a time` costs is not the question: whole reads go back. */
static void echo_client(int client)
{
    static char buffer[65536];

    for (;;) {
        ssize_t got = read(client, buffer, sizeof buffer);
        if (got <= 0)
            return;
        for (ssize_t done = 0; done < got;) {
            ssize_t sent = write(client, buffer + done, (size_t)(got - done));
            if (sent <= 0)
                return;
            done += sent;
        }
    }
}

static int listen_on(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 512) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        perror("echo: listening");
        return -1;
    }
    fprintf(stderr, "echo: listening on 127.0.0.1:%u\n", ntohs(address.sin_port));
    return fd;
}

static int serve(int listener)
{
    int one = 1;

    (void)signal(SIGCHLD, SIG_IGN); /* the kernel reaps */
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            continue;
        if (fork() == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)close(listener);
            (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            echo_client(client);
            _exit(0);
        }
        (void)close(client);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--fork") == 0)
        return forks_a_second(strtod(argv[2], NULL));
    if (argc != 2) {
        fputs("usage: echo PORT | echo --fork SECONDS\n", stderr);
        return 2;
    }
    int listener = listen_on(argv[1]);
    return listener < 0 ? 1 : serve(listener);
}
