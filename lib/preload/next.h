/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C library's own functions, for wrappers of the same names.
 *
 * Many of those that are wrapped may be called in signal handlers, where dlsym() may not. So every use of KMEM_NEXT() is listed in a section,
 * and next.c looks all of them up before the program's constructors run. A wrapper that other libraries' constructors call
 * earlier still looks its own up then. No locks: whoever looks a name up finds the same.
 */
#ifndef KMEM_PRELOAD_NEXT_H
#define KMEM_PRELOAD_NEXT_H

#include <stdatomic.h>
#include <stddef.h>

struct kmem_next {
	const char *name;
	void *_Atomic function;
};

/* The function of that name behind this library, searched for now. NULL if there is none. */
void *kmem_next_find(struct kmem_next *next);

/* The function that the name means to everybody else. NULL where the C library has none. */
#define KMEM_NEXT(name)                                                                                                \
	__extension__({                                                                                               \
		static struct kmem_next next_ __attribute__((section("kmem_next"), used)) = {#name, NULL};              \
		void *function_ = atomic_load_explicit(&next_.function, memory_order_acquire);                         \
		(__typeof__(&(name)))(function_ != NULL ? function_ : kmem_next_find(&next_));                          \
	})

#endif /* KMEM_PRELOAD_NEXT_H */
