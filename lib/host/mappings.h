/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many mappings the host allows a process: vm.max_map_count.
 */
#ifndef KMEM_HOST_MAPPINGS_H
#define KMEM_HOST_MAPPINGS_H

#include <stddef.h>

/* The limit; the host's default where it cannot be read. It opens a file: not in a trap. */
size_t kmem_host_mappings_limit(void);

/* For tests: what kmem_host_mappings_limit() returns from now on; 0: the truth again. */
void kmem_host_mappings_limit_set(size_t limit);

#endif /* KMEM_HOST_MAPPINGS_H */
