/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heap and many threads: hundreds alive at once, thousands one after the other, joined and detached, and memory that one
 * thread allocates and another one frees.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIVE 200
#define IN_TURN 2000
#define DETACHED 400
#define DETACHED_ALIVE 40
#define STACK_SIZE (64UL * 1024)

/* More than the RAM that the test has. */
#define MUCH (4UL * 1024 * 1024)

/* Blocks on their way from one thread to another. */
#define SLOTS 256

struct parcel {
	size_t size;
	unsigned char bytes[];
};

static struct parcel *_Atomic slots[SLOTS];
static _Atomic unsigned int wrong;
static _Atomic unsigned int destroyed;
static pthread_key_t key;
static pthread_barrier_t barrier;
static sem_t ended, may_end;
static __thread unsigned char in_tls[3000];

static void check(bool ok)
{
	if (!ok) {
		atomic_fetch_add(&wrong, 1);
	}
}

static struct parcel *parcel_make(size_t size, unsigned char value)
{
	struct parcel *parcel = malloc(sizeof(*parcel) + size);

	if (parcel != NULL) {
		parcel->size = size;
		memset(parcel->bytes, value, size);
	}
	return parcel;
}

static void parcel_free(struct parcel *parcel)
{
	if (parcel == NULL) {
		return;
	}
	check(parcel->size != 0 && parcel->bytes[0] == parcel->bytes[parcel->size - 1] &&
	      parcel->bytes[0] == parcel->bytes[parcel->size / 2]);
	free(parcel);
}

/* Put parcels into slots, and free what others have put there. */
static void exchange(unsigned int seed, unsigned int rounds)
{
	for (unsigned int i = 0; i < rounds; i++) {
		seed = seed * 1664525u + 1013904223u;
		struct parcel *parcel = parcel_make(1 + (seed >> 8) % 3000, (unsigned char)(seed >> 16));

		check(parcel != NULL);
		parcel_free(atomic_exchange(&slots[(seed >> 12) % SLOTS], parcel));
	}
}

/* Runs when a thread ends, maybe after the allocator's own. */
static void destroy(void *value)
{
	struct parcel *parcel = parcel_make(100, 1);

	parcel_free(value);
	parcel_free(parcel);
	atomic_fetch_add(&destroyed, 1);
}

static void *alive_main(void *arg)
{
	unsigned int number = (unsigned int)(uintptr_t)arg;

	(void)pthread_setspecific(key, parcel_make(500, (unsigned char)number));
	memset(in_tls, (int)number, sizeof(in_tls));
	exchange(number, 20);
	(void)pthread_barrier_wait(&barrier);
	exchange(number + 1000, 20);
	check(in_tls[0] == (unsigned char)number && in_tls[sizeof(in_tls) - 1] == (unsigned char)number);
	return NULL;
}

static void *brief_main(void *arg)
{
	(void)pthread_setspecific(key, parcel_make(50, 5));
	exchange((unsigned int)(uintptr_t)arg, 2);
	return NULL;
}

static void *detached_main(void *arg)
{
	if ((uintptr_t)arg % 2 != 0) {
		(void)brief_main(arg);
	}
	(void)sem_post(&ended);
	(void)sem_wait(&may_end);
	return NULL;
}

static bool start(pthread_t *thread, const pthread_attr_t *attr, void *(*routine)(void *), unsigned int number)
{
	return pthread_create(thread, attr, routine, (void *)(uintptr_t)number) == 0;
}

static void test_alive(const pthread_attr_t *attr)
{
	static pthread_t threads[ALIVE];

	(void)pthread_barrier_init(&barrier, NULL, ALIVE);
	for (unsigned int i = 0; i < ALIVE; i++) {
		check(start(&threads[i], attr, alive_main, i));
	}
	for (unsigned int i = 0; i < ALIVE; i++) {
		(void)pthread_join(threads[i], NULL);
	}
	printf("%d threads at once: %u wrong, %u destructors\n", ALIVE, atomic_load(&wrong), atomic_load(&destroyed));
}

static void test_in_turn(const pthread_attr_t *attr)
{
	pthread_t threads[4];

	for (unsigned int i = 0; i < IN_TURN; i += 4) {
		for (unsigned int j = 0; j < 4; j++) {
			check(start(&threads[j], attr, brief_main, i + j));
		}
		for (unsigned int j = 0; j < 4; j++) {
			(void)pthread_join(threads[j], NULL);
		}
	}
	printf("%d threads in turn: %u wrong, %u destructors\n", IN_TURN, atomic_load(&wrong), atomic_load(&destroyed));
}

/* Drive out everything else. */
static void touch_much(void)
{
	static volatile unsigned char *memory;

	if (memory == NULL) {
		memory = malloc(MUCH);
	}
	for (size_t i = 0; memory != NULL && i < MUCH; i += 4096) {
		memory[i]++;
	}
}

/*
 * A detached thread with a stack of the default size gives back what it was made of itself, when it has all signals blocked: the C
 * library keeps few such stacks. Then it must not meet a page that is out.
 */
static void test_detached(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)sem_init(&ended, 0, 0);
	(void)sem_init(&may_end, 0, 0);
	for (unsigned int i = 0; i < DETACHED; i++) {
		check(start(&thread, &attr, detached_main, i));
		if (i % DETACHED_ALIVE != DETACHED_ALIVE - 1) {
			continue;
		}
		for (unsigned int j = 0; j < DETACHED_ALIVE; j++) {
			(void)sem_wait(&ended);
		}
		touch_much();
		for (unsigned int j = 0; j < DETACHED_ALIVE; j++) {
			(void)sem_post(&may_end);
		}
		touch_much();
	}
	(void)pthread_attr_destroy(&attr);
	printf("%d detached threads: %u wrong\n", DETACHED, atomic_load(&wrong));
}

int main(void)
{
	pthread_attr_t attr;

	(void)pthread_key_create(&key, destroy);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, STACK_SIZE);
	test_alive(&attr);
	test_in_turn(&attr);
	test_detached();
	for (unsigned int i = 0; i < SLOTS; i++) {
		parcel_free(atomic_exchange(&slots[i], NULL));
	}
	printf("at the end: %u wrong\n", atomic_load(&wrong));
	return atomic_load(&wrong) == 0 ? 0 : 1;
}
