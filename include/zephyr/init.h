/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SYS_INIT(): functions that run before main(). (Zephyr: init.h)
 *
 * They run in order of level, then of priority, then as linked, after libkmem has booted, in the main thread, before
 * static threads are started. Constructors of C++ objects run after them.
 */
#ifndef ZEPHYR_INCLUDE_INIT_H_
#define ZEPHYR_INCLUDE_INIT_H_

#include <kmem/kconfig.h>

#ifndef CONFIG_KERNEL_INIT_PRIORITY_OBJECTS
#define CONFIG_KERNEL_INIT_PRIORITY_OBJECTS 30
#endif
#ifndef CONFIG_KERNEL_INIT_PRIORITY_LIBC
#define CONFIG_KERNEL_INIT_PRIORITY_LIBC 35
#endif
#ifndef CONFIG_KERNEL_INIT_PRIORITY_DEFAULT
#define CONFIG_KERNEL_INIT_PRIORITY_DEFAULT 40
#endif
#ifndef CONFIG_KERNEL_INIT_PRIORITY_DEVICE
#define CONFIG_KERNEL_INIT_PRIORITY_DEVICE 50
#endif
#ifndef CONFIG_APPLICATION_INIT_PRIORITY
#define CONFIG_APPLICATION_INIT_PRIORITY 90
#endif

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

enum kmem_init_level {
	KMEM_INIT_LEVEL_EARLY,
	KMEM_INIT_LEVEL_PRE_KERNEL_1,
	KMEM_INIT_LEVEL_PRE_KERNEL_2,
	KMEM_INIT_LEVEL_POST_KERNEL,
	KMEM_INIT_LEVEL_APPLICATION,
	KMEM_INIT_LEVEL_SMP,
};

struct kmem_init_entry {
	int (*init)(void);
	int level;
	int priority;       /* 0 to 99 */
	const char *anchor; /* has the linker bring in what runs the entries */
};

extern const char kmem_init_anchor;

#pragma GCC visibility pop

/* GCC would put a unit's entries in another order. */
#ifdef __clang__
#define KMEM_INIT_SECTION __attribute__((used, section("kmem_init_entries")))
#else
#define KMEM_INIT_SECTION __attribute__((used, no_reorder, section("kmem_init_entries")))
#endif

/** Have @p init_fn, an int (*)(void), run at a level and a priority. What it returns is not used. */
#define SYS_INIT(init_fn, level, prio) SYS_INIT_NAMED(init_fn, init_fn, level, prio)

#define SYS_INIT_NAMED(name, init_fn, level, prio)                                                                     \
	static const struct kmem_init_entry kmem_init_##name = {(init_fn), KMEM_INIT_LEVEL_##level, (prio),            \
								&kmem_init_anchor};                                    \
	KMEM_INIT_SECTION static const struct kmem_init_entry *const kmem_init_entry_##name = &kmem_init_##name

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_INIT_H_ */
