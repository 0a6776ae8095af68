// SPDX-License-Identifier: Apache-2.0
/*
 * Zephyr's headers in C++: every one that memory code includes, in an order of its own, and a suite that uses a
 * little of each.
 */
#include <kernel_arch_interface.h>
#include <mmu.h>
#include <zephyr/kernel/mm/demand_paging.h>
#include <zephyr/drivers/mm/system_mm.h>
#include <zephyr/app_memory/app_memdomain.h>
#include <zephyr/ztest.h>
#include <zephyr/timing/timing.h>
#include <zephyr/logging/log.h>
#include <zephyr/spinlock.h>
#include <zephyr/sys/bitarray.h>
#include <zephyr/sys/mem_manage.h>
#include <zephyr/sys/barrier.h>
#include <zephyr/sys/libc-hooks.h>
#include <zephyr/linker/sections.h>
#include <zephyr/cache.h>
#include <zephyr/init.h>
#include <zephyr/kernel.h>
#include <kernel_internal.h>

LOG_MODULE_REGISTER(suite_cpp);

K_THREAD_STACK_DEFINE(thread_stack, 1024);
K_SEM_DEFINE(done, 0, 1);
K_MUTEX_DEFINE(mutex);

static int initialised;

static int initialise(void)
{
	initialised++;
	return 0;
}

SYS_INIT(initialise, APPLICATION, 0);

struct cpp_fixture {
	uint8_t *page;
};

static void *setup(void)
{
	static cpp_fixture fixture;

	fixture.page = static_cast<uint8_t *>(k_mem_map(CONFIG_MMU_PAGE_SIZE, K_MEM_PERM_RW));
	zassert_not_null(fixture.page);
	return &fixture;
}

static void teardown(void *data)
{
	k_mem_unmap(static_cast<cpp_fixture *>(data)->page, CONFIG_MMU_PAGE_SIZE);
}

ZTEST_SUITE(cpp, NULL, setup, NULL, NULL, teardown);

ZTEST_F(cpp, test_mapping)
{
	uintptr_t phys;

	fixture->page[5] = 50;
	zassert_ok(arch_page_phys_get(fixture->page, &phys));
	zassert_equal(k_mem_page_frame_to_virt(k_mem_phys_to_page_frame(phys)), fixture->page);
	zassert_mem_equal(fixture->page + 5, "2", 1, "byte %d", 5);
	LOG_INF("a page at %p", fixture->page);
}

static void entry(void *value, void *, void *)
{
	k_mutex_lock(&mutex, K_FOREVER);
	*static_cast<int *>(value) = 7;
	k_mutex_unlock(&mutex);
	k_sem_give(&done);
}

ZTEST(cpp, test_kernel)
{
	static struct k_thread thread;
	int value = 0;

	k_thread_create(&thread, thread_stack, K_THREAD_STACK_SIZEOF(thread_stack), entry, &value, NULL, NULL,
			K_PRIO_PREEMPT(1), 0, K_MSEC(1));
	k_thread_name_set(&thread, "cpp");
	zassert_ok(k_sem_take(&done, K_SECONDS(10)));
	zassert_ok(k_thread_join(&thread, K_FOREVER));
	zassert_equal(value, 7);
	zassert_equal(initialised, 1);
	zassert_within(5, 6, 1);
	zassert_str_equal("a", "a");
	zassert_between_inclusive(3, 3, 4);
}

ZTEST(cpp, test_frames)
{
	struct k_mem_page_frame *pf;
	uintptr_t phys;
	size_t count = 0;

	K_MEM_PAGE_FRAME_FOREACH(phys, pf)
	{
		count++;
	}
	zassert_equal(count, K_MEM_NUM_PAGE_FRAMES);
	zassert_equal(ROUND_UP(1, 4), 4);
}

ZTEST_USER(cpp, test_user)
{
	unsigned int key = irq_lock();

	irq_unlock(key);
	zassume_true(IS_ENABLED(CONFIG_MMU), "there is an MMU");
	ztest_test_skip();
}
