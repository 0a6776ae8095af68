/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole program may go out: code, constants, variables and what the dynamic linker reads of it. A small RAM sees to that.
 */
#include <zephyr/kernel.h>

#include <zephyr/kernel/mm.h>
#include <zephyr/kernel/mm/demand_paging.h>
#include <zephyr/linker/linker-defs.h>

#define ROUNDS 20
#define MORE 12 /* pages than there are frames */

static int counted;

int main(void)
{
	size_t size;
	volatile char *bytes;

	k_mem_unpin(z_mapped_start, ROUND_UP(z_mapped_end - z_mapped_start, CONFIG_MMU_PAGE_SIZE));
	size = k_mem_free_get() + (size_t)MORE * CONFIG_MMU_PAGE_SIZE;
	bytes = k_mem_map(size, K_MEM_PERM_RW);
	if (bytes == NULL) {
		printk("no memory\n");
		return 2;
	}
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < size; i += CONFIG_MMU_PAGE_SIZE) {
			bytes[i]++;
			counted++;
		}
	}
	printk("%d at %p, %d in all\n", bytes[0], (void *)(uintptr_t)bytes, counted);
	return bytes[0] == ROUNDS && k_mem_num_pagefaults_get() > 0 ? 0 : 1;
}
