/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mapping, as a Zephyr developer tests it: anonymous memory and its guard pages, other views of the program's own
 * memory, what a mapping costs, and what faults. It holds with and without demand paging and demand mapping, and
 * wherever RAM lies.
 *
 * A test that ends in a fault passes from the fatal error handler. Where a test wants several, each fault ends a
 * thread.
 */
#include <zephyr/kernel/mm.h>
#include <zephyr/ztest.h>
#include <zephyr/cache.h>
#include <zephyr/kernel/mm/demand_paging.h>
#include <zephyr/sys/mem_manage.h>
#include <zephyr/toolchain.h>
#include <mmu.h>
#include <zephyr/linker/sections.h>

#define PAGE ((size_t)CONFIG_MMU_PAGE_SIZE)
#define FLAGS K_MEM_CACHE_WB

/* Neither whole pages nor aligned in the mapping. */
#define BUF_OFFSET 100U
#define BUF_SIZE (2U * PAGE + 907U)
#define BUF_PAGES 4U

static volatile bool expect_fault;        /* the test passes by it */
static volatile bool expect_thread_fault; /* the thread ends by it */
static volatile unsigned int thread_faults;

__pinned_noinit static uint8_t __aligned(CONFIG_MMU_PAGE_SIZE) test_pages[BUF_PAGES * CONFIG_MMU_PAGE_SIZE];
__pinned_bss static uint8_t *mapped;

__pinned_func void k_sys_fatal_error_handler(unsigned int reason, const struct arch_esf *esf)
{
	ARG_UNUSED(esf);
	printk("Caught system error -- reason %d\n", reason);
	if (reason != K_ERR_CPU_EXCEPTION) {
		printk("this is not the reason that was expected\n");
		k_fatal_halt(reason);
	}
	if (expect_thread_fault) {
		expect_thread_fault = false;
		thread_faults++;
		return;
	}
	if (!expect_fault) {
		printk("no fault was expected\n");
		k_fatal_halt(reason);
	}
	expect_fault = false;
	ztest_test_pass();
}

/* ---- faults that end a thread ---- */

K_THREAD_STACK_DEFINE(fault_stack, 1024 + CONFIG_TEST_EXTRA_STACK_SIZE);
static struct k_thread fault_thread;

static void read_byte(void *address, void *unused1, void *unused2)
{
	ARG_UNUSED(unused1);
	ARG_UNUSED(unused2);
	(void)*(volatile uint8_t *)address;
	expect_thread_fault = false;
}

static void write_byte(void *address, void *unused1, void *unused2)
{
	ARG_UNUSED(unused1);
	ARG_UNUSED(unused2);
	*(volatile uint8_t *)address = 1;
	expect_thread_fault = false;
}

static bool faults(k_thread_entry_t access, void *address)
{
	unsigned int before = thread_faults;
	k_tid_t tid;

	expect_thread_fault = true;
	tid = k_thread_create(&fault_thread, fault_stack, K_THREAD_STACK_SIZEOF(fault_stack), access, address, NULL,
			      NULL, K_PRIO_PREEMPT(1), 0, K_NO_WAIT);
	zassert_ok(k_thread_join(tid, K_FOREVER), "a thread that faulted is joined");
	return thread_faults != before;
}

#define READ_FAULTS(address) faults(read_byte, (void *)(address))
#define WRITE_FAULTS(address) faults(write_byte, (void *)(address))

/* ---- other views of physical memory ---- */

ZTEST(mem_map, test_phys_bare_rw)
{
	uint8_t *buf = test_pages + BUF_OFFSET;
	uint8_t *rw;
	uint8_t *ro;

	expect_fault = false;

	k_mem_map_phys_bare(&rw, k_mem_phys_addr(buf), BUF_SIZE, FLAGS | K_MEM_PERM_RW);
	k_mem_map_phys_bare(&ro, k_mem_phys_addr(buf), BUF_SIZE, FLAGS);
	zassert_equal((uintptr_t)rw % PAGE, BUF_OFFSET, "the offset in the page is lost: %p", rw);
	zassert_not_equal(rw, ro, "each call makes a mapping of its own");

	for (size_t i = 0; i < BUF_SIZE; i++) {
		rw[i] = (uint8_t)(i % 251U);
	}
	for (size_t i = 0; i < BUF_SIZE; i++) {
		zassert_equal(ro[i], rw[i], "unequal byte at index %zu", i);
		zassert_equal(buf[i], (uint8_t)(i % 251U), "the buffer has another byte at index %zu", i);
	}

	buf[3] = 0xa5;
	zassert_equal(rw[3], 0xa5);
	zassert_equal(ro[3], 0xa5);

	expect_fault = true;
	*(volatile uint8_t *)ro = 42;
	printk("the write to the read-only view has not faulted\n");
	ztest_test_fail();
}

