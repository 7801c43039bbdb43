/*
 * pyagent.h - ask language models, from any language.
 *
 * pyagent is a client for the HTTP interfaces of language models, with everything that happens on the wire and in time
 * inside: connections, streaming, retries, timeouts, cancellation. This header is all of it. Eleven functions carry bytes
 * and integers; what a call says and what comes back is JSON and text, described in docs/abi.md.
 *
 * THREE KINDS OF HANDLE
 *
 *   client   a vendor's address, a key, and settings. Open one and keep it: it holds connections, costs nothing while
 *            idle, and serves any number of calls from any number of threads at once.
 *   call     one request to a model, from submit to close.
 *   inbox    optional: one place that receives for many calls, for programs that have an event loop.
 *
 * Handles are plain integers. A closed handle is never valid again, and using one is an error with a name, not a crash.
 * 0 is never a handle.
 *
 * ONE CALL
 *
 *      uint64_t client, call;
 *      pyagent_client_open(config, strlen(config), &client);            {"provider": "echo"}
 *      pyagent_submit(client, 0, request, strlen(request), &call);      {"op": "stream", "model": "echo", "messages": [...]}
 *      while (pyagent_poll(call, buffer, sizeof buffer, -1, &used) == PYAGENT_OK)
 *          ...walk the frames in buffer; the terminal frame is the last...
 *      pyagent_close(call);
 *      pyagent_close(client);
 *
 * FRAMES
 *
 * A poll fills the buffer with frames, one behind the other, each a header of 16 bytes and a payload:
 *
 *      offset  type  field
 *      0       u32   size    bytes of payload              (all numbers are little-endian)
 *      4       u8    kind    PYAGENT_FRAME_...; skip the kinds you do not know, by size
 *      5       u8    flags   PYAGENT_FLAG_MANY: the payload is several deltas, separated by NUL bytes
 *      6       u16   index   of the choice (0 unless several were asked for), or of the tool call
 *      8       u64   call    the handle of the call that the frame belongs to
 *
 * Every call ends with exactly one terminal frame (kind >= 64), whatever happens to it. A failure is a terminal frame too:
 * submit succeeds even for a request that cannot be sent, so there is one place to look for errors.
 *
 * RULES THAT HOLD FOR EVERY FUNCTION
 *
 *   - Any function may be called from any thread. Only pyagent_poll waits. At most one thread may poll a handle at a time.
 *   - Memory stays where it is: the library keeps no pointer of yours after a function returns, and gives you none to free.
 *   - No function calls back, and none touches signal handlers.
 *   - A function that fails changes nothing and says why in its result: 0 and above is success, below 0 is failure.
 *   - After fork() the child must not use the library of its parent: Go's runtime does not survive there. Load a second
 *     copy of the file under another name.
 */
#ifndef PYAGENT_H
#define PYAGENT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface. It grows by new fields, operations and frame kinds without a new number. */
#define PYAGENT_ABI_VERSION 1

/* ---- What a function returns ------------------------------------------------------------------------------------- */

#define PYAGENT_OK 0              /* done; from a poll: there are frames */
#define PYAGENT_TIMEOUT 1         /* nothing came within the time given */
#define PYAGENT_WOKEN 2           /* pyagent_wake was called */
#define PYAGENT_DONE 3            /* the terminal frame was fetched before; nothing more will come */
#define PYAGENT_BAD_HANDLE (-1)   /* no such handle was ever given out */
#define PYAGENT_CLOSED (-2)       /* the handle was closed, before or while the function ran */
#define PYAGENT_BUSY (-3)         /* another thread is polling this handle */
#define PYAGENT_TOO_SMALL (-4)    /* the buffer is too small; *used is the size that is needed, and nothing is lost */
#define PYAGENT_INVALID (-5)      /* a null pointer, or a handle of the wrong kind */
#define PYAGENT_INTERNAL (-6)     /* a bug in pyagent; please report it */

/* ---- What a frame is --------------------------------------------------------------------------------------------- */

/* Pieces of the answer: UTF-8 text as it is, never empty. */
#define PYAGENT_FRAME_TEXT 1       /* visible text */
#define PYAGENT_FRAME_REASONING 2  /* what the model thinks before it answers */
#define PYAGENT_FRAME_REFUSAL 3    /* text of a refusal */
#define PYAGENT_FRAME_TOOL_ARGS 4  /* a piece of the JSON arguments of a tool call; index is the tool call */

/* One JSON object. */
#define PYAGENT_FRAME_START 16       /* the answer has begun: id, model, provider, request_id, headers */
#define PYAGENT_FRAME_TOOL_BEGIN 17  /* a tool call begins: id, name */
#define PYAGENT_FRAME_TOOL_END 18    /* its arguments are complete */
#define PYAGENT_FRAME_USAGE 19       /* token counts so far */
#define PYAGENT_FRAME_LOGPROBS 20    /* token log-probabilities, as the vendor sends them */
#define PYAGENT_FRAME_ANNOTATION 21  /* a citation or another annotation */
#define PYAGENT_FRAME_PART 22        /* an image or a piece of audio */
#define PYAGENT_FRAME_DETAIL 23      /* reasoning data that must go back to the vendor unchanged */
#define PYAGENT_FRAME_RETRY 24       /* an attempt failed and another follows: attempt, wait, error */
#define PYAGENT_FRAME_RAW 25         /* the vendor's own JSON, when the request asked for it */
#define PYAGENT_FRAME_NOTICE 26      /* a report of a long-running operation */
#define PYAGENT_FRAME_ITEM 27        /* one result of an operation that is not a chat: a model, a token count */

