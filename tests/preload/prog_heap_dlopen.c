/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Libraries that come and go, and what the dynamic linker allocates for them, in several threads, with a heap that is mostly out.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 200
#define THREADS 4
#define HEAP_SIZE (6UL * 1024 * 1024)

/* What most machines have; one that is missing is missing in both runs. */
static const char *const libraries[] = {"libm.so.6", "libcrypt.so.1", "libz.so.1", "libgcc_s.so.1", "libresolv.so.2"};

#define COUNT (sizeof(libraries) / sizeof(libraries[0]))

static _Atomic unsigned int opened[COUNT];
static _Atomic unsigned int failed;
static unsigned char *heap;

/* Drive out what else there is. */
static void touch_all(unsigned char value)
{
	for (size_t i = 0; i < HEAP_SIZE; i += 4096) {
		heap[i] = value;
	}
}

static void open_and_close(unsigned int number)
{
	unsigned int which = number % COUNT;
	void *library = dlopen(libraries[which], number % 3 == 0 ? RTLD_NOW | RTLD_GLOBAL : RTLD_LAZY);

	if (library == NULL) {
		/* The message is the heap's. */
		if (dlerror() == NULL) {
			atomic_fetch_add(&failed, 1);
		}
		return;
	}
	atomic_fetch_add(&opened[which], 1);
	if (dlsym(library, "there is no such function") != NULL || dlerror() == NULL || dlclose(library) != 0) {
		atomic_fetch_add(&failed, 1);
	}
}

static void *thread_main(void *arg)
{
	unsigned int first = *(unsigned int *)arg;

	for (unsigned int i = first; i < ROUNDS; i += THREADS) {
		char *text = strdup(libraries[i % COUNT]);

		open_and_close(i);
		free(text);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	unsigned int firsts[THREADS];

	heap = malloc(HEAP_SIZE);
	if (heap == NULL) {
		return 1;
	}
	for (unsigned int i = 0; i < ROUNDS; i++) {
		if (i % 10 == 0) {
			touch_all((unsigned char)i);
		}
		open_and_close(i);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		firsts[i] = i;
		(void)pthread_create(&threads[i], NULL, thread_main, &firsts[i]);
	}
	touch_all(1);
	for (unsigned int i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i], NULL);
	}
	for (unsigned int i = 0; i < COUNT; i++) {
		printf("%s: %u\n", libraries[i], atomic_load(&opened[i]));
	}
	printf("%u failed\n", atomic_load(&failed));
	free(heap);
	return 0;
}
