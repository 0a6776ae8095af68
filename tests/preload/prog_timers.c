/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with timers that call a function in a thread, and with one that sends a signal, over more memory than there is.
 *
 * A call may come after its timer is deleted: what it uses stays, and each run has its own.
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define HEAP_SIZE (4UL << 20)
#define TIMERS 3
#define TICKS 10
#define RUNS 2
#define PERIOD_NS 10000000

static unsigned char *heap;

/* A counter at the beginning of a page of the heap. */
static _Atomic unsigned int *counter(int page)
{
	return (_Atomic unsigned int *)(void *)(heap + (size_t)page * PAGE);
}

static sem_t ticked[RUNS * TIMERS];
static volatile sig_atomic_t signals;

static void on_tick(union sigval value)
{
	sigset_t mask;

	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	(*counter(value.sival_int))++;
	if (sigismember(&mask, SIGUSR1) == 1 && sigismember(&mask, SIGSEGV) == 1) {
		sem_post(&ticked[value.sival_int]);
	}
}

static void on_signal(int signo)
{
	(void)signo;
	signals++;
	(*counter(RUNS * TIMERS))++;
}

static void timer_start(timer_t *timer, struct sigevent *event)
{
	const struct itimerspec every = {.it_value.tv_nsec = PERIOD_NS, .it_interval.tv_nsec = PERIOD_NS};

	if (timer_create(CLOCK_MONOTONIC, event, timer) != 0 || timer_settime(*timer, 0, &every, NULL) != 0) {
		printf("no timer\n");
		exit(1);
	}
}

static void run(const char *what, int number)
{
	const size_t kept = (RUNS * TIMERS + 1) * PAGE;
	timer_t timers[TIMERS + 1];

	for (int i = 0; i < TIMERS; i++) {
		struct sigevent event = {
			.sigev_notify = SIGEV_THREAD,
			.sigev_notify_function = on_tick,
			.sigev_value.sival_int = number * TIMERS + i,
		};

		timer_start(&timers[i], &event);
	}
	timer_start(&timers[TIMERS], &(struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2});
	for (int i = 0; i < TIMERS * TICKS; i++) {
		while (sem_wait(&ticked[number * TIMERS + i % TIMERS]) != 0) {
		}
		memset(heap + kept, i, HEAP_SIZE - kept);
	}
	for (int i = 0; i <= TIMERS; i++) {
		printf("%s: deleted %d\n", what, timer_delete(timers[i]));
	}
	for (int i = 0; i < TIMERS; i++) {
		printf("%s: %s\n", what, *counter(number * TIMERS + i) >= TICKS ? "all came" : "some are missing");
	}
	printf("%s: signals %s\n", what, signals > 0 && *counter(RUNS * TIMERS) > 0 ? "came" : "did not come");
}

int main(void)
{
	for (int i = 0; i < RUNS * TIMERS; i++) {
		sem_init(&ticked[i], 0, 0);
	}
	heap = aligned_alloc(PAGE, HEAP_SIZE);
	memset(heap, 0, HEAP_SIZE);
	signal(SIGUSR2, on_signal);
	run("first", 0);
	run("again", 1);
	fflush(stdout);
	_exit(0);
}
