/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C library's functions that would take SIGSEGV, SIGBUS and SIGSYS from libkmem, wrapped.
 *
 * A program that links libkmem calls these in their place. They do what the C library's do, and in the same way where libkmem
 * is not booted; while it is, the signals that it has taken stay deliverable and the program's wishes for them are remembered
 * (signals.c). pthread_create() also gives the new thread an alternate stack, and has it known (thread.h).
 *
 * Where alternate stacks are the library's own, whatever is allocated may be absent at any time, and a new thread must be able to trap
 * before it touches any of it. It finds its stack made, and what it needs to know in the note above that. The C library creates a thread
 * with every signal blocked and looks at what hangs on the thread's attributes in there, so it gets attributes with nothing on
 * them: the processors and the mask that the program put there are set by the new thread. Nor may a thread run on paged memory: the host
 * kernel writes to its descriptor, and the C library has it told about that with every signal blocked. Where the program gives such
 * a stack, the C library makes another of the same size.
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

static void *next_find(void *_Atomic *known, const char *name)
{
	void *next = atomic_load_explicit(known, memory_order_acquire);

	if (next == NULL) {
		next = dlsym(RTLD_NEXT, name);
		atomic_store_explicit(known, next, memory_order_release);
	}
	return next;
}

/* The C library's function of this name, searched for once. */
#define NEXT(name) __extension__({ static void *_Atomic known; (__typeof__(&(name)))next_find(&known, #name); })

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

EXPORT int epoll_pwait2(int epfd, struct epoll_event *events, int count, const struct timespec *timeout, const sigset_t *set)
{
	__typeof__(&epoll_pwait2) next = NEXT(epoll_pwait2);
	sigset_t mask;

	if (set != NULL) {
		mask = stripped(set);
	}
	if (next != NULL) {
		return next(epfd, events, count, timeout, set != NULL ? &mask : NULL);
	}
	pthread_testcancel();
	return (int)syscall(SYS_epoll_pwait2, epfd, events, count, timeout, set != NULL ? &mask : NULL,
			    sizeof(kmem_sigmask));
}

/* Processors that attributes can name; more are not looked at. */
#define CPUS_SIZE 1024UL

/* What a new thread needs of its maker. */
struct start {
	void *(*routine)(void *);
	void *arg;
	uint64_t traps_blocked;
	uint64_t blocked_beside;
	void *altstack; /* its own, in whose note this lies; NULL: on the heap */

	/* taken off the attributes, or the maker's */
	bool has_mask;
	kmem_sigmask mask;
	size_t cpus_size; /* 0: any */
	unsigned char cpus[CPUS_SIZE];
};

_Static_assert(sizeof(struct start) <= KMEM_THREAD_NOTE_SIZE, "a new thread's start is in a note");

static void leave(void *unused)
{
	void (*hook)(void) = kmem_thread_leave_hook;

	(void)unused;
	if (hook != NULL) {
		hook();
	}
}

/* What attributes would have had done by the C library. */
static void attributes_apply(const struct start *start)
{
	if (start->cpus_size != 0) {
		(void)syscall(SYS_sched_setaffinity, 0, start->cpus_size, start->cpus);
	}
	if (start->has_mask) {
		(void)kmem_signals_mask(SIG_SETMASK, &start->mask, NULL);
	}
}

KMEM_CALLBACK static void *routine_call(void *(*routine)(void *), void *arg)
{
	void *result = routine(arg);

	KMEM_CALLBACK_END;
	return result;
}

