/*
 * Does to a host what docs/embedding.md speaks of, by dlopen: each mode is one claim. Prints what it saw; the tests compare.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "pyagent.h"

static void *library;
static __typeof__(pyagent_client_open) *client_open;
static __typeof__(pyagent_submit) *submit;
static __typeof__(pyagent_poll) *poll_;
static __typeof__(pyagent_close) *close_;
static uint64_t client;

static void load(const char *path) {
    const char *config = "{\"provider\": \"echo\"}";
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!library) exit(99);
    *(void **)&client_open = dlsym(library, "pyagent_client_open");
    *(void **)&submit = dlsym(library, "pyagent_submit");
    *(void **)&poll_ = dlsym(library, "pyagent_poll");
    *(void **)&close_ = dlsym(library, "pyagent_close");
    client_open(config, strlen(config), &client);
}

/* Whether a stream ends well. */
static int streams(void) {
    const char *request = "{\"op\": \"stream\", \"model\": \"echo\", \"messages\": [{\"role\": \"user\", \"content\": \"a b c\"}]}";
    unsigned char *buffer = malloc(65536);
    uint64_t call = 0;
    size_t used;
    int kind = 0;
    submit(client, 0, request, strlen(request), &call);
    while (poll_(call, buffer, 65536, -1, &used) == PYAGENT_OK)
        for (size_t at = 0; at < used;) {
            uint32_t size;
            memcpy(&size, buffer + at, 4);
            kind = buffer[at + 4];
            at += PYAGENT_FRAME_HEADER + size;
        }
    close_(call);
    free(buffer);
    return kind == PYAGENT_FRAME_FINISH;
}

/* Prints the signals that have a handler. */
static void print_handled(const char *when) {
    printf("%s:", when);
    for (int number = 1; number < 32; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN)
            printf(" %s%s", sigabbrev_np(number), action.sa_flags & SA_ONSTACK ? "" : "!");
    }
    printf("\n");
}

static volatile sig_atomic_t handled;

static void handle(int number) {
    volatile char room[6000]; /* more than a small alternate stack has */
    for (size_t i = 0; i < sizeof room; i++) room[i] = 1;
    handled += number > 0;
}

static void *stream_often(void *stack) {
    if (stack) {
        stack_t alternate = {.ss_sp = stack, .ss_size = 64 * 1024};
        sigaltstack(&alternate, NULL);
    }
    intptr_t good = 0;
    for (int i = 0; i < 300; i++) good += streams();
    return (void *)good;
}

/* A thread streams while it gets signals. */
static void run_thread(void *stack, size_t size) {
    pthread_attr_t attributes;
    pthread_t thread;
    void *good;
    pthread_attr_init(&attributes);
    if (size) pthread_attr_setstacksize(&attributes, size);
    pthread_create(&thread, &attributes, stream_often, stack);
    for (int i = 0; stack && i < 1000; i++) {
        pthread_kill(thread, SIGUSR1);
        usleep(100);
    }
    pthread_join(thread, &good);
    printf("%d of 300\n", (int)(intptr_t)good);
}

static int child_streams(const char *path) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        load(path);
        _exit(streams() ? 0 : 1);
    }
    waitpid(child, &status, 0);
    return status == 0;
}

static const char *copy(const char *path) {
    static char name[64], block[65536];
    int from = open(path, O_RDONLY), to = memfd_create("pyagent", MFD_CLOEXEC);
    ssize_t size;
    while ((size = read(from, block, sizeof block)) > 0)
        if (write(to, block, (size_t)size) != size) exit(98);
    snprintf(name, sizeof name, "/proc/self/fd/%d", to);
    return name;
}

int main(int count, char **words) {
    const char *path = words[1], *mode = count > 2 ? words[2] : "";
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    int ends[2];
    setvbuf(stdout, NULL, _IONBF, 0);
    sigaction(SIGUSR1, &action, NULL);
    if (!strcmp(mode, "ignore")) signal(SIGPIPE, SIG_IGN);
    print_handled("before");
    load(path);
    print_handled("after");
    printf("streams: %d\n", streams());
    if (!strcmp(mode, "unload")) {
        printf("dlclose: %d %d\n", dlclose(library), dlclose(library));
        printf("streams: %d\n", streams());
    } else if (!strcmp(mode, "alternate")) {
        run_thread(malloc(64 * 1024), 0);
        printf("handled: %d\n", handled > 0);
    } else if (!strcmp(mode, "small")) {
        run_thread(NULL, 16 * 1024);
    } else if (!strcmp(mode, "fork")) {
        printf("streams: %d\n", child_streams(copy(path)));
    } else if (!strcmp(mode, "pipe") || !strcmp(mode, "ignore")) {
        if (pipe(ends) != 0) return 1;
        close(ends[0]);
        printf("write: %d\n", (int)write(ends[1], "x", 1));
    } else if (!strcmp(mode, "fault")) {
        *(volatile int *)8 = 1;
    }
    return 0;
}
