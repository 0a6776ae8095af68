/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with handlers of its own for the signals that the library lives on: what they are told, masks, pending signals, and how
 * processes end of them. Between all that it walks over more memory than there is.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "prog.h"

#define HEAP_SIZE (6UL << 20)
#define OLD_BIT(signo) (1 << ((signo) - 1))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const int owned[] = {SIGSEGV, SIGBUS, SIGSYS};

static unsigned char *heap;

/* Go over the heap, so that what was in RAM is out. The sum tells whether it is intact. */
static unsigned long walk(void)
{
	return walk_over(heap, HEAP_SIZE);
}

static const char *name_of(int signo)
{
	return sigabbrev_np(signo) != NULL ? sigabbrev_np(signo) : "?";
}

static void handler_set(int signo, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};

	if (sigaction(signo, &action, NULL) != 0) {
		printf("sigaction: %d\n", errno);
	}
}

static void simple_set(int signo, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};

	if (sigaction(signo, &action, NULL) != 0) {
		printf("sigaction: %d\n", errno);
	}
}

/* Which of some signals a mask has. */
static void mask_print(const char *what, const sigset_t *set)
{
	static const int shown[] = {SIGBUS, SIGUSR1, SIGSEGV, SIGALRM, SIGSYS, 40};

	printf("%s:", what);
	for (size_t i = 0; i < COUNT(shown); i++) {
		if (sigismember(set, shown[i]) == 1) {
			printf(" %d", shown[i]);
		}
	}
	printf("\n");
}

static void mask_now_print(const char *what)
{
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	mask_print(what, &set);
}

static void mask_full(int how)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(how, &set, NULL);
}

static void mask_empty(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

/* Faults. */

static sigjmp_buf escape;
static volatile sig_atomic_t calls;
static unsigned char *volatile bad;

static void on_fault_escape(int signo, siginfo_t *info, void *context)
{
	(void)context;
	calls++;
	printf("%s code %d at %s, heap %lu\n", name_of(signo), info->si_code,
	       info->si_addr == NULL ? "0" : info->si_addr == bad ? "the address" : "elsewhere", walk());
	siglongjmp(escape, 1);
}

static void on_fault_open(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	calls++;
	mprotect((void *)((uintptr_t)info->si_addr & ~(PAGE - 1)), PAGE, PROT_READ | PROT_WRITE);
}

static void touch(unsigned char *where)
{
	bad = where;
	if (sigsetjmp(escape, 1) == 0) {
		*(volatile unsigned char *)where = 1;
		printf("written\n");
	}
}

static void faults(void)
{
	unsigned char *own = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	FILE *file = tmpfile();
	unsigned char *empty = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);

	handler_set(SIGSEGV, on_fault_escape, 0);
	handler_set(SIGBUS, on_fault_escape, SA_ONSTACK);
	for (int i = 0; i < 3; i++) {
		touch(NULL);
		touch(own);
		touch((unsigned char *)0x5a5a5a5a5a5a5a5aUL);
		touch(empty);
		touch((unsigned char *)(uintptr_t)faults);
	}
	handler_set(SIGSEGV, on_fault_open, SA_NODEFER);
	touch(own + 100);
	touch(own + PAGE + 100);
	printf("%d calls, %d\n", (int)calls, own[100]);
	/* Of the heap's own. */
	mprotect(heap + HEAP_SIZE / 2, PAGE, PROT_NONE);
	walk();
	printf("%d calls\n", (int)calls);
	munmap(own, 2 * PAGE);
	munmap(empty, PAGE);
	fclose(file);
}

/* A handler that faults itself, with the other signal, and the same where it asked for that. */
static sigjmp_buf inner;
/* The mask is changed by a system call of the program's own, and by siglongjmp(), after everything was blocked. */
static void mask_past(void)
{
	const uint64_t none = 0;
	long result = SYS_rt_sigprocmask;
	sigjmp_buf back;
	volatile int round;

	handler_set(SIGSEGV, on_fault_escape, 0);
	mask_full(SIG_BLOCK);
	__asm__ volatile("movq %[size], %%r10\n"
			 "syscall"
			 : "+a"(result)
			 : "D"(SIG_SETMASK), "S"(&none), "d"(NULL), [size] "r"(sizeof(none))
			 : "rcx", "r11", "r10", "memory");
	touch((unsigned char *)8);
	printf("past the C library: %ld\n", result);
	for (round = 0; round < 2; round++) {
		if (sigsetjmp(back, 1) == 0) {
			mask_full(SIG_BLOCK);
			siglongjmp(back, 1);
		}
		touch((unsigned char *)8);
	}
	printf("after a jump\n");
	mask_empty();
}

static volatile uintptr_t low = 8; /* no page of anybody's */

static void on_fault_nest(int signo, siginfo_t *info, void *context)
{
	volatile int depth = calls++;

	(void)info;
	(void)context;
	printf("%s, depth %d, heap %lu\n", name_of(signo), depth, walk());
	if (depth < 3) {
		*(volatile int *)low = 1;
	}
	siglongjmp(inner, 1);
}

