/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coroutines on stacks from malloc(), more of them than RAM holds: they allocate and map at every depth, make system calls with what is on
 * their stacks, start threads and processes, and are interrupted by signals all the time, whose handlers touch the heap.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define COROUTINES 60
#define ROUNDS 20
#define STACK_SIZE (256UL * 1024)
#define DEPTH_MAX 100000U
#define BLOCK_SIZE 200000U
#define THREADS 3

struct scheduler {
	ucontext_t home;
	ucontext_t coroutines[COROUTINES];
	long sum;
};

static __thread struct scheduler *mine;
static volatile sig_atomic_t ticks;
static unsigned char *touched;

static void tick(int signo)
{
	ticks += signo == SIGALRM && touched[(size_t)ticks * 512 % BLOCK_SIZE] == 3;
}

static void signals_show(void)
{
	struct sigaction action = {.sa_flags = 0};

	/* What the program has asked for is what it sees. */
	mine->sum += sigaction(SIGALRM, NULL, &action);
	mine->sum += (action.sa_flags & (SA_ONSTACK | SA_RESTART)) == SA_RESTART && action.sa_handler == tick ? 1 : 1000000;
}

static void pipe_through(const unsigned char *bytes, unsigned char *back)
{
	int ends[2];

	if (pipe(ends) == 0) {
		mine->sum += write(ends[1], bytes, 1000);
		mine->sum += read(ends[0], back, 1000) + back[999];
		(void)close(ends[0]);
		(void)close(ends[1]);
	}
}

static __attribute__((noinline)) void work(unsigned int index, unsigned int round)
{
	unsigned char *block = malloc(BLOCK_SIZE + index);
	unsigned char *mapped = mmap(NULL, BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	block[round] = 1;
	mapped[round] = 2;
	mine->sum += block[round] + mapped[round];
	mine->sum += mprotect(mapped, BLOCK_SIZE, PROT_READ) + munmap(mapped, BLOCK_SIZE);
	free(block);
	signals_show();
}

/* The stack's pages below are touched for the first time in what is called here, wherever that is. */
static void coroutine(unsigned int index)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		volatile unsigned char depth[1 + (index * 977 + round * 1231) % DEPTH_MAX];
		unsigned char bytes[2][1000];

		depth[0] = 1;
		mine->sum += depth[0];
		memset(bytes[0], (int)(index + round), sizeof(bytes[0]));
		pipe_through(bytes[0], bytes[1]);
		work(index, round);
		(void)swapcontext(&mine->coroutines[index], &mine->home);
	}
}

static void *schedule(void *unused)
{
	void *stacks[COROUTINES];
	long sum;

	(void)unused;
	mine = calloc(1, sizeof(*mine));
	for (unsigned int i = 0; i < COROUTINES; i++) {
		ucontext_t *context = &mine->coroutines[i];

		stacks[i] = malloc(STACK_SIZE);
		(void)getcontext(context);
		context->uc_stack.ss_sp = stacks[i];
		context->uc_stack.ss_size = STACK_SIZE;
		context->uc_link = &mine->home;
		makecontext(context, (void (*)(void))coroutine, 1, i);
	}
	for (unsigned int round = 0; round <= ROUNDS; round++) {
		for (unsigned int i = 0; i < COROUTINES; i++) {
			(void)swapcontext(&mine->home, &mine->coroutines[i]);
		}
	}
	for (unsigned int i = 0; i < COROUTINES; i++) {
		free(stacks[i]);
	}
	sum = mine->sum;
	free(mine);
	return (void *)sum;
}

/* From a coroutine. */
static void others(void)
{
	pthread_t threads[THREADS];
	int status = -1;
	pid_t child;

	for (unsigned int i = 0; i < THREADS; i++) {
		(void)pthread_create(&threads[i], NULL, schedule, NULL);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		void *sum;

		(void)pthread_join(threads[i], &sum);
		printf("thread %ld\n", (long)sum);
	}
	(void)fflush(stdout);
	child = fork();
	if (child == 0) {
		printf("child %ld\n", (long)schedule(NULL));
		(void)fflush(stdout);
		_exit(3);
	}
	(void)waitpid(child, &status, 0);
	printf("child ended %d\n", WEXITSTATUS(status));
	(void)fflush(stdout);
	printf("system %d\n", system("exit 4") >> 8);
}

int main(void)
{
	struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
	struct itimerval interval = {.it_interval.tv_usec = 1000, .it_value.tv_usec = 1000};
	static ucontext_t home;
	static ucontext_t context;

	touched = malloc(BLOCK_SIZE);
	memset(touched, 3, BLOCK_SIZE);
	(void)sigaction(SIGALRM, &action, NULL);
	(void)setitimer(ITIMER_REAL, &interval, NULL);
	printf("%ld\n", (long)schedule(NULL));
	(void)getcontext(&context);
	context.uc_stack.ss_sp = malloc(STACK_SIZE);
	context.uc_stack.ss_size = STACK_SIZE;
	context.uc_link = &home;
	makecontext(&context, others, 0);
	(void)swapcontext(&home, &context);
	while (ticks < 10) {
	}
	return 0;
}
