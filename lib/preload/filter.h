/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter's and the stub's contract with the handler (trap.c), with start (start.c) and with other generations of the library.
 *
 * A process begins so: kmem_call_trap_init(), then kmem_filter_install(). The second finds out whether an inherited filter is there
 * already by a *probe*: uname() with an address in the window that is never mapped. Without a filter the host kernel answers EFAULT;
 * with it the call is trapped, and the handler answers KMEM_PROBE_ANSWER. Even a process that does not want the filter
 * (KMEM_SYSCALLS=off) may have inherited it, so the handler and the stub are there always.
 */
#ifndef KMEM_PRELOAD_FILTER_H
#define KMEM_PRELOAD_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "preload/preload.h"

/* si_errno of SIGSYS if it is from this filter; another one that the program has installed may say anything else. */
#define KMEM_FILTER_DATA 0x4b6dU

/* The last page of the window, which the VM's range, at its beginning, never reaches. */
#define KMEM_PROBE_NR SYS_uname
#define KMEM_PROBE_POINTER (KMEM_WINDOW_BASE + KMEM_WINDOW_SIZE - 0x1000UL)
#define KMEM_PROBE_ANSWER 0x6b6d656dL

static inline bool kmem_probe_is(long nr, uint64_t first)
{
	return nr == KMEM_PROBE_NR && first == KMEM_PROBE_POINTER;
}

/*
 * Write the filter to instructions, at most max (BPF_MAXINSNS is what the host kernel takes); how many there are, 0 if they do not fit.
 * Nothing but the table in call.c goes in. Not reentrant.
 */
size_t kmem_filter_make(struct sock_filter *instructions, size_t max);

/* stub.c: map the stub, if it is not there yet. kmem_filter_install() does it, too. 0, or -errno with a message. */
int kmem_stub_map(char *error, size_t error_size);

#endif /* KMEM_PRELOAD_FILTER_H */
