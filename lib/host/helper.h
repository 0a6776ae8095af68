/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread of the library's own, for work at an interval.
 */
#ifndef KMEM_HOST_HELPER_H
#define KMEM_HOST_HELPER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Call tick at every period, from a thread with all signals blocked, until it returns false. The thread is made by pthread_create(), so not
 * where the heap may not be used, and it runs when this returns. It ends by itself once all others have: it does not keep the process
 * alive. tick must not touch paged memory. 0 or -errno.
 */
int kmem_helper_start(unsigned int period_ms, bool (*tick)(void));

/* Its thread id; 0 where there is none. */
uint32_t kmem_helper_thread(void);

/*
 * Let it end, soon: within a fifth of a second; tick is not running when this returns, nor called again. One that is started anew takes the
 * place of the former, too.
 */
void kmem_helper_stop(void);

/* In the child of a fork, where the thread is not: it may have been in a tick. */
void kmem_helper_forked(void);

#endif /* KMEM_HOST_HELPER_H */
