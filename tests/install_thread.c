/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that an installed library must serve however it is linked: a thread pages, all signals blocked.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include <kmem/kmem.h>

#define PAGES 4096UL

static size_t page_size;

static void *touch(void *arg)
{
	char *bytes = arg;
	sigset_t all;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, NULL);
	for (size_t i = 0; i < PAGES; i++) {
		bytes[i * page_size] = 1;
	}
	return NULL;
}

int main(void)
{
	struct kmem_config config = {.struct_size = sizeof(config), .ram_size = (size_t)4 << 20};
	struct kmem_layout layout;
	pthread_t thread;
	char *bytes;

	if (kmem_boot(&config) != 0 || kmem_layout_get(&layout) != 0) {
		return 1;
	}
	page_size = layout.page_size;
	bytes = k_mem_map(PAGES * page_size, K_MEM_PERM_RW);
	if (bytes == NULL || pthread_create(&thread, NULL, touch, bytes) != 0 || pthread_join(thread, NULL) != 0) {
		return 1;
	}
	printf("%lu page faults\n", k_mem_num_pagefaults_get());
	return k_mem_num_pagefaults_get() == PAGES && kmem_shutdown() == 0 ? 0 : 1;
}
