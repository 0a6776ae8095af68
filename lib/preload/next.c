/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C library's own functions: see next.h.
 */
#include "preload/next.h"

#include <dlfcn.h>

extern struct kmem_next __start_kmem_next[] __attribute__((visibility("hidden")));
extern struct kmem_next __stop_kmem_next[] __attribute__((visibility("hidden")));

void *kmem_next_find(struct kmem_next *next)
{
	void *function = dlsym(RTLD_NEXT, next->name);

	atomic_store_explicit(&next->function, function, memory_order_release);
	return function;
}

/* Before the program's constructors and those of other libraries, unless these need it earlier. */
__attribute__((constructor(101))) static void all_find(void)
{
	for (struct kmem_next *next = __start_kmem_next; next < __stop_kmem_next; next++) {
		(void)kmem_next_find(next);
	}
	/* A failed search leaves a message behind that would be the program's to find. */
	(void)dlerror();
}
