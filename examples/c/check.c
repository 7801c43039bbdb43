/*
 * Holds the library to the promises of pyagent.h, from C: cancellation, small buffers, stale and bogus handles, bad input,
 * an inbox, and ten threads at once. Prints one line per promise and returns the number of broken ones.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>
#include "pyagent.h"

static int broken;

static void check(int holds, const char *promise) {
    printf("%s  %s\n", holds ? "ok    " : "BROKEN", promise);
    if (!holds) broken++;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* What a call said, put together. */
struct answer {
    char text[4096];
    size_t length;
    int terminals, last_kind, status;
    char ending[8192];
};

static void read_frames(struct answer *a, const unsigned char *data, size_t used) {
    for (size_t at = 0; at < used;) {
        uint32_t size;
        memcpy(&size, data + at, 4);
        a->last_kind = data[at + 4];
        const char *payload = (const char *)data + at + PYAGENT_FRAME_HEADER;
        if (a->last_kind == PYAGENT_FRAME_TEXT)
            for (uint32_t i = 0; i < size && a->length < sizeof a->text - 1; i++)
                if (payload[i]) a->text[a->length++] = payload[i];
        if (a->last_kind >= 64) {
            a->terminals++;
            snprintf(a->ending, sizeof a->ending, "%.*s", (int)size, payload);
        }
        at += PYAGENT_FRAME_HEADER + size;
    }
}

/* Reads a call to its end through a buffer of cap bytes, growing it when the library says what it needs. */
static struct answer *read_all(uint64_t call, size_t cap, int *grown) {
    struct answer *a = calloc(1, sizeof *a);
    unsigned char *buffer = malloc(cap);
    size_t used = 0;
    for (;;) {
        int status = pyagent_poll(call, buffer, cap, 10000, &used);
        if (status == PYAGENT_TOO_SMALL) {
            if (grown) ++*grown;
            if (used <= cap) break; /* what is needed must be more than what was there */
            cap = used;
            buffer = realloc(buffer, cap);
            continue;
        }
        a->status = status;
        if (status != PYAGENT_OK) break;
        read_frames(a, buffer, used);
    }
    free(buffer);
    return a;
}

static uint64_t open_client(const char *config) {
    uint64_t client = 0;
    pyagent_client_open(config, strlen(config), &client);
    return client;
}

static uint64_t ask(uint64_t client, const char *script) {
    char request[1024];
    uint64_t call = 0;
    snprintf(request, sizeof request,
             "{\"op\": \"stream\", \"model\": \"echo\", \"extra_body\": {\"fake\": %s},"
             " \"messages\": [{\"role\": \"user\", \"content\": \"one two three\"}]}", script);
    pyagent_submit(client, 0, request, strlen(request), &call);
    return call;
}

static void check_stream(uint64_t client) {
    uint64_t call = ask(client, "{}");
    struct answer *a = read_all(call, 65536, NULL);
    check(strcmp(a->text, "one two three") == 0, "the echo provider says the message back");
    check(a->terminals == 1 && a->last_kind == PYAGENT_FRAME_FINISH, "one terminal frame, and it is the last");
    check(a->status == PYAGENT_DONE, "a poll after the terminal frame is DONE");
    check(pyagent_close(call) == PYAGENT_OK, "a call can be closed after its end");
    free(a);
}

static void check_small_buffers(uint64_t client) {
    int grown = 0;
    uint64_t call = ask(client, "{}");
    struct answer *a = read_all(call, 1, &grown);
    check(grown > 0 && strcmp(a->text, "one two three") == 0 && a->terminals == 1,
          "a buffer of one byte is told the size that is needed, and nothing is lost");
    pyagent_close(call);
    free(a);
}

