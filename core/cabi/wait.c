#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include "pyagent.h"
#include "wait.h"

/*
 * Waiters are used again and never freed: a signal that comes late, after its poll has returned, then meets a waiter all the
 * same, and at worst sends another poll around its loop once more. There are as many as threads have ever polled at once.
 */
struct pyagent_waiter {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int signalled;
    pyagent_waiter *next; /* in the list of unused ones */
};

static pthread_mutex_t unused_mutex = PTHREAD_MUTEX_INITIALIZER;
static pyagent_waiter *unused;

#if defined(__APPLE__)
#define CLOCK_OF_CONDITIONS CLOCK_REALTIME /* there a condition has no other clock */
#else
#define CLOCK_OF_CONDITIONS CLOCK_MONOTONIC
#endif

static pyagent_waiter *take_waiter(void) {
    pthread_mutex_lock(&unused_mutex);
    pyagent_waiter *waiter = unused;
    if (waiter != NULL) unused = waiter->next;
    pthread_mutex_unlock(&unused_mutex);
    if (waiter != NULL) return waiter;
    waiter = calloc(1, sizeof *waiter);
    if (waiter == NULL) return NULL;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
#if !defined(__APPLE__)
    pthread_condattr_setclock(&attributes, CLOCK_OF_CONDITIONS);
#endif
    pthread_mutex_init(&waiter->mutex, NULL);
    pthread_cond_init(&waiter->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return waiter;
}

static void give_back(pyagent_waiter *waiter) {
    pthread_mutex_lock(&unused_mutex);
    waiter->next = unused;
    unused = waiter;
    pthread_mutex_unlock(&unused_mutex);
}

void pyagent_waiter_signal(pyagent_waiter *waiter) {
    pthread_mutex_lock(&waiter->mutex);
    waiter->signalled = 1;
    pthread_mutex_unlock(&waiter->mutex);
    pthread_cond_signal(&waiter->changed);
}

/* Sleeps until a signal or the deadline; returns 0 when the deadline has come. Without a deadline it is NULL. */
static int sleep_until(pyagent_waiter *waiter, const struct timespec *deadline) {
    int late = 0;
    pthread_mutex_lock(&waiter->mutex);
    while (!waiter->signalled && !late)
        late = deadline ? pthread_cond_timedwait(&waiter->changed, &waiter->mutex, deadline) != 0
                        : pthread_cond_wait(&waiter->changed, &waiter->mutex) != 0;
    waiter->signalled = 0;
    pthread_mutex_unlock(&waiter->mutex);
    return !late;
}

int32_t pyagent_poll(uint64_t handle, void *buf, size_t cap, int32_t timeout_ms, size_t *used) {
    if (used == NULL || (buf == NULL && cap > 0)) return PYAGENT_INVALID;
    *used = 0;
    if (timeout_ms == 0) return pyagent_poll_turn(handle, buf, cap, used, NULL, 1);
    pyagent_waiter *waiter = take_waiter();
    if (waiter == NULL) return PYAGENT_INTERNAL;
    int32_t status = pyagent_poll_turn(handle, buf, cap, used, waiter, 0);
    if (status == PYAGENT_PENDING) {
        struct timespec deadline;
        if (timeout_ms > 0) {
            clock_gettime(CLOCK_OF_CONDITIONS, &deadline);
            deadline.tv_sec += timeout_ms / 1000;
            deadline.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
            if (deadline.tv_nsec >= 1000000000) {
                deadline.tv_nsec -= 1000000000;
                deadline.tv_sec++;
            }
        }
        int in_time = 1;
        while (status == PYAGENT_PENDING) {
            in_time = in_time && sleep_until(waiter, timeout_ms > 0 ? &deadline : NULL);
            status = pyagent_poll_turn(handle, buf, cap, used, waiter, !in_time);
        }
    }
    give_back(waiter);
    return status;
}
