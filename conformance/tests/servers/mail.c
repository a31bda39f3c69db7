/* SPDX-License-Identifier: ISC
 * mail HOST PORT [SWITCH...]: a small mail server as a student writes one in C, right but for its switches.
 * It serves one client at a time, and ends replies with CR LF.
 * Habits: each (a connection for each request, nothing ends a reply), fixed (listens on port 5557), fragile.
 * Faults: drops getnewest anyone okempty front logoutok delall nologincookie */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { USERS = 2000, BOX = 400, QUEUE = 2000, LINE = 5000, NAME = 64 };
static struct user {
    char name[NAME], password[200], cookie[NAME];
    char *box[BOX];
    int count;
} users[USERS];
static char *queue[QUEUE];
static int user_count, queued, words_given;
static char **words;
static unsigned serial;

static int on(const char *word) {
    for (int i = 0; i < words_given; i++)
        if (strcmp(words[i], word) == 0)
            return 1;
    return 0;
}

static struct user *named(const char *name) {
    for (int i = 0; name && i < user_count; i++)
        if (strcmp(users[i].name, name) == 0)
            return &users[i];
    return NULL;
}

static struct user *owner(const char *cookie) {
    for (int i = 0; cookie && *cookie && i < user_count; i++)
        if (strcmp(users[i].cookie, cookie) == 0)
            return &users[i];
    return NULL;
}

static const char *session(struct user *user) {
    static char reply[NAME + 4];
    snprintf(user->cookie, sizeof user->cookie, "%08lx%08x", (unsigned long)random(), ++serial);
    snprintf(reply, sizeof reply, "OK %s", user->cookie);
    return reply;
}

static const char *enter(char *rest) {
    char *more, *name = strtok_r(rest, " ", &more), *password = strtok_r(NULL, " ", &more);
    if (!name || !password || strlen(name) >= NAME || named(name) || user_count == USERS)
        return "KO";
    struct user *user = &users[user_count++];
    snprintf(user->name, sizeof user->name, "%s", name);
    snprintf(user->password, sizeof user->password, "%s", password);
    return session(user);
}

static const char *login(char *rest) {
    char *more, *name = strtok_r(rest, " ", &more), *password = strtok_r(NULL, " ", &more);
    struct user *user = named(name);
    if (!user || !password || strcmp(user->password, password) != 0)
        return "KO";
    const char *reply = session(user);
    return on("nologincookie") ? "OK" : reply;
}

static const char *logout(const char *cookie) {
    struct user *user = owner(cookie);
    if (!user)
        return on("logoutok") ? "OK" : "KO";
    user->cookie[0] = '\0';
    return "OK";
}

static const char *message(char *rest) {
    char *cookie = strrchr(rest, ' ');
    if (!cookie || queued == QUEUE)
        return "KO";
    *cookie++ = '\0';
    if (!owner(cookie) && !on("anyone"))
        return "You should log in first.";
    queue[queued++] = strdup(rest);
    return "OK";
}

static const char *store(struct user *user) {
    if (queued == 0)
        return "KO";
    if (!user || user->count == BOX) {
        queued -= on("drops");
        return "KO";
    }
    char *text = queue[--queued];
    if (on("front")) {
        memmove(user->box + 1, user->box, (size_t)user->count * sizeof *user->box);
        user->box[0] = text;
        user->count++;
    } else
        user->box[user->count++] = text;
    return "OK";
}

static const char *mailbox(const char *verb, struct user *user) {
    static char reply[40];
    if (!user)
        return "KO";
    if (strcmp(verb, "COUNT") == 0) {
        snprintf(reply, sizeof reply, "COUNTED %d", user->count);
        return reply;
    }
    if (user->count == 0)
        return on("okempty") && strcmp(verb, "DELMSG") == 0 ? "OK" : "KO";
    if (strcmp(verb, "GETMSG") == 0)
        return user->box[on("getnewest") ? user->count - 1 : 0];
    user->count = on("delall") ? 0 : user->count - 1;
    memmove(user->box, user->box + 1, (size_t)user->count * sizeof *user->box);
    return "OK";
}

static const char *answer(char *line) {
    char *space = strchr(line, ' '), none[] = "";
    char *rest = space ? space + 1 : none;
    if (space)
        *space = '\0';
    if (strcmp(line, "REGISTER") == 0)
        return enter(rest);
    if (strcmp(line, "LOGIN") == 0)
        return login(rest);
    if (strcmp(line, "LOGOUT") == 0)
        return logout(rest);
    if (strcmp(line, "MESSAGE") == 0)
        return message(rest);
    if (strcmp(line, "DUMP") == 0) {
        for (int i = 0; i < queued; i++)
            printf("IMQ %s\n", queue[i]);
        for (int i = 0; i < user_count; i++) {
            printf("MBX %s\n", users[i].name);
            for (int j = 0; j < users[i].count; j++)
                printf("  %s\n", users[i].box[j]);
        }
        fflush(stdout);
        return "OK";
    }
    if (strcmp(line, "STORE") != 0 && strcmp(line, "COUNT") != 0 && strcmp(line, "GETMSG") != 0 && strcmp(line, "DELMSG") != 0)
        return "KO";
    char *more, *name = strtok_r(rest, " ", &more), *cookie = strtok_r(NULL, " ", &more);
    if (!owner(cookie))
        return "You should log in first.";
    return strcmp(line, "STORE") == 0 ? store(named(name)) : mailbox(line, named(name));
}

static void serve(int client) {
    FILE *in = fdopen(client, "r");
    char line[LINE], reply[LINE + 4];
    int spoke = 0;
    while (in && fgets(line, sizeof line, in)) {
        spoke = 1;
        line[strcspn(line, "\r\n")] = '\0';
        int length = snprintf(reply, sizeof reply, "%s%s", answer(line), on("each") ? "" : "\r\n");
        if (write(client, reply, (size_t)length) < 0 || on("each"))
            break;
    }
    if (in)
        fclose(in);
    if (!spoke && on("fragile")) {
        fputs("mail: read: no data\n", stderr);
        exit(1);
    }
}

int main(int count, char **arguments) {
    if (count < 3)
        return 2;
    words = arguments + 3;
    words_given = count - 3;
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in at = {.sin_family = AF_INET};
    at.sin_port = htons((unsigned short)(on("fixed") ? 5557 : strtol(arguments[2], NULL, 10)));
    inet_pton(AF_INET, arguments[1], &at.sin_addr);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) < 0 || listen(listener, 20) < 0) {
        perror("mail: bind: address in use?");
        return 1;
    }
    srandom((unsigned)getpid());
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client >= 0)
            serve(client);
    }
}
