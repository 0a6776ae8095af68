/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of test programs that report by the TC_... macros alone. (Zephyr: tc_util.h)
 */
#include <stdint.h>
#include <time.h>
#include <zephyr/sys/printk.h>
#include <zephyr/tc_util.h>

#define MS_PER_S 1000U
#define NS_PER_MS 1000000U

static uint64_t started_ms;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * MS_PER_S + (uint64_t)now.tv_nsec / NS_PER_MS;
}

const char *kmem_tc_result_name(int result)
{
	static const char *const names[] = {
		[TC_PASS] = PASS,
		[TC_FAIL] = FAIL,
		[TC_SKIP] = SKIP,
		[TC_FLAKY] = FLAKY,
	};

	return result >= TC_PASS && result <= TC_FLAKY ? names[result] : "?";
}

void kmem_tc_start(const char *name)
{
	printk("START - %s\n", name);
	started_ms = now_ms();
}

void kmem_tc_end(int result, const char *name)
{
	unsigned long ms = (unsigned long)(now_ms() - started_ms);

	printk(" %s - %s in %lu.%03lu seconds\n", kmem_tc_result_name(result), name, ms / MS_PER_S, ms % MS_PER_S);
}

void kmem_tc_end_report(int result)
{
	PRINT_LINE;
	printk("PROJECT EXECUTION %s\n", result == TC_PASS ? "SUCCESSFUL" : "FAILED");
}