ZTEST(mem_map, test_phys_bare_side_effect)
{
	uint8_t *buf = test_pages + BUF_OFFSET;
	size_t free_before = k_mem_free_get();

	expect_fault = false;
	k_mem_map_phys_bare(&mapped, k_mem_phys_addr(buf), BUF_SIZE, FLAGS);
	zassert_equal(k_mem_free_get(), free_before, "a view of memory takes no frame");

	/* A read-only view takes nothing away from the first one. */
	buf[0] = 42;
	zassert_equal(mapped[0], 42, "the views differ");
	zassert_true(WRITE_FAULTS(mapped), "the view is read-only");
	buf[0] = 43;
	zassert_equal(mapped[0], 43, "the views differ");

	k_mem_unmap_phys_bare(mapped, BUF_SIZE);
	zassert_equal(k_mem_free_get(), free_before);
	buf[0] = 44;
	zassert_equal(buf[0], 44);
}

ZTEST(mem_map, test_phys_bare_unmap)
{
	uint8_t *buf = test_pages + BUF_OFFSET;
	uint8_t *again;

	expect_fault = false;
	k_mem_map_phys_bare(&mapped, k_mem_phys_addr(buf), BUF_SIZE, FLAGS | K_MEM_PERM_RW);
	for (size_t i = 0; i < BUF_SIZE; i++) {
		mapped[i] = (uint8_t)(i % 241U);
	}
	k_mem_unmap_phys_bare(mapped, BUF_SIZE);

	k_mem_map_phys_bare(&again, k_mem_phys_addr(buf), BUF_SIZE, FLAGS | K_MEM_PERM_RW);
	zassert_equal(again, mapped, "an address that was given back is given out again");
	for (size_t i = 0; i < BUF_SIZE; i++) {
		zassert_equal(again[i], (uint8_t)(i % 241U), "unequal byte at index %zu", i);
	}
	k_mem_unmap_phys_bare(again, BUF_SIZE);

	expect_fault = true;
	*(volatile uint8_t *)mapped = 42;
	printk("the unmapped view can be written to\n");
	ztest_test_fail();
}

ZTEST(mem_map, test_phys_bare_static_pointer)
{
	/* Physical addresses are numbers for a static initialiser, too: of where the program was linked. */
	static const uint8_t *const image = K_MEM_PHYS_ADDR((const uint8_t *)CONFIG_KERNEL_VM_BASE +
							    CONFIG_KERNEL_VM_OFFSET);

	zassert_equal((uintptr_t)image, (uintptr_t)CONFIG_SRAM_BASE_ADDRESS + CONFIG_SRAM_OFFSET);
	zassert_equal(k_mem_phys_addr(test_pages) + K_MEM_VIRT_OFFSET, (uintptr_t)test_pages);
	zassert_equal(k_mem_virt_addr(k_mem_phys_addr(test_pages)), test_pages);
	zassert_equal(K_MEM_PHYS_ADDR((uintptr_t)test_pages), k_mem_phys_addr(test_pages));
}

/* ---- code ---- */

/* In a section of its own, whose name is good for the linker's __start_ and __stop_ symbols. */
#define EXEC_SECTION __attribute__((section("suite_exec_text")))
extern char __start_suite_exec_text[];
extern char __stop_suite_exec_text[];

EXEC_SECTION __used __noinline static void transplanted(bool *executed)
{
	*executed = true;
}

static void *map_code(uint32_t flags)
{
	uintptr_t phys = k_mem_phys_addr(__start_suite_exec_text);
	size_t size = (size_t)(__stop_suite_exec_text - __start_suite_exec_text);
	uint8_t *code;

	k_mem_map_phys_bare(&code, phys, size, FLAGS | flags);
	return code + ((uintptr_t)transplanted - (uintptr_t)__start_suite_exec_text);
}

