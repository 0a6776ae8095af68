/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ending and stopping threads.
 *
 * Theory of operation. Another thread is asked by a bit in its record and by a signal, over and over until it has
 * done as it was asked. The handler does so at once where nothing can be left in disorder: while the thread waits in
 * here, or runs code of the program's own executable outside sections, with interrupts unlocked. A thread that is
 * found in the C library, which may hold a lock of its own there, gets some time to come out. Sections look at the
 * bits when they end.
 *
 * libkmem blocks signals in its own critical sections, and in its handlers of traps.
 */
#include "compat/request.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include <zephyr/kernel.h>

#include "compat/futex.h"
#include "compat/thread.h"
#include "compat/timeout.h"

/*
 * Between SIGRTMIN and this there is room for the program's own; the last few are often a debugger's or a
 * sanitizer's.
 */
#define REQUEST_SIGNAL (SIGRTMAX - 4)

/*
 * A thread is asked once a millisecond; so often before it is taken out of a system call of the C library's, and so
 * often before it is taken out of there wherever it is.
 */
#define RETRY_NS 1000000U
#define RETRIES_CODE 200U
#define RETRIES_SYSCALL 5000U

/* The executable's code, as the linker knows it. */
extern const char __executable_start[] __attribute__((weak));
extern const char etext[] __attribute__((weak));

/* Where those wait that have asked; nobody wakes them. */
static _wait_q_t askers;

#if defined(__x86_64__)
#define PC(ucontext) ((uintptr_t)(ucontext)->uc_mcontext.gregs[REG_RIP])
#define SYSCALL_SIZE 2U
static const unsigned char syscall_code[SYSCALL_SIZE] = {0x0f, 0x05};
#elif defined(__aarch64__)
#define PC(ucontext) ((uintptr_t)(ucontext)->uc_mcontext.pc)
#define SYSCALL_SIZE 4U
static const unsigned char syscall_code[SYSCALL_SIZE] = {0x01, 0x00, 0x00, 0xd4};
#else
#define PC(ucontext) ((void)(ucontext), (uintptr_t)__executable_start)
#define SYSCALL_SIZE 1U
static const unsigned char syscall_code[SYSCALL_SIZE] = {0};
#endif

static bool is_program(uintptr_t pc)
{
	return pc >= (uintptr_t)__executable_start && pc < (uintptr_t)etext;
}

/* Whether a system call was interrupted: one that is made again, or one that has failed. */
static bool is_syscall(uintptr_t pc)
{
	return memcmp((const void *)pc, syscall_code, SYSCALL_SIZE) == 0 ||
	       memcmp((const void *)(pc - SYSCALL_SIZE), syscall_code, SYSCALL_SIZE) == 0;
}

static bool may_serve(const struct kmem_host_thread *host, const ucontext_t *context)
{
	const uint32_t requests = atomic_load(&host->requests);
	const uintptr_t pc = PC(context);

	if (host->is_waiting) {
		return true;
	}
	if (host->section != 0 || kmem_irq_is_locked()) {
		return false;
	}
	return is_program(pc) || (requests & KMEM_REQUEST_FORCE) != 0 ||
	       ((requests & KMEM_REQUEST_FORCE_SYSCALL) != 0 && is_syscall(pc));
}

static void handle(int signo, siginfo_t *info, void *context)
{
	struct kmem_host_thread *host = kmem_host_peek();
	const int saved = errno;

	(void)signo;
	(void)info;
	if (host != NULL && atomic_load(&host->requests) != 0 && may_serve(host, context)) {
		kmem_requests_serve(host);
	}
	errno = saved;
}

static void signal_take(void)
{
	struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(REQUEST_SIGNAL, &action, NULL);
}

void kmem_requests_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, signal_take);
}

void kmem_requests_unblock(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, REQUEST_SIGNAL);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void kmem_requests_serve(struct kmem_host_thread *host)
{
	for (;;) {
		const uint32_t requests = atomic_load(&host->requests);

		if ((requests & KMEM_REQUEST_ABORT) != 0 && host->has_frame) {
			kmem_thread_leave(host);
		}
		if ((requests & KMEM_REQUEST_SUSPEND) == 0) {
			break;
		}
		atomic_store(&host->is_stopped, true);
		(void)kmem_futex_wait(&host->requests, requests, KMEM_DEADLINE_NEVER);
	}
	atomic_store(&host->is_stopped, false);
}

void kmem_requests_signal(struct kmem_host_thread *host)
{
	host->is_waiting = true;
	atomic_signal_fence(memory_order_seq_cst);
	(void)pthread_kill(pthread_self(), REQUEST_SIGNAL);
	atomic_signal_fence(memory_order_seq_cst);
	host->is_waiting = false;
}

