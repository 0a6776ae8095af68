/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The architecture layer, as those use it who prototype a memory manager, an eviction algorithm or a backing store
 * above it: page table entries at addresses of the caller's, pages out and in by hand, and the scratch page.
 *
 * The addresses are those of a mapping that is never touched otherwise, made and given back around every test.
 */
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>
#include <zephyr/drivers/mm/system_mm.h>
#include <zephyr/kernel/mm.h>
#include <zephyr/kernel/mm/demand_paging.h>
#include <kernel_arch_interface.h>
#include <mmu.h>

#define PAGE ((size_t)CONFIG_MMU_PAGE_SIZE)
#define PAGES 4U

static uint8_t __aligned(CONFIG_MMU_PAGE_SIZE) buf[PAGES * CONFIG_MMU_PAGE_SIZE];
static uint8_t *window; /* virtual addresses that are the test's */

static volatile bool expect_thread_fault;
static volatile unsigned int thread_faults;

void k_sys_fatal_error_handler(unsigned int reason, const struct arch_esf *esf)
{
	ARG_UNUSED(esf);
	if (!expect_thread_fault || reason != K_ERR_CPU_EXCEPTION) {
		printk("unexpected fatal error %u\n", reason);
		k_fatal_halt(reason);
	}
	expect_thread_fault = false;
	thread_faults++;
}

K_THREAD_STACK_DEFINE(fault_stack, 1024);
static struct k_thread fault_thread;

static void access_byte(void *address, void *writing, void *unused)
{
	volatile uint8_t *byte = address;

	ARG_UNUSED(unused);
	if (writing != NULL) {
		*byte = 1;
	} else {
		(void)*byte;
	}
	expect_thread_fault = false;
}

static bool faults(void *address, bool writing)
{
	unsigned int before = thread_faults;

	expect_thread_fault = true;
	k_thread_create(&fault_thread, fault_stack, K_THREAD_STACK_SIZEOF(fault_stack), access_byte, address,
			writing ? &fault_thread : NULL, NULL, K_PRIO_PREEMPT(1), 0, K_NO_WAIT);
	zassert_ok(k_thread_join(&fault_thread, K_SECONDS(10)));
	return thread_faults != before;
}

static bool program_is_image(void)
{
	return (uint8_t *)buf >= K_MEM_VIRT_RAM_START && (uint8_t *)buf < K_MEM_VIRT_RAM_END;
}

/* ---- mapping ---- */

ZTEST(arch, test_map_unmap)
{
	uintptr_t phys = k_mem_phys_addr(buf);
	uintptr_t got;

	zassert_equal(arch_page_phys_get(window, &got), -EFAULT, "nothing is mapped");
	zassert_equal(arch_page_phys_get(window, NULL), -EFAULT);
	zassert_true(faults(window, false));

	(void)arch_mem_map(window, phys, 2 * PAGE, K_MEM_CACHE_WB | K_MEM_PERM_RW);
	zassert_ok(arch_page_phys_get(window, &got));
	zassert_equal(got, phys);
	zassert_ok(arch_page_phys_get(window + PAGE, &got));
	zassert_equal(got, phys + PAGE);
	zassert_ok(arch_page_phys_get(window, NULL), "the address is wanted by nobody");
	zassert_equal(arch_page_phys_get(window + 2 * PAGE, &got), -EFAULT);
	window[PAGE - 1] = 17;
	window[PAGE] = 18;
	zassert_equal(buf[PAGE - 1], 17);
	zassert_equal(buf[PAGE], 18);
	buf[0] = 19;
	zassert_equal(window[0], 19);

	/* Entries are overwritten: another page, and read-only. */
	(void)arch_mem_map(window, phys + PAGE, PAGE, K_MEM_CACHE_WB);
	zassert_equal(window[0], 18);
	zassert_true(faults(window, true));
	zassert_ok(arch_page_phys_get(window, &got));
	zassert_equal(got, phys + PAGE);

	(void)arch_mem_unmap(window, 2 * PAGE);
	zassert_equal(arch_page_phys_get(window, &got), -EFAULT);
	zassert_true(faults(window + PAGE, false));
	(void)arch_mem_unmap(window, 2 * PAGE); /* what is not mapped is no matter */
	zassert_equal(buf[0], 19, "the memory is untouched");
}