ZTEST(mem_map, test_phys_bare_exec)
{
	bool executed = false;
	void (*func)(bool *executed);

	expect_fault = false;

	func = (void (*)(bool *))map_code(K_MEM_PERM_EXEC);
	zassert_not_equal((void *)func, (void *)transplanted);
	sys_cache_instr_invd_all();
	func(&executed);
	zassert_true(executed, "the copy did not run");

	executed = false;
	transplanted(&executed);
	zassert_true(executed, "the original did not run");

	/* The same page where it may not run. */
	executed = false;
	func = (void (*)(bool *))map_code(0);
	zassert_mem_equal((void *)func, (void *)transplanted, 8, "it can be read");
	expect_fault = true;
	func(&executed);
	printk("the page ran without permission\n");
	ztest_test_fail();
}

/* ---- anonymous memory ---- */

ZTEST(mem_map, test_map_unmap)
{
	size_t free_before;
	size_t free_mapped;
	void *old = NULL;

	expect_fault = false;
	free_before = k_mem_free_get();
	zassert_not_equal(free_before, 0, "no free memory");
	printk("Free memory: %zu\n", free_before);

	for (int round = 0; round < 3; round++) {
		mapped = k_mem_map(PAGE, K_MEM_PERM_RW);
		zassert_not_null(mapped, "failed to map memory");
		zassert_equal((uintptr_t)mapped % PAGE, 0, "not page-aligned: %p", mapped);
		zassert_true(mapped >= K_MEM_VIRT_RAM_START && mapped + PAGE < K_MEM_VIRT_RAM_END, "not in the VM: %p",
			     mapped);
		printk("mapped a page to %p\n", mapped);

		for (size_t i = 0; i < PAGE; i++) {
			zassert_equal(mapped[i], 0, "page isn't zero-filled at %zu", i);
		}
		(void)memset(mapped, 0xff, PAGE);

		free_mapped = k_mem_free_get();
		zassert_equal(free_mapped, free_before - PAGE, "one page, and no more: %zu", free_before - free_mapped);

		k_mem_unmap(mapped, PAGE);
		zassert_equal(k_mem_free_get(), free_before, "unmapping gives the page back");
		if (old != NULL) {
			zassert_equal(old, mapped, "mapped %p, then %p", old, mapped);
		}
		old = mapped;
	}

	expect_fault = true;
	*(volatile uint8_t *)mapped = 42;
	printk("the unmapped page can be written to\n");
	ztest_test_fail();
}

ZTEST(mem_map, test_free_get_at_touch)
{
	const size_t size = 8 * PAGE;
	size_t free_before = k_mem_free_get();

	mapped = k_mem_map(size, K_MEM_PERM_RW);
	zassert_not_null(mapped);
#ifdef CONFIG_DEMAND_MAPPING
	zassert_equal(k_mem_free_get(), free_before, "no frame before the first touch");
	for (size_t i = 0; i < 8; i++) {
		/* Reading is touching. */
		zassert_equal(mapped[i * PAGE + i], 0);
		zassert_equal(k_mem_free_get(), free_before - (i + 1) * PAGE);
	}
#endif
	zassert_equal(k_mem_free_get(), free_before - size);
	k_mem_unmap(mapped, size);
	zassert_equal(k_mem_free_get(), free_before);
}

ZTEST(mem_map, test_map_guard_before)
{
	expect_fault = false;
	mapped = k_mem_map(PAGE, K_MEM_PERM_RW);
	zassert_not_null(mapped, "failed to map memory");
	mapped[0] = 1;
	printk("mapped a page: %p - %p\n", mapped, mapped + PAGE);

	expect_fault = true;
	mapped -= sizeof(void *);
	*(volatile uint8_t *)mapped = 42;
	printk("the guard page in front did not fault\n");
	ztest_test_fail();
}

ZTEST(mem_map, test_map_guard_after)
{
	expect_fault = false;
	mapped = k_mem_map(PAGE, K_MEM_PERM_RW);
	zassert_not_null(mapped, "failed to map memory");
	mapped[PAGE - 1] = 1;

	expect_fault = true;
	mapped += PAGE + sizeof(void *);
	(void)*(volatile uint8_t *)mapped;
	printk("the guard page behind did not fault\n");
	ztest_test_fail();
}

