/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the library knows of a thread. Lives in initial-exec TLS, so a trap handler may use it at any time.
 */
#ifndef KMEM_HOST_THREAD_H
#define KMEM_HOST_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmem/kmem.h>

struct kmem_thread {
	/* Written and read by the owner only. */
	uint32_t tid;        /* Linux thread id; 0 until first asked for, and in the child of a fork */
	unsigned int locks;  /* locks held */
	bool in_callback;    /* inside a policy or store function */
	bool irq_locked;     /* inside an emulated irq_lock() */
	bool irq_paging;     /* the paging code has taken the interrupt lock for a policy or store of the program's */
	bool in_isr;         /* inside an emulated interrupt handler */
	uintptr_t retry_addr;    /* last trap that needed nothing done, and how often in a row */
	unsigned int retry_count;
	const char *refusal; /* paging.c: why the last frame that was asked for could not be had */
	bool segv_blocked, bus_blocked; /* the program's wish; never the truth */
	uint64_t traps_pending;   /* signals.c: sent while the program had them blocked, a bit a signal */
	uint64_t traps_delivered; /* signals.c: whose handler of the program's is running */
	uintptr_t delivery;       /* signals.c: frame of the innermost such delivery */
	void *altstack;      /* that attach made; NULL if none */
	bool attached;

	/* Written under the kernel lock. */
	struct kmem_stats stats;
	struct kmem_thread *next, *prev; /* among the attached ones */
};

/* _sigsafe. */
struct kmem_thread *kmem_thread_self(void);

/*
 * Mark the calling thread as inside a function of a policy or store, so that a trap there is told apart, and undo it with what
 * enter returned. _sigsafe.
 */
static inline bool kmem_thread_callback_enter(void)
{
	struct kmem_thread *self = kmem_thread_self();
	bool former = self->in_callback;

	self->in_callback = true;
	return former;
}

static inline void kmem_thread_callback_leave(bool former)
{
	kmem_thread_self()->in_callback = former;
}

/* The calling thread's id, without a system call after the first time. _sigsafe. */
uint32_t kmem_thread_id(void);

/* Let other threads run. _sigsafe. */
void kmem_thread_yield(void);

/* In the child of a fork: the id has changed. */
void kmem_thread_forked(void);

/*
 * An alternate signal stack for the calling thread if it has none (kept in ->altstack), and its removal. 0 or -errno.
 * Size: sysconf(_SC_SIGSTKSZ), at least 256 KiB, with a guard of 1 MiB below.
 */
int kmem_thread_altstack_create(void);
void kmem_thread_altstack_destroy(void);

/* Whether an address lies below the calling thread's alternate stack, where only an overflow of it leads. _sigsafe. */
bool kmem_thread_altstack_is_guard(uintptr_t addr);

/*
 * Called by the pthread_create() wrapper in a new thread before its start routine, and after it on every way out. Set
 * once by the kernel at boot (lib/kernel/thread.c); no-ops before.
 */
extern void (*kmem_thread_enter_hook)(void);
extern void (*kmem_thread_leave_hook)(void);

/* Called by it before the thread is made, with the stack that the program gave. */
extern void (*kmem_thread_stack_hook)(void *stack, size_t size);

#endif /* KMEM_HOST_THREAD_H */
