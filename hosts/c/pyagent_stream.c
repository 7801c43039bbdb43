/* The streams of pyagent_stream.h. */
#include <stdlib.h>
#include <string.h>
#include "pyagent_stream.h"

struct tool {
    cJSON *begun; /* what TOOL_BEGIN said */
    char *arguments;
    size_t size;
};

struct pa_stream {
    uint64_t call;
    unsigned char *buffer;
    size_t room, used, next; /* frames fill [next, used) */
    size_t piece, end;       /* and deltas [piece, end) */
    size_t cut;              /* where the NUL behind the last event is */
    unsigned char kept;      /* the byte that it stands for */
    pa_event frame;          /* kind and index of what is in [piece, end); size 0: many deltas */
    cJSON *json;             /* of the last event */
    struct tool *tools;
    size_t tool_count;
    int over; /* 1: it has ended, -1: by an error */
    pa_error error;
};

uint64_t pa_open(const cJSON *config) {
    uint64_t client = 0;
    char *text = cJSON_PrintUnformatted(config);
    if (text && pyagent_abi_version() == PYAGENT_ABI_VERSION) pyagent_client_open(text, strlen(text), &client);
    cJSON_free(text);
    return client;
}

static int fail(pa_stream *s, const char *message) {
    s->error = (pa_error){"internal", message, 0, NULL};
    return s->over = -1;
}

pa_stream *pa_start(uint64_t client, const cJSON *request) {
    pa_stream *s = calloc(1, sizeof *s);
    cJSON *whole = cJSON_Duplicate(request, 1);
    if (whole && !cJSON_HasObjectItem(whole, "op")) cJSON_AddStringToObject(whole, "op", "stream");
    char *text = whole ? cJSON_PrintUnformatted(whole) : NULL;
    cJSON_Delete(whole);
    if (s && text && (s->buffer = malloc(s->room = 32 * 1024))) {
        int status = pyagent_submit(client, 0, text, strlen(text), &s->call);
        if (status != PYAGENT_OK) fail(s, pyagent_status_name(status));
    } else {
        pa_close(s);
        s = NULL;
    }
    cJSON_free(text);
    return s;
}

/* Waits for frames. One byte of the buffer is left for the NUL behind the last of them. */
static int fetch(pa_stream *s) {
    for (;;) {
        int status = pyagent_poll(s->call, s->buffer, s->room - 1, -1, &s->used);
        s->next = 0;
        if (status == PYAGENT_OK) return 1;
        if (status != PYAGENT_TOO_SMALL) return fail(s, pyagent_status_name(status));
        unsigned char *larger = realloc(s->buffer, s->used + 1);
        if (!larger) return fail(s, "out of memory");
        s->buffer = larger;
        s->room = s->used + 1;
    }
}

/* Makes [piece, end) the payload of the frame at next. */
static void open_frame(pa_stream *s) {
    const unsigned char *header = s->buffer + s->next;
    uint32_t size;
    uint16_t index;
    memcpy(&size, header, 4); /* on a little-endian machine */
    memcpy(&index, header + 6, 2);
    s->piece = s->next + PYAGENT_FRAME_HEADER;
    s->end = s->next = s->piece + size;
    s->frame = (pa_event){.kind = header[4], .index = index, .size = header[5] & PYAGENT_FLAG_MANY ? 0 : size};
}

static int fail_as_told(pa_stream *s) {
    const cJSON *kind = cJSON_GetObjectItem(s->json, "kind"), *message = cJSON_GetObjectItem(s->json, "message");
    const cJSON *status = cJSON_GetObjectItem(s->json, "status_code");
    s->error = (pa_error){kind->valuestring, message->valuestring, status ? status->valueint : 0, s->json};
    s->json = NULL; /* it is the error's, for pa_close to delete */
    return s->over = -1;
}

/* Puts tool calls together, by the index of their frames; other events are as they are. */
static int collect(pa_stream *s, pa_event *event) {
    size_t index = (size_t)event->index;
    int begins = event->kind == PYAGENT_FRAME_TOOL_BEGIN, ends = event->kind == PYAGENT_FRAME_TOOL_END;
    if (!begins && !ends && event->kind != PYAGENT_FRAME_TOOL_ARGS) return 1;
    if (index >= s->tool_count) {
        struct tool *more = realloc(s->tools, (index + 1) * sizeof *more);
        if (!more) return fail(s, "out of memory");
        memset(more + s->tool_count, 0, (index + 1 - s->tool_count) * sizeof *more);
        s->tools = more;
        s->tool_count = index + 1;
    }
    struct tool *tool = &s->tools[index];
    if (begins) {
        cJSON_Delete(tool->begun);
        tool->begun = cJSON_Duplicate(s->json, 1);
        tool->size = 0;
    } else if (ends) {
        cJSON_Delete(s->json);
        event->json = s->json = tool->begun;
        tool->begun = NULL;
        cJSON_AddStringToObject(s->json, "arguments", tool->size ? tool->arguments : "");
    } else {
        char *longer = realloc(tool->arguments, tool->size + event->size + 1);
        if (!longer) return fail(s, "out of memory");
        memcpy(longer + tool->size, event->text, event->size + 1);
        tool->arguments = longer;
        tool->size += event->size;
    }
    return 1;
}

int pa_next(pa_stream *s, pa_event *event) {
    cJSON_Delete(s->json);
    s->json = NULL;
    if (s->cut) s->buffer[s->cut] = s->kept;
    s->cut = 0;
    if (s->over) return s->over < 0 ? -1 : 0;
    if (s->piece >= s->end) {
        if (s->next >= s->used && fetch(s) < 0) return -1;
        open_frame(s);
    }
    *event = s->frame;
    event->text = (const char *)s->buffer + s->piece;
    if (event->size == 0) event->size = strnlen(event->text, s->end - s->piece); /* of many deltas the next one */
    s->cut = s->piece + event->size;
    s->piece = s->cut + 1;
    s->kept = s->buffer[s->cut];
    s->buffer[s->cut] = 0;
    if (event->kind >= 16 && event->kind != PYAGENT_FRAME_VECTOR) /* those below are text, a vector is numbers */
        event->json = s->json = cJSON_Parse(event->text);
    if (event->kind == PYAGENT_FRAME_ERROR) return fail_as_told(s);
    if (event->kind >= PYAGENT_FRAME_FINISH) s->over = 1;
    return collect(s, event);
}

const pa_error *pa_failure(const pa_stream *s) { return &s->error; }
void pa_cancel(pa_stream *s) { pyagent_cancel(s->call); }

void pa_close(pa_stream *s) {
    if (!s) return;
    pyagent_close(s->call);
    for (size_t i = 0; i < s->tool_count; i++) {
        cJSON_Delete(s->tools[i].begun);
        free(s->tools[i].arguments);
    }
    cJSON_Delete(s->json);
    cJSON_Delete((cJSON *)s->error.json);
    free(s->tools);
    free(s->buffer);
    free(s);
}
