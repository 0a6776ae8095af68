/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of bytes, in numbers and in memory. (Zephyr: sys/byteorder.h)
 *
 * Numbers of 24, 40 and 48 bits are kept in the next larger type. sys_put and sys_get take memory of any alignment.
 */
#ifndef ZEPHYR_INCLUDE_SYS_BYTEORDER_H_
#define ZEPHYR_INCLUDE_SYS_BYTEORDER_H_

#include <kmem/kconfig.h>

#include <stddef.h>
#include <stdint.h>

#include <zephyr/sys/__assert.h>
#include <zephyr/toolchain.h>

#define BSWAP_16(x) ((uint16_t)((((x) >> 8) & 0xff) | (((x)&0xff) << 8)))
#define BSWAP_24(x) ((uint32_t)((((x) >> 16) & 0xff) | (((x)) & 0xff00) | (((x)&0xff) << 16)))
#define BSWAP_32(x) ((uint32_t)__builtin_bswap32(x))
#define BSWAP_40(x) ((uint64_t)__builtin_bswap64(x) >> 24)
#define BSWAP_48(x) ((uint64_t)__builtin_bswap64(x) >> 16)
#define BSWAP_64(x) ((uint64_t)__builtin_bswap64(x))

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define sys_le16_to_cpu(value) (value)
#define sys_cpu_to_le16(value) (value)
#define sys_le24_to_cpu(value) (value)
#define sys_cpu_to_le24(value) (value)
#define sys_le32_to_cpu(value) (value)
#define sys_cpu_to_le32(value) (value)
#define sys_le40_to_cpu(value) (value)
#define sys_cpu_to_le40(value) (value)
#define sys_le48_to_cpu(value) (value)
#define sys_cpu_to_le48(value) (value)
#define sys_le64_to_cpu(value) (value)
#define sys_cpu_to_le64(value) (value)
#define sys_be16_to_cpu(value) BSWAP_16(value)
#define sys_cpu_to_be16(value) BSWAP_16(value)
#define sys_be24_to_cpu(value) BSWAP_24(value)
#define sys_cpu_to_be24(value) BSWAP_24(value)
#define sys_be32_to_cpu(value) BSWAP_32(value)
#define sys_cpu_to_be32(value) BSWAP_32(value)
#define sys_be40_to_cpu(value) BSWAP_40(value)
#define sys_cpu_to_be40(value) BSWAP_40(value)
#define sys_be48_to_cpu(value) BSWAP_48(value)
#define sys_cpu_to_be48(value) BSWAP_48(value)
#define sys_be64_to_cpu(value) BSWAP_64(value)
#define sys_cpu_to_be64(value) BSWAP_64(value)
#else
#define sys_le16_to_cpu(value) BSWAP_16(value)
#define sys_cpu_to_le16(value) BSWAP_16(value)
#define sys_le24_to_cpu(value) BSWAP_24(value)
#define sys_cpu_to_le24(value) BSWAP_24(value)
#define sys_le32_to_cpu(value) BSWAP_32(value)
#define sys_cpu_to_le32(value) BSWAP_32(value)
#define sys_le40_to_cpu(value) BSWAP_40(value)
#define sys_cpu_to_le40(value) BSWAP_40(value)
#define sys_le48_to_cpu(value) BSWAP_48(value)
#define sys_cpu_to_le48(value) BSWAP_48(value)
#define sys_le64_to_cpu(value) BSWAP_64(value)
#define sys_cpu_to_le64(value) BSWAP_64(value)
#define sys_be16_to_cpu(value) (value)
#define sys_cpu_to_be16(value) (value)
#define sys_be24_to_cpu(value) (value)
#define sys_cpu_to_be24(value) (value)
#define sys_be32_to_cpu(value) (value)
#define sys_cpu_to_be32(value) (value)
#define sys_be40_to_cpu(value) (value)
#define sys_cpu_to_be40(value) (value)
#define sys_be48_to_cpu(value) (value)
#define sys_cpu_to_be48(value) (value)
#define sys_be64_to_cpu(value) (value)
#define sys_cpu_to_be64(value) (value)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Any number of bytes, as the functions below need them. */

static ALWAYS_INLINE void kmem_put_le(uint64_t value, uint8_t *dst, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		dst[i] = (uint8_t)(value >> (8U * i));
	}
}

static ALWAYS_INLINE void kmem_put_be(uint64_t value, uint8_t *dst, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		dst[size - 1U - i] = (uint8_t)(value >> (8U * i));
	}
}

static ALWAYS_INLINE uint64_t kmem_get_le(const uint8_t *src, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++) {
		value |= (uint64_t)src[i] << (8U * i);
	}
	return value;
}

static ALWAYS_INLINE uint64_t kmem_get_be(const uint8_t *src, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++) {
		value = value << 8 | src[i];
	}
	return value;
}

/* Big-endian numbers in memory. */

static inline void sys_put_be16(uint16_t val, uint8_t dst[2])
{
	kmem_put_be(val, dst, 2);
}

static inline uint16_t sys_get_be16(const uint8_t src[2])
{
	return (uint16_t)kmem_get_be(src, 2);
}

static inline void sys_put_be24(uint32_t val, uint8_t dst[3])
{
	kmem_put_be(val, dst, 3);
}

static inline uint32_t sys_get_be24(const uint8_t src[3])
{
	return (uint32_t)kmem_get_be(src, 3);
}

