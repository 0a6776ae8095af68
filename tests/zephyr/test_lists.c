/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zephyr's lists and arrays of bits: each function by hand, and the array of bits beside a plain one in a random walk.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <zephyr/sys/bitarray.h>
#include <zephyr/sys/dlist.h>
#include <zephyr/sys/sflist.h>
#include <zephyr/sys/slist.h>

#include "harness.h"

#define ITEMS 5

struct item {
	int value;
	sys_snode_t snode;
	sys_sfnode_t sfnode;
	sys_dnode_t dnode;
};

static struct item items[ITEMS];

static void setup(void)
{
	memset(items, 0, sizeof(items));
	for (int i = 0; i < ITEMS; i++) {
		items[i].value = i + 1;
	}
}

/* The values of a list, as the digits of a number: 1, 2, 3 is 123. */

static int slist_digits(sys_slist_t *list)
{
	struct item *item;
	int digits = 0;

	SYS_SLIST_FOR_EACH_CONTAINER(list, item, snode)
	{
		digits = digits * 10 + item->value;
	}
	return digits;
}

static int sflist_digits(sys_sflist_t *list)
{
	struct item *item;
	int digits = 0;

	SYS_SFLIST_FOR_EACH_CONTAINER(list, item, sfnode)
	{
		digits = digits * 10 + item->value;
	}
	return digits;
}

/* Forwards, and backwards the same. */
static int dlist_digits(sys_dlist_t *list)
{
	struct item *item;
	int digits = 0;
	int place = 1;
	int reverse = 0;

	SYS_DLIST_FOR_EACH_CONTAINER(list, item, dnode)
	{
		digits = digits * 10 + item->value;
	}
	for (sys_dnode_t *node = sys_dlist_peek_tail(list); node != NULL; node = sys_dlist_peek_prev(list, node)) {
		reverse += place * CONTAINER_OF(node, struct item, dnode)->value;
		place *= 10;
	}
	ck_assert_int_eq(digits, reverse);
	return digits;
}

START_TEST(slist_grows_at_both_ends_and_in_between)
{
	static sys_slist_t list = SYS_SLIST_STATIC_INIT(&list);

	ck_assert(sys_slist_is_empty(&list));
	ck_assert_ptr_null(sys_slist_peek_head(&list));
	ck_assert_ptr_null(sys_slist_get(&list));
	sys_slist_append(&list, &items[2].snode);
	sys_slist_prepend(&list, &items[0].snode);
	sys_slist_insert(&list, &items[0].snode, &items[1].snode);
	sys_slist_insert(&list, &items[2].snode, &items[3].snode);
	sys_slist_append(&list, &items[4].snode);
	ck_assert_int_eq(slist_digits(&list), 12345);
	ck_assert_uint_eq(sys_slist_len(&list), 5);
	ck_assert_ptr_eq(sys_slist_peek_tail(&list), &items[4].snode);
	ck_assert_ptr_eq(sys_slist_peek_next(&items[0].snode), &items[1].snode);
	ck_assert_ptr_null(sys_slist_peek_next(NULL));
}
END_TEST

START_TEST(slist_shrinks_anywhere)
{
	sys_slist_t list;
	sys_snode_t *before;
	struct item *item;
	struct item *next;

	sys_slist_init(&list);
	for (int i = 0; i < ITEMS; i++) {
		sys_slist_append(&list, &items[i].snode);
	}
	ck_assert(sys_slist_find(&list, &items[1].snode, &before));
	ck_assert_ptr_eq(before, &items[0].snode);
	ck_assert(sys_slist_find_and_remove(&list, &items[4].snode));
	ck_assert(!sys_slist_find_and_remove(&list, &items[4].snode));
	ck_assert_ptr_eq(sys_slist_peek_tail(&list), &items[3].snode);
	sys_slist_remove(&list, &items[0].snode, &items[1].snode);
	ck_assert_int_eq(slist_digits(&list), 134);
	ck_assert_ptr_eq(sys_slist_get_not_empty(&list), &items[0].snode);
	SYS_SLIST_FOR_EACH_CONTAINER_SAFE(&list, item, next, snode)
	{
		ck_assert(sys_slist_find_and_remove(&list, &item->snode));
	}
	ck_assert(sys_slist_is_empty(&list));
	ck_assert_ptr_null(sys_slist_peek_tail(&list));
	ck_assert_ptr_null(SYS_SLIST_PEEK_HEAD_CONTAINER(&list, item, snode));
}
END_TEST

