/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the library knows of a thread. Lives in initial-exec TLS, so a trap handler may use it at any time.
 */
#ifndef KMEM_HOST_THREAD_H
#define KMEM_HOST_THREAD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmem/kmem.h>

/* A stream: faults of a thread in steps of one length (lib/kernel/readahead.c). */
struct kmem_stream {
	uintptr_t last;  /* page of the last fault; 0: no stream */
	intptr_t step;   /* bytes from a page to the next one, not 0; negative: backwards */
	uint32_t window; /* steps that the last fault was to cover, itself included */
	uint32_t used;   /* when, counted in faults of the thread */
	bool is_write;   /* it writes to what it goes through */
};

#define KMEM_STREAMS 4
#define KMEM_FAULTS_RECENT 16

/* What there is to find streams in. All of it is guesswork, and may be forgotten at any time. */
struct kmem_streams {
	uint32_t generation; /* of the machine that it belongs to */
	uint32_t count;      /* of faults */
	uintptr_t recent[KMEM_FAULTS_RECENT]; /* pages of the last faults that belong to no stream */
	struct kmem_stream streams[KMEM_STREAMS];
};

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
	const char *refusal; /* paging_out.c: why the last frame that was asked for could not be had */
	uint64_t traps_blocked;   /* signals_mask.c: taken ones that the program wishes blocked, a bit a signal; never the truth */
	uint64_t blocked_beside;  /* signals_mask.c: the other signals that were blocked when that wish was made */
	uint64_t traps_pending;   /* signals_mask.c: sent while the program had them blocked, a bit a signal */
	uint64_t traps_delivered; /* signals_deliver.c: whose handler of the program's is running */
	uintptr_t delivery;       /* signals_deliver.c: the innermost such delivery, on its stack; of no meaning once left by a jump */
	uintptr_t delivery_bottom; /* signals_deliver.c: of the stack that this is on */
	struct {
		uint32_t tid; /* the last one's; the rest is of no meaning in another */
		uint64_t blocked, changed, ignored; /* wishes, a bit a signal: mask; actions set; of these, to be ignored */
	} borrower;               /* signals_mask.c: the child of a vfork() that runs as this thread */
	void *altstack;      /* that attach made, with its guard; NULL if none */
	size_t altstack_size; /* without the guard */
	bool altstack_retired; /* in use until the thread is no more, and somebody else's then */
	stack_t altstack_wish; /* the program's, where stacks are our own: never the truth */
	bool attached;
	struct kmem_streams streams; /* lib/kernel/readahead.c */

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

/*
 * From now on alternate stacks are the library's *own*: of this size at least, installed whatever the program installs, which is
 * remembered and shown to it. They stay installed until a thread is no more; destroy only says that it will not be long. Before the
 * first of them is made, and for good.
 */
void kmem_thread_altstack_own(size_t size);
bool kmem_thread_altstack_is_own(void);

/*
 * What sigaltstack() does, for a thread whose stack pointer is sp. The structures are the caller's own. A larger stack than there
 * is makes ours as large. With a context, for code that a trap has interrupted: the change takes effect when it returns. 0 or -errno.
 */
int kmem_thread_altstack_exchange(const stack_t *stack, stack_t *old, uintptr_t sp, stack_t *context);

/*
 * An own stack for a thread that is about to be made, so that it can trap from its first instruction: found or mapped by its maker,
 * given back if there will be no thread, installed by the thread. note is resident memory that comes with it, for what
 * the two have to tell each other. 0 or -errno.
 */
#define KMEM_THREAD_NOTE_SIZE 2048UL

int kmem_thread_altstack_get(void **stack);
void kmem_thread_altstack_put(void *stack);
void *kmem_thread_altstack_note(void *stack);
int kmem_thread_altstack_install(void *stack);

/* The end of the calling thread's own alternate stack, a multiple of the page size; NULL if it has none. _sigsafe. */
void *kmem_thread_altstack_end(void);

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

/* Whether any of such a stack is paged memory; NULL before boot. */
extern bool (*kmem_thread_stack_is_paged)(const void *stack, size_t size);

#endif /* KMEM_HOST_THREAD_H */
