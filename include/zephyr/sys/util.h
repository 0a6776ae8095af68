/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sizes, addresses, rounding and small conversions. (Zephyr: sys/util.h)
 *
 * Macros that take a type or serve as constants evaluate their arguments more than once (MIN, MAX, CLAMP, IN_RANGE,
 * ROUND_UP's alignment); Z_MIN, Z_MAX and Z_CLAMP evaluate them once, and are no constants. Functions may be called
 * anywhere, in signal handlers too.
 */
#ifndef ZEPHYR_INCLUDE_SYS_UTIL_H_
#define ZEPHYR_INCLUDE_SYS_UTIL_H_

#include <kmem/kconfig.h>

#pragma GCC system_header

#include <zephyr/sys/util_macro.h>
#include <zephyr/toolchain.h>

/* Numbers with a unit: of type unsigned long, and good in #if. */
#ifdef __ASSEMBLER__
#define KB(x) ((x) << 10)
#else
#define KB(x) (((x)*1UL) << 10)
#endif
#define MB(x) (KB(x) << 10)
#define GB(x) (MB(x) << 10)
#define KHZ(x) ((x)*1000)
#define MHZ(x) (KHZ(x) * 1000)

#ifndef __ASSEMBLER__

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/param.h>
#include <sys/types.h>

#include <zephyr/types.h>

/* Pointers and numbers. */
#define POINTER_TO_UINT(x) ((uintptr_t)(x))
#define UINT_TO_POINTER(x) ((void *)(uintptr_t)(x))
#define POINTER_TO_INT(x) ((intptr_t)(x))
#define INT_TO_POINTER(x) ((void *)(intptr_t)(x))

#if !(defined(__CHAR_BIT__) && defined(__SIZEOF_LONG__) && defined(__SIZEOF_LONG_LONG__))
#error "a compiler like gcc or clang is needed"
#endif
#define BITS_PER_BYTE (__CHAR_BIT__)
#define BITS_PER_NIBBLE (__CHAR_BIT__ / 2)
#define NIBBLES_PER_BYTE (BITS_PER_BYTE / BITS_PER_NIBBLE)
#define BITS_PER_LONG (__CHAR_BIT__ * __SIZEOF_LONG__)
#define BITS_PER_LONG_LONG (__CHAR_BIT__ * __SIZEOF_LONG_LONG__)

/** Ones from bit l to bit h, both included. */
#define GENMASK(h, l) (((~0UL) - (1UL << (l)) + 1) & (~0UL >> (BITS_PER_LONG - 1 - (h))))
#define GENMASK64(h, l) (((~0ULL) - (1ULL << (l)) + 1) & (~0ULL >> (BITS_PER_LONG_LONG - 1 - (h))))
#define LSB_GET(value) ((value) & -(value))
#define FIELD_GET(mask, value) (((value) & (mask)) / LSB_GET(mask))
#define FIELD_PREP(mask, value) (((value)*LSB_GET(mask)) & (mask))

/* 0, or no compilation. */
#define ZERO_OR_COMPILE_ERROR(cond) ((int)sizeof(char[1 - 2 * !(cond)]) - 1)

/* Arrays and members. */
#ifdef __cplusplus
#define IS_ARRAY(array) 0
#define SAME_TYPE(a, b) true
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#else
#define IS_ARRAY(array) ZERO_OR_COMPILE_ERROR(!__builtin_types_compatible_p(__typeof__(array), __typeof__(&(array)[0])))
#define SAME_TYPE(a, b) __builtin_types_compatible_p(__typeof__(a), __typeof__(b))
#define ARRAY_SIZE(array) ((size_t)(IS_ARRAY(array) + (sizeof(array) / sizeof((array)[0]))))
#endif
#define SIZEOF_FIELD(type, member) sizeof((((type *)0)->member))
#define FLEXIBLE_ARRAY_DECLARE(type, name)                                                                             \
	struct {                                                                                                       \
		struct {                                                                                               \
		} kmem_unused_##name;                                                                                  \
		type name[];                                                                                           \
	}

#define IS_ARRAY_ELEMENT(array, ptr)                                                                                   \
	((ptr) && POINTER_TO_UINT(array) <= POINTER_TO_UINT(ptr) &&                                                    \
	 POINTER_TO_UINT(ptr) < POINTER_TO_UINT(&(array)[ARRAY_SIZE(array)]) &&                                        \
	 (POINTER_TO_UINT(ptr) - POINTER_TO_UINT(array)) % sizeof((array)[0]) == 0)
#define ARRAY_INDEX(array, ptr)                                                                                        \
	__extension__({                                                                                                \
		__ASSERT_NO_MSG(IS_ARRAY_ELEMENT(array, ptr));                                                         \
		(__typeof__((array)[0]) *)(ptr) - (array);                                                             \
	})
#define PART_OF_ARRAY(array, ptr)                                                                                      \
	((ptr) && POINTER_TO_UINT(array) <= POINTER_TO_UINT(ptr) &&                                                    \
	 POINTER_TO_UINT(ptr) < POINTER_TO_UINT(&(array)[ARRAY_SIZE(array)]))
#define ARRAY_INDEX_FLOOR(array, ptr)                                                                                  \
	__extension__({                                                                                                \
		__ASSERT_NO_MSG(PART_OF_ARRAY(array, ptr));                                                            \
		(POINTER_TO_UINT(ptr) - POINTER_TO_UINT(array)) / sizeof((array)[0]);                                  \
	})
#define ARRAY_FOR_EACH(array, idx) for (size_t idx = 0; (idx) < ARRAY_SIZE(array); ++(idx))
#define ARRAY_FOR_EACH_PTR(array, ptr)                                                                                 \
	for (__typeof__(*(array)) *ptr = (array); (size_t)((ptr) - (array)) < ARRAY_SIZE(array); ++(ptr))

/** The structure whose member @p ptr points at. */
#define CONTAINER_OF(ptr, type, field)                                                                                 \
	__extension__({                                                                                                \
		CONTAINER_OF_VALIDATE(ptr, type, field)                                                                \
		((type *)(((char *)(ptr)) - offsetof(type, field)));                                                   \
	})
#ifdef __cplusplus
#define CONTAINER_OF_VALIDATE(ptr, type, field)
#else
#define CONTAINER_OF_VALIDATE(ptr, type, field)                                                                        \
	BUILD_ASSERT(SAME_TYPE(*(ptr), ((type *)0)->field) || SAME_TYPE(*(ptr), void),                                 \
		     "the pointer is not to a member of that type");
#endif

/* Rounding. The alignment may be any number. */
#define ROUND_UP(x, align)                                                                                             \
	((((unsigned long)(x) + ((unsigned long)(align)-1)) / (unsigned long)(align)) * (unsigned long)(align))
#define ROUND_DOWN(x, align) (((unsigned long)(x) / (unsigned long)(align)) * (unsigned long)(align))
#define WB_UP(x) ROUND_UP(x, sizeof(void *))
#define WB_DN(x) ROUND_DOWN(x, sizeof(void *))
#define IS_ALIGNED(ptr, align) (((uintptr_t)(ptr)) % (align) == 0)
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))
#define DIV_ROUND_CLOSEST(n, d) ((((n) < 0) ^ ((d) < 0)) ? (((n) - ((d) / 2)) / (d)) : (((n) + ((d) / 2)) / (d)))
#define ceiling_fraction(numerator, divider) DIV_ROUND_UP(numerator, divider)

