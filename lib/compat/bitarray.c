/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays of bits: each public function checks its arguments, and works with interrupts locked.
 *
 * What the static functions do to a region, they do word by word: a mask has the region's bits of a word.
 */
#include <zephyr/sys/bitarray.h>

#include <errno.h>

#include <kmem/irq.h>

#define WORD_BITS 32U

struct region {
	size_t first;
	size_t end; /* exclusive */
};

static bool has_region(const sys_bitarray_t *bitarray, size_t num_bits, size_t offset)
{
	return num_bits > 0 && num_bits <= bitarray->num_bits && offset <= bitarray->num_bits - num_bits;
}

static struct region region_of(size_t num_bits, size_t offset)
{
	return (struct region){.first = offset, .end = offset + num_bits};
}

/* The words of a region, and its mask in one of them. */

static size_t first_word(struct region region)
{
	return region.first / WORD_BITS;
}

static size_t last_word(struct region region)
{
	return (region.end - 1) / WORD_BITS;
}

static uint32_t mask_of(struct region region, size_t word)
{
	uint32_t mask = UINT32_MAX;

	if (word == first_word(region)) {
		mask &= UINT32_MAX << (region.first % WORD_BITS);
	}
	if (word == last_word(region)) {
		mask &= UINT32_MAX >> (WORD_BITS - 1 - (region.end - 1) % WORD_BITS);
	}
	return mask;
}

static bool is_uniform(const sys_bitarray_t *bitarray, struct region region, bool set)
{
	for (size_t word = first_word(region); word <= last_word(region); word++) {
		uint32_t mask = mask_of(region, word);

		if ((bitarray->bundles[word] & mask) != (set ? mask : 0)) {
			return false;
		}
	}
	return true;
}

static void fill(sys_bitarray_t *bitarray, struct region region, bool set)
{
	for (size_t word = first_word(region); word <= last_word(region); word++) {
		uint32_t mask = mask_of(region, word);

		if (set) {
			bitarray->bundles[word] |= mask;
		} else {
			bitarray->bundles[word] &= ~mask;
		}
	}
}

static size_t count(const sys_bitarray_t *bitarray, struct region region)
{
	size_t bits = 0;

	for (size_t word = first_word(region); word <= last_word(region); word++) {
		bits += (size_t)__builtin_popcount(bitarray->bundles[word] & mask_of(region, word));
	}
	return bits;
}

static bool is_set(const sys_bitarray_t *bitarray, size_t bit)
{
	return (bitarray->bundles[bit / WORD_BITS] >> (bit % WORD_BITS) & 1U) != 0;
}

/* The first run of so many zeros: words that are all ones are passed over at once. */
static bool find_clear(const sys_bitarray_t *bitarray, size_t num_bits, size_t *offset)
{
	size_t run = 0;
	size_t bit = 0;

	while (bit < bitarray->num_bits) {
		if (bit % WORD_BITS == 0 && bitarray->bundles[bit / WORD_BITS] == UINT32_MAX) {
			run = 0;
			bit += WORD_BITS;
			continue;
		}
		run = is_set(bitarray, bit) ? 0 : run + 1;
		bit++;
		if (run == num_bits) {
			*offset = bit - num_bits;
			return true;
		}
	}
	return false;
}

/* Set or clear a region if all of it is the other way. */
static bool flip(sys_bitarray_t *bitarray, struct region region, bool set)
{
	if (!is_uniform(bitarray, region, !set)) {
		return false;
	}
	fill(bitarray, region, set);
	return true;
}

/* Change one bit, and tell what it was. */
static int exchange_bit(sys_bitarray_t *bitarray, size_t bit, bool set, int *previous)
{
	unsigned int key;

	if (previous == NULL || !has_region(bitarray, 1, bit)) {
		return -EINVAL;
	}
	key = arch_irq_lock();
	*previous = is_set(bitarray, bit);
	fill(bitarray, region_of(1, bit), set);
	arch_irq_unlock(key);
	return 0;
}

static int change_region(sys_bitarray_t *bitarray, size_t num_bits, size_t offset, bool set)
{
	unsigned int key;

	if (!has_region(bitarray, num_bits, offset)) {
		return -EINVAL;
	}
	key = arch_irq_lock();
	fill(bitarray, region_of(num_bits, offset), set);
	arch_irq_unlock(key);
	return 0;
}

static bool is_region(sys_bitarray_t *bitarray, size_t num_bits, size_t offset, bool set)
{
	unsigned int key;
	bool is_so;

	if (!has_region(bitarray, num_bits, offset)) {
		return false;
	}
	key = arch_irq_lock();
	is_so = is_uniform(bitarray, region_of(num_bits, offset), set);
	arch_irq_unlock(key);
	return is_so;
}

