/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with alternate signal stacks, in the heap: what sigaltstack() says, stacks that overflow and are recovered from, in the
 * main thread and in others, large alternate stacks, and handlers that use them for more than a line.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "prog.h"

#define HEAP_SIZE (4UL << 20)
#define STACK_SIZE (64UL * 1024)
#define FLAG_AUTODISARM (1U << 31)

static unsigned char *heap;

static unsigned long walk(void)
{
	return walk_over(heap, HEAP_SIZE);
}

static void *base; /* of the stack that was set last */

static void state_print(const char *what)
{
	stack_t stack;

	memset(&stack, 0x5a, sizeof(stack));
	if (sigaltstack(NULL, &stack) != 0) {
		printf("%s: errno %d\n", what, errno);
		return;
	}
	printf("%s: flags %x, size %zu, at %s\n", what, (unsigned int)stack.ss_flags, stack.ss_size,
	       stack.ss_sp == NULL ? "0" : stack.ss_sp == base ? "the base" : "elsewhere");
}

/* Set a stack, and say what came of it. */
static void set(void *memory, size_t size, unsigned int flags)
{
	stack_t stack = {.ss_sp = memory, .ss_size = size, .ss_flags = (int)flags};
	int ret = sigaltstack(&stack, NULL);

	printf("set: %d, errno %d\n", ret, ret != 0 ? errno : 0);
	if (ret == 0) {
		base = memory;
	}
}

static void handler_set(int signo, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	if (sigaction(signo, &action, NULL) != 0) {
		printf("sigaction: %d\n", errno);
	}
}

/* What sigaltstack() says. */

static void on_user(int signo)
{
	stack_t none = {.ss_flags = SS_DISABLE};
	int ret;

	(void)signo;
	walk();
	state_print("in the handler");
	ret = sigaltstack(&none, NULL);
	printf("changed in the handler: %d, errno %d\n", ret, ret != 0 ? errno : 0);
}

static void settings(void)
{
	void *memory = malloc(STACK_SIZE);
	stack_t stack = {.ss_sp = memory, .ss_size = STACK_SIZE};
	stack_t *volatile same;
	stack_t old;

	state_print("at first");
	set(memory, STACK_SIZE, 0);
	state_print("set");
	set(memory, 2047, 0);
	set(memory, STACK_SIZE, 5);
	set(memory, 0, SS_DISABLE | 8);
	state_print("refused");
	set(memory, STACK_SIZE, FLAG_AUTODISARM);
	state_print("disarming");
	set(memory, STACK_SIZE, SS_ONSTACK);
	state_print("with a flag");
	handler_set(SIGUSR1, on_user, 0);
	raise(SIGUSR1);
	set(memory, STACK_SIZE, 0);
	handler_set(SIGUSR1, on_user, SA_ONSTACK);
	raise(SIGUSR1);
	handler_set(SIGSEGV, on_user, SA_ONSTACK);
	raise(SIGSEGV);
	handler_set(SIGSEGV, on_user, 0);
	raise(SIGSEGV);
	state_print("and then");
	set(memory, STACK_SIZE, 0);
	printf("exchange: %d", sigaltstack(&stack, &old));
	printf(", %d\n", old.ss_sp == memory && old.ss_size == STACK_SIZE);
	same = &stack;
	printf("same structure: %d\n", sigaltstack(&stack, same));
	printf("by number: %ld", syscall(SYS_sigaltstack, NULL, &old));
	printf(", %d\n", old.ss_sp == memory && old.ss_size == STACK_SIZE);
	memset(&stack, 0, sizeof(stack));
	stack.ss_flags = SS_DISABLE;
	printf("by number: %ld\n", syscall(SYS_sigaltstack, &stack, NULL));
	state_print("off");
	free(memory);
}

/* Overflows. */

static __thread sigjmp_buf escape;
static __thread volatile int recovered;

static void on_overflow(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)info;
	(void)context;
	walk();
	recovered++;
	siglongjmp(escape, 1);
}

#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Winfinite-recursion"

static __attribute__((noinline)) int recurse(volatile char *above)
{
	volatile char here[512];

	here[0] = above != NULL ? above[0] : 0;
	here[511] = 1;
	return recurse(here) + here[0] + here[511];
}

static void overflow(int times)
{
	stack_t stack = {.ss_sp = malloc(STACK_SIZE), .ss_size = STACK_SIZE};

	if (sigaltstack(&stack, NULL) != 0) {
		printf("sigaltstack: %d\n", errno);
	}
	for (volatile int i = 0; i < times; i++) {
		if (sigsetjmp(escape, 1) == 0) {
			(void)recurse(NULL);
		}
	}
	stack.ss_flags = SS_DISABLE;
	if (sigaltstack(&stack, NULL) != 0) {
		printf("sigaltstack: %d\n", errno);
	}
	free(stack.ss_sp);
}

