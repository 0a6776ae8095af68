/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failure on demand: lets a test fail the nth host call, once or from there on. Off, it costs one load and a branch.
 */
#ifndef KMEM_HOST_FAILPOINT_H
#define KMEM_HOST_FAILPOINT_H

#include <stdbool.h>

/*
 * From now on, let the next n - 1 failable host calls pass and the nth fail with -error; all after it too if sticky.
 * n = 0 switches off. Returns the number of calls counted since the last arming.
 */
unsigned long kmem_failpoint_arm(unsigned long n, int error, bool sticky);

/* Whether the armed failure has happened. */
bool kmem_failpoint_was_hit(void);

/*
 * Between these, calls pass uncounted: what undoes a failure and has nobody to tell of its own, or what must not stop halfway, and does
 * not on a host. They nest. _sigsafe.
 */
void kmem_failpoint_hold(void);
void kmem_failpoint_release(void);

/* 0, or the -errno that this call shall fail with. _sigsafe: atomics only. */
int kmem_failpoint(void);

#endif /* KMEM_HOST_FAILPOINT_H */
