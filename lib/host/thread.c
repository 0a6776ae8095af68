/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the library knows of a thread, and its alternate signal stack.
 *
 * An alternate stack is a mapping of its own with an inaccessible page below. Its size comes from the host, since the signal
 * frame depends on the processor; the trap path needs a few KiB of it.
 */
#include "host/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/annotate.h"
#include "host/memory.h"

/*
 * Handlers of the program's own run there, too, also those that did not ask for it and count on more than a page or two. What is
 * not touched costs nothing. Below lies as much again and more that cannot be touched, so that an overflow by one large frame
 * is told for what it is.
 */
#define ALTSTACK_MIN (256UL * 1024)
#define ALTSTACK_GUARD (1024UL * 1024)

static __thread struct kmem_thread self __attribute__((tls_model("initial-exec")));

void (*kmem_thread_enter_hook)(void);
void (*kmem_thread_leave_hook)(void);
void (*kmem_thread_stack_hook)(void *stack, size_t size);

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
}

/* Bytes of the stack, whole pages; the guard page comes on top. */
static size_t altstack_size(void)
{
	long host = sysconf(_SC_SIGSTKSZ);
	size_t size = host > (long)ALTSTACK_MIN ? (size_t)host : ALTSTACK_MIN;

	return kmem_host_page_round(size);
}

int kmem_thread_altstack_create(void)
{
	size_t size = altstack_size();
	stack_t stack = {.ss_size = size};
	stack_t present;
	void *memory;
	int ret;

	if (sigaltstack(NULL, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0) {
		return 0;
	}
	ret = kmem_host_memory_get(&memory, ALTSTACK_GUARD + size);
	if (ret != 0) {
		return ret;
	}
	stack.ss_sp = (char *)memory + ALTSTACK_GUARD;
	ret = kmem_host_range_protect((uintptr_t)memory, ALTSTACK_GUARD, KMEM_PROT_NONE);
	if (ret == 0 && sigaltstack(&stack, NULL) != 0) {
		ret = -errno;
	}
	if (ret != 0) {
		kmem_host_memory_free(memory, ALTSTACK_GUARD + size);
		return ret;
	}
	self.altstack = memory;
	return 0;
}

void kmem_thread_altstack_destroy(void)
{
	stack_t none = {.ss_flags = SS_DISABLE};
	stack_t present;

	if (self.altstack == NULL) {
		return;
	}
	/* The program may have set one of its own meanwhile. */
	if (sigaltstack(NULL, &present) == 0 && present.ss_sp == (char *)self.altstack + ALTSTACK_GUARD) {
		(void)sigaltstack(&none, NULL);
	}
	kmem_host_memory_free(self.altstack, ALTSTACK_GUARD + altstack_size());
	self.altstack = NULL;
}

bool kmem_thread_altstack_is_guard(uintptr_t addr)
{
	return self.altstack != NULL && addr - (uintptr_t)self.altstack < ALTSTACK_GUARD;
}