ZTEST(arch, test_static_pages_are_mapped)
{
	uintptr_t phys;

	/* A program with a layout of its own is seen through the physical window, and has no pages in the VM. */
	if (!program_is_image()) {
		ztest_test_skip();
	}
	zassert_ok(arch_page_phys_get(buf, &phys));
	zassert_equal(phys, k_mem_phys_addr(buf));
	zassert_equal(phys, K_MEM_PHYS_ADDR((uintptr_t)buf));
	zassert_true(k_mem_page_frame_is_pinned(k_mem_phys_to_page_frame(phys)));
	zassert_true(k_mem_page_frame_is_mapped(k_mem_phys_to_page_frame(phys)));
	zassert_equal(k_mem_page_frame_to_virt(k_mem_phys_to_page_frame(phys)), buf);
}

ZTEST(arch, test_kernel_image)
{
	if (!program_is_image()) {
		ztest_test_skip();
	}
	zassert_true((uint8_t *)buf >= K_MEM_KERNEL_VIRT_START);
	zassert_true((uint8_t *)buf + sizeof(buf) <= K_MEM_KERNEL_VIRT_END);
	zassert_equal((uintptr_t)K_MEM_KERNEL_VIRT_START % PAGE, 0);
	zassert_equal(K_MEM_KERNEL_VIRT_START, K_MEM_VIRT_RAM_START + CONFIG_KERNEL_VM_OFFSET,
		      "the first thing in the VM");
	zassert_equal(K_MEM_KERNEL_VIRT_SIZE, (size_t)(K_MEM_KERNEL_VIRT_END - K_MEM_KERNEL_VIRT_START));
	zassert_true(K_MEM_VM_FREE_START >= K_MEM_KERNEL_VIRT_END);
	zassert_equal(K_MEM_BOOT_VIRT_TO_PHYS(buf), k_mem_phys_addr(buf));
	zassert_equal(K_MEM_BOOT_PHYS_TO_VIRT(k_mem_phys_addr(buf)), (uint8_t *)buf);
	zassert_true(k_mem_page_frame_is_pinned(
		k_mem_phys_to_page_frame(K_MEM_BOOT_VIRT_TO_PHYS(ROUND_DOWN((uintptr_t)&window, PAGE)))));
}

ZTEST(arch, test_virt_region_align)
{
	zassert_equal(arch_virt_region_align(K_MEM_PHYS_RAM_START, PAGE), PAGE);
	arch_reserved_pages_update();
}

/* ---- sys_mm_drv: the same with errors ---- */

ZTEST(arch, test_system_mm)
{
	uintptr_t phys = k_mem_phys_addr(buf);
	uintptr_t got;

	zassert_equal(sys_mm_drv_page_phys_get(window, &got), -EFAULT);
	zassert_equal(sys_mm_drv_unmap_page(window), -EFAULT);
	zassert_equal(sys_mm_drv_map_page(window + 1, phys, SYS_MM_MEM_PERM_RW), -EINVAL);
	zassert_ok(sys_mm_drv_map_region(window, phys, 2 * PAGE, SYS_MM_MEM_PERM_RW));
	zassert_equal(sys_mm_drv_map_page(window, phys, SYS_MM_MEM_PERM_RW), -EFAULT, "mapped already");
	zassert_ok(sys_mm_drv_page_phys_get(window + PAGE, &got));
	zassert_equal(got, phys + PAGE);
	window[0] = 77;
	zassert_equal(buf[0], 77);
	zassert_ok(sys_mm_drv_update_page_flags(window, 0));
	zassert_true(faults(window, true));
	zassert_false(faults(window + PAGE, true));
	zassert_ok(sys_mm_drv_remap_region(window, 2 * PAGE, window + 2 * PAGE));
	zassert_true(faults(window, false));
	zassert_equal(window[2 * PAGE], 77);
	zassert_ok(sys_mm_drv_unmap_region(window + 2 * PAGE, 2 * PAGE));
}

