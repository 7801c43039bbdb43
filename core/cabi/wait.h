/*
 * wait.h - how a host thread sleeps in pyagent_poll: in C, on a condition of its own, with Go out of the picture.
 *
 * A thread that blocks inside an exported Go function takes its goroutine, a stack and a place in Go's scheduler with it, and
 * is woken by way of two other threads. Here it is one system call to sleep and one to wake.
 *
 * Nothing in this file is part of the interface; the symbols are hidden.
 */
#ifndef PYAGENT_WAIT_H
#define PYAGENT_WAIT_H

#include <stddef.h>
#include <stdint.h>

#define PYAGENT_HIDDEN __attribute__((visibility("hidden")))

/* pyagent_poll_turn found nothing, and the waiter will be signalled. Never returned to a host. */
#define PYAGENT_PENDING 100

typedef struct pyagent_waiter pyagent_waiter;

/* Wakes the thread that sleeps on the waiter, or keeps it from falling asleep. */
PYAGENT_HIDDEN void pyagent_waiter_signal(pyagent_waiter *waiter);

/* One turn of a poll; in Go. */
PYAGENT_HIDDEN int32_t pyagent_poll_turn(uint64_t handle, void *buf, size_t cap, size_t *used, pyagent_waiter *waiter, int last);

#endif