ZTEST(mem_map, test_guards_in_threads)
{
	const size_t size = 3 * PAGE;
	uint8_t *neighbour;

	mapped = k_mem_map(size, K_MEM_PERM_RW);
	neighbour = k_mem_map(size, K_MEM_PERM_RW);
	zassert_not_null(mapped);
	zassert_not_null(neighbour);

	zassert_true(READ_FAULTS(mapped - 1));
	zassert_true(WRITE_FAULTS(mapped - 1));
	zassert_true(READ_FAULTS(mapped - PAGE));
	zassert_true(READ_FAULTS(mapped + size));
	zassert_true(WRITE_FAULTS(mapped + size + PAGE - 1));
	zassert_true(WRITE_FAULTS(neighbour - 1));
	zassert_true(READ_FAULTS(neighbour + size));

	for (size_t i = 0; i < size; i += 64) {
		mapped[i] = 1;
		neighbour[i] = 2;
	}
	k_mem_unmap(neighbour, size);
	zassert_true(READ_FAULTS(neighbour));
	k_mem_unmap(mapped, size);
	zassert_true(WRITE_FAULTS(mapped));
}

ZTEST(mem_map, test_read_only)
{
#ifdef CONFIG_DEMAND_MAPPING
	mapped = k_mem_map(PAGE, 0);
#else
	mapped = k_mem_map(PAGE, K_MEM_MAP_UNINIT);
#endif
	zassert_not_null(mapped);
	(void)*(volatile uint8_t *)mapped;
	zassert_true(WRITE_FAULTS(mapped), "no K_MEM_PERM_RW, no write");
	k_mem_unmap(mapped, PAGE);
}

ZTEST(mem_map, test_update_flags)
{
	const size_t size = 4 * PAGE;

	mapped = k_mem_map(size, K_MEM_PERM_RW | K_MEM_MAP_LOCK);
	zassert_not_null(mapped);
	for (size_t i = 0; i < size; i++) {
		mapped[i] = (uint8_t)(i / PAGE + 1);
	}
	zassert_ok(k_mem_update_flags(mapped, size, K_MEM_CACHE_WB));
	zassert_true(WRITE_FAULTS(mapped + size - 1));
	for (size_t i = 0; i < size; i++) {
		zassert_equal(mapped[i], (uint8_t)(i / PAGE + 1), "another byte at index %zu", i);
	}
	zassert_ok(k_mem_update_flags(mapped, size, K_MEM_PERM_RW));
	mapped[size - 1] = 99;
	zassert_equal(mapped[size - 1], 99);
	k_mem_unmap(mapped, size);
}

ZTEST(mem_map, test_map_refuses)
{
	size_t free_before = k_mem_free_get();

	zassert_is_null(k_mem_map(0, K_MEM_PERM_RW), "size 0");
	zassert_is_null(k_mem_map(1, K_MEM_PERM_RW), "part of a page");
	zassert_is_null(k_mem_map(PAGE + 1, K_MEM_PERM_RW), "no whole pages");
	zassert_is_null(k_mem_map((size_t)0 - PAGE, K_MEM_PERM_RW), "the guard pages overflow it");
	zassert_is_null(k_mem_map((size_t)0 - 2 * PAGE, K_MEM_PERM_RW), "the guard pages overflow it");
	zassert_is_null(k_mem_map(CONFIG_KERNEL_VM_SIZE, K_MEM_PERM_RW), "more than there is");
	zassert_is_null(k_mem_map(PAGE, K_MEM_PERM_RW | K_MEM_PERM_USER | K_MEM_MAP_UNINIT), "old bytes for users");
	zassert_equal(k_mem_free_get(), free_before, "what was refused cost memory");
}

ZTEST(mem_map, test_map_user)
{
	size_t free_before = k_mem_free_get();

	expect_fault = false;

	/* For users it is zeroed. */
	mapped = k_mem_map(PAGE, K_MEM_PERM_RW | K_MEM_PERM_USER);
	zassert_not_null(mapped, "failed to map memory");
	for (size_t i = 0; i < PAGE; i++) {
		zassert_equal(mapped[i], 0, "page isn't zero-filled");
	}
	mapped[0] = 1;
	k_mem_unmap(mapped, PAGE);

	/* The combination that would show users old bytes is refused. */
	mapped = k_mem_map(PAGE, K_MEM_PERM_RW | K_MEM_PERM_USER | K_MEM_MAP_UNINIT);
	zassert_is_null(mapped);

	/* For the kernel it need not be zeroed. */
	mapped = k_mem_map(PAGE, K_MEM_PERM_RW | K_MEM_MAP_UNINIT);
	zassert_not_null(mapped);
	mapped[PAGE - 1] = 1;
	k_mem_unmap(mapped, PAGE);

	mapped = k_mem_map(2 * PAGE, K_MEM_PERM_RW | K_MEM_PERM_USER | K_MEM_MAP_LOCK);
	zassert_not_null(mapped);
	zassert_equal(k_mem_free_get(), free_before - 2 * PAGE, "locked memory is there at once");
	k_mem_unmap(mapped, 2 * PAGE);
	zassert_equal(k_mem_free_get(), free_before);
}

