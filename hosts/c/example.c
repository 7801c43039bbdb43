/* The program of docs/hosts/c.md. */
#include <stdio.h>
#include "pyagent_stream.h"

static void print_answer(uint64_t client, const cJSON *request) {
    pa_stream *stream = pa_start(client, request);
    pa_event event;
    int status;
    while ((status = pa_next(stream, &event)) > 0) {
        const cJSON *json = event.json;
        if (event.kind == PYAGENT_FRAME_TEXT) {
            fputs(event.text, stdout);
            fflush(stdout);
        } else if (event.kind == PYAGENT_FRAME_TOOL_END) {
            printf("%s(%s)", cJSON_GetObjectItem(json, "name")->valuestring,
                   cJSON_GetObjectItem(json, "arguments")->valuestring);
        } else if (event.kind == PYAGENT_FRAME_FINISH) {
            printf(" [%s]\n", cJSON_GetObjectItem(json, "finish_reason")->valuestring);
        }
    }
    if (status < 0) {
        const pa_error *error = pa_failure(stream);
        printf("%s, HTTP %d: %s\n", error->kind, error->status, error->message);
    }
    pa_close(stream);
}

int main(void) {
    cJSON *config = cJSON_Parse("{\"provider\": \"echo\"}");
    uint64_t client = pa_open(config);
    cJSON *request = cJSON_Parse("{\"model\": \"echo\", \"messages\": [{\"role\": \"user\", \"content\": \"Hi, C\"}]}");

    print_answer(client, request);

    const char *tools = "{\"fake\": {\"tools\": [{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Oslo\"}}]}}";
    cJSON_AddItemToObject(request, "extra_body", cJSON_Parse(tools));
    print_answer(client, request);

    const char *refusal = "{\"fake\": {\"status\": 401, \"body\": {\"error\": {\"message\": \"No such key.\"}}}}";
    cJSON_ReplaceItemInObject(request, "extra_body", cJSON_Parse(refusal));
    print_answer(client, request);

    cJSON_Delete(request);
    cJSON_Delete(config);
    pyagent_close(client);
    return 0;
}