/* Bytes as they are. */
#define PYAGENT_FRAME_VECTOR 32  /* one embedding: its numbers as little-endian float32, in the order of the inputs */

/* Terminal frames, one JSON object too. Exactly one of them ends a call. */
#define PYAGENT_FRAME_FINISH 64  /* the answer is complete: finish_reason, usage, model, id, attempts, warnings */
#define PYAGENT_FRAME_RESULT 65  /* the result of an operation that has no stream */
#define PYAGENT_FRAME_ERROR 66   /* the call failed: kind, message, status_code, request_id, is_retryable, ... */

#define PYAGENT_FRAME_HEADER 16 /* bytes of a frame's header */
#define PYAGENT_FLAG_MANY 1     /* the payload is several deltas, separated by NUL bytes */

/* ---- Strings that are only read; a name of its own, so that Go can spell the same declarations ------------------- */

typedef const char pyagent_text;

/* ---- Which library is this? -------------------------------------------------------------------------------------- */

/* The interface version of the library at hand. Compare it with PYAGENT_ABI_VERSION before anything else. */
uint32_t pyagent_abi_version(void);

/* The release of the library, such as "0.1.0". The string lives as long as the library. */
pyagent_text *pyagent_version(void);

/* A status in words, such as "buffer too small". The string lives as long as the library. */
pyagent_text *pyagent_status_name(int32_t status);

/* ---- Opening ----------------------------------------------------------------------------------------------------- */

/*
 * Opens a client. config is a JSON object of config_len bytes, for example {"provider": "openai", "api_key": "..."};
 * config_len 0 is the default configuration. A configuration that cannot be used gives a handle as well: its first frame,
 * and the first frame of every call submitted to it, is the error. Nothing is connected yet.
 */
int32_t pyagent_client_open(pyagent_text *config, size_t config_len, uint64_t *client);

/*
 * Opens an inbox, for calls of this client and of any other. wake_fd is the writing end of a pipe or socket in non-blocking
 * mode, whose other end your event loop watches, or -1. The library writes one byte to it when something waits and the host
 * was not woken since its last poll: read the byte, then poll once with timeout 0. What the buffer cannot take is announced
 * again. wake_fd stays yours; close it after the inbox.
 *
 * With wake_fd -2 the library brings the descriptor: watch the one that pyagent_inspect tells, which is readable whenever a
 * poll with timeout 0 is due, and read nothing from it. Slow streams are then read by your poll. Stop watching it before you
 * close the inbox, which closes it. PYAGENT_INVALID where the system has none; Linux has.
 */
int32_t pyagent_inbox_open(uint64_t client, intptr_t wake_fd, uint64_t *inbox);

/* ---- A call ------------------------------------------------------------------------------------------------------ */

/*
 * Starts a call and returns at once. request is a JSON object of request_len bytes. With inbox 0 the call is polled by its
 * own handle, otherwise its frames come out of the inbox only, and polling the call itself is PYAGENT_INVALID; unless the
 * request has a "window": then it asks for that many bytes more.
 */
int32_t pyagent_submit(uint64_t client, uint64_t inbox, pyagent_text *request, size_t request_len, uint64_t *call);

/*
 * Waits until a handle has frames, and copies all that fit into buf, which has cap bytes; *used is how many were written.
 * The wait lasts at most timeout_ms milliseconds: 0 does not wait, below 0 is without limit. What is fetched is gone from
 * the library, and a fast vendor is slowed down while it is not fetched, so poll again soon.
 */
int32_t pyagent_poll(uint64_t handle, void *buf, size_t cap, int32_t timeout_ms, size_t *used);

/*
 * Makes the poll that runs on a handle return PYAGENT_WOKEN, or, when none runs, the next one that finds no frames. Several
 * wakes before that are one.
 */
int32_t pyagent_wake(uint64_t handle);

/*
 * Ends a call. Its connection is closed at once, whatever it was doing, and its terminal frame says so, unless another one
 * was first. Cancelling a call that has ended changes nothing.
 */
int32_t pyagent_cancel(uint64_t call);

/* ---- Looking ----------------------------------------------------------------------------------------------------- */

/*
 * Writes a JSON object about a handle into buf: what it is, what it does, what waits in it. Handle 0 is the library: its
 * version, the vendors it knows, the operations, the kinds of errors, and how many handles are open.
 */
int32_t pyagent_inspect(uint64_t handle, void *buf, size_t cap, size_t *used);

/* ---- Closing ----------------------------------------------------------------------------------------------------- */

/*
 * Gives a handle back, of any kind, and returns at once; a poll that runs on it ends with PYAGENT_CLOSED. It suits a garbage
 * collector: in any order, from any thread, twice.
 *   call     is cancelled, and what was not fetched is dropped. A call of an inbox closes itself with its terminal frame.
 *   inbox    its calls are cancelled and closed. When the function has returned, wake_fd is not written to any more.
 *   client   its calls go on. Its connections are closed when the last of them has ended.
 */
int32_t pyagent_close(uint64_t handle);

#ifdef __cplusplus
}
#endif

#endif /* PYAGENT_H */
