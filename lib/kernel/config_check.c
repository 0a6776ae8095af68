/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a configuration can be: each value by itself, and all of them together.
 *
 * Messages name the value, the limit, and the names under which the value may have been set.
 */
#include "kernel/config.h"

#include <errno.h>

#include "host/log.h"
#include "host/memory.h"
#include "kernel/layout.h"
#include "machine/ram.h"

/* Addresses that a program of the host may use. */
#define VM_END ((uintptr_t)1 << 47)

#define SECTION_FLAGS (K_MEM_CACHE_MASK | K_MEM_PERM_RW | K_MEM_PERM_EXEC | K_MEM_PERM_USER)

#define FAIL(...) ((void)kmem_format(error, error_size, __VA_ARGS__), -EINVAL)

static int check_pages(const struct kmem_settings *settings, char *error, size_t error_size)
{
	size_t host = kmem_host_page_size();
	size_t size = settings->page_size;

	if (size == 0 || size % host != 0 || (size & (size - 1)) != 0 || size > KMEM_CONFIG_PAGE_SIZE_MAX) {
		return FAIL("page size %zu (page_size, CONFIG_MMU_PAGE_SIZE): not a power of two between the host's page "
			    "size, %zu, and %zu",
			    size, host, KMEM_CONFIG_PAGE_SIZE_MAX);
	}
	return 0;
}

static int check_aligned(const struct kmem_settings *settings, char *error, size_t error_size)
{
	const struct {
		const char *name;
		size_t value;
	} values[] = {
		{"VM base (KMEM_VM_BASE, vm_base, CONFIG_KERNEL_VM_BASE)", settings->vm_base},
		{"VM size (KMEM_VM_SIZE, vm_size, CONFIG_KERNEL_VM_SIZE)", settings->vm_size},
		{"VM offset (vm_offset, CONFIG_KERNEL_VM_OFFSET)", settings->vm_offset},
		{"RAM base (ram_base, CONFIG_SRAM_BASE_ADDRESS)", settings->ram_base},
		{"RAM size (KMEM_RAM, ram_size, CONFIG_SRAM_SIZE)", settings->ram_usable},
		{"RAM size (ram_size, CONFIG_SRAM_SIZE)", settings->ram_size},
		{"RAM offset (ram_offset, CONFIG_SRAM_OFFSET)", settings->ram_offset},
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (values[i].value % settings->page_size != 0) {
			return FAIL("%s: 0x%zx is not a multiple of the page size, %zu", values[i].name, values[i].value,
				    settings->page_size);
		}
	}
	return 0;
}

static int check_sections(const struct kmem_settings *settings, char *error, size_t error_size)
{
	size_t left = settings->ram_usable;

	for (size_t i = 0; i < settings->section_count; i++) {
		const struct kmem_section *section = &settings->sections[i];

		if (section->size == 0 || section->size > left) {
			return FAIL("section \"%s\": size %zu is not between 1 and %zu, what is left of RAM", section->name,
				    section->size, left);
		}
		if (section->bytes != NULL && section->bytes_size > section->size) {
			return FAIL("section \"%s\": %zu bytes of content in a section of %zu", section->name,
				    section->bytes_size, section->size);
		}
		if ((section->flags & ~(uint32_t)SECTION_FLAGS) != 0) {
			return FAIL("section \"%s\": flags 0x%x are not permissions or a cache mode", section->name,
				    section->flags);
		}
		left -= section->size;
	}
	return 0;
}

static int check_ram(const struct kmem_settings *settings, char *error, size_t error_size)
{
	size_t image = kmem_layout_image_size(settings);

	if (settings->ram_size > settings->vm_size) {
		return FAIL("RAM of %zu bytes (KMEM_RAM, ram_size, CONFIG_SRAM_SIZE) is larger than the VM range of %zu bytes "
			    "(KMEM_VM_SIZE, vm_size, CONFIG_KERNEL_VM_SIZE)",
			    settings->ram_size, settings->vm_size);
	}
	if (settings->ram_base >= KMEM_PHYS_END || settings->ram_size > KMEM_PHYS_END - settings->ram_base) {
		return FAIL("RAM [0x%zx, +%zu) does not end below physical address 0x%zx", (size_t)settings->ram_base,
			    settings->ram_size, (size_t)KMEM_PHYS_END);
	}
	if (settings->ram_offset > settings->ram_usable || image > settings->ram_usable - settings->ram_offset) {
		return FAIL("an image of %zu bytes at RAM offset %zu does not fit in RAM of %zu bytes", image,
			    settings->ram_offset, settings->ram_usable);
	}
	if ((settings->ram_usable - image) / settings->page_size < KMEM_CONFIG_FRAMES_MIN) {
		return FAIL("RAM of %zu bytes (KMEM_RAM, ram_size, CONFIG_SRAM_SIZE) is too small: it must leave %d frames of %zu "
			    "bytes beside the image, of which %zu bytes are known by now",
			    settings->ram_usable, KMEM_CONFIG_FRAMES_MIN, settings->page_size, image);
	}
	if (settings->frames_reserve > settings->ram_size / settings->page_size) {
		return FAIL("%zu frames in reserve (frames_reserve, CONFIG_DEMAND_PAGING_PAGE_FRAMES_RESERVE): RAM has %zu",
			    settings->frames_reserve, settings->ram_size / settings->page_size);
	}
	return 0;
}