/* How many one-page mappings there can be. With demand mapping nothing limits them but addresses. */
static size_t pages_to_exhaust(void)
{
	size_t pages = k_mem_free_get() / PAGE;

#ifdef CONFIG_DEMAND_PAGING
	pages += CONFIG_BACKING_STORE_RAM_PAGES - 1;
#endif
	return pages;
}

ZTEST(mem_map, test_map_exhaustion)
{
	/* The pages that were mapped are a list, each with the address of the one before. */
	size_t expected = pages_to_exhaust();
	size_t free_before = k_mem_free_get();
	uint8_t *latest = NULL;
	uint8_t *addr;
	size_t count = 0;
	size_t unmapped = 0;

	expect_fault = false;
	printk("free memory before: %zu, expected mappings: %zu\n", free_before, expected);
	while (true) {
#ifdef CONFIG_DEMAND_MAPPING
		if (count == expected) {
			break;
		}
#endif
		addr = k_mem_map(PAGE, K_MEM_PERM_RW);
		if (addr == NULL) {
			break;
		}
		*(uint8_t **)addr = latest;
		latest = addr;
		count++;
	}
	printk("free memory after exhaustion: %zu\n", k_mem_free_get());
	zassert_equal(k_mem_free_get(), 0, "something is left");
	zassert_equal(count, expected, "mapped %zu pages, and not %zu", count, expected);

#ifdef CONFIG_DEMAND_MAPPING
	/* Here the same call succeeds. */
	addr = k_mem_map(PAGE, K_MEM_PERM_RW);
	zassert_not_null(addr);
	k_mem_unmap(addr, PAGE);
#else
	zassert_is_null(k_mem_map(PAGE, K_MEM_PERM_RW), "again");
	zassert_is_null(k_mem_map(4 * PAGE, K_MEM_PERM_RW), "and in larger pieces");
#endif

	while (latest != NULL) {
		addr = latest;
		latest = *(uint8_t **)addr;
		k_mem_unmap(addr, PAGE);
		unmapped++;
	}
	zassert_equal(unmapped, count, "the list of pages is broken: %zu of %zu", unmapped, count);
	zassert_equal(k_mem_free_get(), free_before, "free memory after: %zu", k_mem_free_get());

	addr = k_mem_map(PAGE, K_MEM_PERM_RW);
	zassert_not_null(addr, "after exhaustion there is memory again");
	k_mem_unmap(addr, PAGE);
}

#ifndef CONFIG_DEMAND_MAPPING
/* A mapping that cannot be completed leaves nothing behind. Pages of others that went out for it stay out. */
ZTEST(mem_map, test_map_rolls_back)
{
	size_t free_before = k_mem_free_get();
	uint8_t *first = k_mem_map(PAGE, K_MEM_PERM_RW);
	size_t too_large = K_MEM_PHYS_RAM_SIZE + CONFIG_BACKING_STORE_RAM_PAGES * PAGE;

	zassert_not_null(first);
	k_mem_unmap(first, PAGE);
	zassert_is_null(k_mem_map(too_large, K_MEM_PERM_RW));
#ifdef CONFIG_DEMAND_PAGING
	zassert_true(k_mem_free_get() >= free_before, "%zu bytes are gone", free_before - k_mem_free_get());
#else
	zassert_equal(k_mem_free_get(), free_before);
#endif
	zassert_equal(k_mem_map(PAGE, K_MEM_PERM_RW), first, "its addresses are free again");
	k_mem_unmap(first, PAGE);
}
#endif

