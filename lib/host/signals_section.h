/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What signals.c, signals_mask.c and signals_deliver.c have in common: words for masks, and what each asks of the others. See signals.h.
 */
#ifndef KMEM_HOST_SIGNALS_SECTION_H
#define KMEM_HOST_SIGNALS_SECTION_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include "host/signals.h"
#include "host/thread.h"

#define KMEM_SIGBIT(signo) ((kmem_sigmask)1 << ((signo)-1))
#define KMEM_SIGNALS_MEMORY (KMEM_SIGBIT(SIGSEGV) | KMEM_SIGBIT(SIGBUS)) /* what accesses raise */
#define KMEM_SIGNALS_CALLS KMEM_SIGBIT(SIGSYS)                           /* what trapped system calls raise */
#define KMEM_SIGNALS_SYNCHRONOUS                                                                                       \
	(KMEM_SIGNALS_MEMORY | KMEM_SIGNALS_CALLS | KMEM_SIGBIT(SIGFPE) | KMEM_SIGBIT(SIGILL) | KMEM_SIGBIT(SIGTRAP))
#define KMEM_SIGNALS_LAST 64 /* the host kernel's highest */

static inline kmem_sigmask kmem_sigmask_of(const sigset_t *set)
{
	kmem_sigmask mask;

	memcpy(&mask, set, sizeof(mask));
	return mask;
}

static inline void kmem_sigmask_put(sigset_t *set, kmem_sigmask mask)
{
	memcpy(set, &mask, sizeof(mask));
}

static inline bool kmem_signals_has_handler(const struct sigaction *action)
{
	return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
}

/*
 * signals.c
 */

/* The signals that are taken. */
kmem_sigmask kmem_signals_owned(void);

/* The wish for a signal that is to be delivered; a handler that serves once is reset. */
struct sigaction kmem_signals_wish_for_delivery(int signo);

/*
 * signals_mask.c
 */

/* rt_sigprocmask, as it is. 0 or -errno; errno is kept. */
int kmem_signals_mask_change(int how, const kmem_sigmask *mask, kmem_sigmask *old);

/*
 * The child of a vfork() runs on its parent's memory, and as the thread of its parent's that called it. What it wishes is kept
 * apart, so that the parent does not find it when it goes on.
 */
bool kmem_signals_is_borrower(struct kmem_thread *self);

/* The calling thread's wish, as mask bits. */
kmem_sigmask kmem_signals_wish_mask(void);
void kmem_signals_wish_mask_set(kmem_sigmask mask);

/* Drop the calling thread's wish if the program has since replaced its mask past the wrappers. A signal has interrupted it there. */
void kmem_signals_wish_mask_check(const ucontext_t *context);

/* What is never blocked in a trap, even should the library give up its signals meanwhile. */
kmem_sigmask kmem_signals_trapping(void);

/* Send the calling thread a signal; its pending signals of these again; all of those that the program does not block any more. */
void kmem_signals_send(int signo);
void kmem_signals_pending_send(kmem_sigmask due);
void kmem_signals_pending_resend(void);

/*
 * signals_deliver.c
 */

/* Where the interrupted code's stack ends; the frame of the signal, a little below, where that is not known. */
uintptr_t kmem_signals_stack_pointer(const ucontext_t *context);

/*
 * What is blocked of the taken signals, beside the thread's wish, in the handler that the code at a stack pointer belongs to: the
 * delivery's own, to be read and changed. NULL where it belongs to none.
 */
kmem_sigmask *kmem_signals_delivery_blocked(uintptr_t at);

#endif /* KMEM_HOST_SIGNALS_SECTION_H */
