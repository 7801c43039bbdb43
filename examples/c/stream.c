/* Streams an answer from the model inside the library:  cc stream.c -I include -L . -lpyagent && ./a.out */
#include <stdio.h>
#include <string.h>
#include "pyagent.h"

int main(void) {
    const char *config = "{\"provider\": \"echo\"}";
    const char *request = "{\"op\": \"stream\", \"model\": \"echo\","
                          " \"messages\": [{\"role\": \"user\", \"content\": \"Hello from C\"}]}";
    static unsigned char buffer[64 * 1024];
    uint64_t client, call;
    size_t used;
    int failed = 0;

    if (pyagent_abi_version() != PYAGENT_ABI_VERSION) return 2;
    pyagent_client_open(config, strlen(config), &client);
    pyagent_submit(client, 0, request, strlen(request), &call);
    while (pyagent_poll(call, buffer, sizeof buffer, -1, &used) == PYAGENT_OK) {
        for (size_t at = 0; at < used;) {
            uint32_t size;
            memcpy(&size, buffer + at, 4);
            int kind = buffer[at + 4];
            unsigned char *payload = buffer + at + PYAGENT_FRAME_HEADER;
            if (kind == PYAGENT_FRAME_TEXT) {
                for (uint32_t i = 0; i < size; i++)
                    if (payload[i] != 0) putchar(payload[i]); /* a NUL only separates deltas */
                fflush(stdout);
            } else if (kind == PYAGENT_FRAME_FINISH || kind == PYAGENT_FRAME_ERROR) {
                printf("\n%.*s\n", (int)size, (char *)payload);
                failed = kind == PYAGENT_FRAME_ERROR;
            }
            at += PYAGENT_FRAME_HEADER + size;
        }
    }
    pyagent_close(call);
    pyagent_close(client);
    return failed;
}
