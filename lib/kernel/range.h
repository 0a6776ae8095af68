/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Zephyr asserts of every virtual region: aligned, not wrapping, inside the VM range. (k_mem_assert_virtual_region)
 */
#ifndef KMEM_KERNEL_RANGE_H
#define KMEM_KERNEL_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/fatal.h"
#include "kernel/kernel.h"

/* True, or false with the bug noted. An empty range is fine where its address is. */
static inline bool kmem_range_check(uintptr_t addr, size_t size, struct kmem_bug *bug)
{
	const struct kmem_layout *layout = &kmem_kernel.layout;

	if (addr % layout->page_size != 0) {
		KMEM_BUG(bug, "addr % CONFIG_MMU_PAGE_SIZE == 0", "unaligned addr 0x%zx, the page size is %zu", (size_t)addr,
			 layout->page_size);
	} else if (size % layout->page_size != 0) {
		KMEM_BUG(bug, "size % CONFIG_MMU_PAGE_SIZE == 0", "unaligned size %zu, the page size is %zu", size,
			 layout->page_size);
	} else if (addr + size < addr) {
		KMEM_BUG(bug, "addr + size > addr", "region 0x%zx of size %zu wraps around", (size_t)addr, size);
	} else if (addr < layout->virt_ram_start || addr + size > layout->virt_ram_end) {
		KMEM_BUG(bug, "addr >= K_MEM_VIRT_RAM_START && addr + size <= K_MEM_VIRT_RAM_END",
			 "region [0x%zx, 0x%zx) is not in the VM range [0x%zx, 0x%zx)", (size_t)addr, (size_t)(addr + size),
			 (size_t)layout->virt_ram_start, (size_t)layout->virt_ram_end);
	}
	return bug->condition == NULL;
}

#endif /* KMEM_KERNEL_RANGE_H */