START_TEST(slists_are_joined)
{
	sys_slist_t list = {NULL, NULL};
	sys_slist_t other = {NULL, NULL};

	sys_slist_merge_slist(&list, &other);
	ck_assert(sys_slist_is_empty(&list));
	sys_slist_append(&other, &items[0].snode);
	sys_slist_append(&other, &items[1].snode);
	sys_slist_merge_slist(&list, &other);
	ck_assert(sys_slist_is_empty(&other));
	sys_slist_append(&other, &items[2].snode);
	sys_slist_append_list(&list, &items[2].snode, &items[2].snode);
	ck_assert_int_eq(slist_digits(&list), 123);
	ck_assert_ptr_eq(sys_slist_peek_tail(&list), &items[2].snode);
}
END_TEST

START_TEST(sfnodes_keep_their_flags)
{
	sys_sflist_t list;
	sys_sfnode_t *node;
	sys_sfnode_t *next;

	ck_assert_uint_eq(sizeof(sys_sfnode_t), sizeof(void *));
	sys_sflist_init(&list);
	for (uint8_t i = 0; i < ITEMS; i++) {
		sys_sfnode_init(&items[i].sfnode, i & 3U);
		sys_sflist_append(&list, &items[i].sfnode);
	}
	ck_assert_int_eq(sflist_digits(&list), 12345);
	sys_sfnode_flags_set(&items[2].sfnode, 1);
	ck_assert_ptr_eq(sys_sflist_peek_next(&items[2].sfnode), &items[3].sfnode);
	ck_assert_uint_eq(sys_sfnode_flags_get(&items[2].sfnode), 1);
	ck_assert_uint_eq(sys_sfnode_flags_get(&items[3].sfnode), 3);
	ck_assert_ptr_eq(sys_sflist_get(&list), &items[0].sfnode);
	ck_assert(sys_sflist_find_and_remove(&list, &items[3].sfnode));
	ck_assert_uint_eq(items[3].sfnode.next_and_flags, 3);
	ck_assert_int_eq(sflist_digits(&list), 235);
	sys_sflist_prepend(&list, &items[0].sfnode);
	sys_sflist_insert(&list, &items[4].sfnode, &items[3].sfnode);
	ck_assert_int_eq(sflist_digits(&list), 12354);
	ck_assert_ptr_eq(sys_sflist_peek_tail(&list), &items[3].sfnode);
	SYS_SFLIST_FOR_EACH_NODE_SAFE(&list, node, next)
	{
		ck_assert_ptr_eq(sys_sflist_get_not_empty(&list), node);
	}
	ck_assert(sys_sflist_is_empty(&list));
}
END_TEST

static int is_above(sys_dnode_t *node, void *data)
{
	return CONTAINER_OF(node, struct item, dnode)->value > *(int *)data;
}

START_TEST(dlist_grows_anywhere)
{
	static sys_dlist_t list = SYS_DLIST_STATIC_INIT(&list);
	int three = 3;

	ck_assert(sys_dlist_is_empty(&list));
	ck_assert_ptr_null(sys_dlist_peek_head(&list));
	ck_assert_ptr_null(sys_dlist_peek_tail(&list));
	sys_dlist_append(&list, &items[3].dnode);
	ck_assert(!sys_dlist_has_multiple_nodes(&list));
	sys_dlist_prepend(&list, &items[0].dnode);
	sys_dlist_insert(&items[3].dnode, &items[1].dnode);
	sys_dlist_insert_at(&list, &items[2].dnode, is_above, &three);
	three = ITEMS;
	sys_dlist_insert_at(&list, &items[4].dnode, is_above, &three);
	ck_assert_int_eq(dlist_digits(&list), 12345);
	ck_assert_uint_eq(sys_dlist_len(&list), 5);
	ck_assert(sys_dlist_has_multiple_nodes(&list));
	ck_assert(sys_dlist_is_head(&list, &items[0].dnode));
	ck_assert(sys_dlist_is_tail(&list, &items[4].dnode));
}
END_TEST