static void *thread_main(void *arg)
{
	const struct start *start = arg;
	void *(*routine)(void *) = start->routine;
	void *routine_arg = start->arg;
	void (*hook)(void) = kmem_thread_enter_hook;
	void *result;

	kmem_thread_self()->traps_blocked = start->traps_blocked;
	kmem_thread_self()->blocked_beside = start->blocked_beside;
	if (start->altstack != NULL) {
		(void)kmem_thread_altstack_install(start->altstack);
		attributes_apply(start);
	} else {
		free(arg);
	}
	if (hook != NULL) {
		hook();
	}
	pthread_cleanup_push(leave, NULL);
	result = routine_call(routine, routine_arg);
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

static struct start *start_get(void)
{
	struct start *start;
	void *altstack;

	if (!kmem_thread_altstack_is_own()) {
		start = malloc(sizeof(*start));
		if (start != NULL) {
			start->altstack = NULL;
		}
		return start;
	}
	if (kmem_thread_altstack_get(&altstack) != 0) {
		return NULL;
	}
	start = kmem_thread_altstack_note(altstack);
	start->altstack = altstack;
	return start;
}

static void start_put(struct start *start)
{
	if (start->altstack != NULL) {
		kmem_thread_altstack_put(start->altstack);
	} else {
		free(start);
	}
}

/* Take the processors and the mask off attributes. */
static void extras_take(const pthread_attr_t *attr, struct start *start)
{
	cpu_set_t *cpus = (cpu_set_t *)(void *)start->cpus;
	sigset_t set;

	if (pthread_attr_getaffinity_np(attr, CPUS_SIZE, cpus) == 0) {
		for (size_t i = 0; i < CPUS_SIZE; i++) {
			/* All of them is what is said where none were set. */
			start->cpus_size = start->cpus[i] != UINT8_MAX ? CPUS_SIZE : start->cpus_size;
		}
	}
	if (pthread_attr_getsigmask_np(attr, &set) == 0) {
		start->has_mask = true;
		start->mask = mask_of(&set) & ~INTERNAL;
	}
}

/* Stacks smaller than this are made larger: the library's own TLS is in them, too. */
#define STACK_SMALL (1024UL * 1024)
#define STACK_MORE (64UL * 1024)

static bool is_paged(const void *stack, size_t size)
{
	return kmem_thread_stack_is_paged != NULL && kmem_thread_stack_is_paged(stack, size);
}

static void stack_copy(const pthread_attr_t *from, pthread_attr_t *to)
{
	void *stack;
	size_t guard;
	size_t size;

	if (pthread_attr_getguardsize(from, &guard) == 0) {
		(void)pthread_attr_setguardsize(to, guard);
	}
	if (pthread_attr_getstack(from, &stack, &size) != 0) {
		return;
	}
	/* Where none was set, the end of it is address 0. */
	if ((uintptr_t)stack + size != 0 && !is_paged(stack, size)) {
		(void)pthread_attr_setstack(to, stack, size);
	} else if (pthread_attr_getstacksize(from, &size) == 0) {
		(void)pthread_attr_setstacksize(to, size < STACK_SMALL ? size + STACK_MORE : size);
	}
}

/* Attributes with nothing hanging on them; that is in *start. */
static void attributes_flatten(const pthread_attr_t *from, pthread_attr_t *to, struct start *start)
{
	struct sched_param param;
	int value;

	(void)pthread_attr_init(to);
	if (pthread_attr_getdetachstate(from, &value) == 0) {
		(void)pthread_attr_setdetachstate(to, value);
	}
	if (pthread_attr_getscope(from, &value) == 0) {
		(void)pthread_attr_setscope(to, value);
	}
	if (pthread_attr_getinheritsched(from, &value) == 0 && value == PTHREAD_EXPLICIT_SCHED) {
		(void)pthread_attr_setinheritsched(to, value);
		if (pthread_attr_getschedpolicy(from, &value) == 0 && pthread_attr_getschedparam(from, &param) == 0) {
			(void)pthread_attr_setschedpolicy(to, value);
			(void)pthread_attr_setschedparam(to, &param);
		}
	}
	stack_copy(from, to);
	extras_take(from, start);
}

/* Create a thread with signals blocked in it until it has set its mask. */
static int masked_create(pthread_t *thread, const pthread_attr_t *attr, struct start *start)
{
	kmem_sigmask saved;
	int ret;

	if (!start->has_mask) {
		return thread_create(thread, attr, thread_main, start);
	}
	kmem_signals_block(&saved);
	ret = thread_create(thread, attr, thread_main, start);
	kmem_signals_restore(&saved);
	return ret;
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*routine)(void *), void *arg)
{
	struct start *start = start_get();
	pthread_attr_t flat;
	int ret;

	if (start == NULL) {
		return EAGAIN;
	}
	start->routine = routine;
	start->arg = arg;
	start->traps_blocked = kmem_thread_self()->traps_blocked;
	start->blocked_beside = kmem_thread_self()->blocked_beside;
	start->has_mask = false;
	start->cpus_size = 0;
	if (attr != NULL && start->altstack != NULL) {
		attributes_flatten(attr, &flat, start);
		attr = &flat;
	}
	stack_prepare(attr);
	ret = masked_create(thread, attr, start);
	if (ret != 0) {
		start_put(start);
	}
	return ret;
}