/* Virtual addresses come from the top down, the highest hole first. */
ZTEST(mem_map, test_address_order)
{
	uint8_t *a = k_mem_map(PAGE, K_MEM_PERM_RW);
	uint8_t *b = k_mem_map(2 * PAGE, K_MEM_PERM_RW);
	uint8_t *c = k_mem_map(PAGE, K_MEM_PERM_RW);

	zassert_not_null(a);
	zassert_not_null(b);
	zassert_not_null(c);
	zassert_equal(a - b, 4 * PAGE, "%p and %p: a page each side", a, b);
	zassert_equal(b - c, 3 * PAGE, "%p and %p: a page each side", b, c);

	k_mem_unmap(b, 2 * PAGE);
	zassert_equal(k_mem_map(PAGE, K_MEM_PERM_RW), b + PAGE, "packed at the top of the hole");
	k_mem_unmap(b + PAGE, PAGE);
	k_mem_unmap(a, PAGE);
	k_mem_unmap(c, PAGE);
}

ZTEST(mem_map, test_phys_guard)
{
	size_t free_before = k_mem_free_get();
	uint8_t *buf = test_pages;

	(void)memset(buf, 0x5a, 2 * PAGE);
	mapped = k_mem_map_phys_guard(k_mem_phys_addr(buf), PAGE, K_MEM_PERM_RW | K_MEM_MAP_UNINIT, false);
	zassert_not_null(mapped);
	zassert_equal(mapped[PAGE - 1], 0x5a);
	zassert_true(READ_FAULTS(mapped - 1));
	zassert_true(READ_FAULTS(mapped + PAGE));
	k_mem_unmap_phys_guard(mapped, PAGE, false);

	/* Without K_MEM_MAP_UNINIT physical memory is zeroed as well. */
	mapped = k_mem_map_phys_guard(k_mem_phys_addr(buf), PAGE, K_MEM_PERM_RW, false);
	zassert_not_null(mapped);
	zassert_equal(buf[0], 0);
	zassert_equal(buf[PAGE - 1], 0);
	zassert_equal(buf[PAGE], 0x5a);
	k_mem_unmap_phys_guard(mapped, PAGE, false);
	zassert_equal(k_mem_free_get(), free_before);
}

/* A wrong size or address does nothing, and is not an error. */
ZTEST(mem_map, test_unmap_of_a_part)
{
	size_t free_before = k_mem_free_get();

	mapped = k_mem_map(3 * PAGE, K_MEM_PERM_RW | K_MEM_MAP_LOCK);
	zassert_not_null(mapped);
	k_mem_unmap(mapped, PAGE);
	k_mem_unmap(mapped + PAGE, PAGE);
	zassert_equal(k_mem_free_get(), free_before - 3 * PAGE);
	(void)memset(mapped, 1, 3 * PAGE);
	k_mem_unmap(mapped, 3 * PAGE);
	zassert_equal(k_mem_free_get(), free_before);
}

ZTEST(mem_map, test_region_align)
{
	static const struct {
		uintptr_t addr;
		size_t size;
		size_t align;
		uintptr_t aligned_addr;
		size_t aligned_size;
		size_t offset;
	} rows[] = {
		{0x1000, 0x1000, 0x1000, 0x1000, 0x1000, 0},
		{0x1001, 0x0fff, 0x1000, 0x1000, 0x1000, 1},
		{0x1001, 0x1000, 0x1000, 0x1000, 0x2000, 1},
		{0x1fff, 0x0002, 0x1000, 0x1000, 0x2000, 0xfff},
		{0x0, 0x1, 0x1000, 0x0, 0x1000, 0},
		{0x12345, 0x10, 0x10, 0x12340, 0x20, 5},
		{100, 7, 30, 90, 30, 10}, /* no power of two */
		{100, 25, 30, 90, 60, 10},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uintptr_t addr = 1;
		size_t size = 1;
		size_t offset = k_mem_region_align(&addr, &size, rows[i].addr, rows[i].size, rows[i].align);

		zassert_equal(addr, rows[i].aligned_addr, "row %zu: address 0x%lx", i, addr);
		zassert_equal(size, rows[i].aligned_size, "row %zu: size 0x%zx", i, size);
		zassert_equal(offset, rows[i].offset, "row %zu: offset 0x%zx", i, offset);
	}
}

static void *mem_map_setup(void)
{
	TC_PRINT("%zu KiB of RAM at 0x%lx, VM of %zu KiB at %p, free from %p, %zu KiB free\n",
		 K_MEM_PHYS_RAM_SIZE / 1024, K_MEM_PHYS_RAM_START, K_MEM_VIRT_RAM_SIZE / 1024, K_MEM_VIRT_RAM_START,
		 K_MEM_VM_FREE_START, k_mem_free_get() / 1024);
	return NULL;
}

ZTEST_SUITE(mem_map, NULL, mem_map_setup, NULL, NULL, NULL);
