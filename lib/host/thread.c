/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the library knows of a thread, and its alternate signal stack.
 *
 * An alternate stack is a mapping of its own with an inaccessible guard below. Its size comes from the host, since the signal
 * frame depends on the processor; the trap path needs a few KiB of it.
 *
 * *Own* stacks, under programs that know nothing of the library, are also those that the program's handlers run on, and they serve
 * a thread to its very end: what the C library does for it last, destructors and freeing, may trap. So they are not unmapped by the thread
 * itself, but *retired* to a list, in which the stack of a thread that the host does not know any more is free for the next. Above each
 * lies a page with its link in the list and the note for the thread to be. The list has a lock of its own, the innermost one.
 */
#include "host/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/annotate.h"
#include "host/lock.h"
#include "host/memory.h"
#include "host/signals.h"

/*
 * Handlers of the program's own run there, too, also those that did not ask for it and count on more than a page or two. What is
 * not touched costs nothing. Below lies as much again and more that cannot be touched, so that an overflow by one large frame
 * is told for what it is.
 */
#define ALTSTACK_MIN (256UL * 1024)
#define ALTSTACK_GUARD (1024UL * 1024)

#define VALGRIND_STEP (4UL * 1024 * 1024)

/* What lies above an own stack. */
struct altstack {
	void *memory;      /* guard, stack and this */
	size_t size;       /* of the stack */
	uint32_t owner;    /* id of the thread that has it; 0 if none */
	struct altstack *next;
	unsigned char note[KMEM_THREAD_NOTE_SIZE];
};

/* Retired stacks that are looked at for one that is free, and those above which free ones are given back to the host. */
#define RETIRED_PROBES 8
#define RETIRED_MAX 32

static struct {
	size_t size; /* of own stacks; 0 where there are none. Constant once set */
	struct kmem_lock lock;

	/* guarded by the lock; the longest retired first */
	struct altstack *first;
	struct altstack *last;
	size_t count;
} own;

static __thread struct kmem_thread self __attribute__((tls_model("initial-exec")));

void (*kmem_thread_enter_hook)(void);
void (*kmem_thread_leave_hook)(void);
void (*kmem_thread_stack_hook)(void *stack, size_t size);
bool (*kmem_thread_stack_is_paged)(const void *stack, size_t size);

KMEM_NO_TSAN struct kmem_thread *kmem_thread_self(void)
{
	return &self;
}

uint32_t kmem_thread_id(void)
{
	if (self.tid == 0) {
		self.tid = (uint32_t)syscall(SYS_gettid);
	}
	return self.tid;
}

void kmem_thread_yield(void)
{
	(void)sched_yield();
}

void kmem_thread_forked(void)
{
	self.tid = 0;
	/* A thread that had a lock is not there any more, and may have left the list half changed: what is in it is given up. */
	kmem_signals_forked();
	atomic_store(&own.lock.word, 0);
	own.first = NULL;
	own.last = NULL;
	own.count = 0;
}

/* The host's call: the function of this name may be the program's view. */
static int altstack_set(const stack_t *stack, stack_t *old)
{
	int saved = errno;
	int ret = syscall(SYS_sigaltstack, stack, old) == 0 ? 0 : -errno;

	errno = saved;
	return ret;
}

/* Bytes of the stack, whole pages; the guard comes on top. */
static size_t altstack_size(void)
{
	long host = sysconf(_SC_SIGSTKSZ);
	size_t size = host > (long)ALTSTACK_MIN ? (size_t)host : ALTSTACK_MIN;

	return kmem_host_page_round(size > own.size ? size : own.size);
}

void kmem_thread_altstack_own(size_t size)
{
	own.size = size;
}

bool kmem_thread_altstack_is_own(void)
{
	return own.size != 0;
}

/*
 * Memory that lies apart from what was mapped before, which is the thread's own stack. A step of the stack pointer below 2 MB is the growth
 * of a stack to Valgrind, also one from here by a jump, and what lies between is undefined to it from then on.
 */
static int memory_get_apart(void **memory, size_t size)
{
	int ret = kmem_host_memory_get(memory, size + 2 * VALGRIND_STEP);

	if (ret == 0) {
		kmem_host_memory_free(*memory, VALGRIND_STEP);
		*memory = (char *)*memory + VALGRIND_STEP;
		kmem_host_memory_free((char *)*memory + size, VALGRIND_STEP);
	}
	return ret;
}