static void on_user(int signo)
{
	printf("%s, heap %lu\n", name_of(signo), walk());
	bad = NULL;
	if (sigsetjmp(escape, 1) == 0) {
		*(volatile int *)NULL = 1;
	}
	printf("%s is over\n", name_of(signo));
}

static void nesting(void)
{
	calls = 0;
	handler_set(SIGSEGV, on_fault_nest, SA_NODEFER);
	if (sigsetjmp(inner, 1) == 0) {
		*(volatile int *)low = 1;
	}
	printf("%d calls\n", (int)calls);
	handler_set(SIGSEGV, on_fault_escape, 0);
	simple_set(SIGUSR1, on_user);
	raise(SIGUSR1);
	handler_set(SIGUSR1, (void (*)(int, siginfo_t *, void *))(uintptr_t)on_user, SA_ONSTACK);
	touch(NULL);
	raise(SIGUSR1);
}

/* A handler that moves the interrupted code on. */
static void on_fault_skip(int signo, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;

	(void)signo;
	(void)info;
	interrupted->uc_mcontext.gregs[REG_RIP] += 2;
	sigaddset(&interrupted->uc_sigmask, SIGUSR1);
	sigaddset(&interrupted->uc_sigmask, SIGBUS);
}

static void skipping(void)
{
	handler_set(SIGSEGV, on_fault_skip, 0);
	__asm__ volatile("movb (%%rax), %%al" ::"a"(0));
	mask_now_print("after the handler");
	mask_empty();
}

/* Masks and waiting signals. */

static void on_count(int signo)
{
	calls++;
	printf("%s came\n", name_of(signo));
	mask_now_print("in it");
}

static void masks(void)
{
	struct sigaction action = {.sa_handler = on_count, .sa_flags = SA_RESTART};
	struct sigaction old;
	sigset_t set;
	sigset_t before;

	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigaddset(&set, SIGSYS);
	sigaddset(&set, 40);
	sigprocmask(SIG_BLOCK, &set, &before);
	mask_print("before", &before);
	mask_now_print("blocked");
	sigdelset(&set, SIGSEGV);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	mask_now_print("less");
	mask_full(SIG_SETMASK);
	mask_now_print("full");
	printf("heap %lu\n", walk());
	mask_empty();
	mask_now_print("empty");
	sigfillset(&action.sa_mask);
	sigdelset(&action.sa_mask, SIGBUS);
	for (size_t i = 0; i < COUNT(owned); i++) {
		sigaction(owned[i], &action, NULL);
		sigaction(owned[i], NULL, &old);
		printf("%s: flags %x, same %d\n", name_of(owned[i]), (unsigned int)old.sa_flags & ~0x04000000U, old.sa_handler == on_count);
		mask_print("its mask", &old.sa_mask);
	}
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR1, NULL, &old);
	mask_print("another's", &old.sa_mask);
}

static void waiting(void)
{
	siginfo_t info;
	sigset_t set;
	int signo;

	for (size_t i = 0; i < COUNT(owned); i++) {
		simple_set(owned[i], on_count);
		mask_full(SIG_SETMASK);
		raise(owned[i]);
		walk();
		sigpending(&set);
		mask_print("waiting", &set);
		mask_empty();
		mask_full(SIG_SETMASK);
		raise(owned[i]);
		sigemptyset(&set);
		sigaddset(&set, owned[i]);
		if (sigwait(&set, &signo) == 0) {
			printf("waited for %s\n", name_of(signo));
		}
		raise(owned[i]);
		printf("waited for %s\n", name_of(sigwaitinfo(&set, &info)));
		printf("and nothing: %d\n", sigtimedwait(&set, &info, &(struct timespec){.tv_nsec = 1000}));
		sigpending(&set);
		mask_print("waiting", &set);
		simple_set(owned[i], SIG_IGN);
		raise(owned[i]);
		mask_empty();
		simple_set(owned[i], SIG_DFL);
	}
}

static volatile sig_atomic_t alarms;

static void on_alarm(int signo)
{
	(void)signo;
	alarms++;
	walk();
}

/* Calls that wait with a mask of their own, which is full but for the alarm. */
static void suspended(void)
{
	struct itimerval soon = {.it_value.tv_usec = 20000};
	struct pollfd none = {.fd = -1};
	struct epoll_event event;
	int poller = epoll_create1(0);
	sigset_t mask;

	simple_set(SIGALRM, on_alarm);
	mask_full(SIG_SETMASK);
	sigfillset(&mask);
	sigdelset(&mask, SIGALRM);
	for (int i = 0; i < 5; i++) {
		int ret = 0;

		setitimer(ITIMER_REAL, &soon, NULL);
		errno = 0;
		switch (i) {
		case 0:
			ret = sigsuspend(&mask);
			break;
		case 1:
			ret = ppoll(&none, 1, NULL, &mask);
			break;
		case 2:
			ret = pselect(0, NULL, NULL, NULL, NULL, &mask);
			break;
		case 3:
			ret = epoll_pwait(poller, &event, 1, -1, &mask);
			break;
		default:
			ret = epoll_pwait2(poller, &event, 1, NULL, &mask);
			break;
		}
		printf("waiting %d: %d, errno %d, alarms %d\n", i, ret, errno, (int)alarms);
	}
	close(poller);
	mask_empty();
}

