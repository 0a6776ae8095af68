/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays of bits. (Zephyr: sys/bitarray.h)
 *
 * Bits count from 0, in words of 32, lowest bit first. A region is num_bits bits from offset on; one of no bits, or one
 * that ends outside the array, is refused. Every function holds the interrupt lock while it works, and may be called
 * anywhere that may take it. Unless said otherwise they return 0, or -EINVAL where a bit or a region is not of the
 * array, or a pointer for a result is NULL.
 */
#ifndef ZEPHYR_INCLUDE_SYS_BITARRAY_H_
#define ZEPHYR_INCLUDE_SYS_BITARRAY_H_

#include <kmem/kconfig.h>

#pragma GCC system_header

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/sys/util.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct sys_bitarray {
	uint32_t num_bits;
	uint32_t num_bundles; /* words */
	uint32_t *bundles;    /* bits behind the last one are 0 */
};

typedef struct sys_bitarray sys_bitarray_t;

/** Define an array of that many bits, all 0. */
#define SYS_BITARRAY_DEFINE(name, total_bits) _SYS_BITARRAY_DEFINE(name, total_bits, )
#define SYS_BITARRAY_DEFINE_STATIC(name, total_bits) _SYS_BITARRAY_DEFINE(name, total_bits, static)
#define _SYS_BITARRAY_DEFINE(name, total_bits, sba_mod)                                                                \
	static uint32_t _sys_bitarray_bundles_##name[DIV_ROUND_UP(total_bits, 32)];                                    \
	sba_mod sys_bitarray_t name = {(total_bits), DIV_ROUND_UP(total_bits, 32), _sys_bitarray_bundles_##name}

/* One bit. */
int sys_bitarray_set_bit(sys_bitarray_t *bitarray, size_t bit);
int sys_bitarray_clear_bit(sys_bitarray_t *bitarray, size_t bit);
int sys_bitarray_test_bit(sys_bitarray_t *bitarray, size_t bit, int *val);
int sys_bitarray_test_and_set_bit(sys_bitarray_t *bitarray, size_t bit, int *prev_val);
int sys_bitarray_test_and_clear_bit(sys_bitarray_t *bitarray, size_t bit, int *prev_val);

/** Set the first region of so many bits that are all 0. @return 0; -EINVAL; -ENOSPC if there is none */
int sys_bitarray_alloc(sys_bitarray_t *bitarray, size_t num_bits, size_t *offset);

/** Clear a region. @return 0; -EINVAL; -EFAULT if its bits are not all set, and nothing is changed */
int sys_bitarray_free(sys_bitarray_t *bitarray, size_t num_bits, size_t offset);

/* All bits of a region. */
int sys_bitarray_set_region(sys_bitarray_t *bitarray, size_t num_bits, size_t offset);
int sys_bitarray_clear_region(sys_bitarray_t *bitarray, size_t num_bits, size_t offset);

/** Set or clear a region. @return 0; -EINVAL; -EEXIST if some of its bits are so already, and nothing is changed */
int sys_bitarray_test_and_set_region(sys_bitarray_t *bitarray, size_t num_bits, size_t offset, bool to_set);

/* Whether all bits of a region are so; false where it is not of the array. */
bool sys_bitarray_is_region_set(sys_bitarray_t *bitarray, size_t num_bits, size_t offset);
bool sys_bitarray_is_region_cleared(sys_bitarray_t *bitarray, size_t num_bits, size_t offset);

/** How many bits of a region are set. */
int sys_bitarray_popcount_region(sys_bitarray_t *bitarray, size_t num_bits, size_t offset, size_t *count);

/** Exclusive or, into @p dst, of a region that both arrays have. */
int sys_bitarray_xor(sys_bitarray_t *dst, sys_bitarray_t *other, size_t num_bits, size_t offset);

/**
 * Find the @p n th set bit of a region, counted from 1.
 * @return 0; -EINVAL, also where n is 0 or above num_bits; 1 if fewer bits are set
 */
int sys_bitarray_find_nth_set(sys_bitarray_t *bitarray, size_t n, size_t num_bits, size_t offset, size_t *found_at);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_SYS_BITARRAY_H_ */
