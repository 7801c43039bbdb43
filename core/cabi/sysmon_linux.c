// Go's runtime has a thread that looks after the others. While anything is in a system call it sleeps for 20 us at
// a time, and whenever it wakes it takes a core from somebody who was at work. With more timer slack it sleeps for
// longer: see docs/decisions/0027-timer-slack.md. Threads inherit the slack from who starts them, so the thread
// that loads the library has it while the runtime starts: constructors with a number run before those without, and
// of these Go's is the first.

#include <sys/prctl.h>

// In nanoseconds. Go's timers may be late by as much.
#define SLACK 1000000

static long before;

__attribute__((constructor(101))) static void slacken(void) {
	before = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
	if (before > 0 && before < SLACK)
		prctl(PR_SET_TIMERSLACK, (unsigned long)SLACK, 0, 0, 0);
}

__attribute__((constructor)) static void tighten(void) {
	if (before > 0)
		prctl(PR_SET_TIMERSLACK, (unsigned long)before, 0, 0, 0);
}