#ifdef CONFIG_DEMAND_PAGING

/* ---- out and in, by hand: a page that has no frame of the kernel's ---- */

/* A token, page-aligned. 0 is one as well. */
#define TOKEN ((uintptr_t)(5 * PAGE))

ZTEST(arch, test_page_location)
{
	uintptr_t phys = k_mem_phys_addr(buf);
	uintptr_t location = 1;
	uintptr_t info;

	zassert_equal(arch_page_location_get(window, &location), ARCH_PAGE_LOCATION_BAD);
	info = arch_page_info_get(window, &location, false);
	zassert_not_equal(info & ARCH_DATA_PAGE_NOT_MAPPED, 0);
	zassert_equal(info & ARCH_DATA_PAGE_LOADED, 0);
	zassert_equal(location, 1, "untouched");

	(void)arch_mem_map(window, phys, PAGE, K_MEM_CACHE_WB | K_MEM_PERM_RW);
	zassert_equal(arch_page_location_get(window, &location), ARCH_PAGE_LOCATION_PAGED_IN);
	zassert_equal(location, phys);
	location = 1;
	info = arch_page_info_get(window, &location, false);
	zassert_not_equal(info & ARCH_DATA_PAGE_LOADED, 0);
	zassert_equal(info & ARCH_DATA_PAGE_NOT_MAPPED, 0);
	zassert_equal(location, phys);

	arch_mem_page_out(window, TOKEN);
	zassert_equal(arch_page_location_get(window, &location), ARCH_PAGE_LOCATION_PAGED_OUT);
	zassert_equal(location, TOKEN);
	location = 1;
	info = arch_page_info_get(window, &location, false);
	zassert_equal(info & ARCH_DATA_PAGE_LOADED, 0);
	zassert_equal(info & ARCH_DATA_PAGE_NOT_MAPPED, 0);
	zassert_equal(location, TOKEN);
	zassert_equal(arch_page_phys_get(window, &location), -EFAULT, "it has no physical address");

	/* In another place: permissions are what they were, accessed and dirty are not. */
	arch_mem_page_in(window, phys + PAGE);
	zassert_equal(arch_page_location_get(window, &location), ARCH_PAGE_LOCATION_PAGED_IN);
	zassert_equal(location, phys + PAGE);
	info = arch_page_info_get(window, NULL, false);
	zassert_equal(info & (ARCH_DATA_PAGE_ACCESSED | ARCH_DATA_PAGE_DIRTY), 0, "0x%lx", info);
	window[0] = 99;
	zassert_equal(buf[PAGE], 99);
	info = arch_page_info_get(window, NULL, false);
	zassert_equal(info & (ARCH_DATA_PAGE_ACCESSED | ARCH_DATA_PAGE_DIRTY),
		      ARCH_DATA_PAGE_ACCESSED | ARCH_DATA_PAGE_DIRTY);

	/* Token 0, and a page that may only be read. */
	(void)arch_mem_map(window, phys, PAGE, K_MEM_CACHE_WB);
	arch_mem_page_out(window, 0);
	zassert_equal(arch_page_location_get(window, &location), ARCH_PAGE_LOCATION_PAGED_OUT);
	zassert_equal(location, 0);
	arch_mem_page_in(window, phys);
	zassert_true(faults(window, true), "read-only, as it was");
	zassert_false(faults(window, false));

	(void)arch_mem_unmap(window, PAGE);
	zassert_equal(arch_page_location_get(window, &location), ARCH_PAGE_LOCATION_BAD);
}