START_TEST(dlist_shrinks_anywhere)
{
	sys_dlist_t list;
	sys_dnode_t *node = NULL;
	struct item *item;
	struct item *next;

	sys_dlist_init(&list);
	for (int i = 0; i < ITEMS; i++) {
		ck_assert(!sys_dnode_is_linked(&items[i].dnode));
		sys_dlist_append(&list, &items[i].dnode);
		ck_assert(sys_dnode_is_linked(&items[i].dnode));
	}
	sys_dlist_remove(&items[2].dnode);
	ck_assert(!sys_dnode_is_linked(&items[2].dnode));
	ck_assert_int_eq(dlist_digits(&list), 1245);
	ck_assert_ptr_eq(sys_dlist_get(&list), &items[0].dnode);
	SYS_DLIST_ITERATE_FROM_NODE(&list, node)
	{
		ck_assert_ptr_eq(node, &items[1].dnode);
		break;
	}
	SYS_DLIST_ITERATE_FROM_NODE(&list, node)
	{
		ck_assert_ptr_ne(node, &items[1].dnode);
	}
	SYS_DLIST_FOR_EACH_CONTAINER_SAFE(&list, item, next, dnode)
	{
		sys_dlist_remove(&item->dnode);
	}
	ck_assert(sys_dlist_is_empty(&list));
	ck_assert_ptr_null(sys_dlist_get(&list));
}
END_TEST

#define BITS 100

SYS_BITARRAY_DEFINE(shared_bits, 64);
SYS_BITARRAY_DEFINE_STATIC(bits, BITS);

START_TEST(bits_are_set_and_cleared)
{
	int was = 7;

	ck_assert_uint_eq(shared_bits.num_bundles, 2);
	ck_assert_int_eq(sys_bitarray_set_bit(&bits, BITS - 1), 0);
	ck_assert_int_eq(sys_bitarray_test_bit(&bits, BITS - 1, &was), 0);
	ck_assert_int_eq(was, 1);
	ck_assert_int_eq(sys_bitarray_test_and_clear_bit(&bits, BITS - 1, &was), 0);
	ck_assert_int_eq(was, 1);
	ck_assert_int_eq(sys_bitarray_test_and_set_bit(&bits, BITS - 1, &was), 0);
	ck_assert_int_eq(was, 0);
	ck_assert_int_eq(sys_bitarray_clear_bit(&bits, BITS - 1), 0);
	ck_assert_int_eq(sys_bitarray_set_bit(&bits, BITS), -EINVAL);
	ck_assert_int_eq(sys_bitarray_test_bit(&bits, 0, NULL), -EINVAL);
}
END_TEST

START_TEST(regions_of_bits_are_allocated_lowest_first)
{
	size_t first = 0;
	size_t second = 0;
	size_t set = 0;

	ck_assert_int_eq(sys_bitarray_alloc(&bits, 40, &first), 0);
	ck_assert_int_eq(sys_bitarray_alloc(&bits, 40, &second), 0);
	ck_assert_uint_eq(first, 0);
	ck_assert_uint_eq(second, 40);
	ck_assert_int_eq(sys_bitarray_alloc(&bits, 21, &second), -ENOSPC);
	ck_assert_int_eq(sys_bitarray_free(&bits, 41, 40), -EFAULT);
	ck_assert_int_eq(sys_bitarray_free(&bits, 10, 20), 0);
	ck_assert_int_eq(sys_bitarray_alloc(&bits, 10, &second), 0);
	ck_assert_uint_eq(second, 20);
	ck_assert_int_eq(sys_bitarray_popcount_region(&bits, BITS, 0, &set), 0);
	ck_assert_uint_eq(set, 80);
	ck_assert_int_eq(sys_bitarray_alloc(&bits, 0, &first), -EINVAL);
	ck_assert_int_eq(sys_bitarray_alloc(&bits, BITS + 1, &first), -EINVAL);
	ck_assert_int_eq(sys_bitarray_free(&bits, 1, BITS), -EINVAL);
	ck_assert_int_eq(sys_bitarray_free(&bits, SIZE_MAX, 2), -EINVAL);
	ck_assert_int_eq(sys_bitarray_find_nth_set(&bits, 45, 60, 30, &first), 0);
	ck_assert_uint_eq(first, 74);
	ck_assert_int_eq(sys_bitarray_find_nth_set(&bits, 51, 60, 30, &first), 1);
}
END_TEST

