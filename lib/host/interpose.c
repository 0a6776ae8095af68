/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C library's functions that would take SIGSEGV and SIGBUS from libkmem, wrapped.
 *
 * A program that links libkmem calls these in their place. They do what the C library's do, and in the same way where libkmem
 * is not booted; while it is, SIGSEGV and SIGBUS stay deliverable and the program's wishes for them are remembered
 * (signals.c). pthread_create() also gives the new thread an alternate stack, and has it known (thread.h).
 *
 * Documentation: the manual pages of the functions; differences are none that a program should see.
 */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>

#include "host/annotate.h"
#include "host/signals.h"
#include "host/thread.h"

/* Not in every version of the headers. */
sighandler_t bsd_signal(int signo, sighandler_t handler);

#define EXPORT __attribute__((visibility("default")))

/* Internal to the C library's threads: programs cannot block them. */
#define INTERNAL (((kmem_sigmask)1 << 31) | ((kmem_sigmask)1 << 32))

KMEM_NO_TSAN static int errno_of(int ret)
{
	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	return ret;
}

KMEM_NO_TSAN static kmem_sigmask mask_of(const sigset_t *set)
{
	kmem_sigmask mask;

	memcpy(&mask, set, sizeof(mask));
	return mask;
}

KMEM_NO_TSAN static bool is_reserved(int signo)
{
	return signo == 32 || signo == 33;
}

EXPORT KMEM_NO_TSAN int sigaction(int signo, const struct sigaction *action, struct sigaction *old)
{
	if (is_reserved(signo)) {
		return errno_of(-EINVAL);
	}
	return errno_of(kmem_signals_action(signo, action, old));
}

KMEM_NO_TSAN static int mask_change(int how, const sigset_t *set, sigset_t *old)
{
	kmem_sigmask before;
	kmem_sigmask mask;
	int ret;

	if (set != NULL) {
		mask = mask_of(set) & ~INTERNAL;
	}
	ret = kmem_signals_mask(how, set != NULL ? &mask : NULL, &before);
	if (ret == 0 && old != NULL) {
		memset(old, 0, sizeof(*old));
		memcpy(old, &before, sizeof(before));
	}
	return ret;
}

EXPORT KMEM_NO_TSAN int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	return errno_of(mask_change(how, set, old));
}

EXPORT KMEM_NO_TSAN int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	return -mask_change(how, set, old);
}

/* Signals whose system calls siginterrupt() wants interrupted; a bit a signal. */
static _Atomic kmem_sigmask interrupting;

static sighandler_t handler_set(int signo, sighandler_t handler, int flags, bool is_masked)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	struct sigaction old;

	(void)sigemptyset(&action.sa_mask);
	if (handler == SIG_ERR || signo < 1 || signo >= NSIG) {
		errno = EINVAL;
		return SIG_ERR;
	}
	if (is_masked) {
		(void)sigaddset(&action.sa_mask, signo);
	}
	return sigaction(signo, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

EXPORT sighandler_t bsd_signal(int signo, sighandler_t handler)
{
	kmem_sigmask bit = signo >= 1 && signo < NSIG ? (kmem_sigmask)1 << (signo - 1) : 0;

	return handler_set(signo, handler, (atomic_load(&interrupting) & bit) != 0 ? 0 : SA_RESTART, true);
}

EXPORT sighandler_t signal(int signo, sighandler_t handler)
{
	return bsd_signal(signo, handler);
}

EXPORT sighandler_t ssignal(int signo, sighandler_t handler)
{
	return bsd_signal(signo, handler);
}

EXPORT sighandler_t __sysv_signal(int signo, sighandler_t handler)
{
	return handler_set(signo, handler, (int)(SA_RESETHAND | (unsigned int)SA_NODEFER), false);
}

EXPORT sighandler_t sysv_signal(int signo, sighandler_t handler)
{
	return __sysv_signal(signo, handler);
}

EXPORT int siginterrupt(int signo, int flag)
{
	kmem_sigmask bit = signo >= 1 && signo < NSIG ? (kmem_sigmask)1 << (signo - 1) : 0;
	struct sigaction action;

	if (sigaction(signo, NULL, &action) != 0) {
		return -1;
	}
	if (flag != 0) {
		atomic_fetch_or(&interrupting, bit);
		action.sa_flags &= ~SA_RESTART;
	} else {
		atomic_fetch_and(&interrupting, ~bit);
		action.sa_flags |= SA_RESTART;
	}
	return sigaction(signo, &action, NULL);
}

EXPORT sighandler_t sigset(int signo, sighandler_t handler)
{
	sighandler_t old;
	sigset_t before;
	sigset_t set;

	if (handler == SIG_ERR || signo < 1 || signo >= NSIG) {
		errno = EINVAL;
		return SIG_ERR;
	}
	(void)sigemptyset(&set);
	(void)sigaddset(&set, signo);
	if (handler == SIG_HOLD) {
		struct sigaction action;

		if (sigprocmask(SIG_BLOCK, &set, &before) != 0 || sigaction(signo, NULL, &action) != 0) {
			return SIG_ERR;
		}
		return sigismember(&before, signo) ? SIG_HOLD : action.sa_handler;
	}
	old = handler_set(signo, handler, 0, false);
	if (old == SIG_ERR || sigprocmask(SIG_UNBLOCK, &set, &before) != 0) {
		return SIG_ERR;
	}
	return sigismember(&before, signo) ? SIG_HOLD : old;
}

/*
 * Calls that set a mask for as long as they wait. The C library's own is a cancellation point, and found behind this library;
 * a static program has no such place, and makes the system call.
 */

static sigset_t stripped(const sigset_t *set)
{
	kmem_sigmask mask = kmem_signals_strip(mask_of(set));
	sigset_t copy = *set;

	memcpy(&copy, &mask, sizeof(mask));
	return copy;
}

#define NEXT(name) (__extension__(__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

EXPORT int sigsuspend(const sigset_t *set)
{
	__typeof__(&sigsuspend) next = NEXT(sigsuspend);
	sigset_t mask = stripped(set);

	if (next != NULL) {
		return next(&mask);
	}
	pthread_testcancel();
	return (int)syscall(SYS_rt_sigsuspend, &mask, sizeof(kmem_sigmask));
}

EXPORT int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *set)
{
	__typeof__(&ppoll) next = NEXT(ppoll);
	struct timespec left;
	sigset_t mask;

	if (set != NULL) {
		mask = stripped(set);
	}
	if (next != NULL) {
		return next(fds, count, timeout, set != NULL ? &mask : NULL);
	}
	if (timeout != NULL) {
		left = *timeout;
	}
	pthread_testcancel();
	return (int)syscall(SYS_ppoll, fds, count, timeout != NULL ? &left : NULL, set != NULL ? &mask : NULL,
			    sizeof(kmem_sigmask));
}

