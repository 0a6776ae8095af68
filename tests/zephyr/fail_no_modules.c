/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that must not start: it is built with CONFIG_EVICTION_CUSTOM, or with CONFIG_BACKING_STORE_CUSTOM, and
 * brings no such module. Either it does not start, or it has no memory.
 */
#include <zephyr/kernel.h>
#include <zephyr/kernel/mm/demand_paging.h>

int main(void)
{
	size_t free_bytes = k_mem_free_get();

	printk("started, %zu bytes are free\n", free_bytes);
	return free_bytes == 0 && k_mem_map(CONFIG_MMU_PAGE_SIZE, K_MEM_PERM_RW) == NULL ? 1 : 0;
}
