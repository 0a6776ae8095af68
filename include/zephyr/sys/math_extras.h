/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic that tells of overflow, and counting of zeros. (Zephyr: sys/math_extras.h)
 *
 * Functions named _overflow store the result, cut to its type, and return whether something was cut off.
 */
#ifndef ZEPHYR_INCLUDE_SYS_MATH_EXTRAS_H_
#define ZEPHYR_INCLUDE_SYS_MATH_EXTRAS_H_

#include <kmem/kconfig.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/toolchain.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sums. */

static inline bool u16_add_overflow(uint16_t a, uint16_t b, uint16_t *result)
{
	return __builtin_add_overflow(a, b, result);
}

static inline bool u32_add_overflow(uint32_t a, uint32_t b, uint32_t *result)
{
	return __builtin_add_overflow(a, b, result);
}

static inline bool u64_add_overflow(uint64_t a, uint64_t b, uint64_t *result)
{
	return __builtin_add_overflow(a, b, result);
}

static inline bool size_add_overflow(size_t a, size_t b, size_t *result)
{
	return __builtin_add_overflow(a, b, result);
}

static inline bool i32_add_overflow(int32_t a, int32_t b, int32_t *result)
{
	return __builtin_add_overflow(a, b, result);
}

static inline bool i64_add_overflow(int64_t a, int64_t b, int64_t *result)
{
	return __builtin_add_overflow(a, b, result);
}

/* Differences. */

static inline bool u16_sub_overflow(uint16_t a, uint16_t b, uint16_t *result)
{
	return __builtin_sub_overflow(a, b, result);
}

static inline bool u32_sub_overflow(uint32_t a, uint32_t b, uint32_t *result)
{
	return __builtin_sub_overflow(a, b, result);
}

static inline bool u64_sub_overflow(uint64_t a, uint64_t b, uint64_t *result)
{
	return __builtin_sub_overflow(a, b, result);
}

static inline bool size_sub_overflow(size_t a, size_t b, size_t *result)
{
	return __builtin_sub_overflow(a, b, result);
}

static inline bool i32_sub_overflow(int32_t a, int32_t b, int32_t *result)
{
	return __builtin_sub_overflow(a, b, result);
}

static inline bool i64_sub_overflow(int64_t a, int64_t b, int64_t *result)
{
	return __builtin_sub_overflow(a, b, result);
}

/* Products. */

static inline bool u16_mul_overflow(uint16_t a, uint16_t b, uint16_t *result)
{
	return __builtin_mul_overflow(a, b, result);
}

static inline bool u32_mul_overflow(uint32_t a, uint32_t b, uint32_t *result)
{
	return __builtin_mul_overflow(a, b, result);
}

static inline bool u64_mul_overflow(uint64_t a, uint64_t b, uint64_t *result)
{
	return __builtin_mul_overflow(a, b, result);
}

static inline bool size_mul_overflow(size_t a, size_t b, size_t *result)
{
	return __builtin_mul_overflow(a, b, result);
}

static inline bool i32_mul_overflow(int32_t a, int32_t b, int32_t *result)
{
	return __builtin_mul_overflow(a, b, result);
}

static inline bool i64_mul_overflow(int64_t a, int64_t b, int64_t *result)
{
	return __builtin_mul_overflow(a, b, result);
}

/* Zeros above the highest and below the lowest bit that is set: all bits of 0. */

static inline int u32_count_leading_zeros(uint32_t x)
{
	return x == 0 ? 32 : __builtin_clz(x);
}

static inline int u64_count_leading_zeros(uint64_t x)
{
	return x == 0 ? 64 : __builtin_clzll(x);
}

static inline int u32_count_trailing_zeros(uint32_t x)
{
	return x == 0 ? 32 : __builtin_ctz(x);
}

static inline int u64_count_trailing_zeros(uint64_t x)
{
	return x == 0 ? 64 : __builtin_ctzll(x);
}

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_SYS_MATH_EXTRAS_H_ */
