/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stacks that threads really run on.
 *
 * A mapped stack is pinned: what the host puts there (thread descriptor, signal frames) must be resident.
 */
#include "compat/host_stack.h"

#include <errno.h>

#include <kmem/fatal.h>
#include <kmem/kmem.h>

/* What code of a host process needs, C library and signal frames included. What is not touched costs nothing. */
#define STACK_MIN (512UL * 1024)

/* The same for stacks in emulated RAM, of which there is little. */
#define MAPPED_STACK_MIN (64UL * 1024)

/* Declared stacks of more than that are for something large; code takes more room here. */
#define STACK_FACTOR 2U

/* In <zephyr/kernel/thread_stack.h>, for programs with CONFIG_THREAD_STACK_MEM_MAPPED. */
extern const char kmem_stacks_are_mapped __attribute__((weak));

static size_t stack_size(size_t declared, size_t least)
{
	size_t size = declared * STACK_FACTOR;

	return size > least ? size : least;
}

static int stack_map(struct kmem_host_thread *host, size_t declared, pthread_attr_t *attr)
{
	struct kmem_layout layout;
	size_t size = stack_size(declared, MAPPED_STACK_MIN);
	void *stack;
	int ret;

	if (kmem_layout_get(&layout) != 0) {
		return ENODEV;
	}
	size = (size + layout.page_size - 1) / layout.page_size * layout.page_size;
	stack = k_mem_map(size, K_MEM_PERM_RW | K_MEM_MAP_LOCK);
	if (stack == NULL) {
		return ENOMEM;
	}
	ret = pthread_attr_setstack(attr, stack, size);
	if (ret != 0) {
		k_mem_unmap(stack, size);
		return ret;
	}
	host->mapped_stack = stack;
	host->mapped_stack_size = size;
	return 0;
}

int kmem_host_stack_get(struct kmem_host_thread *host, size_t declared, pthread_attr_t *attr)
{
	if (&kmem_stacks_are_mapped != NULL) {
		return stack_map(host, declared, attr);
	}
	return pthread_attr_setstacksize(attr, stack_size(declared, STACK_MIN));
}

void kmem_host_stack_note(struct kmem_host_thread *host)
{
	pthread_attr_t attr;
	void *start;
	size_t size;

	if (pthread_getattr_np(host->pthread, &attr) != 0) {
		return;
	}
	if (pthread_attr_getstack(&attr, &start, &size) == 0) {
		host->stack_start = (uintptr_t)start;
	}
	(void)pthread_attr_getguardsize(&attr, &host->stack_guard);
	(void)pthread_attr_destroy(&attr);
}

void kmem_host_stack_put(struct kmem_host_thread *host)
{
	if (host->mapped_stack != NULL) {
		k_mem_unmap(host->mapped_stack, host->mapped_stack_size);
	}
}

/* A mapped stack has the VM's guard page, of which the host does not know. */
static bool is_guard(uintptr_t addr)
{
	const struct kmem_host_thread *host = kmem_host_peek();
	struct kmem_layout layout;
	size_t guard;

	if (host == NULL || host->stack_start == 0 || kmem_layout_get(&layout) != 0) {
		return false;
	}
	guard = host->mapped_stack != NULL ? layout.page_size : host->stack_guard;
	return addr < host->stack_start && addr >= host->stack_start - guard;
}

__attribute__((constructor(103))) static void hook(void)
{
	kmem_fatal_stack_set(is_guard);
}
