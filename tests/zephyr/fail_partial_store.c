/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that must not start: its backing store can be written to and not read from. The boot refuses it and says
 * what is missing. If it gets to main(), that is the failure.
 */
#include <errno.h>

#include <zephyr/kernel.h>
#include <mmu.h>
#include <zephyr/kernel/mm/demand_paging.h>

void k_mem_paging_backing_store_init(void)
{
}

int k_mem_paging_backing_store_location_get(struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault)
{
	ARG_UNUSED(pf);
	ARG_UNUSED(location);
	ARG_UNUSED(page_fault);
	return -ENOMEM;
}

void k_mem_paging_backing_store_page_out(uintptr_t location)
{
	ARG_UNUSED(location);
}

int main(void)
{
	printk("started with half a backing store, %zu bytes are free\n", k_mem_free_get());
	return 0;
}
