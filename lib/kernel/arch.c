/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zephyr's architecture layer, for code that is prototyped below or above it. (Zephyr: kernel_arch_interface.h)
 *
 * These change page table entries and nothing else: no frame, no location, no region knows of it, as on a board. They take the
 * kernel lock, unless a policy or store calls them, which runs with it. Addresses and sizes are whole pages in the VM range;
 * others are a caller's bug.
 */
#include <kmem/arch.h>

#include <errno.h>

#include "kernel/arch.h"
#include "kernel/fatal.h"
#include "kernel/fork.h"
#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/paging.h"
#include "kernel/physical.h"
#include "kernel/program_image.h"
#include "kernel/range.h"
#include "machine/mmu.h"
#include "machine/ram.h"

static _Atomic bool is_used; /* somebody mapped past the regions */

/* The lock, where this call needs it. */
struct section {
	bool is_locked;
	kmem_sigmask saved;
};

static void section_enter(struct section *section)
{
	section->is_locked = !kmem_lock_is_held(&kmem_kernel.lock);
	if (section->is_locked) {
		kmem_kernel_lock(&section->saved);
	}
}

static void section_leave(const struct section *section)
{
	if (section->is_locked) {
		kmem_kernel_unlock(&section->saved);
	}
}

bool kmem_arch_is_used(void)
{
	return atomic_load(&is_used);
}

/* Nothing boots for the sake of these: there is nothing to look at before. */
static bool is_ready(void)
{
	return kmem_is_booted() && kmem_fork_error() == 0;
}

static bool range_ok(const void *addr, size_t size, struct kmem_bug *bug)
{
	return kmem_range_check((uintptr_t)addr, size, bug);
}

/* Pages that were never touched share a location, which does not grow. */
static bool is_anon(uintptr_t phys, uint32_t flags)
{
	return (flags & K_MEM_MAP_UNPAGED) != 0 && kmem_paging_is_anon_location(phys);
}

static bool phys_ok(uintptr_t phys, size_t size, uint32_t flags)
{
	return is_anon(phys, flags) ||
	       (phys % kmem_page_size() == 0 && phys < KMEM_PHYS_END && size <= KMEM_PHYS_END - phys);
}

/* Replace whatever the entries say. Lock held. */
static int map(uintptr_t addr, uintptr_t phys, size_t size, uint32_t flags)
{
	int ret = kmem_mmu_unmap(addr, size);

	if (ret != 0) {
		return ret;
	}
	if ((flags & K_MEM_MAP_UNPAGED) != 0) {
		kmem_mmu_map_out(addr, phys, is_anon(phys, flags) ? 0 : kmem_page_size(), size, flags);
		return 0;
	}
	ret = kmem_program_image_prepare(phys, size, flags);
	if (ret != 0) {
		return ret;
	}
	if (kmem_ram_bank_find(phys, size) == NULL) {
		return -EFAULT;
	}
	ret = kmem_physical_prepare(phys, size);
	return ret != 0 ? ret : KMEM_RELIEVED(kmem_mmu_map(addr, phys, size, flags));
}

int arch_mem_map(void *virt, uintptr_t phys, size_t size, uint32_t flags)
{
	struct kmem_bug bug = {.condition = NULL};
	struct section section;
	int ret;

	if (!is_ready()) {
		return -ENODEV;
	}
	if (!range_ok(virt, size, &bug)) {
		kmem_bug_raise(&bug);
		return -EINVAL;
	}
	if (!phys_ok(phys, size, flags)) {
		KMEM_BUG(&bug, "phys is whole pages",
			 "physical address or location 0x%zx, %zu bytes: not pages of %zu bytes below 0x%zx",
			 (size_t)phys, size, kmem_page_size(), (size_t)KMEM_PHYS_END);
		kmem_bug_raise(&bug);
		return -EINVAL;
	}
	section_enter(&section);
	(void)kmem_paging_settle((uintptr_t)virt, size);
	ret = map((uintptr_t)virt, phys, size, flags);
	atomic_store(&is_used, true);
	section_leave(&section);
	return ret;
}

int arch_mem_unmap(void *addr, size_t size)
{
	struct kmem_bug bug = {.condition = NULL};
	struct section section;
	int ret;

	if (!is_ready()) {
		return -ENODEV;
	}
	if (!range_ok(addr, size, &bug)) {
		kmem_bug_raise(&bug);
		return -EINVAL;
	}
	section_enter(&section);
	(void)kmem_paging_settle((uintptr_t)addr, size);
	ret = kmem_mmu_unmap((uintptr_t)addr, size);
	section_leave(&section);
	return ret;
}

