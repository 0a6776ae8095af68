/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of many short threads: joined, detached, of C11, with small stacks, with attributes, with destructors that use the heap, left
 * by cancellation and by pthread_exit(). Nothing may grow with their number.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <unistd.h>

#define PAGE 4096UL
#define SHARE (64UL * 1024)
#define BATCH 16
#define ROUNDS 40

static pthread_key_t key;
static _Atomic unsigned long destroyed;
static _Atomic unsigned long sum;
static __thread unsigned char *local;

/* Take memory, fill it, look at it. */
static unsigned long use(unsigned long seed)
{
	unsigned char *bytes = malloc(SHARE);
	unsigned long found = 0;

	for (size_t i = 0; i < SHARE; i += 512) {
		bytes[i] = (unsigned char)(seed + i / 512);
	}
	for (size_t i = 0; i < SHARE; i += 512) {
		found += bytes[i];
	}
	free(bytes);
	return found;
}

/* What a thread leaves behind is used again when it ends. */
static void destroy(void *value)
{
	unsigned char *bytes = value;
	int ends[2];

	if (pipe(ends) == 0) {
		destroyed += (unsigned long)write(ends[1], bytes, 100);
		destroyed += (unsigned long)read(ends[0], bytes, 100);
		close(ends[0]);
		close(ends[1]);
	}
	use(bytes[0]);
	free(bytes);
}

static void *thread_main(void *arg)
{
	local = malloc(SHARE);
	memset(local, (int)(uintptr_t)arg, SHARE);
	pthread_setspecific(key, local);
	sum += use((unsigned long)(uintptr_t)arg);
	return (void *)(uintptr_t)local[SHARE - 1];
}

static void joined(const char *what, const pthread_attr_t *attr, void *(*routine)(void *))
{
	pthread_t threads[BATCH];
	unsigned long results = 0;

	for (int round = 0; round < ROUNDS; round++) {
		for (uintptr_t i = 0; i < BATCH; i++) {
			int ret = pthread_create(&threads[i], attr, routine, (void *)i);

			if (ret != 0) {
				printf("pthread_create: %d\n", ret);
				exit(1);
			}
		}
		for (int i = 0; i < BATCH; i++) {
			void *result;

			pthread_join(threads[i], &result);
			results += (uintptr_t)result;
		}
	}
	printf("%s: %lu, destroyed %lu, sum %lu\n", what, results, (unsigned long)destroyed, (unsigned long)sum);
}

/* Threads that nobody waits for: the library finds out when they are gone. */
static _Atomic int running;

static void *detached_main(void *arg)
{
	thread_main(arg);
	running--;
	return NULL;
}

static void detached(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < BATCH * ROUNDS; i++) {
		running++;
		if (pthread_create(&thread, &attr, detached_main, (void *)(uintptr_t)(i % 256)) != 0) {
			printf("pthread_create\n");
			exit(1);
		}
		while (running > BATCH) {
			sched_yield();
		}
	}
	while (running > 0) {
		sched_yield();
	}
	pthread_attr_destroy(&attr);
	printf("detached: sum %lu\n", (unsigned long)sum);
}

/* Attributes, which lie in the heap as well. */
static void *cpu_main(void *arg)
{
	cpu_set_t cpus;
	sigset_t set;

	sched_getaffinity(0, sizeof(cpus), &cpus);
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	thread_main(arg);
	return (void *)(uintptr_t)(CPU_COUNT(&cpus) * 1000 + sigismember(&set, SIGSEGV) * 100 + sigismember(&set, SIGUSR1) * 10 +
				   sigismember(&set, SIGUSR2));
}

