/* The six checks of docs/hosts/index.md, in C. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "pyagent_stream.h"

#define MANY 100

static uint64_t model; /* the scripted server as a client */

static void must(int holds, const char *what) {
    if (holds) return;
    printf("broken: %s\n", what);
    exit(1);
}

/* A request with one message of the user and a script for the server. */
static cJSON *ask(const char *content, const char *script) {
    cJSON *request = cJSON_Parse("{\"model\": \"m\", \"max_retries\": 0,"
                                 " \"messages\": [{\"role\": \"user\"}], \"extra_body\": {}}");
    cJSON_AddStringToObject(cJSON_GetArrayItem(cJSON_GetObjectItem(request, "messages"), 0), "content", content);
    cJSON_AddRawToObject(cJSON_GetObjectItem(request, "extra_body"), "fake", script); /* cJSON would end it at a NUL */
    return request;
}

static pa_stream *start(uint64_t client, cJSON *request) {
    pa_stream *stream = pa_start(client, request);
    cJSON_Delete(request);
    must(stream != NULL, "a stream starts");
    return stream;
}

/* Reads a stream to its end, which must be a good one, and closes it; its text is compared. Returns how many deltas. */
static int read_all(pa_stream *stream, const char *text, size_t size) {
    pa_event event;
    int deltas = 0, status, finished = 0;
    size_t at = 0;
    while ((status = pa_next(stream, &event)) > 0) {
        finished = event.kind == PYAGENT_FRAME_FINISH && cJSON_HasObjectItem(event.json, "finish_reason");
        if (event.kind != PYAGENT_FRAME_TEXT) continue;
        must(event.text[event.size] == 0, "a NUL follows a delta");
        must(at + event.size <= size && memcmp(text + at, event.text, event.size) == 0, "the text is whole");
        at += event.size;
        deltas++;
    }
    must(status == 0 && finished && at == size, "a stream ends with FINISH, and the text is whole");
    must(pa_next(stream, &event) == 0, "and goes on being at its end");
    pa_close(stream);
    return deltas;
}

static void check_stream(void) {
    const char *text = "one two three \xc3\xbcn\xc3\xaf \xf0\x9f\x8c\x8d";
    cJSON *config = cJSON_Parse("{\"provider\": \"echo\"}");
    uint64_t echo = pa_open(config);
    cJSON_Delete(config);
    must(read_all(start(echo, ask(text, "{}")), text, strlen(text)) > 1, "there is more than one delta");
    pyagent_close(echo);
    pa_stream *stream = start(model, ask("nul", "{\"pieces\": [\"a\\u0000b\", \"c\"]}"));
    must(read_all(stream, "a\0bc", 4) == 2, "there are two deltas");
    static char large[100001], script[100100];
    memset(large, 'x', sizeof large - 1);
    snprintf(script, sizeof script, "{\"pieces\": [\"%s\"]}", large);
    must(read_all(start(model, ask("large", script)), large, sizeof large - 1) == 1, "a delta may be large");
}

static void check_two_tools(void) {
    pa_stream *stream = start(model, ask("two", "{\"tool_piece\": 1, \"tools\": [{\"name\": \"a\", \"arguments\": {}},"
                                                " {\"name\": \"b\", \"arguments\": {\"x\": 1}}]}"));
    pa_event event;
    char said[64] = "";
    while (pa_next(stream, &event) > 0) {
        if (event.kind != PYAGENT_FRAME_TOOL_END) continue;
        strcat(said, cJSON_GetObjectItem(event.json, "name")->valuestring);
        strcat(said, cJSON_GetObjectItem(event.json, "arguments")->valuestring);
    }
    must(strcmp(said, "a{}b{\"x\":1}") == 0, "each of two calls has its own arguments");
    pa_close(stream);
}

