/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MMU: pages that come and go, one by one or several at once, and what is learned of them meanwhile. See mmu.h.
 */
#include "host/memory.h"
#include "machine/home.h"
#include "machine/mmu_host.h"
#include "machine/mmu_range.h"
#include "machine/mmu_window.h"

void kmem_mmu_page_in_begin(uintptr_t addr)
{
	kmem_pte_set(addr, kmem_pte_with_state(kmem_pte_get(addr), KMEM_PTE_BUSY_IN));
}

/* The entry of a page that has come in. */
static kmem_pte pte_in(const struct kmem_mmu_page *page)
{
	kmem_pte pte = kmem_pte_with_addr(kmem_pte_get(page->addr), KMEM_PTE_IN, page->phys);

	if (page->is_dirty) {
		pte |= KMEM_PTE_DIRTY;
	}
	if (page->is_exposed && (pte & KMEM_PTE_NO_ACCESS) == 0) {
		pte |= KMEM_PTE_ACCESSED;
	}
	return pte;
}

int kmem_mmu_pages_expose(const struct kmem_mmu_page *pages, size_t count)
{
	struct kmem_mmu_vector vector;

	kmem_mmu_vector_init(&vector, kmem_mmu_host_expose);
	for (size_t i = 0; i < count; i++) {
		unsigned int prot = kmem_pte_prot(pte_in(&pages[i]));

		if (prot != KMEM_PROT_NONE) {
			kmem_mmu_vector_add(&vector, pages[i].addr, pages[i].phys, prot, false);
		}
	}
	return kmem_mmu_vector_flush(&vector);
}

void kmem_mmu_page_in_done(const struct kmem_mmu_page *page)
{
	kmem_pte_set(page->addr, pte_in(page));
}

int kmem_mmu_page_in_end(uintptr_t addr, uintptr_t phys, bool dirty)
{
	const struct kmem_mmu_page page = {.addr = addr, .phys = phys, .is_dirty = dirty, .is_exposed = true};
	int ret = kmem_mmu_pages_expose(&page, 1);

	if (ret == 0) {
		kmem_mmu_page_in_done(&page);
	}
	return ret;
}

void kmem_mmu_page_in_end_concealed(uintptr_t addr, uintptr_t phys)
{
	kmem_pte_set(addr, kmem_pte_with_addr(kmem_pte_get(addr), KMEM_PTE_IN, phys));
}

void kmem_mmu_page_in_undo(uintptr_t addr)
{
	kmem_pte_set(addr, kmem_pte_with_state(kmem_pte_get(addr), KMEM_PTE_OUT));
}

bool kmem_mmu_can_unlock(const struct kmem_mmu_page *pages, size_t count)
{
	if (!kmem_mmu.engine->is_concurrent || kmem_mmu_window_is_open()) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (!kmem_home_is_own(pages[i].phys)) {
			return false;
		}
	}
	return true;
}

/* Whether all pages between two that are concealed together trap already: where they are many, it is not worth a look. */
#define GAP_PAGES_MAX 16

static bool is_gap_concealed(uintptr_t addr, uintptr_t end)
{
	return end - addr <= GAP_PAGES_MAX * kmem_mmu.page_size && kmem_pte_exposed_next(addr, end) == end;
}

int kmem_mmu_pages_conceal(const struct kmem_mmu_page *pages, size_t count)
{
	struct kmem_mmu_vector vector;
	uintptr_t end = 0; /* of the page before */

	kmem_mmu_vector_init(&vector, kmem_mmu_host_conceal);
	for (size_t i = 0; i < count; i++) {
		const struct kmem_mmu_page *page = &pages[i];

		if (!page->is_exposed) {
			continue;
		}
		kmem_mmu_vector_add(&vector, page->addr, page->phys, kmem_pte_prot(page->before),
				    !kmem_mmu.engine->is_concurrent && end != 0 && is_gap_concealed(end, page->addr));
		end = page->addr + kmem_mmu.page_size;
	}
	return kmem_mmu_vector_flush(&vector);
}

void kmem_mmu_page_out_mark(struct kmem_mmu_page *page)
{
	page->before = kmem_pte_get(page->addr);
	page->phys = kmem_pte_addr(page->before);
	page->is_exposed = kmem_pte_prot(page->before) != KMEM_PROT_NONE;
	kmem_pte_set(page->addr, kmem_pte_with_state(page->before & ~KMEM_PTE_ACCESSED, KMEM_PTE_BUSY_OUT));
}

void kmem_mmu_page_out_unmark(const struct kmem_mmu_page *page)
{
	kmem_pte_set(page->addr, page->before);
}

int kmem_mmu_page_out_begin(uintptr_t addr)
{
	struct kmem_mmu_page page = {.addr = addr};
	int ret;

	kmem_mmu_page_out_mark(&page);
	ret = kmem_mmu_pages_conceal(&page, 1);
	if (ret != 0) {
		kmem_mmu_page_out_unmark(&page);
	}
	return ret;
}

void kmem_mmu_page_out_end(uintptr_t addr, uint64_t location)
{
	kmem_pte pte = kmem_pte_get(addr);

	kmem_mmu_page_drop(addr, kmem_pte_addr(pte));
	kmem_pte_set(addr, kmem_pte_with_addr(pte & ~KMEM_PTE_DIRTY, KMEM_PTE_OUT, location));
}

void kmem_mmu_page_out_undo(uintptr_t addr)
{
	kmem_pte_set(addr, kmem_pte_with_state(kmem_pte_get(addr), KMEM_PTE_IN));
}

int kmem_mmu_page_access(uintptr_t addr, bool dirty)
{
	kmem_pte before = kmem_pte_get(addr);
	kmem_pte after = before | KMEM_PTE_ACCESSED | (dirty ? KMEM_PTE_DIRTY : 0);
	struct kmem_run run = kmem_mmu_run_of(addr, after);
	int ret = 0;

	if ((before & KMEM_PTE_NO_ACCESS) != 0) {
		return 0;
	}
	if (kmem_pte_prot(before) == KMEM_PROT_NONE) {
		ret = kmem_mmu_host_expose(&run, 1);
	} else if (kmem_pte_prot(before) != run.prot) {
		ret = kmem_mmu_host_protect(&run, 1);
	}
	if (ret == 0) {
		kmem_pte_set(addr, after);
	}
	return ret;
}