static void check_cancel(uint64_t client) {
    static unsigned char buffer[65536];
    size_t used;
    uint64_t call = ask(client, "{\"header_delay\": 60}");
    check(pyagent_poll(call, buffer, sizeof buffer, 20, &used) == PYAGENT_TIMEOUT, "a poll ends after its timeout");
    double begun = now();
    check(pyagent_cancel(call) == PYAGENT_OK && pyagent_cancel(call) == PYAGENT_OK, "cancelling twice is fine");
    struct answer *a = read_all(call, 65536, NULL);
    check(a->terminals == 1 && strstr(a->ending, "\"cancelled\"") != NULL && now() - begun < 1,
          "a cancelled call ends at once with its terminal frame, also while it waits for headers");
    pyagent_close(call);
    free(a);

    call = ask(client, "{\"text\": \"a b c d\", \"after\": 2, \"end\": \"stall\"}");
    pyagent_poll(call, buffer, sizeof buffer, 10000, &used);
    begun = now();
    pyagent_close(call);
    check(now() - begun < 0.5, "closing a call in mid-stream does not wait");
    check(pyagent_poll(call, buffer, sizeof buffer, 0, &used) == PYAGENT_CLOSED, "a closed call is CLOSED");
}

static void *wake_later(void *call) {
    usleep(20000);
    pyagent_wake(*(uint64_t *)call);
    usleep(20000);
    pyagent_close(*(uint64_t *)call);
    return NULL;
}

static void check_wake(uint64_t client) {
    unsigned char buffer[1024];
    size_t used;
    pthread_t thread;
    uint64_t call = ask(client, "{\"header_delay\": 60}");
    pthread_create(&thread, NULL, wake_later, &call);
    check(pyagent_poll(call, buffer, sizeof buffer, -1, &used) == PYAGENT_WOKEN, "another thread can wake a poll");
    check(pyagent_poll(call, buffer, sizeof buffer, -1, &used) == PYAGENT_CLOSED, "closing a handle ends its poll");
    pthread_join(thread, NULL);
}

static void check_handles(uint64_t client) {
    unsigned char buffer[16];
    size_t used;
    uint64_t call = ask(client, "{}"), other = 0;
    pyagent_close(call);
    check(pyagent_close(call) == PYAGENT_CLOSED && pyagent_cancel(call) == PYAGENT_CLOSED, "a stale handle is CLOSED");
    other = ask(client, "{}");
    check(other != call && pyagent_wake(call) == PYAGENT_CLOSED, "a handle is not given out twice");
    pyagent_close(other);
    uint64_t bogus[] = {0, 1, 77, UINT64_MAX, 0xdeadbeef00000001ull};
    int bad = 1;
    for (size_t i = 0; i < sizeof bogus / sizeof *bogus; i++)
        bad &= pyagent_poll(bogus[i], buffer, sizeof buffer, 0, &used) == PYAGENT_BAD_HANDLE &&
               pyagent_close(bogus[i]) == PYAGENT_BAD_HANDLE && pyagent_cancel(bogus[i]) == PYAGENT_BAD_HANDLE;
    check(bad, "a bogus handle is BAD_HANDLE");
    check(pyagent_cancel(client) == PYAGENT_INVALID, "a handle of another kind is INVALID");
    check(pyagent_submit(client, client, "{}", 2, &call) == PYAGENT_INVALID, "a client is no inbox");
    check(pyagent_poll(client, NULL, 10, 0, &used) == PYAGENT_INVALID && pyagent_submit(client, 0, NULL, 0, &call) == PYAGENT_INVALID,
          "null pointers are INVALID");
}

static void check_bad_input(void) {
    uint64_t client = open_client("{\"provider\": \"openrooter\"}"), call = 0;
    struct answer *a = read_all(client, 65536, NULL);
    check(a->terminals == 1 && strstr(a->ending, "openrouter") != NULL, "a misspelt provider gets a suggestion");
    free(a);
    const char *request = "{\"op\": \"stream\"}";
    pyagent_submit(client, 0, request, strlen(request), &call);
    a = read_all(call, 65536, NULL);
    check(a->terminals == 1 && a->last_kind == PYAGENT_FRAME_ERROR, "a call of a failed client ends with the client's error");
    free(a);
    pyagent_close(call);
    pyagent_close(client);
}

/* What an event loop watches. Windows has no pipe that the library could write to: there a poll waits instead. */
#ifdef _WIN32
static intptr_t open_signal(void) { return -1; }
static int wait_for_signal(void) { return 1; }
static void close_signal(void) {}
enum { PATIENCE = 10000 };
#else
static int ends[2];
static intptr_t open_signal(void) {
    if (pipe(ends) != 0) exit(99);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    return ends[1];
}
static int wait_for_signal(void) { char byte; return read(ends[0], &byte, 1) == 1; }
static void close_signal(void) { close(ends[0]); close(ends[1]); }
enum { PATIENCE = 0 };
#endif