/* Comparison. */
#undef MAX
#define MAX(a, b) (((a) > (b)) ? (a) : (b))
#undef MIN
#define MIN(a, b) (((a) < (b)) ? (a) : (b))
#ifndef CLAMP
#define CLAMP(val, low, high) (((val) <= (low)) ? (low) : MIN(val, high))
#endif
#define IN_RANGE(val, min, max) ((val) >= (min) && (val) <= (max))

/* The type of what a variable begins with. */
#ifdef __cplusplus
#define KMEM_AUTO auto
#else
#define KMEM_AUTO __auto_type
#endif

#define Z_MAX(a, b)                                                                                                    \
	__extension__({                                                                                                \
		KMEM_AUTO kmem_max_a = (a);                                                                            \
		KMEM_AUTO kmem_max_b = (b);                                                                            \
		kmem_max_a > kmem_max_b ? kmem_max_a : kmem_max_b;                                                     \
	})
#define Z_MIN(a, b)                                                                                                    \
	__extension__({                                                                                                \
		KMEM_AUTO kmem_min_a = (a);                                                                            \
		KMEM_AUTO kmem_min_b = (b);                                                                            \
		kmem_min_a < kmem_min_b ? kmem_min_a : kmem_min_b;                                                     \
	})
#define Z_CLAMP(val, low, high)                                                                                        \
	__extension__({                                                                                                \
		KMEM_AUTO kmem_clamp_value = (val);                                                                    \
		KMEM_AUTO kmem_clamp_low = (low);                                                                      \
		KMEM_AUTO kmem_clamp_high = (high);                                                                    \
		kmem_clamp_value<kmem_clamp_low ? kmem_clamp_low : kmem_clamp_value> kmem_clamp_high                   \
			? kmem_clamp_high                                                                              \
			: kmem_clamp_value;                                                                            \
	})