static void check_tools(void) {
    check_two_tools();
    cJSON *request = ask("tools", "{\"tool_piece\": 3, \"tools\": [{\"name\": \"get_weather\","
                                  " \"arguments\": {\"city\": \"Oslo\"}}]}");
    cJSON *tools = cJSON_Parse("[{\"type\": \"function\", \"function\": {\"name\": \"get_weather\", \"parameters\":"
                               " {\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\"}}}}}]");
    cJSON_AddItemToObject(request, "tools", tools);
    pa_stream *stream = pa_start(model, request);
    pa_event event;
    char id[32] = "", arguments[64] = "";
    while (pa_next(stream, &event) > 0) {
        if (event.kind != PYAGENT_FRAME_TOOL_END) continue;
        must(strcmp(cJSON_GetObjectItem(event.json, "name")->valuestring, "get_weather") == 0, "the tool has its name");
        snprintf(id, sizeof id, "%s", cJSON_GetObjectItem(event.json, "id")->valuestring);
        snprintf(arguments, sizeof arguments, "%s", cJSON_GetObjectItem(event.json, "arguments")->valuestring);
    }
    must(strcmp(id, "call_1") == 0 && strcmp(arguments, "{\"city\":\"Oslo\"}") == 0, "the call is whole");
    pa_close(stream);

    cJSON *messages = cJSON_GetObjectItem(request, "messages");
    cJSON *call = cJSON_Parse("{\"role\": \"assistant\", \"tool_calls\": ["
                              "{\"type\": \"function\", \"function\": {\"name\": \"get_weather\"}}]}");
    cJSON *said = cJSON_GetArrayItem(cJSON_GetObjectItem(call, "tool_calls"), 0);
    cJSON_AddStringToObject(said, "id", id);
    cJSON_AddStringToObject(cJSON_GetObjectItem(said, "function"), "arguments", arguments);
    cJSON_AddItemToArray(messages, call);
    cJSON *result = cJSON_Parse("{\"role\": \"tool\", \"content\": \"7 degrees\"}");
    cJSON_AddStringToObject(result, "tool_call_id", id);
    cJSON_AddItemToArray(messages, result);
    cJSON *script = cJSON_Parse("{\"text\": \"It is 7 degrees.\"}");
    cJSON_ReplaceItemInObject(cJSON_GetObjectItem(request, "extra_body"), "fake", script);
    read_all(start(model, request), "It is 7 degrees.", 16);
}

static void must_fail(pa_stream *stream, const char *kind, int status, const char *words) {
    pa_event event;
    must(pa_next(stream, &event) == -1 && pa_next(stream, &event) == -1, "it fails, and goes on failing");
    const pa_error *error = pa_failure(stream);
    must(strcmp(error->kind, kind) == 0 && error->status == status, "kind and status");
    must(strstr(error->message, words) != NULL, "the message");
    pa_close(stream);
}

static void check_error(void) {
    must_fail(start(model, ask("error", "{\"status\": 429, \"body\": {\"error\": {\"message\": \"Slow down.\"}}}")),
              "rate_limit", 429, "Slow down.");
    must_fail(start(model, cJSON_Parse("{\"model\": \"m\"}")), "configuration", 0, "messages");
    must_fail(start(77, cJSON_Parse("{\"model\": \"m\"}")), "internal", 0, "handle");
}

static void *cancel(void *stream) {
    pa_cancel(stream);
    return NULL;
}

static void must_be_gone(const char *name) {
    char line[8] = "";
    printf("gone? %s\n", name);
    must(fgets(line, sizeof line, stdin) && strcmp(line, "yes\n") == 0, "the server saw the stream end");
}

static pa_stream *start_stalling(const char *name) {
    pa_stream *stream = start(model, ask(name, "{\"text\": \"a b c d\", \"after\": 2, \"end\": \"stall\"}"));
    pa_event event = {0};
    while (event.kind != PYAGENT_FRAME_TEXT) must(pa_next(stream, &event) == 1, "there is text");
    return stream;
}

static void check_cancel(void) {
    pa_stream *stream = start_stalling("cancel");
    pthread_t thread;
    pa_event event;
    pthread_create(&thread, NULL, cancel, stream);
    int status;
    while ((status = pa_next(stream, &event)) > 0) continue;
    must(status == -1 && strcmp(pa_failure(stream)->kind, "cancelled") == 0, "a cancelled stream says so");
    pthread_join(thread, NULL);
    must_be_gone("cancel");
    pa_close(stream);
}

static void check_many(void) {
    static pa_stream *streams[MANY];
    char text[16];
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "many %d", i);
        streams[i] = start(model, ask(text, "{\"header_delay\": 1}"));
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "many %d", i);
        read_all(streams[i], text, strlen(text));
    }
}

static void check_handles(void) {
    static char said[1024 * 1024];
    const char *none = "\"handles\":{\"clients\":0,\"inboxes\":0,\"calls\":0,\"working\":0}";
    size_t used = 0;
    pa_close(start_stalling("left"));
    must_be_gone("left");
    pyagent_close(model);
    for (int i = 0; i < 500; i++) {
        must(pyagent_inspect(0, said, sizeof said - 1, &used) == PYAGENT_OK, "the library can be inspected");
        said[used] = 0;
        if (strstr(said, none)) return;
        usleep(10000);
    }
    must(0, "no handle is left open");
}

int main(void) {
    const struct {
        const char *name;
        void (*check)(void);
    } checks[] = {{"stream", check_stream}, {"tools", check_tools}, {"error", check_error},
                  {"cancel", check_cancel}, {"many", check_many},   {"handles", check_handles}};
    cJSON *config = cJSON_Parse("{\"provider\": \"compatible\"}");
    setvbuf(stdout, NULL, _IOLBF, 0);
    cJSON_AddStringToObject(config, "base_url", getenv("PYAGENT_SERVER"));
    model = pa_open(config);
    cJSON_Delete(config);
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        for (int times = checks[i].check == check_many ? atoi(getenv("PYAGENT_TIMES")) : 1; times > 0; times--) {
            checks[i].check();
            printf("ok %s\n", checks[i].name);
        }
    }
    return 0;
}