/* The old functions. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static void old_functions(void)
{
	printf("signal: %d\n", signal(SIGSEGV, on_count) == SIG_DFL);
	printf("sighold: %d\n", sighold(SIGSEGV));
	raise(SIGSEGV);
	mask_now_print("held");
	printf("sigrelse: %d\n", sigrelse(SIGSEGV));
	printf("sigignore: %d %d\n", sigignore(SIGSEGV), sigignore(SIGKILL));
	raise(SIGSEGV);
	printf("sigset: %d\n", sigset(SIGSEGV, SIG_DFL) == SIG_IGN);
	printf("sigblock: %x\n", (unsigned int)sigblock(OLD_BIT(SIGBUS) | OLD_BIT(SIGSEGV) | OLD_BIT(SIGUSR1)));
	mask_now_print("then");
	printf("sigsetmask: %x\n", (unsigned int)sigsetmask(OLD_BIT(SIGSYS)));
	printf("siggetmask: %x\n", (unsigned int)siggetmask());
	sigsetmask(0);
	alarms = 0;
	sighold(SIGALRM);
	setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = 10000}, NULL);
	printf("sigpause: %d, errno %d, alarms %d\n", sigpause(SIGALRM), errno, (int)alarms);
	sigrelse(SIGALRM);
}

/* A filter of the program's own, whose traps are the program's. */
static void on_call(int signo, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;

	printf("%s code %d call %d value %d\n", name_of(signo), info->si_code, info->si_syscall == SYS_getpgid, info->si_errno);
	interrupted->uc_mcontext.gregs[REG_RAX] = 12345;
}

static void own_filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP | 7),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = COUNT(code), .filter = code};

	handler_set(SIGSYS, on_call, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
		printf("no filter\n");
		exit(1);
	}
	printf("getpgid: %d\n", (int)getpgid(0));
	sighold(SIGUSR1);
	printf("getpgid: %d, heap %lu\n", (int)getpgid(0), walk());
	mask_now_print("then");
	simple_set(SIGSYS, SIG_DFL);
	fflush(stdout);
	getpgid(0);
	printf("it lives\n");
}

/* Ends of processes. */

static void on_signal_exit(int signo)
{
	walk();
	_exit(40 + signo);
}

static void on_overwrite(int signo)
{
	(void)signo;
	walk();
}

static void end(int way)
{
	switch (way) {
	case 0:
		*(volatile int *)NULL = 1;
		break;
	case 1:
		kill(getpid(), SIGSEGV);
		break;
	case 2:
		raise(SIGBUS);
		break;
	case 3:
		raise(SIGSYS);
		break;
	case 4:
		simple_set(SIGSEGV, SIG_IGN);
		*(volatile int *)NULL = 1;
		break;
	case 5:
		simple_set(SIGSEGV, on_signal_exit);
		mask_full(SIG_SETMASK);
		*(volatile int *)NULL = 1;
		break;
	case 6:
		simple_set(SIGSEGV, on_signal_exit);
		*(volatile int *)NULL = 1;
		break;
	case 7:
		simple_set(SIGSYS, on_signal_exit);
		kill(getpid(), SIGSYS);
		break;
	case 8:
		simple_set(SIGSEGV, on_overwrite);
		sysv_signal(SIGSEGV, on_overwrite);
		*(volatile int *)NULL = 1; /* repeated, with the default action */
		break;
	case 9:
		abort();
	case 10:
		kill(getpid(), SIGKILL);
		break;
	case 11:
		own_filter();
		break;
	case 12:
		kill(getpid(), SIGTERM);
		break;
	case 13:
		calls = 5;
		handler_set(SIGSEGV, on_fault_nest, 0);
		calls = 0; /* the second fault is blocked */
		*(volatile int *)NULL = 1;
		break;
	default:
		walk();
		_exit(way);
	}
	_exit(99);
}

#define ENDS 15

static void ends(void)
{
	for (int way = 0; way < ENDS; way++) {
		int status;
		pid_t child;

		fflush(stdout);
		child = fork();
		if (child == 0) {
			walk();
			end(way);
		}
		if (waitpid(child, &status, 0) != child) {
			printf("waitpid: %d\n", errno);
		} else if (WIFSIGNALED(status)) {
			printf("end %d: %s\n", way, name_of(WTERMSIG(status)));
		} else {
			printf("end %d: status %d\n", way, WEXITSTATUS(status));
		}
	}
}

int main(void)
{
	heap = aligned_alloc(PAGE, HEAP_SIZE);
	for (size_t i = 0; i < HEAP_SIZE; i++) {
		heap[i] = (unsigned char)(i / PAGE);
	}
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	prctl(PR_SET_DUMPABLE, 0);
	faults();
	nesting();
	skipping();
	masks();
	mask_past();
	waiting();
	suspended();
	old_functions();
	ends();
	free(heap);
	return 0;
}