static inline void sys_put_be32(uint32_t val, uint8_t dst[4])
{
	kmem_put_be(val, dst, 4);
}

static inline uint32_t sys_get_be32(const uint8_t src[4])
{
	return (uint32_t)kmem_get_be(src, 4);
}

static inline void sys_put_be40(uint64_t val, uint8_t dst[5])
{
	kmem_put_be(val, dst, 5);
}

static inline uint64_t sys_get_be40(const uint8_t src[5])
{
	return (uint64_t)kmem_get_be(src, 5);
}

static inline void sys_put_be48(uint64_t val, uint8_t dst[6])
{
	kmem_put_be(val, dst, 6);
}

static inline uint64_t sys_get_be48(const uint8_t src[6])
{
	return (uint64_t)kmem_get_be(src, 6);
}

static inline void sys_put_be64(uint64_t val, uint8_t dst[8])
{
	kmem_put_be(val, dst, 8);
}

static inline uint64_t sys_get_be64(const uint8_t src[8])
{
	return (uint64_t)kmem_get_be(src, 8);
}

/* Little-endian numbers in memory. */

static inline void sys_put_le16(uint16_t val, uint8_t dst[2])
{
	kmem_put_le(val, dst, 2);
}

static inline uint16_t sys_get_le16(const uint8_t src[2])
{
	return (uint16_t)kmem_get_le(src, 2);
}

static inline void sys_put_le24(uint32_t val, uint8_t dst[3])
{
	kmem_put_le(val, dst, 3);
}

static inline uint32_t sys_get_le24(const uint8_t src[3])
{
	return (uint32_t)kmem_get_le(src, 3);
}

static inline void sys_put_le32(uint32_t val, uint8_t dst[4])
{
	kmem_put_le(val, dst, 4);
}

static inline uint32_t sys_get_le32(const uint8_t src[4])
{
	return (uint32_t)kmem_get_le(src, 4);
}

static inline void sys_put_le40(uint64_t val, uint8_t dst[5])
{
	kmem_put_le(val, dst, 5);
}

static inline uint64_t sys_get_le40(const uint8_t src[5])
{
	return (uint64_t)kmem_get_le(src, 5);
}

static inline void sys_put_le48(uint64_t val, uint8_t dst[6])
{
	kmem_put_le(val, dst, 6);
}

static inline uint64_t sys_get_le48(const uint8_t src[6])
{
	return (uint64_t)kmem_get_le(src, 6);
}

static inline void sys_put_le64(uint64_t val, uint8_t dst[8])
{
	kmem_put_le(val, dst, 8);
}

static inline uint64_t sys_get_le64(const uint8_t src[8])
{
	return (uint64_t)kmem_get_le(src, 8);
}

/* Bytes in reverse. */

/** Copy, to memory that does not overlap. */
static inline void sys_memcpy_swap(void *dst, const void *src, size_t length)
{
	uint8_t *to = (uint8_t *)dst;
	const uint8_t *from = (const uint8_t *)src;

	__ASSERT((from < to && from + length <= to) || (from > to && to + length <= from) || length == 0,
		 "Source and destination buffers must not overlap");
	for (size_t i = 0; i < length; i++) {
		to[i] = from[length - 1U - i];
	}
}

/** In place. */
static inline void sys_mem_swap(void *buf, size_t length)
{
	uint8_t *bytes = (uint8_t *)buf;

	for (size_t i = 0; i < length / 2U; i++) {
		uint8_t byte = bytes[i];

		bytes[i] = bytes[length - 1U - i];
		bytes[length - 1U - i] = byte;
	}
}

/* Between the processor's order and another: in place, and by copying. */

static inline void sys_le_to_cpu(void *buf, size_t length)
{
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__) {
		sys_mem_swap(buf, length);
	}
}

static inline void sys_cpu_to_le(void *buf, size_t length)
{
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__) {
		sys_mem_swap(buf, length);
	}
}

static inline void sys_be_to_cpu(void *buf, size_t length)
{
	if (__BYTE_ORDER__ != __ORDER_BIG_ENDIAN__) {
		sys_mem_swap(buf, length);
	}
}

static inline void sys_cpu_to_be(void *buf, size_t length)
{
	if (__BYTE_ORDER__ != __ORDER_BIG_ENDIAN__) {
		sys_mem_swap(buf, length);
	}
}

static inline void sys_put_le(void *dst, const void *src, size_t length)
{
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__) {
		sys_memcpy_swap(dst, src, length);
	} else {
		__builtin_memcpy(dst, src, length);
	}
}

static inline void sys_get_le(void *dst, const void *src, size_t length)
{
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__) {
		sys_memcpy_swap(dst, src, length);
	} else {
		__builtin_memcpy(dst, src, length);
	}
}

static inline void sys_put_be(void *dst, const void *src, size_t length)
{
	if (__BYTE_ORDER__ != __ORDER_BIG_ENDIAN__) {
		sys_memcpy_swap(dst, src, length);
	} else {
		__builtin_memcpy(dst, src, length);
	}
}

static inline void sys_get_be(void *dst, const void *src, size_t length)
{
	if (__BYTE_ORDER__ != __ORDER_BIG_ENDIAN__) {
		sys_memcpy_swap(dst, src, length);
	} else {
		__builtin_memcpy(dst, src, length);
	}
}

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_SYS_BYTEORDER_H_ */
