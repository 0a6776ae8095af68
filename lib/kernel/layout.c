/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory map, computed, and the arithmetic on boot addresses.
 */
#include "kernel/layout.h"

#include <errno.h>

#include "kernel/fatal.h"
#include "kernel/kernel.h"
#include "kernel/program_image.h"

size_t kmem_layout_section_size(const struct kmem_settings *settings, size_t index)
{
	size_t page_size = settings->page_size;

	return (settings->sections[index].size + page_size - 1) / page_size * page_size;
}

size_t kmem_layout_image_size(const struct kmem_settings *settings)
{
	size_t size = 0;

	if (settings->program_size != 0) {
		return settings->program_start + settings->program_size - (settings->vm_base + settings->vm_offset);
	}
	for (size_t i = 0; i < settings->section_count; i++) {
		size += kmem_layout_section_size(settings, i);
	}
	return size;
}

void kmem_layout_init(struct kmem_layout *layout, const struct kmem_settings *settings)
{
	uintptr_t image = settings->vm_base + settings->vm_offset;

	*layout = (struct kmem_layout){
		.phys_ram_start = settings->ram_base,
		.phys_ram_end = settings->ram_base + settings->ram_size,
		.virt_ram_start = settings->vm_base,
		.virt_ram_end = settings->vm_base + settings->vm_size,
		.kernel_virt_start = settings->program_size != 0 ? settings->program_start : image,
		.kernel_virt_end = image + kmem_layout_image_size(settings),
		.vm_reserved = settings->demand_paging ? settings->page_size : 0,
		.virt_offset = image - (settings->ram_base + settings->ram_offset),
		.page_size = settings->page_size,
	};
	layout->vm_free_start = settings->maps_all_ram ? kmem_layout_virt(layout, layout->phys_ram_end)
						       : layout->kernel_virt_end;
}

int kmem_layout_get(struct kmem_layout *layout)
{
	if (!kmem_is_booted()) {
		return -ENODEV;
	}
	*layout = kmem_kernel.layout;
	return 0;
}

uintptr_t kmem_phys_addr(const void *virt)
{
	const struct kmem_layout *layout = &kmem_kernel.layout;
	struct kmem_bug bug = {.condition = NULL};
	uintptr_t addr = (uintptr_t)virt;

	if (kmem_kernel_ready() == 0 && (addr < layout->virt_ram_start || addr >= layout->virt_ram_end) &&
	    !kmem_program_image_covers(addr)) {
		KMEM_BUG(&bug, "sys_mm_is_virt_addr_in_range(virt)",
			 "virtual address 0x%zx not in the VM range [0x%zx, 0x%zx)", (size_t)addr,
			 (size_t)layout->virt_ram_start, (size_t)layout->virt_ram_end);
		kmem_bug_raise(&bug);
	}
	return kmem_layout_phys(layout, addr);
}

void *kmem_virt_addr(uintptr_t phys)
{
	const struct kmem_layout *layout = &kmem_kernel.layout;
	struct kmem_bug bug = {.condition = NULL};

	if (kmem_kernel_ready() == 0 && (phys < layout->phys_ram_start || phys >= layout->phys_ram_end) &&
	    !kmem_program_image_covers(kmem_layout_virt(layout, phys))) {
		KMEM_BUG(&bug, "sys_mm_is_phys_addr_in_range(phys)", "physical address 0x%zx not in RAM [0x%zx, 0x%zx)",
			 (size_t)phys, (size_t)layout->phys_ram_start, (size_t)layout->phys_ram_end);
		kmem_bug_raise(&bug);
	}
	return (void *)kmem_layout_virt(layout, phys);
}

size_t k_mem_region_align(uintptr_t *aligned_addr, size_t *aligned_size, uintptr_t addr, size_t size, size_t align)
{
	size_t offset = addr % align;
	size_t whole = size + offset;

	*aligned_addr = addr - offset;
	*aligned_size = (whole + align - 1) / align * align;
	return offset;
}