START_TEST(regions_of_bits_change_as_a_whole_or_not_at_all)
{
	ck_assert_int_eq(sys_bitarray_test_and_set_region(&bits, 50, 20, true), 0);
	ck_assert_int_eq(sys_bitarray_test_and_set_region(&bits, 10, 65, true), -EEXIST);
	ck_assert(sys_bitarray_is_region_cleared(&bits, 30, 70));
	ck_assert(sys_bitarray_is_region_set(&bits, 50, 20));
	ck_assert(!sys_bitarray_is_region_set(&bits, 51, 20));
	ck_assert(!sys_bitarray_is_region_set(&bits, 0, 20));
	ck_assert_int_eq(sys_bitarray_test_and_set_region(&bits, 50, 20, false), 0);
	ck_assert(sys_bitarray_is_region_cleared(&bits, BITS, 0));
	ck_assert_int_eq(sys_bitarray_set_region(&shared_bits, 33, 31), 0);
	ck_assert_int_eq(sys_bitarray_xor(&bits, &shared_bits, 64, 0), 0);
	ck_assert(sys_bitarray_is_region_set(&bits, 33, 31));
	ck_assert_int_eq(sys_bitarray_xor(&bits, &shared_bits, 65, 0), -EINVAL);
}
END_TEST

START_TEST(random_walk_beside_a_plain_array)
{
	uint64_t state = harness_seed();
	bool plain[BITS] = {false};

	for (int i = 0; i < 20000; i++) {
		size_t offset = harness_random(&state) % BITS;
		size_t count = 1 + harness_random(&state) % (BITS - offset);
		bool set = harness_random(&state) % 2 != 0;
		size_t expected = 0;
		size_t found = 0;

		if (set) {
			ck_assert_int_eq(sys_bitarray_set_region(&bits, count, offset), 0);
		} else {
			ck_assert_int_eq(sys_bitarray_clear_region(&bits, count, offset), 0);
		}
		memset(&plain[offset], set, count);
		offset = harness_random(&state) % BITS;
		count = 1 + harness_random(&state) % (BITS - offset);
		for (size_t bit = offset; bit < offset + count; bit++) {
			expected += plain[bit];
		}
		ck_assert_int_eq(sys_bitarray_popcount_region(&bits, count, offset, &found), 0);
		ck_assert_uint_eq(found, expected);
		ck_assert_int_eq(sys_bitarray_is_region_set(&bits, count, offset), expected == count);
		ck_assert_int_eq(sys_bitarray_is_region_cleared(&bits, count, offset), expected == 0);
	}
}
END_TEST

static void clear_bits(void)
{
	memset(bits.bundles, 0, bits.num_bundles * sizeof(bits.bundles[0]));
	memset(shared_bits.bundles, 0, shared_bits.num_bundles * sizeof(shared_bits.bundles[0]));
}

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("zephyr lists");
	TCase *lists = tcase_create("lists");
	TCase *arrays = tcase_create("bitarray");

	tcase_add_checked_fixture(lists, setup, NULL);
	tcase_add_test(lists, slist_grows_at_both_ends_and_in_between);
	tcase_add_test(lists, slist_shrinks_anywhere);
	tcase_add_test(lists, slists_are_joined);
	tcase_add_test(lists, sfnodes_keep_their_flags);
	tcase_add_test(lists, dlist_grows_anywhere);
	tcase_add_test(lists, dlist_shrinks_anywhere);
	suite_add_tcase(suite, lists);

	tcase_add_checked_fixture(arrays, clear_bits, NULL);
	tcase_add_test(arrays, bits_are_set_and_cleared);
	tcase_add_test(arrays, regions_of_bits_are_allocated_lowest_first);
	tcase_add_test(arrays, regions_of_bits_change_as_a_whole_or_not_at_all);
	tcase_add_test(arrays, random_walk_beside_a_plain_array);
	suite_add_tcase(suite, arrays);
	return suite;
}