static void check_inbox(uint64_t client) {
    uint64_t inbox = 0, calls[5];
    size_t used, cap = 65536;
    unsigned char *buffer = malloc(cap);
    struct answer a = {0};
    check(pyagent_inbox_open(client, open_signal(), &inbox) == PYAGENT_OK, "an inbox opens");
    const char *request = "{\"op\": \"generate\", \"model\": \"echo\", \"messages\": [{\"role\": \"user\", \"content\": \"z\"}]}";
    for (int i = 0; i < 5; i++) pyagent_submit(client, inbox, request, strlen(request), &calls[i]);
    check(pyagent_poll(calls[0], buffer, cap, 0, &used) == PYAGENT_INVALID, "a call of an inbox is not polled itself");
    while (a.terminals < 5 && wait_for_signal()) { /* sleeps until the library writes its byte */
        if (pyagent_poll(inbox, buffer, cap, PATIENCE, &used) == PYAGENT_OK) read_frames(&a, buffer, used);
    }
    check(a.terminals == 5 && strcmp(a.text, "zzzzz") == 0, "an inbox delivers five calls through one descriptor");
    for (int i = 0; i < 4; i++) pyagent_close(calls[i]);
    pyagent_close(inbox);
    check(pyagent_close(calls[4]) == PYAGENT_CLOSED, "closing an inbox closes its calls");
    close_signal();
    free(buffer);
}

static void *many_streams(void *client) {
    intptr_t good = 0;
    for (int i = 0; i < 20; i++) {
        uint64_t call = ask(*(uint64_t *)client, i % 4 ? "{}" : "{\"header_delay\": 30}");
        if (i % 4 == 0) {
            good += pyagent_close(call) == PYAGENT_OK;
            continue;
        }
        struct answer *a = read_all(call, 64 + (size_t)i * 100, NULL);
        good += strcmp(a->text, "one two three") == 0 && a->terminals == 1;
        free(a);
        pyagent_close(call);
    }
    return (void *)good;
}

static void check_threads(uint64_t client) {
    pthread_t threads[10];
    intptr_t good = 0;
    for (int i = 0; i < 10; i++) pthread_create(&threads[i], NULL, many_streams, &client);
    for (int i = 0; i < 10; i++) {
        void *result;
        pthread_join(threads[i], &result);
        good += (intptr_t)result;
    }
    check(good == 200, "ten threads stream and close side by side");
}

/* Counts of open handles as the library reports them. */
static int open_handles(void) {
    static char buffer[256 * 1024];
    size_t used = 0;
    int clients = -1, inboxes = -1, calls = -1;
    if (pyagent_inspect(0, buffer, sizeof buffer - 1, &used) != PYAGENT_OK) return -1;
    buffer[used] = 0;
    char *at = strstr(buffer, "\"handles\":");
    if (!at || sscanf(at, "\"handles\":{\"clients\":%d,\"inboxes\":%d,\"calls\":%d", &clients, &inboxes, &calls) != 3) return -1;
    return clients + inboxes + calls;
}

int main(void) {
    size_t used;
    char tiny[1];
    check(pyagent_abi_version() == PYAGENT_ABI_VERSION, "header and library have the same version");
    check(strcmp(pyagent_status_name(PYAGENT_TOO_SMALL), "buffer too small") == 0, "statuses have names");
    check(pyagent_inspect(0, tiny, 1, &used) == PYAGENT_TOO_SMALL && used > 1, "inspect says what it needs");
    uint64_t client = open_client("{\"provider\": \"echo\"}");
    check_stream(client);
    check_small_buffers(client);
    check_cancel(client);
    check_wake(client);
    check_handles(client);
    check_bad_input();
    check_inbox(client);
    check_threads(client);
    check(pyagent_close(client) == PYAGENT_OK, "the client closes");
    check(open_handles() == 0, "every handle table is empty at the end");
    printf("%s, %d broken\n", pyagent_version(), broken);
    return broken;
}
