/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals: SIGSEGV and SIGBUS, and SIGSYS, taken and handed on, and the wrappers of the C library's functions, which this program
 * is linked with, so that every sigaction() below goes through them.
 *
 * The measure is the host: most tests run twice, first as the program would without libkmem, then with the two taken,
 * and demand the same. What the host itself holds is asked for by raw system calls. The trap handler hands everything on, as
 * the library does with faults that are not its own.
 */
#include "harness.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "host/memory.h"
#include "host/signals.h"
#include "host/thread.h"

/* Old functions are wrapped too. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* Not in every version of the headers. */
sighandler_t bsd_signal(int signo, sighandler_t handler);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define BIT(signo) ((kmem_sigmask)1 << ((signo)-1))
#define TRAPS (BIT(SIGSEGV) | BIT(SIGBUS))
#define SYNCHRONOUS (TRAPS | BIT(SIGFPE) | BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGSYS))

/* What nobody can block, and what the C library keeps for itself. */
#define UNBLOCKABLE (BIT(SIGKILL) | BIT(SIGSTOP))
#define INTERNAL (BIT(32) | BIT(33))

/* The C library adds it to every action that it sets. */
#define RESTORER_FLAG 0x04000000UL

#define CALLS BIT(SIGSYS)

/* In loop tests over both ways: 0 the host alone, 1 with the two signals taken. */
#define WAYS 2

/* How a must-die test ends that lives on, or gets where it should not. */
#define STATUS_ALIVE 7

/* A signal's action as the host kernel has it. */
struct host_action {
	unsigned long handler;
	unsigned long flags;
	unsigned long restorer;
	kmem_sigmask mask;
};

static struct harness_leaks leaks;
static size_t page;
static char *hole; /* a page that cannot be touched */
static bool is_taken;

static struct host_action actions_before[65];
static kmem_sigmask mask_before;

static sigjmp_buf escape;
static volatile sig_atomic_t traps;
static volatile kmem_sigmask trap_mask;
static volatile uintptr_t trap_frame;
static volatile sig_atomic_t called;

static struct host_action host_action_get(int signo)
{
	struct host_action action = {0};

	ck_assert_int_eq(syscall(SYS_rt_sigaction, signo, NULL, &action, sizeof(kmem_sigmask)), 0);
	return action;
}

static kmem_sigmask host_mask(void)
{
	kmem_sigmask mask = 0;

	(void)syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof(mask));
	return mask;
}

static bool is_same_action(const struct host_action *a, const struct host_action *b)
{
	return a->handler == b->handler && ((a->flags ^ b->flags) & ~RESTORER_FLAG) == 0 && a->mask == b->mask;
}

/* Hand on everything. */
static void trap(int signo, siginfo_t *info, void *ucontext)
{
	int saved = errno;

	traps++;
	trap_mask = host_mask();
	trap_frame = (uintptr_t)__builtin_frame_address(0);
	kmem_signals_hand_on(signo, info, ucontext);
	errno = saved;
}

/* What paging is: the page becomes accessible. */
static void serve(int signo, siginfo_t *info, void *ucontext)
{
	traps++;
	trap_mask = host_mask();
	if ((uintptr_t)info->si_addr - (uintptr_t)hole < page) {
		(void)mprotect(hole, page, PROT_READ | PROT_WRITE);
		return;
	}
	kmem_signals_hand_on(signo, info, ucontext);
}

static void take_with(kmem_trap_handler handler)
{
	ck_assert_int_eq(kmem_signals_take(handler), 0);
	ck_assert(kmem_signals_are_taken());
	is_taken = true;
}

static void take(void)
{
	take_with(trap);
}

/* The second of two ways. */
static void take_if(int way)
{
	if (way != 0) {
		take();
	}
}

static void release(void)
{
	kmem_signals_release();
	ck_assert(!kmem_signals_are_taken());
	is_taken = false;
}

static kmem_sigmask bits_of(const sigset_t *set)
{
	kmem_sigmask mask;

	memcpy(&mask, set, sizeof(mask));
	return mask;
}

static sigset_t set_of(kmem_sigmask mask)
{
	sigset_t set;

	sigemptyset(&set);
	memcpy(&set, &mask, sizeof(mask));
	return set;
}

/* The mask that the program sees. */
static kmem_sigmask mask_now(void)
{
	sigset_t set;

	memset(&set, 0x5a, sizeof(set));
	ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, NULL, &set), 0);
	return bits_of(&set);
}

static void mask_do(int how, kmem_sigmask mask)
{
	sigset_t set = set_of(mask);

	ck_assert_int_eq(pthread_sigmask(how, &set, NULL), 0);
}

static void setup(void)
{
	harness_leaks_begin(&leaks);
	page = kmem_host_page_size();
	for (int signo = 1; signo <= 64; signo++) {
		actions_before[signo] = host_action_get(signo);
	}
	mask_before = host_mask();
	ck_assert_int_eq(kmem_thread_altstack_create(), 0);
	hole = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(hole, MAP_FAILED);
	is_taken = false;
	traps = 0;
	called = 0;
}

/* Whatever a test has set is set back, and nothing else may differ. */
static void teardown(void)
{
	if (is_taken) {
		release();
	}
	for (int signo = 1; signo <= 64; signo++) {
		struct host_action now = host_action_get(signo);

		/* The C library sets its own when it first needs them. */
		if (signo != 32 && signo != 33 && !is_same_action(&now, &actions_before[signo])) {
			ck_assert_int_eq(syscall(SYS_rt_sigaction, signo, &actions_before[signo], NULL, 8), 0);
		}
	}
	mask_do(SIG_SETMASK, mask_before);
	ck_assert_uint_eq(kmem_thread_self()->traps_blocked, 0);
	ck_assert_uint_eq(kmem_thread_self()->locks, 0);
	kmem_thread_self()->traps_delivered = 0;
	ck_assert_int_eq(munmap(hole, page), 0);
	kmem_thread_altstack_destroy();
	harness_leaks_check(&leaks);
}

/* Install an action by sigaction(); a handler of either kind. */
static void action_set(int signo, void (*handler)(int signo), int flags, kmem_sigmask mask)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags, .sa_mask = set_of(mask)};

	ck_assert_int_eq(sigaction(signo, &action, NULL), 0);
}

static void info_action_set(int signo, void (*handler)(int, siginfo_t *, void *), int flags, kmem_sigmask mask)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO, .sa_mask = set_of(mask)};

	ck_assert_int_eq(sigaction(signo, &action, NULL), 0);
}

static struct sigaction action_get(int signo)
{
	struct sigaction action;

	memset(&action, 0x5a, sizeof(action));
	ck_assert_int_eq(sigaction(signo, NULL, &action), 0);
	return action;
}

static kmem_sigmask action_mask(int signo)
{
	struct sigaction action = action_get(signo);

	return bits_of(&action.sa_mask);
}

/* Require an action, as the program sees it. */
static void expect_action(int signo, void (*handler)(int signo), int flags, kmem_sigmask mask)
{
	struct sigaction action = action_get(signo);

	ck_assert_ptr_eq((void *)(uintptr_t)action.sa_handler, (void *)(uintptr_t)handler);
	ck_assert_uint_eq((unsigned int)action.sa_flags & ~RESTORER_FLAG, (unsigned int)flags);
	ck_assert_uint_eq(bits_of(&action.sa_mask), mask);
}

/* Touch the page that cannot be touched. */
static void touch(void)
{
	(void)*(volatile char *)hole;
}

static void hole_open(void)
{
	(void)mprotect(hole, page, PROT_READ | PROT_WRITE);
}

static void hole_close(void)
{
	ck_assert_int_eq(mprotect(hole, page, PROT_NONE), 0);
}

static void on_signal(int signo)
{
	(void)signo;
	called++;
}

static void on_signal_escape(int signo)
{
	(void)signo;
	called++;
	siglongjmp(escape, 1);
}

static void on_signal_open(int signo)
{
	(void)signo;
	called++;
	hole_open();
}

static volatile struct {
	int signo;
	int code;
	void *addr;
	pid_t pid;
	int value;
	bool has_context;
} seen;

static void see(int signo, const siginfo_t *info, const void *context)
{
	called++;
	seen.signo = signo;
	seen.code = info->si_code;
	seen.addr = info->si_addr;
	seen.pid = info->si_pid;
	seen.value = info->si_value.sival_int;
	seen.has_context = context != NULL;
}

static void on_info(int signo, siginfo_t *info, void *context)
{
	see(signo, info, context);
}

static void on_info_escape(int signo, siginfo_t *info, void *context)
{
	see(signo, info, context);
	siglongjmp(escape, 1);
}

static void on_info_open(int signo, siginfo_t *info, void *context)
{
	see(signo, info, context);
	hole_open();
}

/* Taking and releasing. */

START_TEST(take_and_release_change_nothing)
{
	for (int round = 0; round < 3; round++) {
		take();
		for (int signo = 1; signo <= 64; signo++) {
			struct host_action now = host_action_get(signo);

			if (signo != SIGSEGV && signo != SIGBUS) {
				ck_assert_msg(is_same_action(&now, &actions_before[signo]), "signal %d differs", signo);
			} else {
				ck_assert_uint_eq(now.handler, (unsigned long)(uintptr_t)trap);
			}
		}
		ck_assert_uint_eq(host_mask(), mask_before);
		release();
		for (int signo = 1; signo <= 64; signo++) {
			struct host_action now = host_action_get(signo);

			ck_assert_msg(is_same_action(&now, &actions_before[signo]), "signal %d differs", signo);
		}
		ck_assert_uint_eq(host_mask(), mask_before);
	}
}
END_TEST

/* The two, in loops. */
static const int both[] = {SIGSEGV, SIGBUS};

START_TEST(action_from_before_is_reported_and_comes_back)
{
	int signo = both[_i];
	kmem_sigmask mask = BIT(SIGUSR1) | BIT(SIGSEGV) | BIT(SIGRTMAX);
	struct host_action before;
	struct host_action after;

	info_action_set(signo, on_info, SA_ONSTACK | SA_NODEFER, mask);
	before = host_action_get(signo);
	take();
	expect_action(signo, (void (*)(int))(uintptr_t)on_info, SA_SIGINFO | SA_ONSTACK | SA_NODEFER, mask);
	expect_action(both[1 - _i], SIG_DFL, 0, 0);
	release();
	after = host_action_get(signo);
	ck_assert(is_same_action(&before, &after));
}
END_TEST

START_TEST(action_is_remembered_and_reported)
{
	int signo = both[_i % 2];
	kmem_sigmask mask = BIT(SIGUSR2) | TRAPS;
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART, .sa_mask = set_of(mask)};
	struct sigaction old;
	struct sigaction *volatile same = &old;

	take_if(_i / 2);
	ck_assert_int_eq(sigaction(signo, &action, &old), 0);
	ck_assert_ptr_null((void *)(uintptr_t)old.sa_handler);
	expect_action(signo, on_signal, SA_RESTART, mask);
	expect_action(both[1 - _i % 2], SIG_DFL, 0, 0);
	action.sa_handler = SIG_IGN;
	ck_assert_int_eq(sigaction(signo, &action, &old), 0);
	ck_assert_ptr_eq((void *)(uintptr_t)old.sa_handler, (void *)(uintptr_t)on_signal);
	ck_assert_uint_eq(bits_of(&old.sa_mask), mask);
	/* Old and new in one structure. */
	old.sa_handler = on_signal;
	ck_assert_int_eq(sigaction(signo, same, same), 0);
	ck_assert_ptr_eq((void *)(uintptr_t)old.sa_handler, (void *)(uintptr_t)SIG_IGN);
	expect_action(signo, on_signal, SA_RESTART, mask);
	if (_i / 2 != 0) {
		ck_assert_uint_eq(host_action_get(signo).handler, (unsigned long)(uintptr_t)trap);
		release();
	}
	/* The host has it by now. */
	ck_assert_uint_eq(host_action_get(signo).handler, (unsigned long)(uintptr_t)on_signal);
	ck_assert_uint_eq(host_action_get(signo).flags & ~RESTORER_FLAG, SA_RESTART);
	ck_assert_uint_eq(host_action_get(signo).mask, mask);
	expect_action(signo, on_signal, SA_RESTART, mask);
}
END_TEST

START_TEST(full_mask_of_a_handler_is_reported_without_what_cannot_be_blocked)
{
	take_if(_i % WAYS);
	action_set(_i / WAYS == 0 ? SIGSEGV : SIGUSR1, on_signal, 0, ~INTERNAL);
	expect_action(_i / WAYS == 0 ? SIGSEGV : SIGUSR1, on_signal, 0, ~(INTERNAL | UNBLOCKABLE));
}
END_TEST

START_TEST(mask_of_a_handler_that_served_once_comes_back)
{
	take_if(_i);
	action_set(SIGUSR1, on_signal, (int)SA_RESETHAND, TRAPS | BIT(SIGHUP));
	ck_assert_int_eq(raise(SIGUSR1), 0);
	expect_action(SIGUSR1, SIG_DFL, (int)SA_RESETHAND, TRAPS | BIT(SIGHUP));
	if (is_taken) {
		release();
	}
	ck_assert_uint_eq(host_action_get(SIGUSR1).mask, TRAPS | BIT(SIGHUP));
}
END_TEST

