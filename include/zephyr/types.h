/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types that Zephyr's headers take for granted. (Zephyr: types.h)
 */
#ifndef ZEPHYR_INCLUDE_ZEPHYR_TYPES_H_
#define ZEPHYR_INCLUDE_ZEPHYR_TYPES_H_

#include <kmem/kconfig.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <zephyr/toolchain.h>

/* As aligned as any object may need. */
typedef union {
	long long thelonglong;
	long double thelongdouble;
	uintmax_t theuintmax_t;
	size_t thesize_t;
	uintptr_t theuintptr_t;
	void *thepvoid;
	void (*thepfunc)(void);
} z_max_align_t;

#ifdef __cplusplus
/* Zephyr's thread-local keyword. */
#define Z_THREAD_LOCAL thread_local
#else
#define Z_THREAD_LOCAL __thread
#endif

#endif /* ZEPHYR_INCLUDE_ZEPHYR_TYPES_H_ */