/* Map guard, stack and, behind them, `more` bytes. */
static int altstack_map(void **memory, size_t size, size_t more)
{
	size_t total = ALTSTACK_GUARD + size + more;
	int ret = kmem_annotate_on_valgrind() ? memory_get_apart(memory, total) : kmem_host_memory_get(memory, total);

	if (ret != 0) {
		return ret;
	}
	ret = kmem_host_range_protect((uintptr_t)*memory, ALTSTACK_GUARD, KMEM_PROT_NONE);
	if (ret != 0) {
		kmem_host_memory_free(*memory, ALTSTACK_GUARD + size + more);
	}
	return ret;
}

static void list_lock(kmem_sigmask *saved)
{
	kmem_signals_block(saved);
	kmem_lock_acquire(&own.lock);
}

static void list_unlock(const kmem_sigmask *saved)
{
	kmem_lock_release(&own.lock);
	kmem_signals_restore(saved);
}

/* Whether the host still knows the thread that had a stack. */
static bool is_in_use(const struct altstack *stack)
{
	int saved = errno;
	bool is_gone = stack->owner == 0 ||
		       (syscall(SYS_tgkill, syscall(SYS_getpid), stack->owner, 0) != 0 && errno == ESRCH);

	errno = saved;
	return !is_gone;
}

/* A retired stack that nobody uses any more, out of the list; NULL if none was found. Lock held. */
static struct altstack *retired_take(unsigned int probes)
{
	struct altstack *before = NULL;
	struct altstack *stack = own.first;

	while (stack != NULL && probes > 0 && is_in_use(stack)) {
		before = stack;
		stack = stack->next;
		probes--;
	}
	if (stack == NULL || probes == 0) {
		return NULL;
	}
	*(before != NULL ? &before->next : &own.first) = stack->next;
	if (own.last == stack) {
		own.last = before;
	}
	own.count--;
	return stack;
}

/* Retire a stack, and give back one that is free where there are many. */
static void retire(struct altstack *stack, uint32_t owner)
{
	struct altstack *surplus = NULL;
	kmem_sigmask saved;

	list_lock(&saved);
	stack->owner = owner;
	stack->next = NULL;
	*(own.last != NULL ? &own.last->next : &own.first) = stack;
	own.last = stack;
	own.count++;
	if (own.count > RETIRED_MAX) {
		surplus = retired_take(1);
	}
	list_unlock(&saved);
	if (surplus != NULL) {
		kmem_host_memory_free(surplus->memory, ALTSTACK_GUARD + surplus->size + kmem_host_page_round(sizeof(*surplus)));
	}
}

static int own_map(struct altstack **stack, size_t size)
{
	void *memory;
	int ret = altstack_map(&memory, size, kmem_host_page_round(sizeof(**stack)));

	if (ret != 0) {
		return ret;
	}
	*stack = (struct altstack *)((char *)memory + ALTSTACK_GUARD + size);
	(*stack)->memory = memory;
	(*stack)->size = size;
	return 0;
}

int kmem_thread_altstack_get(void **stack)
{
	struct altstack *found;
	kmem_sigmask saved;
	int ret = 0;

	list_lock(&saved);
	found = retired_take(RETIRED_PROBES);
	list_unlock(&saved);
	if (found == NULL) {
		ret = own_map(&found, altstack_size());
	}
	*stack = found;
	return ret;
}

void kmem_thread_altstack_put(void *stack)
{
	retire(stack, 0);
}

void *kmem_thread_altstack_note(void *stack)
{
	return ((struct altstack *)stack)->note;
}

static stack_t stack_of(const struct altstack *stack)
{
	return (stack_t){.ss_sp = (char *)stack->memory + ALTSTACK_GUARD, .ss_size = stack->size};
}

static void have(const struct altstack *stack)
{
	self.altstack = stack->memory;
	self.altstack_size = stack->size;
}

int kmem_thread_altstack_install(void *stack)
{
	stack_t ours = stack_of(stack);
	int ret = altstack_set(&ours, NULL);

	if (ret == 0) {
		have(stack);
	}
	return ret;
}

/* The own stack that the calling thread has. */
static struct altstack *mine(void)
{
	return (struct altstack *)((char *)self.altstack + ALTSTACK_GUARD + self.altstack_size);
}

/* An own stack in place of what the program may have installed, which becomes its wish. */
static int own_create(const stack_t *present)
{
	void *stack;
	int ret;

	if (self.altstack != NULL) {
		return 0;
	}
	ret = kmem_thread_altstack_get(&stack);
	if (ret != 0) {
		return ret;
	}
	ret = kmem_thread_altstack_install(stack);
	if (ret != 0) {
		kmem_thread_altstack_put(stack);
		return ret;
	}
	if ((present->ss_flags & SS_DISABLE) == 0) {
		self.altstack_wish = *present;
	}
	return 0;
}