START_TEST(masks_of_other_handlers_are_stripped_and_come_back)
{
	static const kmem_sigmask masks[] = {0, BIT(SIGSEGV), BIT(SIGBUS) | BIT(SIGHUP), ~(UNBLOCKABLE | INTERNAL)};
	static const int signals[] = {SIGUSR1, SIGUSR2, SIGHUP, 64};
	struct host_action before[COUNT(signals)];

	for (size_t i = 0; i < COUNT(signals); i++) {
		action_set(signals[i], on_signal, SA_RESTART, masks[i]);
		before[i] = host_action_get(signals[i]);
		ck_assert_uint_eq(before[i].mask, masks[i]);
	}
	take();
	for (size_t i = 0; i < COUNT(signals); i++) {
		ck_assert_uint_eq(host_action_get(signals[i]).mask, masks[i] & ~TRAPS);
		ck_assert_uint_eq(host_action_get(signals[i]).handler, (unsigned long)(uintptr_t)on_signal);
		expect_action(signals[i], on_signal, SA_RESTART, masks[i]);
	}
	release();
	for (size_t i = 0; i < COUNT(signals); i++) {
		struct host_action after = host_action_get(signals[i]);

		ck_assert(is_same_action(&before[i], &after));
	}
}
END_TEST

START_TEST(mask_of_a_handler_set_while_taken_is_reported_and_comes_back)
{
	static void (*const handlers[])(int) = {on_signal, SIG_DFL, SIG_IGN};
	kmem_sigmask all = ~(UNBLOCKABLE | INTERNAL);
	struct sigaction action = {.sa_handler = handlers[_i], .sa_mask = set_of(all)};
	struct sigaction old;

	take();
	ck_assert_int_eq(sigaction(SIGUSR1, &action, &old), 0);
	ck_assert_uint_eq(bits_of(&old.sa_mask), 0);
	ck_assert_uint_eq(bits_of(&action.sa_mask), all);
	expect_action(SIGUSR1, handlers[_i], 0, all);
	action.sa_mask = set_of(BIT(SIGBUS));
	ck_assert_int_eq(sigaction(SIGUSR1, &action, &old), 0);
	ck_assert_uint_eq(bits_of(&old.sa_mask), all);
	expect_action(SIGUSR1, handlers[_i], 0, BIT(SIGBUS));
	if (handlers[_i] == on_signal) {
		ck_assert_uint_eq(host_action_get(SIGUSR1).mask, 0);
	}
	release();
	ck_assert_uint_eq(host_action_get(SIGUSR1).mask, BIT(SIGBUS));
	expect_action(SIGUSR1, handlers[_i], 0, BIT(SIGBUS));
}
END_TEST

START_TEST(refused_action_changes_nothing)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_mask = set_of(TRAPS)};

	take_if(_i);
	ck_assert_int_eq(sigaction(SIGKILL, &action, NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
	expect_action(SIGKILL, SIG_DFL, 0, 0);
	ck_assert_int_eq(sigaction(SIGSTOP, &action, NULL), -1);
	expect_action(SIGSTOP, SIG_DFL, 0, 0);
}
END_TEST

START_TEST(bad_signal_numbers_are_refused)
{
	static const int numbers[] = {0, -1, 65, 66, 1000, 32, 33, INT32_MIN, INT32_MAX};
	struct sigaction action = {.sa_handler = on_signal};
	struct sigaction old;

	take_if(_i);
	for (size_t i = 0; i < COUNT(numbers); i++) {
		int signo = numbers[i];

		errno = 0;
		ck_assert_int_eq(sigaction(signo, &action, NULL), -1);
		ck_assert_int_eq(errno, EINVAL);
		errno = 0;
		ck_assert_int_eq(sigaction(signo, NULL, &old), -1);
		ck_assert_int_eq(errno, EINVAL);
		errno = 0;
		ck_assert_ptr_eq((void *)(uintptr_t)signal(signo, on_signal), (void *)(uintptr_t)SIG_ERR);
		ck_assert_int_eq(errno, EINVAL);
		errno = 0;
		ck_assert_ptr_eq((void *)(uintptr_t)sysv_signal(signo, on_signal), (void *)(uintptr_t)SIG_ERR);
		ck_assert_int_eq(errno, EINVAL);
		errno = 0;
		ck_assert_ptr_eq((void *)(uintptr_t)sigset(signo, on_signal), (void *)(uintptr_t)SIG_ERR);
		ck_assert_int_eq(errno, EINVAL);
		errno = 0;
		ck_assert_int_eq(siginterrupt(signo, 1), -1);
		ck_assert_int_eq(errno, EINVAL);
	}
	errno = 0;
	ck_assert_ptr_eq((void *)(uintptr_t)signal(SIGSEGV, SIG_ERR), (void *)(uintptr_t)SIG_ERR);
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_eq((void *)(uintptr_t)signal(SIGKILL, on_signal), (void *)(uintptr_t)SIG_ERR);
	ck_assert_int_eq(errno, EINVAL);
	expect_action(SIGSEGV, SIG_DFL, 0, 0);
}
END_TEST

START_TEST(handler_of_traps_runs_undisturbed_on_the_alternate_stack)
{
	stack_t stack;

	take();
	action_set(SIGSEGV, on_signal_open, 0, 0);
	touch();
	ck_assert_int_eq(traps, 1);
	ck_assert_uint_eq(trap_mask, ~(SYNCHRONOUS | UNBLOCKABLE));
	ck_assert_int_eq(sigaltstack(NULL, &stack), 0);
	ck_assert_uint_ge(trap_frame, (uintptr_t)stack.ss_sp);
	ck_assert_uint_lt(trap_frame, (uintptr_t)stack.ss_sp + stack.ss_size);
	ck_assert_uint_eq(host_mask(), mask_before);
}
END_TEST

/* Masks. */

START_TEST(mask_is_reported_as_wished)
{
	kmem_sigmask base = mask_now();
	kmem_sigmask all = ~(UNBLOCKABLE | INTERNAL);
	kmem_sigmask truth;
	sigset_t old;
	sigset_t set;
	sigset_t *volatile same = &set;

	take_if(_i);
	truth = _i == 0 ? 0 : TRAPS; /* what the host does not hold */
	mask_do(SIG_BLOCK, BIT(SIGSEGV));
	ck_assert_uint_eq(mask_now(), base | BIT(SIGSEGV));
	ck_assert_uint_eq(host_mask(), (base | BIT(SIGSEGV)) & ~truth);
	mask_do(SIG_BLOCK, BIT(SIGBUS) | BIT(SIGUSR1));
	ck_assert_uint_eq(mask_now(), base | TRAPS | BIT(SIGUSR1));
	ck_assert_uint_eq(host_mask(), (base | TRAPS | BIT(SIGUSR1)) & ~truth);
	mask_do(SIG_UNBLOCK, BIT(SIGSEGV));
	ck_assert_uint_eq(mask_now(), base | BIT(SIGBUS) | BIT(SIGUSR1));
	mask_do(SIG_SETMASK, all);
	ck_assert_uint_eq(mask_now(), all);
	ck_assert_uint_eq(host_mask(), all & ~truth);
	mask_do(SIG_SETMASK, BIT(SIGUSR2));
	ck_assert_uint_eq(mask_now(), BIT(SIGUSR2));
	ck_assert_uint_eq(host_mask(), BIT(SIGUSR2));

	/* The old mask comes with the change, also in the same place, and by sigprocmask(). */
	set = set_of(TRAPS);
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &set, &old), 0);
	ck_assert_uint_eq(bits_of(&old), BIT(SIGUSR2));
	set = set_of(BIT(SIGBUS));
	ck_assert_int_eq(sigprocmask(SIG_UNBLOCK, same, same), 0);
	ck_assert_uint_eq(bits_of(&set), TRAPS);
	ck_assert_int_eq(sigprocmask(SIG_SETMASK, NULL, &old), 0);
	ck_assert_uint_eq(bits_of(&old), BIT(SIGSEGV));
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, NULL), 0);
	mask_do(SIG_SETMASK, base);
	ck_assert_uint_eq(host_mask(), mask_before);
}
END_TEST

