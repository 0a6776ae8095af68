/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutexes, condition variables, semaphores and barriers on the heap, whose pages come and go under many threads.
 */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "prog.h"

#define THREADS 16
#define ROUNDS 60
#define ITEMS 32
/* Pages of each thread's own, together more than all of RAM. */
#define PAGES_OWN 60

/* A page for each, so that they are in and out by themselves. */
struct item {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	sem_t tokens;
	unsigned long count;
	unsigned long ready;
	unsigned char rest[PAGE - sizeof(pthread_mutex_t) - sizeof(pthread_cond_t) - sizeof(sem_t) - 2 * sizeof(unsigned long)];
};

static struct item *items;
static pthread_barrier_t *barrier;

/* Use up RAM, so that what others wait on goes out. */
static unsigned long stir(volatile unsigned char *own)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < PAGES_OWN; i++) {
		own[i * PAGE]++;
		sum += own[i * PAGE];
	}
	return sum;
}

/* Every thread takes a token of each item, counts, and wakes the one that waits for the count. */
static void *work(void *arg)
{
	unsigned long number = (unsigned long)(size_t)arg;
	unsigned char *own = calloc(PAGES_OWN, PAGE);

	for (unsigned long round = 0; round < ROUNDS; round++) {
		struct item *item = &items[(number * 7 + round) % ITEMS];

		(void)sem_wait(&item->tokens);
		(void)pthread_mutex_lock(&item->mutex);
		item->count++;
		(void)pthread_cond_broadcast(&item->changed);
		(void)pthread_mutex_unlock(&item->mutex);
		(void)sem_post(&item->tokens);
		(void)stir(own);
		if (round % 10 == 9) {
			(void)pthread_barrier_wait(barrier);
		}
	}
	free(own);
	return NULL;
}

/* Hand a turn around: every wait blocks, and what is waited on goes out meanwhile. */
static void *pass(void *arg)
{
	unsigned long number = (unsigned long)(size_t)arg;
	unsigned char *own = calloc(PAGES_OWN, PAGE);
	struct item *item = &items[0];

	for (unsigned long round = 0; round < 20; round++) {
		(void)pthread_mutex_lock(&item->mutex);
		while (item->ready % THREADS != number) {
			(void)pthread_cond_wait(&item->changed, &item->mutex);
		}
		item->ready++;
		(void)stir(own);
		(void)pthread_cond_broadcast(&item->changed);
		(void)pthread_mutex_unlock(&item->mutex);
	}
	free(own);
	return NULL;
}

static void run(void *(*function)(void *))
{
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, function, (void *)i) != 0) {
			puts("no thread");
			exit(1);
		}
	}
	for (size_t i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i], NULL);
	}
}

/* Waits that end by time. */
static void test_times(void)
{
	struct item *item = &items[1];
	struct timespec *limit = malloc(sizeof(*limit));
	struct timespec before;
	struct timespec after;
	volatile unsigned char *own = calloc(600, PAGE);
	long passed;

	for (size_t i = 0; i < 600 * PAGE; i += PAGE) {
		own[i]++;
	}
	(void)clock_gettime(CLOCK_REALTIME, limit);
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	limit->tv_nsec += 50000000;
	if (limit->tv_nsec >= 1000000000) {
		limit->tv_sec++;
		limit->tv_nsec -= 1000000000;
	}
	(void)pthread_mutex_lock(&item->mutex);
	printf("timed wait: %s\n", strerror(pthread_cond_timedwait(&item->changed, &item->mutex, limit)));
	printf("timed lock: %s\n", strerror(pthread_mutex_timedlock(&items[1].mutex, limit)));
	(void)pthread_mutex_unlock(&item->mutex);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	passed = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
	printf("%s\n", passed >= 49 ? "in time" : "too early");
	free((void *)own);
	free(limit);
}

/* A robust mutex whose owner has gone, and one that inherits priority. */
static void *die(void *arg)
{
	(void)pthread_mutex_lock(arg);
	return NULL;
}

