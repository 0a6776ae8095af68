/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much memory an allocator has given away. (Zephyr: sys/mem_stats.h)
 */
#ifndef ZEPHYR_INCLUDE_SYS_MEM_STATS_H_
#define ZEPHYR_INCLUDE_SYS_MEM_STATS_H_

#include <kmem/kconfig.h>

#include <stddef.h>

struct sys_memory_stats {
	size_t free_bytes;
	size_t allocated_bytes;
	size_t max_allocated_bytes;
};

#endif /* ZEPHYR_INCLUDE_SYS_MEM_STATS_H_ */
