/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partitions of Zephyr's own subsystems, which domains of user threads include. (Zephyr: app_memory/partitions.h)
 *
 * Here they are for programs to name: the C library, its allocator and the log are the host's, and have no data in
 * them. Z_LIBC_PARTITION_EXISTS and Z_MALLOC_PARTITION_EXISTS are therefore 0.
 */
#ifndef ZEPHYR_INCLUDE_APP_MEMORY_PARTITIONS_H_
#define ZEPHYR_INCLUDE_APP_MEMORY_PARTITIONS_H_

#include <kmem/kconfig.h>

#include <zephyr/app_memory/mem_domain.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

extern struct k_mem_partition z_libc_partition;
extern struct k_mem_partition z_malloc_partition;
extern struct k_mem_partition k_log_partition;

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_APP_MEMORY_PARTITIONS_H_ */
