/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assertions on the library's own state, in two grades: kmem_assert() always, kmem_assert_expensive() where the build
 * has -Ddebug_level=2 or more. Both name their expression in every build. A failed one prints and aborts; _sigsafe.
 * Caller bugs are not these: they end in a kernel panic (lib/kernel/fatal.h).
 */
#ifndef KMEM_HOST_ASSERT_H
#define KMEM_HOST_ASSERT_H

#include <stdbool.h>

_Noreturn void kmem_assert_fail(const char *condition, const char *file, int line, const char *function);

#ifndef KMEM_DEBUG_LEVEL
#define KMEM_DEBUG_LEVEL 1
#endif

#define kmem_assert_at(level, cond)                                                                                    \
	do {                                                                                                           \
		if (KMEM_DEBUG_LEVEL >= (level) && !(cond)) {                                                          \
			kmem_assert_fail(#cond, __FILE__, __LINE__, __func__);                                         \
		}                                                                                                      \
	} while (false)

#define kmem_assert(cond) kmem_assert_at(1, cond)
#define kmem_assert_expensive(cond) kmem_assert_at(2, cond)

#endif /* KMEM_HOST_ASSERT_H */