static void attributes(void)
{
	pthread_attr_t *attr = malloc(sizeof(*attr));
	cpu_set_t cpus;
	sigset_t set;

	CPU_ZERO(&cpus);
	CPU_SET(sched_getcpu(), &cpus);
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigaddset(&set, SIGUSR2);
	pthread_attr_init(attr);
	pthread_attr_setaffinity_np(attr, sizeof(cpus), &cpus);
	joined("on one processor", attr, cpu_main);
	pthread_attr_setsigmask_np(attr, &set);
	joined("and masked", attr, cpu_main);
	pthread_attr_destroy(attr);
	pthread_attr_init(attr);
	pthread_attr_setstacksize(attr, PTHREAD_STACK_MIN);
	joined("small stacks", attr, thread_main);
	pthread_attr_destroy(attr);
	free(attr);
}

static void *masked_main(void *arg)
{
	sigset_t set;

	sigfillset(&set);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	return thread_main(arg);
}

static void *exit_main(void *arg)
{
	pthread_exit(thread_main(arg));
}

static void *cancelled_main(void *arg)
{
	thread_main(arg);
	pthread_cancel(pthread_self());
	pthread_testcancel();
	return NULL;
}

static int c11_main(void *arg)
{
	return (int)(uintptr_t)thread_main(arg) - 7;
}

static void c11(void)
{
	long results = 0;

	for (int round = 0; round < ROUNDS; round++) {
		thrd_t threads[BATCH];

		for (uintptr_t i = 0; i < BATCH; i++) {
			if (thrd_create(&threads[i], c11_main, (void *)i) != thrd_success) {
				printf("thrd_create\n");
				exit(1);
			}
		}
		for (int i = 0; i < BATCH; i++) {
			int result;

			thrd_join(threads[i], &result);
			results += result;
		}
	}
	printf("C11: %ld\n", results);
}

/* Stacks of the program's own, in the heap. */
static void own_stacks(void)
{
	pthread_attr_t attr;
	pthread_t threads[4];
	void *stacks[4];

	pthread_attr_init(&attr);
	for (uintptr_t i = 0; i < 4; i++) {
		stacks[i] = aligned_alloc(PAGE, 256 * 1024);
		pthread_attr_setstack(&attr, stacks[i], 256 * 1024);
		if (pthread_create(&threads[i], &attr, thread_main, (void *)i) != 0) {
			printf("pthread_create\n");
			exit(1);
		}
	}
	for (int i = 0; i < 4; i++) {
		void *result;

		pthread_join(threads[i], &result);
		printf("on its own stack: %lu\n", (unsigned long)(uintptr_t)result);
		free(stacks[i]);
	}
	pthread_attr_destroy(&attr);
}

/* Many at once. */
static sem_t go;

static void *waiting_main(void *arg)
{
	void *mine = malloc(PAGE);

	while (sem_wait(&go) != 0) {
	}
	free(mine);
	return arg;
}

static void many(void)
{
	static pthread_t threads[300];
	pthread_attr_t attr;
	int made = 0;

	sem_init(&go, 0, 0);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	for (int i = 0; i < 300; i++) {
		made += pthread_create(&threads[i], &attr, waiting_main, NULL) == 0 ? 1 : 0;
	}
	for (int i = 0; i < 300; i++) {
		sem_post(&go);
	}
	for (int i = 0; i < made; i++) {
		pthread_join(threads[i], NULL);
	}
	pthread_attr_destroy(&attr);
	printf("at once: %d\n", made);
}

/* Pieces of the address space: what a thread leaves behind would be some for each of thousands. */
static size_t mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	size_t count = 0;
	int c;

	while ((c = fgetc(maps)) != EOF) {
		count += c == '\n' ? 1 : 0;
	}
	fclose(maps);
	return count;
}

int main(void)
{
	size_t before;

	pthread_key_create(&key, destroy);
	joined("joined", NULL, thread_main);
	before = mappings();
	joined("again", NULL, thread_main);
	joined("masked", NULL, masked_main);
	joined("exiting", NULL, exit_main);
	joined("cancelled", NULL, cancelled_main);
	detached();
	printf("mappings %s\n", mappings() > before + 2500 ? "grow" : "stay");
	attributes();
	c11();
	own_stacks();
	many();
	printf("destroyed %lu, sum %lu\n", (unsigned long)destroyed, (unsigned long)sum);
	return 0;
}
