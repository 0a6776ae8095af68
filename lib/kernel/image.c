/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot image, from a description in the configuration. (Zephyr: kernel/mmu.c)
 *
 * A section's pages take the frames at their boot translation, which are mapped and pinned; all of RAM, where the
 * configuration maps it, is mapped around them without taking its frames, which stay available.
 */
#include "kernel/image.h"

#include <errno.h>
#include <string.h>

#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/layout.h"
#include "kernel/physical.h"
#include "kernel/program_image.h"
#include "machine/mmu.h"
#include "machine/ram.h"

static int describe(const char *name, enum kmem_region_kind kind, uintptr_t addr, size_t size, uint32_t flags)
{
	struct kmem_region template = {
		.addr = addr,
		.size = size,
		.flags = flags,
		.kind = kind,
		.phys = kmem_layout_phys(&kmem_kernel.layout, addr),
		.name = name,
	};

	return kmem_region_index_add(&kmem_kernel.index, &template) == NULL ? -ENOMEM : 0;
}

/* Map a range of RAM at its boot translation. */
static int map_boot(const char *name, enum kmem_region_kind kind, uintptr_t addr, size_t size, uint32_t flags)
{
	uintptr_t phys = kmem_layout_phys(&kmem_kernel.layout, addr);
	int ret = kmem_physical_prepare(phys, size);

	if (ret == 0) {
		ret = kmem_mmu_map(addr, phys, size, flags);
	}
	return ret == 0 ? describe(name, kind, addr, size, flags) : ret;
}

static int section_map(const struct kmem_section *section, uintptr_t addr, size_t size)
{
	uintptr_t phys = kmem_layout_phys(&kmem_kernel.layout, addr);
	int ret = map_boot(section->name, KMEM_REGION_IMAGE, addr, size, section->flags);

	if (ret != 0) {
		return ret;
	}
	for (size_t done = 0; done < size; done += kmem_page_size()) {
		kmem_frame_at(phys + done)->va_and_flags =
			(addr + done) | K_MEM_PAGE_FRAME_MAPPED | K_MEM_PAGE_FRAME_PINNED;
	}
	if (section->bytes != NULL) {
		memcpy(kmem_ram_bytes(phys), section->bytes, section->bytes_size);
	}
	return 0;
}

/* A range of RAM that is not the image's, without what the process itself has there. */
static int ram_map(uintptr_t start, uintptr_t end)
{
	struct kmem_mmu_hole holes[KMEM_MMU_HOLES_MAX];
	size_t count = kmem_program_image_holes(holes);
	int ret = 0;

	for (size_t i = 0; i < count && ret == 0; i++) {
		if (holes[i].end <= start || holes[i].start >= end) {
			continue;
		}
		if (start < holes[i].start) {
			ret = map_boot("", KMEM_REGION_RAM, start, holes[i].start - start, K_MEM_PERM_RW);
		}
		start = holes[i].end;
	}
	return ret == 0 && start < end ? map_boot("", KMEM_REGION_RAM, start, end - start, K_MEM_PERM_RW) : ret;
}

/* RAM before and behind the image. */
static int rest_map(void)
{
	const struct kmem_layout *layout = &kmem_kernel.layout;
	int ret = ram_map(kmem_layout_virt(layout, layout->phys_ram_start), layout->kernel_virt_start);

	return ret == 0 ? ram_map(layout->kernel_virt_end, layout->vm_free_start) : ret;
}

int kmem_image_map(void)
{
	const struct kmem_settings *settings = &kmem_kernel.settings;
	uintptr_t addr = kmem_kernel.layout.kernel_virt_start;
	int ret;

	for (size_t i = 0; i < settings->section_count; i++) {
		const struct kmem_section *section = &settings->sections[i];
		size_t size = kmem_layout_section_size(settings, i);

		ret = section_map(section, addr, size);
		if (ret != 0) {
			return ret;
		}
		addr += size;
	}
	ret = kmem_program_image_map();
	return ret == 0 && settings->maps_all_ram ? rest_map() : ret;
}