/* Ask a thread that lives. Lock held. */
static void ask(struct kmem_host_thread *host, uint32_t request)
{
	host->tries++;
	if (host->tries > RETRIES_CODE) {
		request |= KMEM_REQUEST_FORCE_SYSCALL;
	}
	if (host->tries > RETRIES_SYSCALL) {
		request |= KMEM_REQUEST_FORCE;
	}
	atomic_fetch_or(&host->requests, request);
	kmem_futex_wake(&host->requests);
	kmem_futex_wake(&host->is_ready);
	(void)pthread_kill(host->pthread, REQUEST_SIGNAL);
}

/* The timer thread goes on asking for an interrupt handler that has asked. */
static void ask_again(struct kmem_timeout *timeout)
{
	struct kmem_host_thread *host = (struct kmem_host_thread *)(void *)((char *)timeout -
									    offsetof(struct kmem_host_thread, retry));

	ask(host, KMEM_REQUEST_ABORT);
	kmem_timeout_add(timeout, kmem_k_time_ns() + RETRY_NS, ask_again);
}

/* Ask once, and wait a little; false if there is nothing to wait for. */
static bool abort_try(struct k_thread *thread)
{
	unsigned int key = kmem_enter();
	struct kmem_host_thread *host = thread->kmem_host;

	if (kmem_thread_is_dead(thread) || host == NULL || !host->is_made) {
		kmem_leave(key);
		return false;
	}
	kmem_state_set(thread, _THREAD_ABORTING);
	ask(host, KMEM_REQUEST_ABORT);
	if (kmem_isr_is_in()) {
		if (!host->retry.is_active) {
			kmem_timeout_add(&host->retry, kmem_k_time_ns() + RETRY_NS, ask_again);
		}
		kmem_leave(key);
		return false;
	}
	(void)kmem_pend_until(key, &thread->join_queue, kmem_k_time_ns() + RETRY_NS);
	return true;
}

/* The end of the calling thread by its own hand. */
__attribute__((noreturn)) static void abort_self(struct kmem_host_thread *host)
{
	if (host->has_frame) {
		kmem_thread_leave(host);
	}
	(void)kmem_irq_release_all();
	pthread_exit(NULL);
}

void k_thread_abort(k_tid_t thread)
{
	struct kmem_host_thread *host = kmem_host_self();

	if (z_is_thread_essential(thread) && !kmem_thread_is_dead(thread)) {
		kmem_fatal_raise(K_ERR_KERNEL_PANIC);
	}
	if (thread == host->thread) {
		abort_self(host);
	}
	while (abort_try(thread)) {
	}
	if (!kmem_isr_is_in()) {
		kmem_threads_reap();
	}
}

static void suspend_self(struct kmem_host_thread *host)
{
	const unsigned int was_locked = kmem_irq_release_all();

	kmem_requests_serve(host);
	kmem_irq_restore(was_locked);
}

/* Ask once, and wait a little; false if there is nothing to wait for. */
static bool suspend_try(struct k_thread *thread)
{
	unsigned int key = kmem_enter();
	struct kmem_host_thread *host = thread->kmem_host;

	if (kmem_thread_is_dead(thread) || host == NULL || atomic_load(&host->is_stopped) ||
	    (thread->base.thread_state & _THREAD_SUSPENDED) == 0) {
		kmem_leave(key);
		return false;
	}
	ask(host, KMEM_REQUEST_SUSPEND);
	if (kmem_isr_is_in()) {
		kmem_leave(key);
		return false;
	}
	(void)kmem_pend_until(key, &askers, kmem_k_time_ns() + RETRY_NS);
	return true;
}

void k_thread_suspend(k_tid_t thread)
{
	struct kmem_host_thread *host = kmem_host_self();
	unsigned int key;

	kmem_requests_init();
	key = kmem_enter();
	if (kmem_thread_is_dead(thread)) {
		kmem_leave(key);
		return;
	}
	kmem_state_set(thread, _THREAD_SUSPENDED);
	if (thread->kmem_host != NULL) {
		thread->kmem_host->tries = 0;
		atomic_fetch_or(&thread->kmem_host->requests, KMEM_REQUEST_SUSPEND);
	}
	if (thread == host->thread) {
		arch_irq_unlock(key);
		host->section--;
		suspend_self(host);
		return;
	}
	kmem_leave(key);
	while (suspend_try(thread)) {
	}
}

void k_thread_resume(k_tid_t thread)
{
	unsigned int key = kmem_enter();
	struct kmem_host_thread *host = thread->kmem_host;

	kmem_state_clear(thread, _THREAD_SUSPENDED);
	if (host != NULL) {
		atomic_fetch_and(&host->requests, KMEM_REQUEST_ABORT);
		kmem_futex_wake(&host->requests);
	}
	kmem_leave(key);
}