static void *overflow_main(void *arg)
{
	stack_t old;

	sigaltstack(NULL, &old);
	overflow(3);
	*(int *)arg = recovered;
	return (void *)(uintptr_t)(old.ss_flags == SS_DISABLE);
}

static void overflow_handler_set(int flags)
{
	struct sigaction action = {.sa_sigaction = on_overflow, .sa_flags = SA_SIGINFO | flags};

	sigaction(SIGSEGV, &action, NULL);
}

static void overflows(void)
{
	pthread_t threads[4];
	int counts[4];
	void *was_off;

	overflow_handler_set(SA_ONSTACK);
	overflow(5);
	printf("main thread: %d\n", recovered);
	for (int i = 0; i < 4; i++) {
		pthread_create(&threads[i], NULL, overflow_main, &counts[i]);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &was_off);
		printf("thread %d: %d, off at first %d\n", i, counts[i], was_off != NULL);
	}
	printf("heap %lu\n", walk());
}

/* An overflow with no place for the handler is the end. */
static void fatal(bool has_flag, bool has_stack)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		stack_t stack = {.ss_sp = malloc(STACK_SIZE), .ss_size = STACK_SIZE};

		if (has_stack) {
			sigaltstack(&stack, NULL);
		}
		overflow_handler_set(has_flag ? SA_ONSTACK : 0);
		if (sigsetjmp(escape, 1) == 0) {
			(void)recurse(NULL);
		}
		_exit(7);
	}
	waitpid(child, &status, 0);
	printf("flag %d, stack %d: signal %d, status %d\n", has_flag, has_stack, WIFSIGNALED(status) ? WTERMSIG(status) : 0,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 0);
}

/* A handler that needs megabytes of the stack that it was given. */
static __attribute__((noinline)) unsigned long deep(int depth)
{
	volatile unsigned char here[4096];

	here[0] = (unsigned char)depth;
	here[4095] = 1;
	return depth == 0 ? walk() : deep(depth - 1) + here[0] - (unsigned char)depth;
}

static void on_deep(int signo)
{
	printf("signal %d, deep: %lu\n", signo, deep(900));
}

static void large(void)
{
	size_t size = 6UL << 20;
	stack_t stack = {.ss_sp = malloc(size), .ss_size = size};

	sigaltstack(&stack, NULL);
	base = stack.ss_sp;
	state_print("large");
	handler_set(SIGUSR2, on_deep, SA_ONSTACK);
	raise(SIGUSR2);
	handler_set(SIGSEGV, on_deep, SA_ONSTACK);
	raise(SIGSEGV);
	stack.ss_flags = SS_DISABLE;
	sigaltstack(&stack, NULL);
	free(stack.ss_sp);
}

/* Signals within handlers, and system calls with buffers of the heap, on the alternate stack. */
static void on_inner(int signo)
{
	walk();
	printf("inner %d\n", signo);
}

static void on_outer(int signo)
{
	int ends[2];

	printf("outer %d\n", signo);
	if (pipe(ends) == 0) {
		memcpy(heap + 2 * PAGE + 8, "message", 8);
		walk();
		printf("write: %zd\n", write(ends[1], heap + 2 * PAGE + 8, 8));
		walk();
		raise(SIGUSR2);
		walk();
		printf("read: %zd\n", read(ends[0], heap + 3 * PAGE + 8, 8));
		printf("%s\n", (char *)heap + 3 * PAGE + 8);
		close(ends[0]);
		close(ends[1]);
	}
	if (signo != SIGSEGV && sigsetjmp(escape, 1) == 0) {
		overflow_handler_set(SA_ONSTACK);
		*(volatile int *)NULL = 1;
	}
}

static void nested(void)
{
	stack_t stack = {.ss_sp = malloc(STACK_SIZE), .ss_size = STACK_SIZE};

	sigaltstack(&stack, NULL);
	handler_set(SIGUSR2, on_inner, SA_ONSTACK);
	handler_set(SIGUSR1, on_outer, SA_ONSTACK);
	handler_set(SIGSEGV, on_outer, SA_ONSTACK);
	raise(SIGSEGV);
	raise(SIGUSR1);
	recovered = 0;
	raise(SIGUSR1);
	printf("recovered %d\n", recovered);
	stack.ss_flags = SS_DISABLE;
	sigaltstack(&stack, NULL);
	free(stack.ss_sp);
}

int main(void)
{
	struct rlimit limit = {.rlim_cur = 1UL << 20, .rlim_max = 8UL << 20};

	/* What a thread's stack, and this one's, may grow to. */
	setrlimit(RLIMIT_STACK, &limit);
	prctl(PR_SET_DUMPABLE, 0);
	heap = aligned_alloc(PAGE, HEAP_SIZE);
	for (size_t i = 0; i < HEAP_SIZE; i++) {
		heap[i] = (unsigned char)(i / PAGE);
	}
	settings();
	overflows();
	fatal(false, false);
	fatal(true, false);
	fatal(false, true);
	fatal(true, true);
	large();
	nested();
	printf("heap %lu\n", walk());
	free(heap);
	return 0;
}