int kmem_thread_altstack_create(void)
{
	size_t size = altstack_size();
	stack_t stack = {.ss_size = size};
	stack_t present;
	void *memory;
	int ret = altstack_set(NULL, &present);

	if (own.size != 0) {
		return ret != 0 ? ret : own_create(&present);
	}
	if (ret != 0 || (present.ss_flags & SS_DISABLE) == 0) {
		return 0;
	}
	ret = altstack_map(&memory, size, 0);
	if (ret != 0) {
		return ret;
	}
	stack.ss_sp = (char *)memory + ALTSTACK_GUARD;
	ret = altstack_set(&stack, NULL);
	if (ret != 0) {
		kmem_host_memory_free(memory, ALTSTACK_GUARD + size);
		return ret;
	}
	self.altstack = memory;
	self.altstack_size = size;
	return 0;
}

void kmem_thread_altstack_destroy(void)
{
	const stack_t none = {.ss_flags = SS_DISABLE};
	stack_t present;

	if (self.altstack == NULL || self.altstack_retired) {
		return;
	}
	if (own.size != 0) {
		self.altstack_retired = true;
		retire(mine(), kmem_thread_id());
		return;
	}
	/* The program may have set one of its own meanwhile. */
	if (altstack_set(NULL, &present) == 0 && present.ss_sp == (char *)self.altstack + ALTSTACK_GUARD) {
		(void)altstack_set(&none, NULL);
	}
	kmem_host_memory_free(self.altstack, ALTSTACK_GUARD + self.altstack_size);
	self.altstack = NULL;
}

void *kmem_thread_altstack_end(void)
{
	return own.size != 0 && self.altstack != NULL ? mine() : NULL;
}

bool kmem_thread_altstack_is_guard(uintptr_t addr)
{
	return self.altstack != NULL && addr - (uintptr_t)self.altstack < ALTSTACK_GUARD;
}

/* The host kernel's own, not in every version of the headers; and the least that it takes. */
#define FLAG_AUTODISARM (1U << 31)
#define STACK_MIN 2048UL

/* Whether code at a stack pointer is on the alternate stack, as the program sees it. */
static bool is_on(uintptr_t sp)
{
	const stack_t *wish = &self.altstack_wish;

	return wish->ss_size != 0 && ((unsigned int)wish->ss_flags & FLAG_AUTODISARM) == 0 && self.altstack != NULL &&
	       kmem_signals_is_onstack(sp, (uintptr_t)self.altstack + ALTSTACK_GUARD, self.altstack_size);
}

/* As much room as the program asks for, as far as it can be had now: not while the interrupted code is on the stack. */
static void grow(size_t size, uintptr_t sp, stack_t *context)
{
	struct altstack *former = self.altstack != NULL ? mine() : NULL;
	struct altstack *stack;
	stack_t ours;

	size = kmem_host_page_round(size);
	if (former == NULL || self.altstack_retired || sp - (uintptr_t)former->memory < ALTSTACK_GUARD + former->size ||
	    own_map(&stack, size) != 0) {
		return;
	}
	ours = stack_of(stack);
	if (context != NULL) {
		*context = ours;
	} else if (altstack_set(&ours, NULL) != 0) {
		kmem_thread_altstack_put(stack);
		return;
	}
	have(stack);
	/* Frames of signals that are yet to return bring it back. */
	retire(former, kmem_thread_id());
}

/* What the program asks for: 0, or why the host kernel would refuse it. */
static int wish_check(const stack_t *stack, uintptr_t sp)
{
	const unsigned int mode = (unsigned int)stack->ss_flags & ~FLAG_AUTODISARM;

	if (is_on(sp)) {
		return -EPERM;
	}
	if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE) {
		return -EINVAL;
	}
	return mode != SS_DISABLE && stack->ss_size < STACK_MIN ? -ENOMEM : 0;
}

int kmem_thread_altstack_exchange(const stack_t *stack, stack_t *old, uintptr_t sp, stack_t *context)
{
	stack_t before = self.altstack_wish;
	int ret = stack != NULL ? wish_check(stack, sp) : 0;

	if (ret != 0) {
		return ret;
	}
	before.ss_flags = (int)((unsigned int)before.ss_flags & FLAG_AUTODISARM);
	if (before.ss_size == 0) {
		before.ss_flags |= SS_DISABLE;
	} else if (is_on(sp)) {
		before.ss_flags |= SS_ONSTACK;
	}
	if (stack != NULL) {
		self.altstack_wish = *stack;
		if (((unsigned int)stack->ss_flags & SS_DISABLE) != 0) {
			self.altstack_wish.ss_sp = NULL;
			self.altstack_wish.ss_size = 0;
		} else if (stack->ss_size > self.altstack_size) {
			grow(stack->ss_size, sp, context);
		}
	}
	if (old != NULL) {
		*old = before;
	}
	return 0;
}