EXPORT int pselect(int count, fd_set *reads, fd_set *writes, fd_set *excepts, const struct timespec *timeout,
		   const sigset_t *set)
{
	__typeof__(&pselect) next = NEXT(pselect);
	struct {
		const sigset_t *mask;
		size_t size;
	} argument = {.size = sizeof(kmem_sigmask)};
	struct timespec left;
	sigset_t mask;

	if (set != NULL) {
		mask = stripped(set);
		argument.mask = &mask;
	}
	if (next != NULL) {
		return next(count, reads, writes, excepts, timeout, argument.mask);
	}
	if (timeout != NULL) {
		left = *timeout;
	}
	pthread_testcancel();
	return (int)syscall(SYS_pselect6, count, reads, writes, excepts, timeout != NULL ? &left : NULL, &argument);
}

EXPORT int epoll_pwait(int epfd, struct epoll_event *events, int count, int timeout, const sigset_t *set)
{
	__typeof__(&epoll_pwait) next = NEXT(epoll_pwait);
	sigset_t mask;

	if (set != NULL) {
		mask = stripped(set);
	}
	if (next != NULL) {
		return next(epfd, events, count, timeout, set != NULL ? &mask : NULL);
	}
	pthread_testcancel();
	return (int)syscall(SYS_epoll_pwait, epfd, events, count, timeout, set != NULL ? &mask : NULL,
			    sizeof(kmem_sigmask));
}

/* What a new thread needs of its maker. */
struct start {
	void *(*routine)(void *);
	void *arg;
	bool segv_blocked, bus_blocked;
};

static void leave(void *unused)
{
	void (*hook)(void) = kmem_thread_leave_hook;

	(void)unused;
	if (hook != NULL) {
		hook();
	}
}

static void *thread_main(void *arg)
{
	struct start start = *(struct start *)arg;
	struct kmem_thread *self = kmem_thread_self();
	void (*hook)(void) = kmem_thread_enter_hook;
	void *result;

	free(arg);
	self->segv_blocked = start.segv_blocked;
	self->bus_blocked = start.bus_blocked;
	if (hook != NULL) {
		hook();
	}
	pthread_cleanup_push(leave, NULL);
	result = start.routine(start.arg);
	pthread_cleanup_pop(1);
	return result;
}

/*
 * The name that a static C library has for it; absent from a shared one. A weak reference alone would not bring the object
 * that defines it into a program, but thrd_create() needs it, and every C library has that.
 */
extern int __pthread_create_2_1(pthread_t *thread, const pthread_attr_t *attr, void *(*routine)(void *), void *arg)
	__attribute__((weak));
__attribute__((used)) static __typeof__(&thrd_create) const thread_create_anchor = thrd_create;

static int thread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*routine)(void *), void *arg)
{
	static _Atomic(__typeof__(&thread_create)) known;
	__typeof__(&thread_create) next = atomic_load(&known);

	if (next == NULL) {
		next = __extension__(__typeof__(next))dlsym(RTLD_NEXT, "pthread_create");
		next = next != NULL ? next : __pthread_create_2_1;
		atomic_store(&known, next);
	}
	return next != NULL ? next(thread, attr, routine, arg) : ENOSYS;
}

/* The C library, and the host kernel, write to the top of a thread's stack at times when no fault can be served. */
static void stack_prepare(const pthread_attr_t *attr)
{
	void (*hook)(void *stack, size_t size) = kmem_thread_stack_hook;
	void *stack = NULL;
	size_t size = 0;

	if (hook != NULL && attr != NULL && pthread_attr_getstack(attr, &stack, &size) == 0 && stack != NULL) {
		hook(stack, size);
	}
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*routine)(void *), void *arg)
{
	const struct kmem_thread *self = kmem_thread_self();
	struct start *start = malloc(sizeof(*start));
	int ret;

	if (start == NULL) {
		return EAGAIN;
	}
	*start = (struct start){
		.routine = routine,
		.arg = arg,
		.segv_blocked = self->segv_blocked,
		.bus_blocked = self->bus_blocked,
	};
	stack_prepare(attr);
	ret = thread_create(thread, attr, thread_main, start);
	if (ret != 0) {
		free(start);
	}
	return ret;
}