START_TEST(refused_mask_changes_nothing)
{
	sigset_t set = set_of(TRAPS | BIT(SIGUSR1));
	kmem_sigmask base = mask_now();
	sigset_t old;

	take_if(_i);
	errno = 1234;
	ck_assert_int_eq(pthread_sigmask(17, &set, NULL), EINVAL);
	ck_assert_int_eq(pthread_sigmask(-1, &set, &old), EINVAL);
	ck_assert_int_eq(errno, 1234);
	ck_assert_int_eq(sigprocmask(17, &set, NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_uint_eq(mask_now(), base);
	/* Nothing is changed, so the way of changing is nobody's business. */
	ck_assert_int_eq(pthread_sigmask(17, NULL, &old), 0);
	ck_assert_uint_eq(bits_of(&old), base);
}
END_TEST

START_TEST(signals_of_the_c_library_cannot_be_blocked)
{
	take_if(_i);
	mask_do(SIG_SETMASK, ~(kmem_sigmask)0);
	ck_assert_uint_eq(mask_now(), ~(UNBLOCKABLE | INTERNAL));
	ck_assert_uint_eq(host_mask() & INTERNAL, 0);
	mask_do(SIG_SETMASK, 0);
}
END_TEST

START_TEST(mask_from_before_is_kept_as_wish_and_comes_back)
{
	static const kmem_sigmask masks[] = {
		BIT(SIGSEGV), BIT(SIGBUS), TRAPS, TRAPS | BIT(SIGUSR1), ~(UNBLOCKABLE | INTERNAL),
	};
	kmem_sigmask mask = masks[_i];

	mask_do(SIG_SETMASK, mask);
	take();
	ck_assert_uint_eq(mask_now(), mask);
	ck_assert_uint_eq(host_mask(), mask & ~TRAPS);
	release();
	ck_assert_uint_eq(mask_now(), mask);
	ck_assert_uint_eq(host_mask(), mask);
	mask_do(SIG_SETMASK, 0);
	ck_assert_uint_eq(mask_now(), 0);
	ck_assert_uint_eq(host_mask(), 0);
}
END_TEST

START_TEST(mask_set_while_taken_stays_after_release)
{
	take();
	mask_do(SIG_SETMASK, BIT(SIGSEGV) | BIT(SIGUSR1));
	release();
	ck_assert_uint_eq(host_mask(), BIT(SIGSEGV) | BIT(SIGUSR1));
	mask_do(SIG_SETMASK, 0);
	/* The wish is over with that: the next one starts from the mask. */
	take();
	ck_assert_uint_eq(mask_now(), 0);
	mask_do(SIG_BLOCK, BIT(SIGBUS));
	mask_do(SIG_UNBLOCK, BIT(SIGBUS));
	release();
	ck_assert_uint_eq(host_mask(), 0);
}
END_TEST

/* Two threads in turns: main says what is next, the other does it. */
static sem_t turn_main;
static sem_t turn_other;

static void wait_for(sem_t *turn)
{
	while (sem_wait(turn) != 0) {
	}
}

static void turns_begin(void)
{
	ck_assert_int_eq(sem_init(&turn_main, 0, 0), 0);
	ck_assert_int_eq(sem_init(&turn_other, 0, 0), 0);
}

/* Let the other thread take its turn. */
static void turn_pass(void)
{
	sem_post(&turn_other);
	wait_for(&turn_main);
}

static kmem_sigmask other_masks[4]; /* as the other thread saw them */

static void turn_back(void)
{
	sem_post(&turn_main);
	wait_for(&turn_other);
}

static void *mask_across_release(void *arg)
{
	wait_for(&turn_other);
	mask_do(SIG_SETMASK, TRAPS | BIT(SIGUSR1)); /* while taken */
	turn_back();
	other_masks[0] = mask_now(); /* released */
	other_masks[1] = host_mask();
	mask_do(SIG_SETMASK, BIT(SIGUSR2));
	turn_back();
	other_masks[2] = mask_now(); /* taken again */
	mask_do(SIG_BLOCK, BIT(SIGBUS));
	mask_do(SIG_UNBLOCK, BIT(SIGBUS));
	other_masks[3] = mask_now();
	sem_post(&turn_main);
	return arg;
}

START_TEST(mask_of_another_thread_outlives_release)
{
	pthread_t thread;

	turns_begin();
	take();
	ck_assert_int_eq(pthread_create(&thread, NULL, mask_across_release, NULL), 0);
	turn_pass();
	release();
	turn_pass();
	take();
	turn_pass();
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(other_masks[0], TRAPS | BIT(SIGUSR1));
	ck_assert_uint_eq(other_masks[1], TRAPS | BIT(SIGUSR1));
	ck_assert_uint_eq(other_masks[2], BIT(SIGUSR2));
	ck_assert_uint_eq(other_masks[3], BIT(SIGUSR2));
}
END_TEST

static void *mask_across_take(void *arg)
{
	wait_for(&turn_other);
	mask_do(SIG_SETMASK, TRAPS | BIT(SIGUSR1));
	turn_back();
	other_masks[0] = mask_now(); /* taken by the main thread meanwhile */
	mask_do(SIG_UNBLOCK, BIT(SIGSEGV));
	other_masks[1] = mask_now();
	mask_do(SIG_BLOCK, BIT(SIGUSR2));
	other_masks[2] = mask_now();
	other_masks[3] = host_mask();
	sem_post(&turn_main);
	return arg;
}

START_TEST(mask_of_another_thread_from_before_can_be_changed)
{
	pthread_t thread;

	turns_begin();
	ck_assert_int_eq(pthread_create(&thread, NULL, mask_across_take, NULL), 0);
	turn_pass();
	take();
	turn_pass();
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(other_masks[0], TRAPS | BIT(SIGUSR1));
	ck_assert_uint_eq(other_masks[1], BIT(SIGBUS) | BIT(SIGUSR1));
	ck_assert_uint_eq(other_masks[2], BIT(SIGBUS) | BIT(SIGUSR1) | BIT(SIGUSR2));
	ck_assert_uint_eq(other_masks[3], BIT(SIGUSR1) | BIT(SIGUSR2));
}
END_TEST

START_TEST(block_leaves_the_synchronous_signals)
{
	kmem_sigmask saved = 0;

	take_if(_i);
	mask_do(SIG_SETMASK, BIT(SIGUSR1));
	errno = 1234;
	kmem_signals_block(&saved);
	ck_assert_int_eq(errno, 1234);
	ck_assert_uint_eq(saved, BIT(SIGUSR1));
	ck_assert_uint_eq(host_mask(), ~(SYNCHRONOUS | UNBLOCKABLE));
	ck_assert_uint_eq(host_mask() & INTERNAL, INTERNAL);
	kmem_signals_restore(&saved);
	ck_assert_int_eq(errno, 1234);
	ck_assert_uint_eq(host_mask(), BIT(SIGUSR1));
	kmem_signals_block(NULL);
	ck_assert_uint_eq(host_mask(), ~(SYNCHRONOUS | UNBLOCKABLE));
	kmem_signals_restore(&saved);
	ck_assert_uint_eq(mask_now(), BIT(SIGUSR1));
}
END_TEST

START_TEST(block_and_restore_keep_the_wish)
{
	kmem_sigmask saved;

	take();
	mask_do(SIG_SETMASK, BIT(SIGUSR1) | BIT(SIGBUS));
	kmem_signals_block(&saved);
	kmem_signals_restore(&saved);
	ck_assert_uint_eq(mask_now(), BIT(SIGUSR1) | BIT(SIGBUS));
	ck_assert_uint_eq(host_mask(), BIT(SIGUSR1));
	mask_do(SIG_SETMASK, 0);
	kmem_signals_block(&saved);
	kmem_signals_restore(&saved);
	ck_assert_uint_eq(mask_now(), 0);
}
END_TEST

START_TEST(block_opens_nothing_that_the_program_has_blocked)
{
	static const int signals[] = {SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGSEGV, SIGBUS};
	kmem_sigmask saved;

	take_if(_i);
	for (size_t i = 0; i < COUNT(signals); i++) {
		action_set(signals[i], on_signal, 0, 0);
	}
	mask_do(SIG_SETMASK, SYNCHRONOUS);
	for (size_t i = 0; i < COUNT(signals); i++) {
		ck_assert_int_eq(raise(signals[i]), 0);
	}
	kmem_signals_block(&saved);
	ck_assert_int_eq(called, 0);
	kmem_signals_restore(&saved);
	ck_assert_int_eq(called, 0);
	ck_assert_uint_eq(mask_now(), SYNCHRONOUS);
	mask_do(SIG_SETMASK, 0);
	ck_assert_int_eq(called, (int)COUNT(signals));
}
END_TEST

START_TEST(strip_takes_both_while_taken)
{
	ck_assert_uint_eq(kmem_signals_strip(TRAPS | BIT(SIGHUP)), TRAPS | BIT(SIGHUP));
	take();
	ck_assert_uint_eq(kmem_signals_strip(TRAPS | BIT(SIGHUP)), BIT(SIGHUP));
	ck_assert_uint_eq(kmem_signals_strip(0), 0);
	release();
	ck_assert_uint_eq(kmem_signals_strip(~(kmem_sigmask)0), ~(kmem_sigmask)0);
}
END_TEST

START_TEST(discarded_signal_does_not_come)
{
	take_if(_i);
	action_set(SIGUSR1, on_signal, 0, 0);
	mask_do(SIG_BLOCK, BIT(SIGUSR1));
	ck_assert_int_eq(raise(SIGUSR1), 0);
	errno = 1234;
	kmem_signals_discard(SIGUSR1);
	kmem_signals_discard(SIGUSR1); /* none is there */
	ck_assert_int_eq(errno, 1234);
	mask_do(SIG_UNBLOCK, BIT(SIGUSR1));
	ck_assert_int_eq(called, 0);
}
END_TEST

static kmem_sigmask callback_masks[3];

/* A trap handler that calls the program back with the interrupted mask, as fatal error handlers are. */
static void call_back(int signo, siginfo_t *info, void *ucontext)
{
	(void)signo;
	(void)info;
	callback_masks[0] = host_mask();
	kmem_signals_interrupted_mask(ucontext);
	callback_masks[1] = host_mask();
	kmem_signals_block_all();
	callback_masks[2] = host_mask();
	hole_open();
}

START_TEST(interrupted_mask_is_that_of_the_interrupted_code)
{
	take_with(call_back);
	mask_do(SIG_SETMASK, BIT(SIGUSR1) | BIT(SIGBUS));
	touch();
	ck_assert_uint_eq(callback_masks[0], ~(SYNCHRONOUS | UNBLOCKABLE));
	ck_assert_uint_eq(callback_masks[1], BIT(SIGUSR1));
	ck_assert_uint_eq(callback_masks[2], ~(SYNCHRONOUS | UNBLOCKABLE));
	ck_assert_uint_eq(mask_now(), BIT(SIGUSR1) | BIT(SIGBUS));
	mask_do(SIG_SETMASK, 0);
}
END_TEST

/* Faults of the program's own. */

START_TEST(handler_escapes_three_times)
{
	int way = _i % WAYS;
	bool has_info = _i / WAYS != 0;

	take_if(way);
	if (has_info) {
		info_action_set(SIGSEGV, on_info_escape, 0, 0);
	} else {
		action_set(SIGSEGV, on_signal_escape, 0, 0);
	}
	for (volatile int round = 1; round <= 3; round++) {
		if (sigsetjmp(escape, 1) == 0) {
			touch();
			ck_abort_msg("the page could be touched");
		}
		ck_assert_int_eq(called, round);
		ck_assert_int_eq(traps, way * round);
		if (has_info) {
			ck_assert_int_eq(seen.signo, SIGSEGV);
			ck_assert_int_eq(seen.code, SEGV_ACCERR);
			ck_assert_ptr_eq(seen.addr, hole);
			ck_assert(seen.has_context);
		}
		ck_assert_uint_eq(mask_now(), mask_before);
		ck_assert_uint_eq(host_mask(), mask_before);
	}
}
END_TEST

START_TEST(handler_returns_to_the_instruction)
{
	int way = _i % WAYS;
	bool has_info = _i / WAYS != 0;

	take_if(way);
	if (has_info) {
		info_action_set(SIGSEGV, on_info_open, SA_ONSTACK, 0);
	} else {
		action_set(SIGSEGV, on_signal_open, SA_ONSTACK, 0);
	}
	for (int round = 1; round <= 3; round++) {
		hole_close();
		errno = 1234;
		*(volatile char *)hole = 'w';
		ck_assert_int_eq(errno, 1234);
		ck_assert_int_eq(*hole, 'w');
		ck_assert_int_eq(called, round);
	}
	ck_assert_int_eq(traps, 3 * way);
}
END_TEST

START_TEST(bus_error_reaches_its_handler)
{
	volatile char *bytes;
	int fd = memfd_create("bus", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	bytes = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
	ck_assert(bytes != MAP_FAILED);
	take_if(_i);
	action_set(SIGSEGV, SIG_IGN, 0, 0);
	info_action_set(SIGBUS, on_info_escape, 0, 0);
	for (volatile int round = 1; round <= 3; round++) {
		if (sigsetjmp(escape, 1) == 0) {
			(void)bytes[1];
			ck_abort_msg("a page that the file has not could be touched");
		}
		ck_assert_int_eq(called, round);
		ck_assert_int_eq(seen.signo, SIGBUS);
		ck_assert_int_eq(seen.code, BUS_ADRERR);
		ck_assert_ptr_eq(seen.addr, (char *)bytes + 1);
	}
	ck_assert_int_eq(munmap((char *)bytes, page), 0);
	close(fd);
}
END_TEST

START_TEST(trap_that_is_served_reaches_no_handler)
{
	take_with(serve);
	action_set(SIGSEGV, on_signal, 0, 0);
	for (int round = 1; round <= 3; round++) {
		/* Whatever the program has blocked. */
		mask_do(SIG_SETMASK, round == 1 ? 0 : round == 2 ? TRAPS : ~(kmem_sigmask)0);
		hole_close();
		touch();
		ck_assert_int_eq(traps, round);
	}
	mask_do(SIG_SETMASK, 0);
	ck_assert_int_eq(called, 0);
}
END_TEST

static volatile kmem_sigmask handler_mask;
static volatile kmem_sigmask handler_host_mask;

/* Note the masks; USR1 and USR2 are sent, and come when the mask allows. */
static void on_signal_look(int signo)
{
	(void)signo;
	called++;
	handler_mask = mask_now();
	handler_host_mask = host_mask();
	(void)raise(SIGUSR1);
	(void)raise(SIGUSR2);
	seen.value = seen.code; /* how many had come before the end */
	hole_open();
}

static void on_user_signal(int signo)
{
	(void)signo;
	seen.code++;
}

START_TEST(handler_has_the_mask_it_asked_for)
{
	kmem_sigmask all = ~(UNBLOCKABLE | INTERNAL);
	const struct {
		kmem_sigmask thread, handler;
		int early; /* of the two user signals */
	} rows[] = {
		{0, 0, 2},
		{0, BIT(SIGUSR1), 1},
		{BIT(SIGHUP), BIT(SIGUSR1) | BIT(SIGUSR2), 0},
		{BIT(SIGTERM), BIT(SIGUSR2) | BIT(SIGBUS), 1},
		{0, all, 0},
	};

	take_if(_i % WAYS);
	action_set(SIGUSR1, on_user_signal, 0, 0);
	action_set(SIGUSR2, on_user_signal, 0, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		kmem_sigmask wanted = rows[i].thread | rows[i].handler;

		hole_close();
		seen.code = 0;
		mask_do(SIG_SETMASK, rows[i].thread);
		action_set(SIGSEGV, on_signal_look, _i / WAYS != 0 ? SA_NODEFER : 0, rows[i].handler);
		touch();
		ck_assert_int_eq(called, (int)i + 1);
		/* Of the two signals in their own handlers' masks libkmem keeps no book. */
		ck_assert_uint_eq(handler_mask & ~TRAPS, wanted & ~TRAPS);
		ck_assert_uint_eq(handler_host_mask & ~TRAPS, wanted & ~TRAPS);
		if (is_taken) {
			ck_assert_uint_eq(handler_host_mask & TRAPS, 0);
		}
		ck_assert_int_eq(seen.value, rows[i].early);
		ck_assert_int_eq(seen.code, 2);
		ck_assert_uint_eq(mask_now(), rows[i].thread);
		ck_assert_uint_eq(host_mask(), rows[i].thread);
	}
	mask_do(SIG_SETMASK, 0);
}
END_TEST

START_TEST(handler_serves_once)
{
	take_if(_i % WAYS);
	if (_i / WAYS == 0) {
		action_set(SIGSEGV, on_signal_open, (int)SA_RESETHAND, 0);
	} else {
		info_action_set(SIGSEGV, on_info_open, (int)SA_RESETHAND, 0);
	}
	touch();
	ck_assert_int_eq(called, 1);
	ck_assert_ptr_null((void *)(uintptr_t)action_get(SIGSEGV).sa_handler);
	ck_assert_uint_eq((unsigned int)action_get(SIGSEGV).sa_flags & SA_RESETHAND, SA_RESETHAND);
	/* Sent, it is used up too. */
	action_set(SIGBUS, on_signal, (int)SA_RESETHAND, 0);
	ck_assert_int_eq(raise(SIGBUS), 0);
	ck_assert_int_eq(called, 2);
	ck_assert_ptr_null((void *)(uintptr_t)action_get(SIGBUS).sa_handler);
}
END_TEST

static volatile int depth;

/* Fault again, three deep, and serve the innermost. */
static void on_signal_deeper(int signo)
{
	(void)signo;
	called++;
	if (++depth < 3) {
		touch();
	} else {
		hole_open();
	}
	depth--;
}

START_TEST(handler_that_asked_for_it_may_fault_itself)
{
	depth = 0;
	take_if(_i);
	action_set(SIGSEGV, on_signal_deeper, SA_NODEFER, 0);
	touch();
	ck_assert_int_eq(called, 3);
	ck_assert_int_eq(depth, 0);
	/* And again. */
	hole_close();
	touch();
	ck_assert_int_eq(called, 6);
}
END_TEST

/* In the handler of one signal the other. */
static void on_bus_touch(int signo)
{
	(void)signo;
	called += 10;
	touch();
	called += 100;
}

START_TEST(handler_of_one_may_fault_with_the_other)
{
	take_if(_i);
	action_set(SIGBUS, on_bus_touch, SA_ONSTACK, 0);
	action_set(SIGSEGV, on_signal_open, SA_ONSTACK, 0);
	ck_assert_int_eq(raise(SIGBUS), 0);
	ck_assert_int_eq(called, 111);
	hole_close();
	ck_assert_int_eq(raise(SIGBUS), 0);
	ck_assert_int_eq(called, 222);
}
END_TEST

START_TEST(handler_may_fault_after_an_escape)
{
	/* The stack that the handler ran on is in use again, by another handler: no recursion. */
	take_if(_i);
	action_set(SIGSEGV, on_signal_escape, SA_ONSTACK, 0);
	if (sigsetjmp(escape, 1) == 0) {
		touch();
	}
	ck_assert_int_eq(called, 1);
	called = 0;
	action_set(SIGSEGV, on_signal_open, SA_ONSTACK, 0);
	action_set(SIGUSR1, on_bus_touch, SA_ONSTACK, 0);
	ck_assert_int_eq(raise(SIGUSR1), 0);
	ck_assert_int_eq(called, 111);
}
END_TEST

/* Sent signals. */

START_TEST(sent_signal_reaches_the_handler)
{
	int signo = both[_i / WAYS];
	union sigval value = {.sival_int = 4711};

	take_if(_i % WAYS);
	info_action_set(signo, on_info, 0, 0);
	ck_assert_int_eq(raise(signo), 0);
	ck_assert_int_eq(called, 1);
	ck_assert_int_eq(seen.code, SI_TKILL);
	ck_assert_int_eq(seen.signo, signo);
	ck_assert_int_eq(seen.pid, getpid());
	ck_assert_int_eq(kill(getpid(), signo), 0);
	ck_assert_int_eq(called, 2);
	ck_assert_int_eq(seen.code, SI_USER);
	ck_assert_int_eq(pthread_kill(pthread_self(), signo), 0);
	ck_assert_int_eq(called, 3);
	ck_assert_int_eq(sigqueue(getpid(), signo, value), 0);
	ck_assert_int_eq(called, 4);
	ck_assert_int_eq(seen.code, SI_QUEUE);
	ck_assert_int_eq(seen.value, 4711);
	ck_assert_uint_eq(mask_now(), mask_before);
}
END_TEST

START_TEST(ignored_signal_is_ignored)
{
	int signo = both[_i / WAYS];

	take_if(_i % WAYS);
	action_set(signo, SIG_IGN, 0, 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(raise(signo), 0);
	}
	ck_assert_int_eq(kill(getpid(), signo), 0);
	/* Ignored while blocked, and forgotten. */
	mask_do(SIG_BLOCK, BIT(signo));
	ck_assert_int_eq(raise(signo), 0);
	mask_do(SIG_UNBLOCK, BIT(signo));
	action_set(signo, on_signal, 0, 0);
	ck_assert_int_eq(called, 0);
}
END_TEST

START_TEST(blocked_signal_waits)
{
	int signo = both[_i / WAYS];
	kmem_sigmask all = ~(kmem_sigmask)0;

	take_if(_i % WAYS);
	info_action_set(signo, on_info, 0, 0);
	mask_do(SIG_BLOCK, BIT(signo));
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(raise(signo), 0);
		ck_assert_int_eq(called, 0);
	}
	/* Changes that leave it blocked. */
	mask_do(SIG_BLOCK, BIT(SIGUSR1));
	mask_do(SIG_UNBLOCK, BIT(SIGUSR1));
	mask_do(SIG_UNBLOCK, TRAPS & ~BIT(signo));
	mask_do(SIG_SETMASK, all);
	mask_do(SIG_SETMASK, BIT(signo));
	(void)mask_now();
	ck_assert_int_eq(called, 0);
	mask_do(SIG_UNBLOCK, BIT(signo));
	ck_assert_int_eq(called, 1);
	ck_assert_int_eq(seen.signo, signo);
	ck_assert_int_le(seen.code, 0);
	mask_do(SIG_UNBLOCK, BIT(signo));
	ck_assert_int_eq(called, 1);

	/* The other way to open it. */
	mask_do(SIG_SETMASK, TRAPS);
	ck_assert_int_eq(raise(signo), 0);
	ck_assert_int_eq(called, 1);
	mask_do(SIG_SETMASK, 0);
	ck_assert_int_eq(called, 2);
}
END_TEST

START_TEST(signal_that_waits_goes_where_the_action_is_by_then)
{
	take_if(_i);
	action_set(SIGSEGV, SIG_DFL, 0, 0);
	mask_do(SIG_BLOCK, BIT(SIGSEGV));
	ck_assert_int_eq(raise(SIGSEGV), 0);
	action_set(SIGSEGV, on_signal, 0, 0);
	mask_do(SIG_UNBLOCK, BIT(SIGSEGV));
	ck_assert_int_eq(called, 1);
}
END_TEST

START_TEST(signal_waits_across_take_and_release)
{
	action_set(SIGSEGV, on_signal, 0, 0);
	mask_do(SIG_BLOCK, BIT(SIGSEGV));
	ck_assert_int_eq(raise(SIGSEGV), 0);
	take();
	ck_assert_int_eq(called, 0);
	if (_i != 0) {
		release();
		ck_assert_int_eq(called, 0);
	}
	mask_do(SIG_UNBLOCK, BIT(SIGSEGV));
	ck_assert_int_eq(called, 1);
}
END_TEST

/* The signal is sent again inside its handler: it waits for the end of that. */
static void on_signal_again(int signo)
{
	ck_assert_int_eq(depth, 0);
	depth++;
	called++;
	if (called < 3) {
		(void)raise(signo);
		(void)raise(signo);
	}
	hole_open();
	depth--;
}

START_TEST(signal_sent_in_its_handler_waits_for_the_end)
{
	depth = 0;
	take_if(_i);
	action_set(SIGSEGV, on_signal_again, SA_ONSTACK, 0);
	ck_assert_int_eq(raise(SIGSEGV), 0);
	ck_assert_int_eq(called, 3);
	called = 0;
	hole_close();
	touch();
	ck_assert_int_eq(called, 3);
	ck_assert_uint_eq(mask_now(), mask_before);
	ck_assert_uint_eq(host_mask(), mask_before);
}
END_TEST

/* What the handler does to the mask that it returns to. */
static volatile kmem_sigmask context_block;
static volatile kmem_sigmask context_unblock;
static volatile kmem_sigmask context_mask;

static void on_info_mask(int signo, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;
	kmem_sigmask mask = bits_of(&interrupted->uc_sigmask);

	see(signo, info, context);
	context_mask = mask;
	mask = (mask | context_block) & ~context_unblock;
	memcpy(&interrupted->uc_sigmask, &mask, sizeof(mask));
	hole_open();
}

START_TEST(handler_may_change_the_mask_it_returns_to)
{
	take_if(_i);
	info_action_set(SIGSEGV, on_info_mask, 0, 0);
	action_set(SIGBUS, on_signal, 0, 0);
	mask_do(SIG_SETMASK, BIT(SIGHUP) | BIT(SIGBUS));
	context_block = BIT(SIGUSR1) | BIT(SIGSEGV);
	context_unblock = BIT(SIGHUP);
	touch();
	ck_assert_int_eq(called, 1);
	ck_assert_uint_eq(context_mask, BIT(SIGHUP) | BIT(SIGBUS));
	ck_assert_uint_eq(mask_now(), TRAPS | BIT(SIGUSR1));
	ck_assert_uint_eq(host_mask(), (TRAPS | BIT(SIGUSR1)) & ~(_i != 0 ? TRAPS : 0));

	mask_do(SIG_UNBLOCK, BIT(SIGSEGV));
	hole_close();
	context_block = 0;
	context_unblock = TRAPS | BIT(SIGUSR1);
	/* One waits for that. */
	ck_assert_int_eq(raise(SIGBUS), 0);
	ck_assert_int_eq(called, 1);
	touch();
	ck_assert_uint_eq(context_mask, BIT(SIGUSR1) | BIT(SIGBUS));
	ck_assert_int_eq(called, 3);
	ck_assert_uint_eq(mask_now(), 0);
	ck_assert_uint_eq(host_mask(), 0);
}
END_TEST

/* Faults in other handlers. */
static void on_user_touch(int signo)
{
	(void)signo;
	handler_mask = mask_now();
	handler_host_mask = host_mask();
	touch();
}

START_TEST(traps_are_served_in_handlers_that_block_everything)
{
	sigset_t all;

	sigfillset(&all);
	take_with(serve);
	action_set(SIGUSR1, on_user_touch, _i == 0 ? 0 : SA_ONSTACK, bits_of(&all));
	ck_assert_int_eq(raise(SIGUSR1), 0);
	ck_assert_int_eq(traps, 1);
	ck_assert_uint_eq(trap_mask & TRAPS, 0);
	ck_assert_uint_eq(handler_host_mask, ~(UNBLOCKABLE | INTERNAL | TRAPS));
	ck_assert_uint_eq(mask_now(), mask_before);
	ck_assert_uint_eq(action_mask(SIGUSR1), bits_of(&all) & ~UNBLOCKABLE);
}
END_TEST

/* Threads. */

#define THREADS 4

/* What a worker found, to be looked at when it has ended. */
struct worker {
	pthread_t thread;
	kmem_sigmask mask;
	kmem_sigmask truth;
	int served;
};

static char *worker_page; /* a page for each */
static struct worker workers[THREADS];
static _Atomic int workers_served;

static void serve_workers(int signo, siginfo_t *info, void *ucontext)
{
	uintptr_t addr = (uintptr_t)info->si_addr;

	if (addr - (uintptr_t)worker_page < THREADS * page) {
		(void)mprotect((void *)(addr / page * page), page, PROT_READ | PROT_WRITE);
		workers_served++;
		return;
	}
	kmem_signals_hand_on(signo, info, ucontext);
}

static void *worker_run(void *arg)
{
	struct worker *worker = arg;
	char *bytes = worker_page + (size_t)(worker - workers) * page;
	sigset_t all;

	sigfillset(&all);
	(void)kmem_thread_altstack_create();
	for (int round = 0; round < 100; round++) {
		if (pthread_sigmask(round % 2 == 0 ? SIG_SETMASK : SIG_BLOCK, &all, NULL) != 0) {
			break;
		}
		worker->mask = mask_now();
		worker->truth = host_mask();
		*(volatile char *)bytes = 'w';
		if (mprotect(bytes, page, PROT_NONE) != 0) {
			break;
		}
		worker->served++;
	}
	kmem_thread_altstack_destroy();
	return NULL;
}

START_TEST(worker_that_blocks_everything_is_served)
{
	worker_page = mmap(NULL, THREADS * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(worker_page, MAP_FAILED);
	memset(workers, 0, sizeof(workers));
	workers_served = 0;
	take_with(serve_workers);
	for (size_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
		ck_assert_uint_eq(workers[i].mask, ~(UNBLOCKABLE | INTERNAL));
		ck_assert_uint_eq(workers[i].truth, ~(UNBLOCKABLE | INTERNAL | TRAPS));
		ck_assert_int_eq(workers[i].served, 100);
	}
	ck_assert_int_eq(workers_served, 100 * THREADS);
	ck_assert_int_eq(munmap(worker_page, THREADS * page), 0);
}
END_TEST

static void *mask_report(void *arg)
{
	kmem_sigmask *masks = arg;

	masks[0] = mask_now();
	masks[1] = host_mask();
	mask_do(SIG_SETMASK, 0);
	return NULL;
}

START_TEST(new_thread_inherits_the_mask)
{
	static const kmem_sigmask masks[] = {0, BIT(SIGSEGV), BIT(SIGBUS) | BIT(SIGUSR1), ~(UNBLOCKABLE | INTERNAL)};

	take_if(_i);
	for (size_t i = 0; i < COUNT(masks); i++) {
		kmem_sigmask got[2] = {0};
		pthread_t thread;

		mask_do(SIG_SETMASK, masks[i]);
		ck_assert_int_eq(pthread_create(&thread, NULL, mask_report, got), 0);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
		ck_assert_uint_eq(got[0], masks[i]);
		ck_assert_uint_eq(got[1], masks[i] & ~(_i != 0 ? TRAPS : 0));
		/* What it did with its own is its own. */
		ck_assert_uint_eq(mask_now(), masks[i]);
	}
	mask_do(SIG_SETMASK, 0);
}
END_TEST

static void *signal_wait_blocked(void *arg)
{
	_Atomic int *state = arg;

	*state = 1;
	while (*state == 1) {
		sched_yield();
	}
	if (called != 0) {
		return NULL;
	}
	mask_do(SIG_UNBLOCK, BIT(SIGSEGV));
	return called == 1 && pthread_equal(pthread_self(), workers[0].thread) ? arg : NULL;
}

START_TEST(signal_sent_to_a_thread_waits_there)
{
	_Atomic int state = 0;
	void *result;

	take_if(_i);
	action_set(SIGSEGV, on_signal, 0, 0);
	mask_do(SIG_BLOCK, BIT(SIGSEGV));
	ck_assert_int_eq(pthread_create(&workers[0].thread, NULL, signal_wait_blocked, &state), 0);
	mask_do(SIG_UNBLOCK, BIT(SIGSEGV));
	while (state == 0) {
		sched_yield();
	}
	ck_assert_int_eq(pthread_kill(workers[0].thread, SIGSEGV), 0);
	state = 2;
	ck_assert_int_eq(pthread_join(workers[0].thread, &result), 0);
	ck_assert_ptr_eq(result, &state);
	ck_assert_int_eq(called, 1);
}
END_TEST

/* For threads: hand on, and note nothing. */
static void trap_quietly(int signo, siginfo_t *info, void *ucontext)
{
	kmem_signals_hand_on(signo, info, ucontext);
}

static __thread sigjmp_buf thread_escape;
static __thread int thread_faults;

static void on_signal_escape_thread(int signo)
{
	(void)signo;
	thread_faults++;
	siglongjmp(thread_escape, 1);
}

/* Fault, change masks, ask for and set actions, all at once in several threads. */
static void *worker_mix(void *arg)
{
	volatile uintptr_t wrong = 0;

	(void)kmem_thread_altstack_create();
	for (volatile int round = 1; round <= 300; round++) {
		volatile kmem_sigmask mask = round % 2 == 0 ? BIT(SIGUSR1) | BIT(SIGBUS) : BIT(SIGHUP);

		mask_do(SIG_SETMASK, mask);
		if (sigsetjmp(thread_escape, 1) == 0) {
			touch();
			wrong |= 1;
		}
		wrong |= thread_faults != round ? 2 : 0;
		wrong |= mask_now() != mask ? 4 : 0;
		action_set(SIGBUS, on_signal, 0, mask);
		action_set(SIGUSR2, on_signal, 0, mask | TRAPS);
		wrong |= action_get(SIGSEGV).sa_handler != on_signal_escape_thread ? 8 : 0;
		wrong |= (action_mask(SIGUSR2) & TRAPS) != TRAPS ? 16 : 0;
	}
	kmem_thread_altstack_destroy();
	(void)arg;
	return (void *)wrong;
}

START_TEST(threads_fault_at_once)
{
	if (_i != 0) {
		take_with(trap_quietly);
	}
	action_set(SIGSEGV, on_signal_escape_thread, 0, 0);
	for (size_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, worker_mix, NULL), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		void *wrong;

		ck_assert_int_eq(pthread_join(workers[i].thread, &wrong), 0);
		ck_assert_uint_eq((uintptr_t)wrong, 0);
	}
	action_set(SIGBUS, SIG_DFL, 0, 0);
}
END_TEST

/* What is called around a thread's start routine: E enter, R routine, C cleanup, L leave. */
static char hook_calls[64];
static pthread_t hook_thread;
static bool hook_was_elsewhere;

static void hook_note(char what)
{
	size_t length = strlen(hook_calls);

	if (length == 0) {
		hook_thread = pthread_self();
	}
	hook_was_elsewhere = hook_was_elsewhere || !pthread_equal(hook_thread, pthread_self());
	if (length + 1 < sizeof(hook_calls)) {
		hook_calls[length] = what;
	}
}

static void hook_enter(void)
{
	hook_note('E');
}

static void hook_leave(void)
{
	hook_note('L');
}

static void hook_cleanup(void *arg)
{
	(void)arg;
	hook_note('C');
}

static void *routine_return(void *arg)
{
	hook_note('R');
	return arg;
}

static void *routine_exit(void *arg)
{
	pthread_cleanup_push(hook_cleanup, NULL);
	hook_note('R');
	pthread_exit(arg);
	pthread_cleanup_pop(0);
	return NULL;
}

static sem_t cancel_ready;

static void *routine_cancelled(void *arg)
{
	pthread_cleanup_push(hook_cleanup, NULL);
	hook_note('R');
	sem_post(&cancel_ready);
	for (;;) {
		pause();
	}
	pthread_cleanup_pop(0);
	return arg;
}

static void *routine_cancelled_anywhere(void *arg)
{
	pthread_cleanup_push(hook_cleanup, NULL);
	hook_note('R');
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	sem_post(&cancel_ready);
	for (volatile int spin = 0;; spin++) {
	}
	pthread_cleanup_pop(0);
	return arg;
}

static void hooks_set(void)
{
	memset(hook_calls, 0, sizeof(hook_calls));
	hook_was_elsewhere = false;
	kmem_thread_enter_hook = hook_enter;
	kmem_thread_leave_hook = hook_leave;
	ck_assert_int_eq(sem_init(&cancel_ready, 0, 0), 0);
}

static void hooks_clear(void)
{
	kmem_thread_enter_hook = NULL;
	kmem_thread_leave_hook = NULL;
	kmem_thread_stack_hook = NULL;
}

START_TEST(hooks_are_called_on_every_way_out)
{
	static const struct {
		void *(*routine)(void *);
		bool is_cancelled;
		const char *calls;
	} rows[] = {
		{routine_return, false, "ERL"},
		{routine_exit, false, "ERCL"},
		{routine_cancelled, true, "ERCL"},
		{routine_cancelled_anywhere, true, "ERCL"},
	};
	pthread_t thread;
	void *result;

	for (size_t i = 0; i < COUNT(rows); i++) {
		hooks_set();
		ck_assert_int_eq(pthread_create(&thread, NULL, rows[i].routine, &escape), 0);
		if (rows[i].is_cancelled) {
			wait_for(&cancel_ready);
			ck_assert_int_eq(pthread_cancel(thread), 0);
		}
		ck_assert_int_eq(pthread_join(thread, &result), 0);
		ck_assert_ptr_eq(result, rows[i].is_cancelled ? PTHREAD_CANCELED : (void *)&escape);
		ck_assert_str_eq(hook_calls, rows[i].calls);
		ck_assert(!hook_was_elsewhere);
		ck_assert(!pthread_equal(hook_thread, pthread_self()));
		hooks_clear();
	}
	/* And without hooks. */
	memset(hook_calls, 0, sizeof(hook_calls));
	ck_assert_int_eq(pthread_create(&thread, NULL, routine_return, &escape), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, &escape);
	ck_assert_str_eq(hook_calls, "R");
}
END_TEST

static void *hook_stack;
static size_t hook_stack_size;
static int hook_stack_calls;

static void hook_stack_note(void *stack, size_t size)
{
	hook_stack = stack;
	hook_stack_size = size;
	hook_stack_calls++;
}

START_TEST(stack_of_the_programs_is_told)
{
	size_t size = (size_t)4 << 20;
	void *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attr;
	pthread_t thread;

	ck_assert_ptr_ne(stack, MAP_FAILED);
	hooks_set();
	hook_stack_calls = 0;
	kmem_thread_stack_hook = hook_stack_note;
	/* No stack of the program's: nothing to tell. */
	ck_assert_int_eq(pthread_create(&thread, NULL, routine_return, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(pthread_attr_init(&attr), 0);
	ck_assert_int_eq(pthread_create(&thread, &attr, routine_return, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(hook_stack_calls, 0);

	ck_assert_int_eq(pthread_attr_setstack(&attr, stack, size), 0);
	ck_assert_int_eq(pthread_create(&thread, &attr, routine_return, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(hook_stack_calls, 1);
	ck_assert_ptr_eq(hook_stack, stack);
	ck_assert_uint_eq(hook_stack_size, size);
	ck_assert_int_eq(pthread_attr_destroy(&attr), 0);
	hooks_clear();
	ck_assert_int_eq(munmap(stack, size), 0);
}
END_TEST

START_TEST(thread_that_cannot_be_made_calls_no_hook)
{
	struct rlimit before;
	struct rlimit none;
	pthread_attr_t attr;
	pthread_t thread;

	hooks_set();
	ck_assert_int_eq(pthread_attr_init(&attr), 0);
	ck_assert_int_eq(pthread_attr_setstacksize(&attr, (size_t)1 << 30), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_AS, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)256 << 20;
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
	ck_assert_int_eq(pthread_create(&thread, &attr, routine_return, NULL), EAGAIN);
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &before), 0);
	ck_assert_int_eq(pthread_attr_destroy(&attr), 0);
	ck_assert_str_eq(hook_calls, "");
	hooks_clear();
}
END_TEST

START_TEST(child_of_a_fork_keeps_handlers_and_masks)
{
	int status;
	pid_t child;

	take_if(_i);
	action_set(SIGSEGV, on_signal_open, 0, 0);
	action_set(SIGBUS, on_signal, 0, 0);
	mask_do(SIG_SETMASK, BIT(SIGBUS));
	child = fork();
	if (child == 0) {
		kmem_thread_forked();
		touch();
		if (called != 1 || mask_now() != BIT(SIGBUS)) {
			_exit(1);
		}
		(void)raise(SIGBUS);
		if (called != 1) {
			_exit(2);
		}
		mask_do(SIG_SETMASK, 0);
		_exit(called == 2 && action_get(SIGSEGV).sa_handler == on_signal_open ? 0 : 3);
	}
	ck_assert_int_gt(child, 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ck_assert_int_eq(called, 0);
	mask_do(SIG_SETMASK, 0);
}
END_TEST

/* The old functions. */

/* One implementation of them: the wrappers, or the C library's own. */
struct functions {
	sighandler_t (*signal)(int, sighandler_t);
	sighandler_t (*ssignal)(int, sighandler_t);
	sighandler_t (*bsd_signal)(int, sighandler_t);
	sighandler_t (*sysv_signal)(int, sighandler_t);
	sighandler_t (*sysv_signal_too)(int, sighandler_t);
	sighandler_t (*sigset)(int, sighandler_t);
	int (*siginterrupt)(int, int);
	int (*sigprocmask)(int, const sigset_t *, sigset_t *);
};

static const struct functions wrappers = {
	.signal = signal,
	.ssignal = ssignal,
	.bsd_signal = bsd_signal,
	.sysv_signal = sysv_signal,
	.sysv_signal_too = __sysv_signal,
	.sigset = sigset,
	.siginterrupt = siginterrupt,
	.sigprocmask = sigprocmask,
};

/* A function of the C library's, from behind the wrappers. */
static void libc_function(void *function, const char *name)
{
	void *library = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
	void *symbol = library != NULL ? dlsym(library, name) : NULL;

	memcpy(function, &symbol, sizeof(symbol));
	if (library != NULL) {
		dlclose(library);
	}
}

/* One line of a record: what a step returned, and what the program, and in the end the host, is left with. */
struct step {
	long result;
	int error;
	unsigned long handler;
	unsigned long flags;
	kmem_sigmask mask;
	kmem_sigmask blocked;
};

struct record {
	size_t count;
	struct step steps[64];
};

static void record_step(struct record *record, int signo, long result)
{
	struct step *step = &record->steps[record->count++];
	struct sigaction action;

	ck_assert_uint_le(record->count, COUNT(record->steps));
	step->result = result;
	step->error = errno;
	action = action_get(signo);
	step->handler = (unsigned long)(uintptr_t)action.sa_handler;
	/* SA_INTERRUPT, which means nothing, some hosts forget. */
	step->flags = (unsigned int)action.sa_flags & ~(RESTORER_FLAG | 0x20000000UL);
	step->mask = bits_of(&action.sa_mask);
	step->blocked = mask_now();
	errno = 0;
}

/* Everything that the functions can be asked for about one signal. */
static void script(const struct functions *f, int signo, struct record *record)
{
#define STEP(call) record_step(record, signo, (long)(intptr_t)(call))
	memset(record, 0, sizeof(*record));
	action_set(signo, SIG_DFL, 0, 0);
	errno = 0;
	STEP(f->signal(signo, on_signal));
	STEP(f->signal(signo, SIG_IGN));
	STEP(f->ssignal(signo, on_signal_open));
	STEP(f->bsd_signal(signo, on_signal));
	STEP(f->sysv_signal(signo, on_signal_open));
	STEP(f->sysv_signal_too(signo, on_signal));
	STEP(f->signal(signo, SIG_DFL));

	STEP(f->signal(signo, on_signal));
	STEP(f->siginterrupt(signo, 1));
	STEP(f->signal(signo, on_signal_open));
	STEP(f->ssignal(signo, on_signal));
	STEP(f->sysv_signal(signo, on_signal));
	STEP(f->siginterrupt(signo, 0));
	STEP(f->signal(signo, on_signal));
	STEP(f->siginterrupt(signo, 0));

	STEP(f->sigset(signo, on_signal));
	STEP(f->sigset(signo, SIG_HOLD));
	STEP(f->sigset(signo, SIG_HOLD));
	STEP(f->sigset(signo, SIG_IGN));
	STEP(f->sigset(signo, on_signal_open));
	STEP(f->sigset(signo, SIG_HOLD));
	STEP(f->signal(signo, on_signal));
	STEP(f->sigset(signo, SIG_DFL));
	STEP(f->sigset(signo, SIG_DFL));

	STEP(f->signal(signo, SIG_ERR));
	STEP(f->sysv_signal(signo, SIG_ERR));
	STEP(f->signal(0, on_signal));
	STEP(f->signal(65, on_signal));
	STEP(f->signal(SIGKILL, on_signal));
	STEP(f->signal(SIGSTOP, SIG_IGN));
	STEP(f->signal(32, on_signal));
	STEP(f->sysv_signal(SIGKILL, on_signal));
	STEP(f->sysv_signal(65, on_signal));
	STEP(f->sigset(SIGKILL, on_signal));
	STEP(f->sigset(33, SIG_HOLD));
	STEP(f->sigset(-1, SIG_HOLD));
	STEP(f->siginterrupt(0, 1));
	STEP(f->siginterrupt(65, 0));
	STEP(f->siginterrupt(33, 1));
	STEP(f->siginterrupt(SIGKILL, 1));
	STEP(f->siginterrupt(SIGKILL, 0));
	STEP(f->sigprocmask(99, &(sigset_t){{0}}, NULL));
#undef STEP
}

START_TEST(old_functions_do_as_the_c_librarys_do)
{
	static const int signals[] = {SIGUSR1, SIGSEGV, SIGBUS, SIGALRM, 64};
	int signo = signals[_i % 5];
	static struct record wanted;
	static struct record got;
	struct functions libc;

	libc_function(&libc.signal, "signal");
	libc_function(&libc.ssignal, "ssignal");
	libc_function(&libc.bsd_signal, "bsd_signal");
	libc_function(&libc.sysv_signal, "sysv_signal");
	libc_function(&libc.sysv_signal_too, "__sysv_signal");
	libc_function(&libc.sigset, "sigset");
	libc_function(&libc.siginterrupt, "siginterrupt");
	libc_function(&libc.sigprocmask, "sigprocmask");
	if (libc.bsd_signal == NULL) {
		libc.bsd_signal = libc.signal; /* one and the same, where it is not to be had */
	}
	ck_assert_ptr_nonnull((void *)(uintptr_t)libc.sigset);
	ck_assert_ptr_ne((void *)(uintptr_t)libc.sigset, (void *)(uintptr_t)wrappers.sigset);

	script(&libc, signo, &wanted);
	take_if(_i / 5);
	script(&wrappers, signo, &got);
	ck_assert_uint_eq(got.count, wanted.count);
	for (size_t i = 0; i < got.count; i++) {
		const struct step *a = &got.steps[i];
		const struct step *b = &wanted.steps[i];

		ck_assert_msg(a->result == b->result, "step %zu: %#lx, not %#lx", i, a->result, b->result);
		ck_assert_msg(a->error == b->error, "step %zu: errno %d, not %d", i, a->error, b->error);
		ck_assert_msg(a->handler == b->handler, "step %zu: handler %#lx, not %#lx", i, a->handler, b->handler);
		ck_assert_msg(a->flags == b->flags, "step %zu: flags %#lx, not %#lx", i, a->flags, b->flags);
		ck_assert_msg(a->mask == b->mask, "step %zu: mask %#" PRIx64 ", not %#" PRIx64, i, a->mask, b->mask);
		ck_assert_msg(a->blocked == b->blocked, "step %zu: blocked %#" PRIx64 ", not %#" PRIx64, i, a->blocked,
			      b->blocked);
	}
	if (_i / 5 != 0) {
		release();
	}
	ck_assert_uint_eq(host_mask(), mask_before);
}
END_TEST

START_TEST(signal_stays_installed_and_sysv_signal_does_not)
{
	take_if(_i);
	for (size_t i = 0; i < 2; i++) {
		int signo = i == 0 ? SIGUSR1 : SIGSEGV;

		called = 0;
		ck_assert_ptr_ne((void *)(uintptr_t)signal(signo, on_signal), (void *)(uintptr_t)SIG_ERR);
		ck_assert_int_eq(raise(signo), 0);
		ck_assert_int_eq(raise(signo), 0);
		ck_assert_int_eq(called, 2);
		ck_assert_ptr_eq((void *)(uintptr_t)sysv_signal(signo, on_signal), (void *)(uintptr_t)on_signal);
		ck_assert_int_eq(raise(signo), 0);
		ck_assert_int_eq(called, 3);
		ck_assert_ptr_null((void *)(uintptr_t)signal(signo, SIG_DFL));
	}
}
END_TEST

START_TEST(held_signal_waits)
{
	int signo = both[_i / WAYS];

	take_if(_i % WAYS);
	ck_assert_ptr_null((void *)(uintptr_t)sigset(signo, on_signal));
	ck_assert_ptr_eq((void *)(uintptr_t)sigset(signo, SIG_HOLD), (void *)(uintptr_t)on_signal);
	ck_assert_int_eq(raise(signo), 0);
	ck_assert_int_eq(called, 0);
	ck_assert_ptr_eq((void *)(uintptr_t)sigset(signo, on_signal), (void *)(uintptr_t)SIG_HOLD);
	ck_assert_int_eq(called, 1);
}
END_TEST

static int alarm_pipe[2];

static void on_alarm(int signo)
{
	(void)signo;
	called++;
	if (write(alarm_pipe[1], "a", 1) != 1) {
		_exit(STATUS_ALIVE);
	}
}

/* Wait in read() for what an alarm writes: 1, or EINTR. */
static int read_interrupted(void)
{
	const struct itimerval soon = {.it_value = {.tv_usec = 20000}};
	char byte;
	int ret;

	ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
	ret = read(alarm_pipe[0], &byte, 1) == 1 ? 1 : errno;
	if (ret == EINTR) {
		ck_assert_int_eq(read(alarm_pipe[0], &byte, 1), 1);
	}
	return ret;
}

START_TEST(siginterrupt_decides_about_system_calls)
{
	take_if(_i);
	ck_assert_int_eq(pipe2(alarm_pipe, O_CLOEXEC), 0);
	ck_assert_ptr_ne((void *)(uintptr_t)signal(SIGALRM, on_alarm), (void *)(uintptr_t)SIG_ERR);
	ck_assert_int_eq(read_interrupted(), 1);
	ck_assert_int_eq(siginterrupt(SIGALRM, 1), 0);
	ck_assert_int_eq(read_interrupted(), EINTR);
	/* Also for handlers to come. */
	ck_assert_ptr_ne((void *)(uintptr_t)signal(SIGALRM, on_alarm), (void *)(uintptr_t)SIG_ERR);
	ck_assert_int_eq(read_interrupted(), EINTR);
	ck_assert_int_eq(siginterrupt(SIGALRM, 0), 0);
	ck_assert_int_eq(read_interrupted(), 1);
	ck_assert_int_eq(called, 4);
	close(alarm_pipe[0]);
	close(alarm_pipe[1]);
}
END_TEST

/* Calls that wait with a mask. */

enum {
	WAIT_PPOLL,
	WAIT_PSELECT,
	WAIT_EPOLL,
	WAIT_SUSPEND,
	WAITS,
};

static int wait_epoll;
static int wait_pipe[2];

static void waits_begin(void)
{
	struct epoll_event event = {.events = EPOLLIN};

	ck_assert_int_eq(pipe2(wait_pipe, O_CLOEXEC), 0);
	wait_epoll = epoll_create1(EPOLL_CLOEXEC);
	ck_assert_int_ge(wait_epoll, 0);
	ck_assert_int_eq(epoll_ctl(wait_epoll, EPOLL_CTL_ADD, wait_pipe[0], &event), 0);
}

static void waits_end(void)
{
	close(wait_pipe[0]);
	close(wait_pipe[1]);
	close(wait_epoll);
}

/* Wait for the pipe, or, WAIT_SUSPEND, for a signal; milliseconds -1 is for good. */
static int wait_do(int how, int milliseconds, const sigset_t *set)
{
	const struct timespec limit = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L};
	struct pollfd item = {.fd = wait_pipe[0], .events = POLLIN};
	struct epoll_event event;
	fd_set reads;

	switch (how) {
	case WAIT_PPOLL:
		return ppoll(&item, 1, milliseconds < 0 ? NULL : &limit, set);
	case WAIT_PSELECT:
		FD_ZERO(&reads);
		FD_SET(wait_pipe[0], &reads);
		return pselect(wait_pipe[0] + 1, &reads, NULL, NULL, milliseconds < 0 ? NULL : &limit, set);
	case WAIT_EPOLL:
		return epoll_pwait(wait_epoll, &event, 1, milliseconds, set);
	default:
		return sigsuspend(set);
	}
}

START_TEST(waiting_with_a_full_mask_ends_in_time)
{
	int how = _i / WAYS;
	sigset_t all;

	sigfillset(&all);
	waits_begin();
	take_if(_i % WAYS);
	action_set(SIGUSR1, on_signal, 0, 0);
	mask_do(SIG_BLOCK, BIT(SIGUSR1));
	ck_assert_int_eq(raise(SIGUSR1), 0);
	/* Nothing comes, neither byte nor signal. */
	ck_assert_int_eq(wait_do(how, 30, &all), 0);
	ck_assert_int_eq(called, 0);
	ck_assert_int_eq(wait_do(how, 30, NULL), 0);
	ck_assert_int_eq(wait_do(how, 0, &all), 0);
	ck_assert_uint_eq(bits_of(&all) & TRAPS, TRAPS);
	/* A byte. */
	ck_assert_int_eq(write(wait_pipe[1], "b", 1), 1);
	ck_assert_int_eq(wait_do(how, 30, &all), 1);
	ck_assert_int_eq(wait_do(how, -1, &all), 1);
	ck_assert_int_eq(wait_do(how, -1, NULL), 1);
	ck_assert_int_eq(called, 0);
	ck_assert_uint_eq(mask_now(), BIT(SIGUSR1));
	mask_do(SIG_UNBLOCK, BIT(SIGUSR1));
	ck_assert_int_eq(called, 1);
	waits_end();
}
END_TEST

START_TEST(waiting_ends_with_the_signal_that_its_mask_lets_in)
{
	int how = _i / WAYS;
	sigset_t most;

	sigfillset(&most);
	sigdelset(&most, SIGUSR1);
	waits_begin();
	take_if(_i % WAYS);
	action_set(SIGUSR1, on_signal, 0, 0);
	mask_do(SIG_BLOCK, BIT(SIGUSR1) | BIT(SIGBUS));
	for (int round = 1; round <= 2; round++) {
		ck_assert_int_eq(raise(SIGUSR1), 0);
		errno = 0;
		ck_assert_int_eq(wait_do(how, -1, &most), -1);
		ck_assert_int_eq(errno, EINTR);
		ck_assert_int_eq(called, round);
		ck_assert_uint_eq(mask_now(), BIT(SIGUSR1) | BIT(SIGBUS));
	}
	mask_do(SIG_SETMASK, 0);
	waits_end();
}
END_TEST

struct waiter {
	int how;
	_Atomic pid_t tid;
	int result;
};

static void *waiter_run(void *arg)
{
	struct waiter *waiter = arg;
	sigset_t most;

	sigfillset(&most);
	sigdelset(&most, SIGUSR1);
	mask_do(SIG_SETMASK, ~(kmem_sigmask)0);
	waiter->tid = (pid_t)syscall(SYS_gettid);
	waiter->result = wait_do(waiter->how, -1, &most);
	return NULL;
}

/* The mask that the host has for a thread. */
static kmem_sigmask host_mask_of(pid_t tid)
{
	kmem_sigmask mask = 0;
	char path[64];
	char line[256];
	FILE *status;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", (int)tid);
	status = fopen(path, "re");
	ck_assert_ptr_nonnull(status);
	while (fgets(line, sizeof(line), status) != NULL) {
		(void)sscanf(line, "SigBlk: %" SCNx64, &mask);
	}
	fclose(status);
	return mask;
}

START_TEST(waiting_leaves_the_traps_deliverable)
{
	struct waiter waiter = {.how = _i / WAYS};
	kmem_sigmask wanted = ~(UNBLOCKABLE | INTERNAL | BIT(SIGUSR1) | (_i % WAYS != 0 ? TRAPS : 0));
	pthread_t thread;

	waits_begin();
	take_if(_i % WAYS);
	action_set(SIGUSR1, on_signal, 0, 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, waiter_run, &waiter), 0);
	while (waiter.tid == 0) {
		sched_yield();
	}
	/* It comes to that; in a test that fails, never. */
	while (host_mask_of(waiter.tid) != wanted) {
		sched_yield();
	}
	ck_assert_int_eq(pthread_kill(thread, SIGUSR1), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(waiter.result, -1);
	ck_assert_int_eq(called, 1);
	waits_end();
}
END_TEST

START_TEST(waiting_thread_can_be_cancelled)
{
	struct waiter waiter = {.how = _i / WAYS};
	pthread_t thread;
	void *result;

	waits_begin();
	take_if(_i % WAYS);
	ck_assert_int_eq(pthread_create(&thread, NULL, waiter_run, &waiter), 0);
	while (waiter.tid == 0) {
		sched_yield();
	}
	ck_assert_int_eq(pthread_cancel(thread), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, PTHREAD_CANCELED);
	waits_end();
}
END_TEST

START_TEST(waiting_tells_the_hosts_errors)
{
	struct timespec bad = {.tv_nsec = -1};
	struct epoll_event event;
	struct pollfd item = {.fd = -1};
	sigset_t all;

	sigfillset(&all);
	take_if(_i);
	errno = 0;
	ck_assert_int_eq(ppoll(&item, 1, &bad, &all), -1);
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_int_eq(pselect(0, NULL, NULL, NULL, &bad, &all), -1);
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_int_eq(epoll_pwait(-1, &event, 1, 0, &all), -1);
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

/* What must die. Each of these dies of the signal that it names, or ends with STATUS_ALIVE. */

static void on_signal_alive(int signo)
{
	(void)signo;
	_exit(STATUS_ALIVE);
}

START_TEST(fault_by_default_dies)
{
	take_if(_i);
	touch();
	_exit(STATUS_ALIVE);
}
END_TEST

START_TEST(fault_ignored_dies)
{
	take_if(_i);
	action_set(SIGSEGV, SIG_IGN, 0, 0);
	touch();
	_exit(STATUS_ALIVE);
}
END_TEST

START_TEST(fault_blocked_dies)
{
	take_if(_i % WAYS);
	if (_i / WAYS == 0) {
		action_set(SIGSEGV, on_signal_alive, 0, 0);
	} else {
		action_set(SIGSEGV, SIG_IGN, 0, 0);
	}
	mask_do(SIG_BLOCK, BIT(SIGSEGV));
	touch();
	_exit(STATUS_ALIVE);
}
END_TEST

START_TEST(fault_blocked_before_dies)
{
	action_set(SIGSEGV, on_signal_alive, 0, 0);
	mask_do(SIG_BLOCK, BIT(SIGSEGV));
	take();
	touch();
	_exit(STATUS_ALIVE);
}
END_TEST

START_TEST(fault_after_the_handler_served_once_dies)
{
	take_if(_i);
	action_set(SIGSEGV, on_signal_open, (int)SA_RESETHAND, 0);
	touch();
	if (called != 1) {
		_exit(STATUS_ALIVE);
	}
	hole_close();
	touch();
	_exit(STATUS_ALIVE);
}
END_TEST

/* A fault of its own, once. */
static void on_signal_touch(int signo)
{
	(void)signo;
	if (called++ != 0) {
		_exit(STATUS_ALIVE);
	}
	touch();
	_exit(STATUS_ALIVE);
}

START_TEST(fault_in_its_own_handler_dies)
{
	take_if(_i % WAYS);
	action_set(SIGSEGV, on_signal_touch, _i / WAYS == 0 ? 0 : SA_ONSTACK, 0);
	touch();
	_exit(STATUS_ALIVE);
}
END_TEST

START_TEST(fault_in_the_handler_of_a_sent_signal_dies)
{
	take_if(_i);
	action_set(SIGSEGV, on_signal_touch, 0, 0);
	(void)raise(SIGSEGV);
	_exit(STATUS_ALIVE);
}
END_TEST

START_TEST(fault_in_its_own_handler_after_escapes_dies)
{
	take_if(_i);
	action_set(SIGSEGV, on_signal_escape, 0, 0);
	for (volatile int round = 0; round < 3; round++) {
		if (sigsetjmp(escape, 1) == 0) {
			touch();
		}
	}
	called = 0;
	action_set(SIGSEGV, on_signal_touch, 0, 0);
	touch();
	_exit(STATUS_ALIVE);
}
END_TEST

static volatile int overflow_depth = INT32_MAX;

/* Deeper than any stack. */
static int overflow(volatile char *above)
{
	volatile char frame[4096];

	frame[0] = (char)(above[0] + 1);
	return overflow_depth-- > 0 ? overflow(frame) + frame[0] : 0;
}

static void on_signal_overflow(int signo)
{
	char first = 0;

	(void)signo;
	if (called++ != 0) {
		_exit(STATUS_ALIVE);
	}
	_exit(overflow(&first) == 0 ? STATUS_ALIVE : STATUS_ALIVE + 1);
}

START_TEST(handler_that_overflows_the_alternate_stack_dies)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO); /* it is told why */
	take_if(_i % WAYS);
	action_set(SIGSEGV, on_signal_overflow, SA_ONSTACK | (_i / WAYS == 0 ? 0 : SA_NODEFER), 0);
	touch();
	_exit(STATUS_ALIVE);
}
END_TEST

static void on_signal_default(int signo)
{
	(void)signal(signo, SIG_DFL);
	if (called++ != 0) {
		_exit(STATUS_ALIVE);
	}
}

static void on_signal_default_raise(int signo)
{
	(void)signal(signo, SIG_DFL);
	(void)raise(signo);
	hole_open();
}

START_TEST(fault_of_a_handler_that_gives_up_dies)
{
	take_if(_i % WAYS);
	action_set(SIGSEGV, _i / WAYS == 0 ? on_signal_default : on_signal_default_raise, 0, 0);
	touch();
	_exit(STATUS_ALIVE);
}
END_TEST

static void *thread_touch(void *arg)
{
	touch();
	return arg;
}

START_TEST(fault_of_a_thread_dies)
{
	pthread_t thread;

	take_if(_i);
	ck_assert_int_eq(pthread_create(&thread, NULL, thread_touch, NULL), 0);
	pthread_join(thread, NULL);
	_exit(STATUS_ALIVE);
}
END_TEST

START_TEST(fault_after_release_dies)
{
	take();
	release();
	touch();
	_exit(STATUS_ALIVE);
}
END_TEST

START_TEST(signal_by_default_dies)
{
	take_if(_i % WAYS);
	if (_i / WAYS == 0) {
		(void)raise(SIGSEGV);
	} else {
		(void)kill(getpid(), SIGSEGV);
	}
	_exit(STATUS_ALIVE);
}
END_TEST

START_TEST(signal_by_default_dies_once_it_is_not_blocked)
{
	take_if(_i);
	mask_do(SIG_BLOCK, BIT(SIGSEGV));
	(void)raise(SIGSEGV);
	if (mask_now() != BIT(SIGSEGV)) {
		_exit(STATUS_ALIVE);
	}
	mask_do(SIG_UNBLOCK, BIT(SIGSEGV));
	_exit(STATUS_ALIVE);
}
END_TEST

START_TEST(bus_error_by_default_dies)
{
	int fd = memfd_create("bus", MFD_CLOEXEC);
	volatile char *bytes = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);

	take_if(_i);
	(void)bytes[0];
	_exit(STATUS_ALIVE);
}
END_TEST

START_TEST(default_for_good_dies)
{
	take();
	action_set(SIGSEGV, on_signal_alive, 0, 0);
	kmem_signals_default(SIGSEGV);
	touch();
	_exit(STATUS_ALIVE);
}
END_TEST

static void *thread_abort(void *arg)
{
	(void)arg;
	kmem_signals_abort();
}

START_TEST(abort_dies_whatever_the_program_wants)
{
	pthread_t thread;

	take_if(_i % WAYS);
	switch (_i / WAYS) {
	case 0:
		break;
	case 1:
		action_set(SIGABRT, on_signal_alive, 0, 0);
		break;
	case 2:
		action_set(SIGABRT, SIG_IGN, 0, 0);
		break;
	case 3:
		action_set(SIGABRT, on_signal_alive, SA_NODEFER, 0);
		mask_do(SIG_SETMASK, ~(kmem_sigmask)0);
		break;
	case 4:
		kmem_signals_block(NULL);
		break;
	default:
		action_set(SIGABRT, on_signal_escape, 0, 0);
		mask_do(SIG_BLOCK, BIT(SIGABRT));
		ck_assert_int_eq(pthread_create(&thread, NULL, thread_abort, NULL), 0);
		pthread_join(thread, NULL);
		_exit(STATUS_ALIVE);
	}
	kmem_signals_abort();
}
END_TEST

/* SIGSYS, which is taken by itself. */

static volatile sig_atomic_t calls;

static void call(int signo, siginfo_t *info, void *ucontext)
{
	calls++;
	trap_mask = host_mask();
	kmem_signals_hand_on(signo, info, ucontext);
}

static void calls_teardown(void)
{
	if ((kmem_signals_strip(CALLS) & CALLS) == 0) {
		kmem_signals_release_calls();
	}
	teardown();
}

static void calls_take(void)
{
	calls = 0;
	ck_assert_int_eq(kmem_signals_take_calls(call), 0);
}

START_TEST(calls_are_the_programs_unless_taken)
{
	take();
	action_set(SIGSYS, on_signal, 0, 0);
	mask_do(SIG_SETMASK, CALLS);
	ck_assert_uint_eq(host_mask(), CALLS);
	ck_assert_uint_eq(host_action_get(SIGSYS).handler, (unsigned long)(uintptr_t)on_signal);
	ck_assert_uint_eq(kmem_signals_strip(CALLS | TRAPS), CALLS);
	mask_do(SIG_SETMASK, 0);
}
END_TEST

/* Both are taken, in both orders, and given back in both. */
START_TEST(calls_and_traps_are_taken_by_themselves)
{
	const kmem_sigmask mask = TRAPS | CALLS | BIT(SIGHUP);

	action_set(SIGUSR1, on_signal, 0, mask);
	action_set(SIGSYS, on_signal, 0, mask);
	mask_do(SIG_SETMASK, mask);
	if (_i % 2 == 0) {
		take();
		calls_take();
	} else {
		calls_take();
		ck_assert_uint_eq(host_mask(), mask & ~CALLS);
		ck_assert_uint_eq(host_action_get(SIGUSR1).mask, mask & ~CALLS);
		take();
	}
	ck_assert_uint_eq(host_mask(), BIT(SIGHUP));
	ck_assert_uint_eq(mask_now(), mask);
	ck_assert_uint_eq(host_action_get(SIGUSR1).mask, BIT(SIGHUP));
	ck_assert_uint_eq(host_action_get(SIGSYS).handler, (unsigned long)(uintptr_t)call);
	ck_assert_uint_eq(host_action_get(SIGSYS).mask, 0);
	expect_action(SIGUSR1, on_signal, 0, mask);
	expect_action(SIGSYS, on_signal, 0, mask);
	ck_assert_uint_eq(kmem_signals_strip(mask), BIT(SIGHUP));
	if (_i / 2 == 0) {
		kmem_signals_release();
		ck_assert_uint_eq(host_action_get(SIGUSR1).mask, mask & ~CALLS);
		kmem_signals_release_calls();
	} else {
		kmem_signals_release_calls();
		ck_assert_uint_eq(host_action_get(SIGSYS).mask, mask & ~TRAPS);
		ck_assert_uint_eq(host_action_get(SIGUSR1).mask, mask & ~TRAPS);
		ck_assert(kmem_signals_are_taken());
		kmem_signals_release();
	}
	is_taken = false;
	ck_assert(!kmem_signals_are_taken());
	ck_assert_uint_eq(host_action_get(SIGUSR1).mask, mask);
	ck_assert_uint_eq(host_action_get(SIGSYS).mask, mask);
	ck_assert_uint_eq(host_action_get(SIGSYS).handler, (unsigned long)(uintptr_t)on_signal);
	ck_assert_uint_eq(mask_now(), mask);
	ck_assert_uint_eq(host_mask(), mask);
	mask_do(SIG_SETMASK, 0);
}
END_TEST

START_TEST(call_that_was_sent_is_the_programs)
{
	if (_i != 0) {
		calls_take();
	}
	info_action_set(SIGSYS, on_info, 0, BIT(SIGHUP));
	ck_assert_int_eq(raise(SIGSYS), 0);
	ck_assert_int_eq(called, 1);
	ck_assert_int_eq(seen.pid, getpid());
	mask_do(SIG_SETMASK, CALLS);
	ck_assert_int_eq(raise(SIGSYS), 0);
	ck_assert_int_eq(called, 1);
	ck_assert((kmem_signals_pending() & CALLS) != 0);
	mask_do(SIG_SETMASK, 0);
	ck_assert_int_eq(called, 2);
	ck_assert_uint_eq(kmem_signals_pending(), 0);
	action_set(SIGSYS, SIG_IGN, 0, 0);
	ck_assert_int_eq(raise(SIGSYS), 0);
	ck_assert_int_eq(called, 2);
	if (_i != 0) {
		ck_assert_int_eq(calls, 4); /* the one that waited came twice */
		ck_assert_uint_eq(trap_mask, mask_before);
	}
}
END_TEST

/* Masks that are changed in a handler of calls are what the interrupted code has then. */
static kmem_sigmask mask_before_call;

static void call_mask(int signo, siginfo_t *info, void *ucontext)
{
	const kmem_sigmask mask = TRAPS | BIT(SIGUSR1);

	(void)signo;
	(void)info;
	ck_assert_int_eq(kmem_signals_mask_in(ucontext, SIG_BLOCK, &mask, &mask_before_call), 0);
	ck_assert_int_eq(kmem_signals_mask_in(ucontext, 17, &mask, NULL), -EINVAL);
}

START_TEST(mask_set_in_a_call_outlasts_it)
{
	take();
	ck_assert_int_eq(kmem_signals_take_calls(call_mask), 0);
	mask_do(SIG_SETMASK, BIT(SIGHUP) | CALLS);
	ck_assert_int_eq(raise(SIGSYS), 0);
	ck_assert_uint_eq(mask_before_call, BIT(SIGHUP) | CALLS);
	ck_assert_uint_eq(mask_now(), BIT(SIGHUP) | CALLS | TRAPS | BIT(SIGUSR1));
	ck_assert_uint_eq(host_mask(), BIT(SIGHUP) | BIT(SIGUSR1));
	mask_do(SIG_SETMASK, 0);
}
END_TEST

START_TEST(raw_action_is_the_same_action)
{
	static const int signals[] = {SIGSEGV, SIGSYS, SIGUSR1};
	const kmem_sigmask mask = TRAPS | CALLS | BIT(SIGHUP);
	struct kmem_signals_action action = {.handler = on_signal, .flags = SA_RESTART, .mask = mask};
	struct kmem_signals_action old;

	take();
	calls_take();
	for (size_t i = 0; i < COUNT(signals); i++) {
		ck_assert_int_eq(kmem_signals_action_raw(signals[i], &action, NULL), 0);
		expect_action(signals[i], on_signal, SA_RESTART, mask);
		ck_assert_int_eq(kmem_signals_action_raw(signals[i], NULL, &old), 0);
		ck_assert(old.handler == on_signal && old.mask == mask);
		ck_assert_uint_eq(old.flags & ~RESTORER_FLAG, SA_RESTART);
		action_set(signals[i], SIG_DFL, 0, 0);
	}
	ck_assert_int_eq(kmem_signals_action_raw(SIGKILL, &action, NULL), -EINVAL);
	ck_assert_int_eq(kmem_signals_action_raw(65, &action, NULL), -EINVAL);
	ck_assert_int_eq(kmem_signals_action_raw(32, NULL, &old), 0);
}
END_TEST

/* What a successor inherits is true for the time of an exec, and a wish after one that failed. */
START_TEST(wishes_are_true_for_an_exec)
{
	struct kmem_signals_exec exec;

	take();
	calls_take();
	mask_do(SIG_SETMASK, BIT(SIGSEGV) | CALLS | BIT(SIGHUP));
	action_set(SIGBUS, SIG_IGN, 0, 0);
	ck_assert_int_eq(raise(SIGSYS), 0);
	kmem_signals_exec_begin(&exec);
	ck_assert_uint_eq(host_mask(), BIT(SIGSEGV) | CALLS | BIT(SIGHUP));
	ck_assert_uint_eq(host_action_get(SIGBUS).handler, (unsigned long)(uintptr_t)SIG_IGN);
	ck_assert_uint_eq(host_action_get(SIGSEGV).handler, (unsigned long)(uintptr_t)trap);
	kmem_signals_exec_end(&exec);
	ck_assert_uint_eq(host_mask(), BIT(SIGHUP));
	ck_assert_uint_eq(mask_now(), BIT(SIGSEGV) | CALLS | BIT(SIGHUP));
	ck_assert_uint_eq(host_action_get(SIGBUS).handler, (unsigned long)(uintptr_t)trap);
	expect_action(SIGBUS, SIG_IGN, 0, 0);
	ck_assert(kmem_signals_is_ignored(SIGBUS) && !kmem_signals_is_ignored(SIGSYS));
	ck_assert((kmem_signals_pending() & CALLS) != 0);
	ck_assert(kmem_signals_pending_take(SIGSYS) && !kmem_signals_pending_take(SIGSYS));
	mask_do(SIG_SETMASK, 0);
}
END_TEST

/* The child of a vfork() has wishes of its own, and its parent does not see them. */
static int borrow(void *arg)
{
	struct kmem_signals_exec exec;
	bool is_right;

	(void)arg;
	mask_do(SIG_SETMASK, BIT(SIGSEGV));
	action_set(SIGBUS, SIG_IGN, 0, 0);
	action_set(SIGSYS, SIG_DFL, 0, 0);
	action_set(SIGUSR1, SIG_DFL, 0, 0);
	kmem_signals_exec_begin(&exec);
	is_right = host_mask() == BIT(SIGSEGV) && host_action_get(SIGBUS).handler == (unsigned long)(uintptr_t)SIG_IGN &&
		   host_action_get(SIGSYS).handler == (unsigned long)(uintptr_t)call && mask_now() == BIT(SIGSEGV) &&
		   action_get(SIGBUS).sa_handler == SIG_IGN && action_get(SIGSYS).sa_handler == SIG_DFL;
	kmem_signals_exec_end(&exec);
	_exit(is_right ? 0 : 1);
}

START_TEST(child_on_borrowed_memory_keeps_its_wishes_to_itself)
{
	static char stack[64 * 1024] __attribute__((aligned(16)));
	int status;
	pid_t child;

	(void)kmem_thread_id();
	take();
	calls_take();
	mask_do(SIG_SETMASK, CALLS);
	action_set(SIGBUS, on_signal, 0, CALLS);
	action_set(SIGSYS, on_signal, 0, CALLS);
	action_set(SIGUSR1, on_signal, 0, CALLS);
	child = clone(borrow, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	ck_assert_int_gt(child, 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ck_assert_uint_eq(mask_now(), CALLS);
	expect_action(SIGBUS, on_signal, 0, CALLS);
	expect_action(SIGSYS, on_signal, 0, CALLS);
	expect_action(SIGUSR1, on_signal, 0, CALLS);
	mask_do(SIG_SETMASK, 0);
}
END_TEST

static TCase *case_add(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 30);
	suite_add_tcase(suite, tcase);
	return tcase;
}

/* Whether tests may die: each must have a process of its own, and Valgrind none. */
static bool may_die(void)
{
	const char *mode = getenv("CK_FORK");

	return !harness_on_valgrind() && (mode == NULL || strcmp(mode, "no") != 0);
}

static void deaths_add(Suite *suite)
{
	TCase *tcase = case_add(suite, "death");

	tcase_add_loop_test_raise_signal(tcase, fault_by_default_dies, SIGSEGV, 0, WAYS);
	tcase_add_loop_test_raise_signal(tcase, fault_ignored_dies, SIGSEGV, 0, WAYS);
	tcase_add_loop_test_raise_signal(tcase, fault_blocked_dies, SIGSEGV, 0, 2 * WAYS);
	tcase_add_test_raise_signal(tcase, fault_blocked_before_dies, SIGSEGV);
	tcase_add_loop_test_raise_signal(tcase, fault_after_the_handler_served_once_dies, SIGSEGV, 0, WAYS);
	tcase_add_loop_test_raise_signal(tcase, fault_in_its_own_handler_dies, SIGSEGV, 0, 2 * WAYS);
	tcase_add_loop_test_raise_signal(tcase, fault_in_the_handler_of_a_sent_signal_dies, SIGSEGV, 0, WAYS);
	tcase_add_loop_test_raise_signal(tcase, fault_in_its_own_handler_after_escapes_dies, SIGSEGV, 0, WAYS);
	/* The host calls the handler of the second kind for ever, and a sanitizer's alternate stack is not ours. */
	if (!harness_on_asan() && !harness_on_tsan()) {
		tcase_add_loop_test_raise_signal(tcase, handler_that_overflows_the_alternate_stack_dies, SIGSEGV, 0, 2);
		tcase_add_loop_test_raise_signal(tcase, handler_that_overflows_the_alternate_stack_dies, SIGSEGV, 3, 4);
	}
	tcase_add_loop_test_raise_signal(tcase, fault_of_a_handler_that_gives_up_dies, SIGSEGV, 0, 2 * WAYS);
	tcase_add_loop_test_raise_signal(tcase, fault_of_a_thread_dies, SIGSEGV, 0, WAYS);
	tcase_add_test_raise_signal(tcase, fault_after_release_dies, SIGSEGV);
	tcase_add_loop_test_raise_signal(tcase, signal_by_default_dies, SIGSEGV, 0, 2 * WAYS);
	tcase_add_loop_test_raise_signal(tcase, signal_by_default_dies_once_it_is_not_blocked, SIGSEGV, 0, WAYS);
	tcase_add_loop_test_raise_signal(tcase, bus_error_by_default_dies, SIGBUS, 0, WAYS);
	tcase_add_test_raise_signal(tcase, default_for_good_dies, SIGSEGV);
	tcase_add_loop_test_raise_signal(tcase, abort_dies_whatever_the_program_wants, SIGABRT, 0, 6 * WAYS);
}

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("signals");
	TCase *tcase = case_add(suite, "take");

	tcase_add_test(tcase, take_and_release_change_nothing);
	tcase_add_loop_test(tcase, action_from_before_is_reported_and_comes_back, 0, 2);
	tcase_add_loop_test(tcase, action_is_remembered_and_reported, 0, 2 * WAYS);
	tcase_add_loop_test(tcase, full_mask_of_a_handler_is_reported_without_what_cannot_be_blocked, 0, 2 * WAYS);
	tcase_add_loop_test(tcase, mask_of_a_handler_that_served_once_comes_back, 0, WAYS);
	tcase_add_test(tcase, masks_of_other_handlers_are_stripped_and_come_back);
	tcase_add_loop_test(tcase, mask_of_a_handler_set_while_taken_is_reported_and_comes_back, 0, 3);
	tcase_add_loop_test(tcase, refused_action_changes_nothing, 0, WAYS);
	tcase_add_loop_test(tcase, bad_signal_numbers_are_refused, 0, WAYS);
	tcase_add_test(tcase, handler_of_traps_runs_undisturbed_on_the_alternate_stack);

	tcase = case_add(suite, "mask");
	tcase_add_loop_test(tcase, mask_is_reported_as_wished, 0, WAYS);
	tcase_add_loop_test(tcase, refused_mask_changes_nothing, 0, WAYS);
	tcase_add_loop_test(tcase, signals_of_the_c_library_cannot_be_blocked, 0, WAYS);
	tcase_add_loop_test(tcase, mask_from_before_is_kept_as_wish_and_comes_back, 0, 5);
	tcase_add_test(tcase, mask_set_while_taken_stays_after_release);
	tcase_add_test(tcase, mask_of_another_thread_outlives_release);
	tcase_add_test(tcase, mask_of_another_thread_from_before_can_be_changed);
	tcase_add_loop_test(tcase, block_leaves_the_synchronous_signals, 0, WAYS);
	tcase_add_test(tcase, block_and_restore_keep_the_wish);
	tcase_add_loop_test(tcase, block_opens_nothing_that_the_program_has_blocked, 0, WAYS);
	tcase_add_test(tcase, strip_takes_both_while_taken);
	tcase_add_loop_test(tcase, discarded_signal_does_not_come, 0, WAYS);
	tcase_add_test(tcase, interrupted_mask_is_that_of_the_interrupted_code);

	tcase = case_add(suite, "fault");
	tcase_add_loop_test(tcase, handler_escapes_three_times, 0, 2 * WAYS);
	tcase_add_loop_test(tcase, handler_returns_to_the_instruction, 0, 2 * WAYS);
	tcase_add_loop_test(tcase, bus_error_reaches_its_handler, 0, WAYS);
	tcase_add_test(tcase, trap_that_is_served_reaches_no_handler);
	tcase_add_loop_test(tcase, handler_has_the_mask_it_asked_for, 0, 2 * WAYS);
	tcase_add_loop_test(tcase, handler_serves_once, 0, 2 * WAYS);
	tcase_add_loop_test(tcase, handler_that_asked_for_it_may_fault_itself, 0, WAYS);
	tcase_add_loop_test(tcase, handler_of_one_may_fault_with_the_other, 0, WAYS);
	tcase_add_loop_test(tcase, handler_may_fault_after_an_escape, 0, WAYS);

	tcase = case_add(suite, "sent");
	tcase_add_loop_test(tcase, sent_signal_reaches_the_handler, 0, 2 * WAYS);
	tcase_add_loop_test(tcase, ignored_signal_is_ignored, 0, 2 * WAYS);
	tcase_add_loop_test(tcase, blocked_signal_waits, 0, 2 * WAYS);
	tcase_add_loop_test(tcase, signal_that_waits_goes_where_the_action_is_by_then, 0, WAYS);
	tcase_add_loop_test(tcase, signal_waits_across_take_and_release, 0, 2);
	tcase_add_loop_test(tcase, signal_sent_in_its_handler_waits_for_the_end, 0, WAYS);
	tcase_add_loop_test(tcase, handler_may_change_the_mask_it_returns_to, 0, WAYS);
	tcase_add_loop_test(tcase, traps_are_served_in_handlers_that_block_everything, 0, 2);

	tcase = case_add(suite, "thread");
	tcase_add_test(tcase, worker_that_blocks_everything_is_served);
	tcase_add_loop_test(tcase, new_thread_inherits_the_mask, 0, WAYS);
	tcase_add_loop_test(tcase, signal_sent_to_a_thread_waits_there, 0, WAYS);
	tcase_add_loop_test(tcase, threads_fault_at_once, 0, WAYS);
	tcase_add_test(tcase, hooks_are_called_on_every_way_out);
	tcase_add_test(tcase, stack_of_the_programs_is_told);
	if (!harness_on_asan() && !harness_on_tsan()) {
		tcase_add_test(tcase, thread_that_cannot_be_made_calls_no_hook); /* limits the address space */
	}
	tcase_add_loop_test(tcase, child_of_a_fork_keeps_handlers_and_masks, 0, WAYS);

	tcase = case_add(suite, "old");
	tcase_add_loop_test(tcase, old_functions_do_as_the_c_librarys_do, 0, 5 * WAYS);
	tcase_add_loop_test(tcase, signal_stays_installed_and_sysv_signal_does_not, 0, WAYS);
	tcase_add_loop_test(tcase, held_signal_waits, 0, 2 * WAYS);
	tcase_add_loop_test(tcase, siginterrupt_decides_about_system_calls, 0, WAYS);

	tcase = case_add(suite, "wait");
	tcase_add_loop_test(tcase, waiting_with_a_full_mask_ends_in_time, 0, WAIT_SUSPEND * WAYS);
	tcase_add_loop_test(tcase, waiting_ends_with_the_signal_that_its_mask_lets_in, 0, WAITS * WAYS);
	tcase_add_loop_test(tcase, waiting_leaves_the_traps_deliverable, 0, WAITS * WAYS);
	if (!harness_on_asan()) {
		/* It trips over what the frames that were cancelled have left of its shadow. */
		tcase_add_loop_test(tcase, waiting_thread_can_be_cancelled, 0, WAITS * WAYS);
	}
	tcase_add_loop_test(tcase, waiting_tells_the_hosts_errors, 0, WAYS);

	tcase = tcase_create("calls");
	tcase_add_checked_fixture(tcase, setup, calls_teardown);
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, calls_are_the_programs_unless_taken);
	tcase_add_loop_test(tcase, calls_and_traps_are_taken_by_themselves, 0, 4);
	tcase_add_loop_test(tcase, call_that_was_sent_is_the_programs, 0, WAYS);
	tcase_add_test(tcase, mask_set_in_a_call_outlasts_it);
	tcase_add_test(tcase, raw_action_is_the_same_action);
	tcase_add_test(tcase, wishes_are_true_for_an_exec);
	if (!harness_on_asan() && !harness_on_tsan()) {
		tcase_add_test(tcase, child_on_borrowed_memory_keeps_its_wishes_to_itself);
	}

	if (may_die()) {
		deaths_add(suite);
	}
	return suite;
}