/* Bytes behind the image that the boot mapping takes. */
static size_t boot_size(const struct kmem_settings *settings)
{
	return settings->maps_all_ram ? settings->ram_size - settings->ram_offset : kmem_layout_image_size(settings);
}

static int check_vm(const struct kmem_settings *settings, char *error, size_t error_size)
{
	size_t taken = boot_size(settings);

	if (settings->vm_base == 0 || settings->vm_base >= VM_END || settings->vm_size == 0 ||
	    settings->vm_size > VM_END - settings->vm_base) {
		return FAIL("VM range of %zu bytes at 0x%zx (KMEM_VM_SIZE, vm_size, CONFIG_KERNEL_VM_SIZE; KMEM_VM_BASE, vm_base, "
			    "CONFIG_KERNEL_VM_BASE) is not between 0 and 0x%zx",
			    settings->vm_size, (size_t)settings->vm_base, (size_t)VM_END);
	}
	if (settings->maps_all_ram && settings->vm_offset < settings->ram_offset) {
		return FAIL("VM offset 0x%zx is less than the RAM offset, 0x%zx: all of RAM cannot be mapped (maps_all_ram, "
			    "CONFIG_ARCH_MAPS_ALL_RAM)",
			    settings->vm_offset, settings->ram_offset);
	}
	/* The reserved page, and the smallest mapping with its guards. */
	taken += 4 * settings->page_size;
	if (settings->vm_offset > settings->vm_size || taken > settings->vm_size - settings->vm_offset) {
		return FAIL("VM range of %zu bytes (KMEM_VM_SIZE, vm_size, CONFIG_KERNEL_VM_SIZE) has no room for %zu bytes of boot "
			    "image and mappings at offset 0x%zx",
			    settings->vm_size, taken, settings->vm_offset);
	}
	return 0;
}

static int check_devices(const struct kmem_settings *settings, char *error, size_t error_size)
{
	if (settings->device_count > KMEM_DEVICES_MAX) {
		return FAIL("%zu devices; there may be %d", settings->device_count, KMEM_DEVICES_MAX);
	}
	for (size_t i = 0; i < settings->device_count; i++) {
		const struct kmem_device *device = &settings->devices[i];

		if (device->name == NULL) {
			return FAIL("device %zu has no name", i);
		}
		if (device->size == 0 || device->phys % settings->page_size != 0 || device->size % settings->page_size != 0 ||
		    device->phys >= KMEM_PHYS_END || device->size > KMEM_PHYS_END - device->phys) {
			return FAIL("device memory \"%s\" at 0x%zx, %zu bytes: not pages of %zu bytes below 0x%zx",
				    device->name, (size_t)device->phys, device->size, settings->page_size, (size_t)KMEM_PHYS_END);
		}
	}
	return 0;
}

static int check_stats(const struct kmem_settings *settings, char *error, size_t error_size)
{
	if (settings->timing && !settings->stats) {
		return FAIL("timing (timing, CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM) needs statistics (stats, "
			    "CONFIG_DEMAND_PAGING_STATS)");
	}
	return 0;
}

static int check_paging(const struct kmem_settings *settings, char *error, size_t error_size)
{
	size_t limit = KMEM_LOCATION_ANON_UNINIT / settings->page_size;

	if (settings->demand_mapping && !settings->demand_paging) {
		return FAIL("demand mapping (demand_mapping, CONFIG_DEMAND_MAPPING) needs demand paging (demand_paging, "
			    "CONFIG_DEMAND_PAGING)");
	}
	if (settings->demand_paging && (settings->store_pages == 0 || settings->store_pages > limit)) {
		return FAIL("a store of %zu pages (KMEM_STORE, store_pages, CONFIG_BACKING_STORE_RAM_PAGES): not between 1 and %zu",
			    settings->store_pages, limit);
	}
	if (settings->readahead > KMEM_CONFIG_READAHEAD_MAX) {
		return FAIL("%zu pages for one trap (KMEM_READAHEAD, readahead): %d are possible", settings->readahead,
			    KMEM_CONFIG_READAHEAD_MAX);
	}
	if (settings->cleaner_frames > settings->ram_usable / settings->page_size / 2) {
		return FAIL("%zu frames to keep free (KMEM_CLEANER, cleaner_frames): half of RAM are possible, %zu",
			    settings->cleaner_frames, settings->ram_usable / settings->page_size / 2);
	}
	return 0;
}

int kmem_config_check(const struct kmem_settings *settings, char *error, size_t error_size)
{
	static int (*const checks[])(const struct kmem_settings *settings, char *error, size_t error_size) = {
		check_pages, check_aligned, check_sections, check_ram, check_vm, check_devices, check_paging, check_stats,
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		int ret = checks[i](settings, error, error_size);

		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}