static kmem_pte pte_of(const void *addr)
{
	return is_ready() && kmem_page_table_covers((uintptr_t)addr) ? kmem_pte_get((uintptr_t)addr)
								     : KMEM_PTE_UNMAPPED;
}

int arch_page_phys_get(void *virt, uintptr_t *phys)
{
	kmem_pte pte = pte_of(virt);

	if (kmem_pte_state(pte) != KMEM_PTE_IN) {
		return -EFAULT;
	}
	if (phys != NULL) {
		*phys = kmem_pte_addr(pte);
	}
	return 0;
}

enum arch_page_location arch_page_location_get(void *addr, uintptr_t *location)
{
	kmem_pte pte = pte_of(addr);

	switch (kmem_pte_state(pte)) {
	case KMEM_PTE_UNMAPPED:
	case KMEM_PTE_GUARD:
		return ARCH_PAGE_LOCATION_BAD;
	default:
		break;
	}
	*location = kmem_pte_addr(pte);
	return kmem_pte_state(pte) == KMEM_PTE_OUT || kmem_pte_state(pte) == KMEM_PTE_BUSY_IN
		       ? ARCH_PAGE_LOCATION_PAGED_OUT
		       : ARCH_PAGE_LOCATION_PAGED_IN;
}

uintptr_t arch_page_info_get(void *addr, uintptr_t *location, bool clear_accessed)
{
	struct section section;
	uintptr_t info;

	if (!is_ready()) {
		return ARCH_DATA_PAGE_NOT_MAPPED;
	}
	section_enter(&section);
	info = kmem_page_info_get(addr, location, clear_accessed);
	section_leave(&section);
	return info;
}

void arch_mem_page_out(void *addr, uintptr_t location)
{
	uintptr_t page = (uintptr_t)addr;
	struct section section;

	if (kmem_pte_state(pte_of(addr)) == KMEM_PTE_UNMAPPED || location % kmem_page_size() != 0 ||
	    location >= KMEM_PHYS_END) {
		return;
	}
	section_enter(&section);
	(void)kmem_paging_settle(page, kmem_page_size());
	/* A page of the program's own leaves its bytes in its frame, as every other does. */
	if (kmem_pte_state(kmem_pte_get(page)) == KMEM_PTE_IN && kmem_program_image_adopt(page) == 0 &&
	    kmem_physical_prepare(kmem_pte_addr(kmem_pte_get(page)), kmem_page_size()) == 0 &&
	    KMEM_RELIEVED(kmem_mmu_page_out_begin(page)) == 0) {
		kmem_mmu_page_out_end(page, location);
	}
	section_leave(&section);
}

void arch_mem_page_in(void *addr, uintptr_t phys)
{
	uintptr_t page = (uintptr_t)addr;
	struct section section;

	if (kmem_pte_state(pte_of(addr)) == KMEM_PTE_UNMAPPED || phys % kmem_page_size() != 0 ||
	    kmem_ram_bank_find(phys, kmem_page_size()) == NULL) {
		return;
	}
	section_enter(&section);
	(void)kmem_paging_settle(page, kmem_page_size());
	if (kmem_pte_state(kmem_pte_get(page)) == KMEM_PTE_OUT && kmem_physical_prepare(phys, kmem_page_size()) == 0) {
		kmem_mmu_page_in_begin(page);
		kmem_mmu_page_in_end_concealed(page, phys);
	}
	section_leave(&section);
}

void arch_mem_scratch(uintptr_t phys)
{
	struct kmem_bug bug = {.condition = NULL};
	struct section section;
	int ret;

	if (!is_ready() || phys % kmem_page_size() != 0) {
		return;
	}
	section_enter(&section);
	ret = kmem_program_image_prepare(phys, kmem_page_size(), K_MEM_PERM_RW);
	if (ret == 0 && kmem_ram_bank_find(phys, kmem_page_size()) != NULL) {
		ret = kmem_physical_prepare(phys, kmem_page_size());
		ret = ret == 0 ? KMEM_RELIEVED(kmem_mmu_scratch(phys)) : ret;
	}
	section_leave(&section);
	if (ret != 0) {
		KMEM_BUG(&bug, "the host maps the scratch page", "frame 0x%zx: the host refuses", (size_t)phys);
		kmem_bug_raise(&bug);
	}
}

void arch_reserved_pages_update(void)
{
	/* Frames without memory behind them do not exist here: KMEM_RAM makes RAM smaller. */
}

size_t arch_virt_region_align(uintptr_t phys, size_t size)
{
	(void)phys;
	(void)size;
	return kmem_is_booted() ? kmem_page_size() : 0;
}
