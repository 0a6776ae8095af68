/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SYS_INIT(): the entries that the linker has gathered, run by level and priority, once libkmem has booted.
 */
#include <zephyr/init.h>

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "compat/init.h"

const char kmem_init_anchor = 0;

/* Weak: a program need not have any. */
extern const struct kmem_init_entry *const __start_kmem_init_entries[] __attribute__((weak));
extern const struct kmem_init_entry *const __stop_kmem_init_entries[] __attribute__((weak));

/*
 * Run the entries of a level and a priority, in the order in which they were linked. The next priority that there is,
 * or INT_MAX.
 */
static int run(int level, int priority)
{
	int next = INT_MAX;

	for (const struct kmem_init_entry *const *at = __start_kmem_init_entries; at != __stop_kmem_init_entries;
	     at++) {
		const struct kmem_init_entry *entry = *at;

		if (entry->level != level) {
			continue;
		}
		if (entry->priority == priority) {
			(void)entry->init();
		} else if (entry->priority > priority && entry->priority < next) {
			next = entry->priority;
		}
	}
	return next;
}

/* Behind the library's boot, and before the constructors of the program's objects. */
__attribute__((constructor(103))) static void init_run(void)
{
	for (int level = KMEM_INIT_LEVEL_EARLY; level <= KMEM_INIT_LEVEL_SMP; level++) {
		if (level == KMEM_INIT_LEVEL_EARLY) {
			kmem_pre_kernel_set(true);
		} else if (level == KMEM_INIT_LEVEL_POST_KERNEL) {
			kmem_pre_kernel_set(false);
		}
		for (int priority = INT_MIN; priority != INT_MAX;) {
			priority = run(level, priority);
		}
	}
}
