/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits on address space, data, files and descriptors that the program sets for itself while it runs.
 */
#ifndef KMEM_PRELOAD_LIMIT_H
#define KMEM_PRELOAD_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

#define KMEM_LIMITS 4

/* Whether the program's limits allow so many bytes more in the VM. */
bool kmem_limit_allows(size_t more);

/*
 * What the program wishes is true for what it becomes, from begin on; end brings back what the process needs when that has failed. Memory
 * may not be mapped meanwhile. Hard limits stay as the host has them. _sigsafe.
 */
struct kmem_limit_exec {
	bool is_changed[KMEM_LIMITS];
	struct rlimit former[KMEM_LIMITS];
};

void kmem_limit_exec_begin(struct kmem_limit_exec *exec);
void kmem_limit_exec_end(const struct kmem_limit_exec *exec);

#endif /* KMEM_PRELOAD_LIMIT_H */