static void test_kinds(void)
{
	pthread_mutexattr_t *attr = malloc(sizeof(*attr));
	pthread_mutex_t *mutex = malloc(sizeof(*mutex));
	pthread_t thread;

	(void)pthread_mutexattr_init(attr);
	(void)pthread_mutexattr_setprotocol(attr, PTHREAD_PRIO_INHERIT);
	(void)pthread_mutex_init(mutex, attr);
	printf("inheriting: %s\n", strerror(pthread_mutex_lock(mutex)));
	printf("released: %s\n", strerror(pthread_mutex_unlock(mutex)));
	(void)pthread_mutex_destroy(mutex);
	(void)pthread_mutexattr_init(attr);
	(void)pthread_mutexattr_setrobust(attr, PTHREAD_MUTEX_ROBUST);
	(void)pthread_mutex_init(mutex, attr);
	(void)pthread_create(&thread, NULL, die, mutex);
	(void)pthread_join(thread, NULL);
	printf("robust: %s\n", strerror(pthread_mutex_lock(mutex)));
	free(mutex);
	free(attr);
}

/* The call itself, on words that are out. Plain and shared ones are the same. */
static void test_calls(void)
{
	volatile unsigned char *ballast = calloc(3 * 256, PAGE);
	struct timespec *limit = calloc(1, sizeof(*limit));
	uint32_t *words = calloc(2, PAGE);
	uint32_t *second = words + PAGE / sizeof(*words);

	limit->tv_nsec = 1000000;
	for (unsigned int i = 0; i < 12; i++) {
		const unsigned int flag = i % 2 == 0 ? 0 : FUTEX_PRIVATE_FLAG;

		for (size_t page = 0; page < 3 * 256UL; page++) {
			ballast[page * PAGE]++;
		}
		switch (i / 2) {
		case 0:
			say("wait for another value", syscall(SYS_futex, words, FUTEX_WAIT | flag, 1, NULL, NULL, 0));
			break;
		case 1:
			say("wait", syscall(SYS_futex, words, FUTEX_WAIT | flag, 0, limit, NULL, 0));
			break;
		case 2:
			say("wake", syscall(SYS_futex, words, FUTEX_WAKE | flag, 1, NULL, NULL, 0));
			break;
		case 3:
			say("requeue", syscall(SYS_futex, words, FUTEX_CMP_REQUEUE | flag, 1, 1, second, 7));
			break;
		case 4:
			say("wake and add", syscall(SYS_futex, words, FUTEX_WAKE_OP | flag, 1, 1, second,
						    FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0)));
			break;
		default:
			say("unlock what is not locked", syscall(SYS_futex, words, FUTEX_UNLOCK_PI | flag, 0, NULL, NULL, 0));
			break;
		}
	}
	printf("second: %u\n", *second);
	say("beyond", syscall(SYS_futex, words, FUTEX_WAIT, 0, (void *)1, NULL, 0));
	say("not aligned", syscall(SYS_futex, (char *)words + 1, FUTEX_WAIT, 0, limit, NULL, 0));
	free(words);
	free(limit);
	free((void *)ballast);
}

static long raw(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}

/* The C library wakes waiters with every signal blocked, and with anything in the registers that this does not use. */
static void test_leftovers(void)
{
	static uint32_t word;
	const uint64_t all = ~0UL;
	uint64_t before;
	long result;

	(void)raw(SYS_rt_sigprocmask, SIG_BLOCK, (uintptr_t)&all, (uintptr_t)&before, sizeof(all), 0);
	result = raw(SYS_futex, (uintptr_t)&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, (uintptr_t)items, (uintptr_t)items);
	(void)raw(SYS_rt_sigprocmask, SIG_SETMASK, (uintptr_t)&before, 0, sizeof(before), 0);
	printf("leftovers: %ld\n", result);
}

int main(void)
{
	unsigned long sum = 0;

	if (posix_memalign((void **)&items, PAGE, sizeof(*items) * ITEMS) != 0) {
		return 1;
	}
	barrier = malloc(sizeof(*barrier));
	(void)pthread_barrier_init(barrier, NULL, THREADS);
	for (size_t i = 0; i < ITEMS; i++) {
		(void)pthread_mutex_init(&items[i].mutex, NULL);
		(void)pthread_cond_init(&items[i].changed, NULL);
		(void)sem_init(&items[i].tokens, 0, 2);
		items[i].count = 0;
		items[i].ready = 0;
	}
	run(work);
	for (size_t i = 0; i < ITEMS; i++) {
		sum += items[i].count;
	}
	printf("counted: %lu\n", sum);
	run(pass);
	printf("turns: %lu\n", items[0].ready);
	test_leftovers();
	test_times();
	test_kinds();
	test_calls();
	return 0;
}
