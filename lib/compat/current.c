/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The current thread, and the objects of host threads that k_thread_create() did not make.
 *
 * Those lie in TLS, and the main thread's is z_main_thread. Everything is filled in on first use, maybe in a signal
 * handler, without a lock but the interrupt lock.
 */
#include "compat/current.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <zephyr/fatal.h>
#include <zephyr/kernel_structs.h>

#include "compat/fork.h"
#include "compat/request.h"
#include "compat/thread.h"

struct k_thread z_main_thread;

static __thread struct kmem_host_thread *self __attribute__((tls_model("initial-exec")));
static __thread struct {
	struct kmem_host_thread host;
	struct k_thread thread;
	struct _cpu cpu;
} own __attribute__((tls_model("initial-exec")));

static pthread_key_t key; /* so that the end of such a thread is noticed */
static bool has_key;

void kmem_thread_domain_enter(struct k_thread *child, const struct k_thread *parent)
{
	child->mem_domain_info.mem_domain = &k_mem_domain_default;
	if (parent != NULL && parent->mem_domain_info.mem_domain != NULL) {
		child->mem_domain_info.mem_domain = parent->mem_domain_info.mem_domain;
	}
	if (kmem_domain_thread_init != NULL) {
		child->mem_domain_info.mem_domain = NULL;
		kmem_domain_thread_init(child, parent);
	}
}

void kmem_thread_domain_leave(struct k_thread *thread)
{
	if (kmem_domain_thread_exit != NULL) {
		kmem_domain_thread_exit(thread);
	}
}

static void foreign_end(void *thread)
{
	kmem_thread_domain_leave(thread);
	self = NULL;
}

/* What all thread objects have that nobody created. */
static void foreign_init(struct k_thread *thread, const char *name)
{
	own.host.thread = thread;
	own.host.pthread = pthread_self();
	own.host.tid = (pid_t)syscall(SYS_gettid);
	thread->kmem_host = &own.host;
	thread->base.thread_state = 0;
	(void)strncpy(thread->name, name, sizeof(thread->name) - 1);
	self = &own.host;
	kmem_thread_domain_enter(thread, NULL);
}

static bool is_main(void)
{
	return syscall(SYS_gettid) == getpid();
}

struct kmem_host_thread *kmem_host_peek(void)
{
	return self;
}

struct kmem_host_thread *kmem_host_self(void)
{
	if (self != NULL) {
		return self;
	}
	if (is_main()) {
		z_main_thread.base.user_options |= K_ESSENTIAL;
		foreign_init(&z_main_thread, "main");
		return self;
	}
	foreign_init(&own.thread, "");
	if (has_key) {
		(void)pthread_setspecific(key, &own.thread);
	}
	return self;
}

void kmem_host_set(struct kmem_host_thread *host)
{
	self = host;
}

void kmem_host_forked(void)
{
	if (self != NULL) {
		self->tid = (pid_t)syscall(SYS_gettid);
	}
}

k_tid_t k_sched_current_thread_query(void)
{
	return kmem_host_self()->thread;
}

struct _cpu *arch_curr_cpu(void)
{
	own.cpu.nested = kmem_isr_is_in() ? 1 : 0;
	own.cpu.current = k_sched_current_thread_query();
	return &own.cpu;
}

/* For the line `Current thread:` of a fatal error. */
static const char *fatal_name(void **object)
{
	struct k_thread *thread = k_sched_current_thread_query();

	*object = thread;
	return thread->name[0] != '\0' ? thread->name : "unknown";
}

/*
 * Called by libkmem when the fatal error handler has returned. Essential threads end the process: the main thread in
 * the library's way, at the instruction that failed; of other host threads, those that are not ours end in its way,
 * too.
 */
static void fatal_abort(void)
{
	struct kmem_host_thread *host = kmem_host_peek();

	if (host == NULL || host->thread == &z_main_thread) {
		return;
	}
	if (z_is_thread_essential(host->thread)) {
		k_fatal_halt(K_ERR_KERNEL_PANIC);
	}
	if (host->has_frame) {
		host->thread->kmem_has_faulted = true;
		kmem_thread_leave(host);
	}
}

/* Behind the library's boot. */
__attribute__((constructor(103))) static void current_init(void)
{
	has_key = pthread_key_create(&key, foreign_end) == 0;
	kmem_fatal_thread_name_set(fatal_name);
	kmem_fatal_thread_abort_set(fatal_abort);
	kmem_compat_fork_init();
	(void)kmem_host_self();
}