/* Powers of two. LOG2 rounds down and is -1 for what is below 1; NHPOT is 0 where the next power does not fit. */
#define LOG2(x) ((x) < 1 ? -1 : 63 - __builtin_clzll((unsigned long long)(x) | 1U))
#define LOG2CEIL(x) ((x) <= 1 ? 0 : LOG2((x)-1) + 1)
#define NHPOT(x) ((x) < 1 ? 1 : (unsigned long long)(x) > (1ULL << 63) ? 0 : 1ULL << (LOG2CEIL(x) & 63))

/** Wait for an expression to hold, at most so many microseconds, with a statement between looks. Whether it does. */
#define WAIT_FOR(expr, timeout, delay_stmt)                                                                            \
	__extension__({                                                                                                \
		uint32_t kmem_wait_cycles = k_us_to_cyc_ceil32(timeout);                                               \
		uint32_t kmem_wait_start = k_cycle_get_32();                                                           \
		while (!(expr) && (kmem_wait_cycles > (k_cycle_get_32() - kmem_wait_start))) {                         \
			delay_stmt;                                                                                    \
		}                                                                                                      \
		(expr);                                                                                                \
	})

#ifdef __cplusplus
extern "C" {
#endif

static inline bool is_power_of_two(unsigned int x)
{
	return IS_POWER_OF_TWO(x);
}

/** Whether a pointer that the compiler believes never to be NULL is. */
static ALWAYS_INLINE bool is_null_no_warn(void *p)
{
	__asm__("" : "+r"(p));
	return p == NULL;
}

static inline int64_t arithmetic_shift_right(int64_t value, uint8_t shift)
{
	return value >> shift;
}

/** Sign-extend a number whose sign is bit @p index. */
static inline int32_t sign_extend(uint32_t value, uint8_t index)
{
	uint8_t shift = (uint8_t)(31U - index);

	return (int32_t)(value << shift) >> shift;
}

static inline int64_t sign_extend_64(uint64_t value, uint8_t index)
{
	uint8_t shift = (uint8_t)(63U - index);

	return (int64_t)(value << shift) >> shift;
}

/** Copy byte by byte, in ascending order. */
static inline void bytecpy(void *dst, const void *src, size_t size)
{
	volatile uint8_t *to = (volatile uint8_t *)dst;
	const volatile uint8_t *from = (const volatile uint8_t *)src;

	for (size_t i = 0; i < size; i++) {
		to[i] = from[i];
	}
}

/** Swap two regions that do not overlap, byte by byte. */
static inline void byteswp(void *a, void *b, size_t size)
{
	uint8_t *left = (uint8_t *)a;
	uint8_t *right = (uint8_t *)b;

	for (size_t i = 0; i < size; i++) {
		uint8_t byte = left[i];

		left[i] = right[i];
		right[i] = byte;
	}
}

/** The value of a hexadecimal digit. @return 0, or -EINVAL if it is none */
static inline int char2hex(char c, uint8_t *x)
{
	if (c >= '0' && c <= '9') {
		*x = (uint8_t)(c - '0');
	} else if (c >= 'a' && c <= 'f') {
		*x = (uint8_t)(c - 'a' + 10);
	} else if (c >= 'A' && c <= 'F') {
		*x = (uint8_t)(c - 'A' + 10);
	} else {
		return -EINVAL;
	}
	return 0;
}

/** The digit of a value below 16. @return 0, or -EINVAL */
static inline int hex2char(uint8_t x, char *c)
{
	if (x > 15U) {
		return -EINVAL;
	}
	*c = (char)(x <= 9U ? x + '0' : x - 10U + 'a');
	return 0;
}

/** Bytes as hexadecimal digits, with a 0 at the end. @return how many digits, or 0 if they do not fit */
static inline size_t bin2hex(const uint8_t *buf, size_t buflen, char *hex, size_t hexlen)
{
	if (hexlen < buflen * 2U + 1U) {
		return 0;
	}
	for (size_t i = 0; i < buflen; i++) {
		(void)hex2char(buf[i] >> 4, &hex[2U * i]);
		(void)hex2char(buf[i] & 0xfU, &hex[2U * i + 1U]);
	}
	hex[2U * buflen] = '\0';
	return 2U * buflen;
}

/** Hexadecimal digits as bytes; of an odd number, the first stands alone. @return how many bytes, or 0 for errors */
static inline size_t hex2bin(const char *hex, size_t hexlen, uint8_t *buf, size_t buflen)
{
	size_t count = hexlen / 2U + hexlen % 2U;
	size_t at = 0;

	if (buflen < count) {
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		uint8_t high = 0;
		uint8_t low = 0;

		if ((i > 0 || hexlen % 2U == 0) && char2hex(hex[at++], &high) < 0) {
			return 0;
		}
		if (char2hex(hex[at++], &low) < 0) {
			return 0;
		}
		buf[i] = (uint8_t)(high << 4 | low);
	}
	return count;
}

static inline uint8_t bcd2bin(uint8_t bcd)
{
	return (uint8_t)(10U * (bcd >> 4) + (bcd & 0xfU));
}

static inline uint8_t bin2bcd(uint8_t bin)
{
	return (uint8_t)((bin / 10U) << 4 | (bin % 10U));
}

/** A value in decimal digits, with a 0 at the end where there is room. @return how many digits were written */
static inline uint8_t u8_to_dec(char *buf, uint8_t buflen, uint8_t value)
{
	uint8_t divisor = value >= 100U ? 100U : value >= 10U ? 10U : 1U;
	uint8_t written = 0;

	for (; divisor > 0 && written < buflen; divisor = (uint8_t)(divisor / 10U)) {
		buf[written++] = (char)('0' + value / divisor % 10U);
	}
	if (written < buflen) {
		buf[written] = '\0';
	}
	return written;
}

static inline void mem_xor_n(uint8_t *dst, const uint8_t *src1, const uint8_t *src2, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		dst[i] = src1[i] ^ src2[i];
	}
}

static inline void mem_xor_32(uint8_t dst[4], const uint8_t src1[4], const uint8_t src2[4])
{
	mem_xor_n(dst, src1, src2, 4U);
}

static inline void mem_xor_128(uint8_t dst[16], const uint8_t src1[16], const uint8_t src2[16])
{
	mem_xor_n(dst, src1, src2, 16U);
}

/** How many bits are set in a region of memory. */
static inline size_t sys_count_bits(const void *value, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)value;
	size_t count = 0;

	for (size_t i = 0; i < len; i++) {
		count += (size_t)__builtin_popcount(bytes[i]);
	}
	return count;
}

#ifdef __cplusplus
}
#endif

/* The assertions of ARRAY_INDEX. */
#include <zephyr/sys/__assert.h>

#endif /* __ASSEMBLER__ */

#endif /* ZEPHYR_INCLUDE_SYS_UTIL_H_ */
