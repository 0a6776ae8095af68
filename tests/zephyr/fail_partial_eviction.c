/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that must not start: it brings one function of an eviction algorithm, and not the others. The boot
 * refuses it and says which are missing. If it gets to main(), that is the failure.
 */
#include <zephyr/kernel.h>
#include <mmu.h>
#include <zephyr/kernel/mm/demand_paging.h>

struct k_mem_page_frame *k_mem_paging_eviction_select(bool *dirty)
{
	*dirty = true;
	return &k_mem_page_frames[0];
}

int main(void)
{
	printk("started without k_mem_paging_eviction_init(), %zu bytes are free\n", k_mem_free_get());
	return 0;
}
