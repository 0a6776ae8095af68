/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thread stacks: an overflow is a stack error and ends its thread alone; with CONFIG_THREAD_STACK_MEM_MAPPED stacks are mapped
 * memory, which threads give back.
 */
#include <zephyr/ztest.h>

#include <zephyr/kernel/mm.h>

static volatile unsigned int last_reason;
static volatile unsigned int errors;

void k_sys_fatal_error_handler(unsigned int reason, const struct arch_esf *esf)
{
	ARG_UNUSED(esf);
	last_reason = reason;
	errors++;
}

static K_THREAD_STACK_DEFINE(stack, 1024);
static struct k_thread thread;
static volatile uintptr_t where;

#define NOWHERE 16 /* as good as a null pointer, which compilers and sanitizers look for themselves */

static void run(k_thread_entry_t entry)
{
	last_reason = UINT_MAX;
	errors = 0;
	(void)k_thread_create(&thread, stack, K_THREAD_STACK_SIZEOF(stack), entry, (void *)NOWHERE, NULL, NULL,
			      K_PRIO_PREEMPT(1), 0, K_NO_WAIT);
	zassert_ok(k_thread_join(&thread, K_FOREVER));
}

static volatile unsigned int depth_max = UINT_MAX;

/* As good as endless, and not to be turned into a loop. */
__attribute__((noinline)) static unsigned int descend(unsigned int depth)
{
	volatile char bytes[256];

	bytes[0] = (char)depth;
	bytes[255] = bytes[0];
	return depth == depth_max ? 0 : descend(depth + 1) + (unsigned int)bytes[255];
}

static void overflow(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	printk("%u\n", descend(0));
}

static void read_nowhere(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	printk("%d\n", *(volatile char *)p1);
}

static void note_stack(void *p1, void *p2, void *p3)
{
	volatile char local = 0;

	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	where = (uintptr_t)&local;
}

ZTEST(stack, test_overflow_is_a_stack_error)
{
	for (int round = 0; round < 3; round++) {
		run(overflow);
		zassert_equal(last_reason, K_ERR_STACK_CHK_FAIL, "reason %u", last_reason);
		zassert_equal(errors, 1);
	}
}

ZTEST(stack, test_null_pointer_is_a_cpu_exception)
{
	run(read_nowhere);
	zassert_equal(last_reason, K_ERR_CPU_EXCEPTION, "reason %u", last_reason);
	zassert_equal(errors, 1);
}

ZTEST(stack, test_stacks_lie_where_they_should)
{
	bool is_mapped;

	run(note_stack);
	is_mapped = where - CONFIG_KERNEL_VM_BASE < CONFIG_KERNEL_VM_SIZE;
	zassert_equal(errors, 0);
	zassert_equal(is_mapped, IS_ENABLED(CONFIG_THREAD_STACK_MEM_MAPPED));
}

ZTEST(stack, test_memory_comes_back)
{
	size_t before;

	run(note_stack);
	run(note_stack);
	before = k_mem_free_get();
	for (int round = 0; round < 20; round++) {
		run(note_stack);
	}
	zassert_equal(k_mem_free_get(), before);
}

ZTEST_SUITE(stack, NULL, NULL, NULL, NULL, NULL);