int sys_bitarray_set_bit(sys_bitarray_t *bitarray, size_t bit)
{
	return change_region(bitarray, 1, bit, true);
}

int sys_bitarray_clear_bit(sys_bitarray_t *bitarray, size_t bit)
{
	return change_region(bitarray, 1, bit, false);
}

int sys_bitarray_test_bit(sys_bitarray_t *bitarray, size_t bit, int *val)
{
	if (val == NULL || !has_region(bitarray, 1, bit)) {
		return -EINVAL;
	}
	*val = is_region(bitarray, 1, bit, true);
	return 0;
}

int sys_bitarray_test_and_set_bit(sys_bitarray_t *bitarray, size_t bit, int *prev_val)
{
	return exchange_bit(bitarray, bit, true, prev_val);
}

int sys_bitarray_test_and_clear_bit(sys_bitarray_t *bitarray, size_t bit, int *prev_val)
{
	return exchange_bit(bitarray, bit, false, prev_val);
}

int sys_bitarray_alloc(sys_bitarray_t *bitarray, size_t num_bits, size_t *offset)
{
	unsigned int key;
	bool is_found;

	if (offset == NULL || !has_region(bitarray, num_bits, 0)) {
		return -EINVAL;
	}
	key = arch_irq_lock();
	is_found = find_clear(bitarray, num_bits, offset);
	if (is_found) {
		fill(bitarray, region_of(num_bits, *offset), true);
	}
	arch_irq_unlock(key);
	return is_found ? 0 : -ENOSPC;
}

int sys_bitarray_free(sys_bitarray_t *bitarray, size_t num_bits, size_t offset)
{
	unsigned int key;
	bool is_freed;

	if (!has_region(bitarray, num_bits, offset)) {
		return -EINVAL;
	}
	key = arch_irq_lock();
	is_freed = flip(bitarray, region_of(num_bits, offset), false);
	arch_irq_unlock(key);
	return is_freed ? 0 : -EFAULT;
}

int sys_bitarray_set_region(sys_bitarray_t *bitarray, size_t num_bits, size_t offset)
{
	return change_region(bitarray, num_bits, offset, true);
}

int sys_bitarray_clear_region(sys_bitarray_t *bitarray, size_t num_bits, size_t offset)
{
	return change_region(bitarray, num_bits, offset, false);
}

int sys_bitarray_test_and_set_region(sys_bitarray_t *bitarray, size_t num_bits, size_t offset, bool to_set)
{
	unsigned int key;
	bool is_changed;

	if (!has_region(bitarray, num_bits, offset)) {
		return -EINVAL;
	}
	key = arch_irq_lock();
	is_changed = flip(bitarray, region_of(num_bits, offset), to_set);
	arch_irq_unlock(key);
	return is_changed ? 0 : -EEXIST;
}

bool sys_bitarray_is_region_set(sys_bitarray_t *bitarray, size_t num_bits, size_t offset)
{
	return is_region(bitarray, num_bits, offset, true);
}

bool sys_bitarray_is_region_cleared(sys_bitarray_t *bitarray, size_t num_bits, size_t offset)
{
	return is_region(bitarray, num_bits, offset, false);
}

int sys_bitarray_popcount_region(sys_bitarray_t *bitarray, size_t num_bits, size_t offset, size_t *count_bits)
{
	unsigned int key;

	if (count_bits == NULL || !has_region(bitarray, num_bits, offset)) {
		return -EINVAL;
	}
	key = arch_irq_lock();
	*count_bits = count(bitarray, region_of(num_bits, offset));
	arch_irq_unlock(key);
	return 0;
}

int sys_bitarray_xor(sys_bitarray_t *dst, sys_bitarray_t *other, size_t num_bits, size_t offset)
{
	struct region region = region_of(num_bits, offset);
	unsigned int key;

	if (!has_region(dst, num_bits, offset) || !has_region(other, num_bits, offset)) {
		return -EINVAL;
	}
	key = arch_irq_lock();
	for (size_t word = first_word(region); word <= last_word(region); word++) {
		dst->bundles[word] ^= other->bundles[word] & mask_of(region, word);
	}
	arch_irq_unlock(key);
	return 0;
}

int sys_bitarray_find_nth_set(sys_bitarray_t *bitarray, size_t n, size_t num_bits, size_t offset, size_t *found_at)
{
	unsigned int key;
	size_t bit = offset;

	if (found_at == NULL || n == 0 || n > num_bits || !has_region(bitarray, num_bits, offset)) {
		return -EINVAL;
	}
	key = arch_irq_lock();
	while (bit < offset + num_bits) {
		n -= is_set(bitarray, bit);
		if (n == 0) {
			*found_at = bit;
			break;
		}
		bit++;
	}
	arch_irq_unlock(key);
	return n == 0 ? 0 : 1;
}
