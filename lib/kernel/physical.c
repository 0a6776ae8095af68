/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical memory that is about to be shown by its address: see physical.h.
 */
#include "kernel/physical.h"

#include <errno.h>

#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/paging.h"
#include "machine/mmu.h"

/* The address of the page in a frame that is IN, or 0. */
static uintptr_t page_in(struct k_mem_page_frame *pf)
{
	uintptr_t addr;

	if (k_mem_page_frame_is_free(pf) || !k_mem_page_frame_is_mapped(pf)) {
		return 0;
	}
	addr = (uintptr_t)k_mem_page_frame_to_virt(pf);
	return kmem_page_table_covers(addr) && kmem_paging_frame_of(addr) == pf ? addr : 0;
}

static int frame_prepare(struct k_mem_page_frame *pf)
{
	uintptr_t addr;

	while (!k_mem_page_frame_is_free(pf) && k_mem_page_frame_is_busy(pf)) {
		kmem_paging_change_wait();
	}
	addr = page_in(pf);
	/* Without a page there is no mapping to be had. */
	return addr != 0 ? KMEM_RELIEVED(kmem_mmu_frame_share(kmem_frame_phys(pf), addr))
			 : kmem_mmu_frame_share(kmem_frame_phys(pf), 0);
}

int kmem_physical_prepare(uintptr_t phys, size_t size)
{
	int ret = 0;

	for (size_t done = 0; done < size && ret == 0; done += kmem_page_size()) {
		struct k_mem_page_frame *pf = kmem_frame_at(phys + done);

		ret = pf != NULL ? frame_prepare(pf) : 0;
	}
	return ret;
}
