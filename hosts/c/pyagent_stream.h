/* Streams of pyagent for C: a function gives the next event. JSON is cJSON's. docs/hosts/c.md explains it. */
#ifndef PYAGENT_STREAM_H
#define PYAGENT_STREAM_H

#include <cjson/cJSON.h>
#include "pyagent.h"

typedef struct pa_stream pa_stream; /* belongs to one thread at a time, but any other one may cancel it */

/* All pointers are the stream's own, good until the next pa_next. */
typedef struct {
    int kind;          /* PYAGENT_FRAME_TEXT and so on */
    int index;         /* of the choice; for tool frames of the tool call */
    const char *text;  /* one delta, or the payload as it came; a NUL follows it */
    size_t size;
    const cJSON *json; /* what a kind from 16 on says. TOOL_END has the whole call: id, name, arguments (a string) */
} pa_event;

typedef struct {
    const char *kind, *message; /* kind: see docs/errors.md */
    int status;                 /* of HTTP, 0 if there was none */
    const cJSON *json;          /* everything the ERROR frame says, NULL for an error of the binding's own */
} pa_error;

/* Opens a client, for pyagent_close; 0 if header and library do not fit. A bad configuration fails its streams. */
uint64_t pa_open(const cJSON *config);
/* Starts a request, op "stream" unless it names one; it stays the caller's. NULL if memory ran out. */
pa_stream *pa_start(uint64_t client, const cJSON *request);
/* Waits for the next event: 1 for an event, 0 at the end (after FINISH or RESULT), -1 for an error. */
int pa_next(pa_stream *stream, pa_event *event);
/* What -1 was about, good until pa_close. */
const pa_error *pa_failure(const pa_stream *stream);
/* Ends the stream: pa_next then fails with the kind "cancelled". */
void pa_cancel(pa_stream *stream);
/* Closes the stream, and its connection at once; NULL is nothing to close. */
void pa_close(pa_stream *stream);

#endif