ZTEST(arch, test_scratch)
{
	volatile uint8_t *scratch = K_MEM_SCRATCH_PAGE;
	unsigned int key = irq_lock();

	zassert_equal((uintptr_t)scratch, (uintptr_t)K_MEM_VIRT_RAM_END - PAGE);
	(void)memset(buf, 1, PAGE);
	(void)memset(buf + PAGE, 2, PAGE);
	arch_mem_scratch(k_mem_phys_addr(buf));
	zassert_equal(scratch[0], 1);
	scratch[PAGE - 1] = 3;
	arch_mem_scratch(k_mem_phys_addr(buf + PAGE));
	zassert_equal(scratch[PAGE - 1], 2);
	scratch[1] = 4;
	irq_unlock(key);
	zassert_equal(buf[PAGE - 1], 3);
	zassert_equal(buf[PAGE + 1], 4);
}

/* The scratch page can be written to where the page itself cannot. */
ZTEST(arch, test_scratch_of_a_read_only_page)
{
	uint8_t *page = k_mem_map(PAGE, K_MEM_PERM_RW | K_MEM_MAP_LOCK);
	uint8_t *scratch = K_MEM_SCRATCH_PAGE;
	uintptr_t phys;
	unsigned int key;

	zassert_not_null(page);
	zassert_ok(k_mem_update_flags(page, PAGE, 0));
	zassert_ok(arch_page_phys_get(page, &phys));
	key = irq_lock();
	arch_mem_scratch(phys);
	scratch[7] = 70;
	irq_unlock(key);
	zassert_equal(page[7], 70);
	zassert_true(faults(page + 7, true));
	k_mem_unmap(page, PAGE);
}

/* What the fault code asks: is it ours, and was it out? */
ZTEST(arch, test_page_fault)
{
	uint8_t *page = k_mem_map(PAGE, K_MEM_PERM_RW);
	unsigned long count;

	zassert_not_null(page);
	page[5] = 50;
	count = k_mem_num_pagefaults_get();
	zassert_true(k_mem_page_fault(page + 5), "it is in: try again");
	zassert_equal(k_mem_num_pagefaults_get(), count, "and no fault");
	zassert_ok(k_mem_page_out(page, PAGE));
	zassert_true(k_mem_page_fault(page + 123), "any address in the page");
	zassert_equal(k_mem_num_pagefaults_get(), count + 1);
	zassert_equal(page[5], 50);
	zassert_equal(k_mem_num_pagefaults_get(), count + 1);
	zassert_false(k_mem_page_fault(page - 1), "a guard page");
	zassert_equal(k_mem_num_pagefaults_get(), count + 1);
	k_mem_unmap(page, PAGE);
}

#ifdef CONFIG_DEMAND_MAPPING
ZTEST(arch, test_pages_that_were_never_touched)
{
	uint8_t *page = k_mem_map(PAGE, K_MEM_PERM_RW);
	uintptr_t location;

	zassert_equal(arch_page_location_get(page, &location), ARCH_PAGE_LOCATION_PAGED_OUT);
	zassert_equal(location, ARCH_UNPAGED_ANON_ZERO);
	k_mem_unmap(page, PAGE);
	page = k_mem_map(PAGE, K_MEM_PERM_RW | K_MEM_MAP_UNINIT);
	zassert_equal(arch_page_location_get(page, &location), ARCH_PAGE_LOCATION_PAGED_OUT);
	zassert_equal(location, ARCH_UNPAGED_ANON_UNINIT);
	k_mem_unmap(page, PAGE);
}
#endif

#endif /* CONFIG_DEMAND_PAGING */

/* ---- around all of them ---- */

/* Addresses with nothing in them: of a mapping that is undone, and no other comes in between. */
static void before(void *fixture)
{
	ARG_UNUSED(fixture);
	k_mem_map_phys_bare(&window, k_mem_phys_addr(buf), sizeof(buf), K_MEM_CACHE_WB | K_MEM_PERM_RW);
	(void)arch_mem_unmap(window, sizeof(buf));
}

static void after(void *fixture)
{
	ARG_UNUSED(fixture);
	k_mem_unmap_phys_bare(window, sizeof(buf));
}

ZTEST_SUITE(arch, NULL, NULL, before, after, NULL);
