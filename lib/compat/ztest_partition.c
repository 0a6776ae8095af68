/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partition of what tests mark with ZTEST_DMEM and ZTEST_BMEM, in programs with CONFIG_USERSPACE. (Zephyr: ztest.c)
 *
 * The linker takes this member behind the program's own units, so the partition's padding comes last.
 */
#include "ztest_internal.h"

#include <zephyr/app_memory/app_memdomain.h>

KMEM_APPMEM_PARTITION_DEFINE(ztest_mem_partition, CONFIG_MMU_PAGE_SIZE);

void kmem_ztest_user_prepare(void)
{
	int error = kmem_domain_add_partition(&kmem_domain_default, &ztest_mem_partition);

	if (error != 0) {
		kmem_ztest_say("ztest: ztest_mem_partition cannot be added to the default domain (%d)\n", error);
	}
}
