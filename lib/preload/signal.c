/* SPDX-License-Identifier: Apache-2.0 */
/*
 * More of the C library's functions about signals and threads, wrapped: those that only a program that knows nothing of the library
 * needs. The rest, which libkmem.so has as well, is in lib/host/interpose.c.
 *
 * sigaltstack() remembers what the program wants and shows it (lib/host/thread.h). sigpending() and sigwait() and its kin see what waits
 * here for the calling thread, because the library has taken the signal. The old functions about masks and handlers, and
 * thrd_create(), call the C library's own within it, past our wrappers: they are made of the wrappers here.
 *
 * A taken signal that is sent to a process in which every thread blocks it waits for the thread that it happened to reach.
 *
 * Documentation: the manual pages of the functions; differences are none that a program should see. No locks.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "host/annotate.h"
#include "host/signals.h"
#include "host/thread.h"
#include "preload/next.h"

#define EXPORT __attribute__((visibility("default")))

/* Names that the headers give by macros or not at all. */
int __sigpause(int value, int is_signal);
int __xpg_sigpause(int signo);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *set, size_t size);
int bsd_sigpause(int mask) __asm__("sigpause");

/* Old functions are wrapped too. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* Masks of the old functions: the first 32 signals. */
#define OLD_SIGNALS 32

static int errno_of(int ret)
{
	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	return ret;
}

static kmem_sigmask mask_of(const sigset_t *set)
{
	kmem_sigmask mask;

	memcpy(&mask, set, sizeof(mask));
	return mask;
}

static sigset_t set_of(kmem_sigmask mask)
{
	sigset_t set;

	(void)sigemptyset(&set);
	memcpy(&set, &mask, sizeof(mask));
	return set;
}

/* Stacks. */

EXPORT int sigaltstack(const stack_t *stack, stack_t *old)
{
	stack_t given;
	stack_t before;
	int ret;

	if (stack != NULL) {
		given = *stack;
	}
	ret = kmem_thread_altstack_exchange(stack != NULL ? &given : NULL, &before, (uintptr_t)__builtin_frame_address(0), NULL);
	if (ret == 0 && old != NULL) {
		*old = before;
	}
	return errno_of(ret);
}

/* Waiting signals. */

EXPORT int sigpending(sigset_t *set)
{
	*set = set_of(kmem_signals_pending());
	return 0;
}

/* Take a signal of a set that waits in the library: its number, or 0. */
static int waiting_take(const sigset_t *set, siginfo_t *info)
{
	static const int taken[] = {SIGBUS, SIGSEGV, SIGSYS};

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (sigismember(set, taken[i]) == 1 && kmem_signals_pending_take(taken[i])) {
			if (info != NULL) {
				memset(info, 0, sizeof(*info));
				info->si_signo = taken[i];
				info->si_code = SI_USER;
				info->si_pid = getpid();
				info->si_uid = getuid();
			}
			return taken[i];
		}
	}
	return 0;
}

EXPORT int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
	__typeof__(&sigtimedwait) next = KMEM_NEXT(sigtimedwait);
	int signo;

	pthread_testcancel();
	signo = waiting_take(set, info);
	return signo != 0 ? signo : next(set, info, timeout);
}

EXPORT int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
	return sigtimedwait(set, info, NULL);
}

EXPORT int sigwait(const sigset_t *set, int *signo)
{
	int ret;

	do {
		ret = sigtimedwait(set, NULL, NULL);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0) {
		return errno;
	}
	*signo = ret;
	return 0;
}

/* Old functions. */

EXPORT int sighold(int signo)
{
	sigset_t set;

	(void)sigemptyset(&set);
	return sigaddset(&set, signo) != 0 ? -1 : sigprocmask(SIG_BLOCK, &set, NULL);
}

EXPORT int sigrelse(int signo)
{
	sigset_t set;

	(void)sigemptyset(&set);
	return sigaddset(&set, signo) != 0 ? -1 : sigprocmask(SIG_UNBLOCK, &set, NULL);
}

EXPORT int sigignore(int signo)
{
	const struct sigaction action = {.sa_handler = SIG_IGN};

	return sigaction(signo, &action, NULL);
}

static int old_mask_change(int how, int mask)
{
	sigset_t set = set_of((uint32_t)mask);
	sigset_t before;

	if (sigprocmask(how, &set, &before) != 0) {
		return -1;
	}
	return (int)(uint32_t)mask_of(&before);
}

EXPORT int sigblock(int mask)
{
	return old_mask_change(SIG_BLOCK, mask);
}

EXPORT int sigsetmask(int mask)
{
	sigset_t set;

	/* Later signals stay as they are. */
	if (sigprocmask(SIG_BLOCK, NULL, &set) == 0) {
		kmem_sigmask late = mask_of(&set) >> OLD_SIGNALS << OLD_SIGNALS;
		kmem_sigmask before = mask_of(&set);

		set = set_of(late | (uint32_t)mask);
		return sigprocmask(SIG_SETMASK, &set, NULL) == 0 ? (int)(uint32_t)before : -1;
	}
	return -1;
}

EXPORT int siggetmask(void)
{
	return sigblock(0);
}

EXPORT int __sigpause(int value, int is_signal)
{
	sigset_t set = set_of((uint32_t)value);

	if (is_signal != 0) {
		if (sigprocmask(SIG_BLOCK, NULL, &set) != 0 || sigdelset(&set, value) != 0) {
			return -1;
		}
	}
	return sigsuspend(&set);
}

EXPORT int __xpg_sigpause(int signo)
{
	return __sigpause(signo, 1);
}

EXPORT int bsd_sigpause(int mask)
{
	return __sigpause(mask, 0);
}

/* ppoll(), checked against the size of the array; the C library says what is wrong. */
EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *set, size_t size)
{
	__typeof__(&__ppoll_chk) next = KMEM_NEXT(__ppoll_chk);

	if (size / sizeof(*fds) < count) {
		return next(fds, count, timeout, set, size);
	}
	return ppoll(fds, count, timeout, set);
}

/* Threads of C11. */

struct c11_start {
	thrd_start_t routine;
	void *arg;
};

KMEM_CALLBACK static void *c11_main(void *arg)
{
	struct c11_start start = *(struct c11_start *)arg;
	int result;

	free(arg);
	result = start.routine(start.arg);
	KMEM_CALLBACK_END;
	return (void *)(intptr_t)result;
}

EXPORT int thrd_create(thrd_t *thread, thrd_start_t routine, void *arg)
{
	struct c11_start *start = malloc(sizeof(*start));
	int ret;

	if (start == NULL) {
		return thrd_nomem;
	}
	*start = (struct c11_start){.routine = routine, .arg = arg};
	ret = pthread_create(thread, NULL, c11_main, start);
	if (ret != 0) {
		free(start);
		return ret == ENOMEM ? thrd_nomem : thrd_error;
	}
	return thrd_success;
}
