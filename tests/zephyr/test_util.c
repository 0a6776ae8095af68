/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zephyr's macros, and what prints: the console is a pipe that the test reads.
 */
#ifndef CONFIG_ASSERT
#define CONFIG_ASSERT 1
#endif

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zephyr/cache.h>
#include <zephyr/linker/linker-defs.h>
#include <zephyr/linker/sections.h>
#include <zephyr/logging/log.h>
#include <zephyr/random/random.h>
#include <zephyr/sys/__assert.h>
#include <zephyr/sys/barrier.h>
#include <zephyr/sys/byteorder.h>
#include <zephyr/sys/check.h>
#include <zephyr/sys/math_extras.h>
#include <zephyr/sys/printk.h>
#include <zephyr/sys/util.h>

#include "harness.h"

LOG_MODULE_REGISTER(test_util);

/* Conditions, numbers and lists. */

#define CONFIG_KMEM_TEST_ON 1
#define CONFIG_KMEM_TEST_ZERO 0
#define PLUS(x) +(x)
#define INDEXED(i, x) +(i) * (x)
#define TIMES(x, factor) +(x) * (factor)
#define NTH(i, x) +(i)
#define NAME(x) name_##x
#define EIGHT 8

BUILD_ASSERT(IS_ENABLED(CONFIG_KMEM_TEST_ON) == 1, "on");
BUILD_ASSERT(IS_ENABLED(CONFIG_KMEM_TEST_OFF) == 0, "off");
BUILD_ASSERT(IS_ENABLED(CONFIG_KMEM_TEST_ZERO) == 0);
enum {
	COND_CODE_1(CONFIG_KMEM_TEST_ON, (FIRST = 1, SECOND = 2), (FIRST))
};
BUILD_ASSERT(FIRST + SECOND == 3);
BUILD_ASSERT(COND_CODE_1(CONFIG_KMEM_TEST_OFF, (1), (2)) == 2);
BUILD_ASSERT(COND_CODE_0(CONFIG_KMEM_TEST_ZERO, (1), (2)) == 1);
BUILD_ASSERT(COND_CODE_1(CONFIG_KMEM_TEST_ON, (COND_CODE_1(CONFIG_KMEM_TEST_OFF, (1), (2))), (3)) == 2);
BUILD_ASSERT(5 IF_ENABLED(CONFIG_KMEM_TEST_ON, (+1)) IF_ENABLED(CONFIG_KMEM_TEST_OFF, (+10)) == 6);
BUILD_ASSERT(UTIL_AND(1, 5) == 5 && UTIL_AND(0, 5) == 0 && UTIL_OR(0, 5) == 5 && UTIL_OR(3, 5) == 3);
BUILD_ASSERT(UTIL_NOT(0) == 1 && UTIL_NOT(7) == 0 && UTIL_BOOL(7) == 1);
BUILD_ASSERT(UTIL_INC(UTIL_INC(1)) == 3 && UTIL_DEC(0) == 0 && UTIL_DEC(256) == 255 && UTIL_X2(21) == 42);
BUILD_ASSERT(IS_EQ(8, EIGHT) == 1 && IS_EQ(8, 9) == 0);
BUILD_ASSERT(IS_EMPTY() == 1 && IS_EMPTY(EMPTY) == 1 && IS_EMPTY(a, b) == 0 && IS_EMPTY((1)) == 0);
BUILD_ASSERT(NUM_VA_ARGS() == 0 && NUM_VA_ARGS(a) == 1 && NUM_VA_ARGS(a, b, c) == 3);
BUILD_ASSERT(GET_ARG_N(1, 7) == 7 && GET_ARG_N(3, 7, 8, 9, 10) == 9);
BUILD_ASSERT(NUM_VA_ARGS(GET_ARGS_LESS_N(1, a, b, c)) == 2);
BUILD_ASSERT(GET_ARG_N(1, REVERSE_ARGS(1, 2, 3)) == 3);
BUILD_ASSERT((0 FOR_EACH(PLUS, (), 1, 2, 3)) == 6);
BUILD_ASSERT((0 FOR_EACH(PLUS, (), )) == 0);
BUILD_ASSERT((0 FOR_EACH_IDX(INDEXED, (), 1, 2, 3)) == 8);
BUILD_ASSERT((0 FOR_EACH_FIXED_ARG(TIMES, (), 10, 1, 2)) == 30);
BUILD_ASSERT((0 LISTIFY(EIGHT, NTH, (), )) == 28 && (0 LISTIFY(0, NTH, (), ~)) == 0);
BUILD_ASSERT(NUM_VA_ARGS(LIST_DROP_EMPTY(a, , b, )) == 2);
BUILD_ASSERT(NUM_VA_ARGS(FOR_EACH_NONEMPTY_TERM(NAME, (, ), a, , b)) == 3);
BUILD_ASSERT(CONCAT(1, EIGHT, 3) == 183);

static const int name_a = 1;

START_TEST(tokens_are_made)
{
	int numbers[] = {FOR_EACH(NAME, (, ), a, a, a)};
	int nameab = 3;

	ck_assert_uint_eq(ARRAY_SIZE(numbers), 3);
	ck_assert_int_eq(numbers[2], name_a);
	ck_assert_int_eq(CONCAT(name, a, b), nameab);
	ck_assert_str_eq(STRINGIFY(_CONCAT(name_, EIGHT)), "name_8");
	ck_assert_str_eq(STRINGIFY(MACRO_MAP_CAT(NAME, a, b)), "name_aname_b");
}
END_TEST

START_TEST(numbers_are_rounded)
{
	uint32_t bits = 0;
	int less = 3;

	ck_assert_uint_eq(ROUND_UP(4097, 4096), 8192);
	ck_assert_uint_eq(ROUND_DOWN(4097, 4096), 4096);
	ck_assert_uint_eq(ROUND_UP(7, 3), 9);
	ck_assert_uint_eq(DIV_ROUND_UP(9, 4), 3);
	ck_assert_int_eq(DIV_ROUND_CLOSEST(-7, 2), -4);
	ck_assert_uint_eq(KB(4), 4096);
	ck_assert_uint_eq(MB(1) / KB(1), 1024);
	ck_assert_uint_eq(GB(4), 1UL << 32);
	ck_assert(IS_ALIGNED(0x3000, 0x1000) && !IS_ALIGNED(0x3001, 0x1000));
	ck_assert(IS_POWER_OF_TWO(64U) && !IS_POWER_OF_TWO(0U) && !IS_POWER_OF_TWO(65U));
	ck_assert_int_eq(LOG2(0), -1);
	ck_assert_int_eq(LOG2(1), 0);
	ck_assert_int_eq(LOG2(4095), 11);
	ck_assert_int_eq(LOG2CEIL(4097), 13);
	ck_assert_uint_eq(NHPOT(5), 8);
	ck_assert_int_eq(MIN(2, 3) + MAX(2, 3) + CLAMP(7, 1, 5), 10);
	ck_assert_int_eq(Z_MIN(less--, 9), 3);
	ck_assert_int_eq(less, 2);
	ck_assert_uint_eq(GENMASK(7, 4), 0xf0);
	ck_assert_uint_eq(FIELD_GET(0xf0, 0x5a), 5);
	ck_assert_uint_eq(FIELD_PREP(0xf0, 5), 0x50);
	WRITE_BIT(bits, 4, true);
	ck_assert(IS_BIT_SET(bits, 4));
	WRITE_BIT(bits, 4, false);
	ck_assert_uint_eq(bits, 0);
	ck_assert_uint_eq(BIT64(40), 1ULL << 40);
	ck_assert_uint_eq(BIT_MASK(12), 4095);
	ck_assert_int_eq(sign_extend(0xff, 7), -1);
}
END_TEST

START_TEST(text_is_converted)
{
	const uint8_t bytes[] = {0x0a, 0xbc};
	uint8_t back[2] = {0};
	char text[8];

	ck_assert_uint_eq(bin2hex(bytes, 2, text, sizeof(text)), 4);
	ck_assert_str_eq(text, "0abc");
	ck_assert_uint_eq(bin2hex(bytes, 2, text, 4), 0);
	ck_assert_uint_eq(hex2bin("abc", 3, back, 2), 2);
	ck_assert_mem_eq(back, bytes, 2);
	ck_assert_uint_eq(hex2bin("0x", 2, back, 2), 0);
	ck_assert_uint_eq(u8_to_dec(text, sizeof(text), 205), 3);
	ck_assert_str_eq(text, "205");
}
END_TEST

START_TEST(overflows_are_told_and_bytes_turned)
{
	const uint8_t bytes[] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0};
	uint8_t copy[8];
	uint32_t sum = 0;
	size_t product = 0;

	ck_assert(u32_add_overflow(UINT32_MAX, 2, &sum));
	ck_assert_uint_eq(sum, 1);
	ck_assert(size_mul_overflow(SIZE_MAX, 2, &product));
	ck_assert(!size_mul_overflow(3, 2, &product));
	ck_assert_uint_eq(product, 6);
	ck_assert_int_eq(u32_count_leading_zeros(0), 32);
	ck_assert_int_eq(u64_count_trailing_zeros(8), 3);
	ck_assert_uint_eq(sys_get_be24(bytes), 0x123456);
	ck_assert_uint_eq(sys_get_le48(bytes), 0xbc9a78563412);
	sys_put_be64(sys_get_le64(bytes), copy);
	sys_mem_swap(copy, sizeof(copy));
	ck_assert_mem_eq(copy, bytes, sizeof(copy));
	ck_assert_uint_eq(sys_cpu_to_be16(0x1234), sys_get_le16((const uint8_t[]){0x12, 0x34}));
	ck_assert_uint_eq(BSWAP_24(0x123456), 0x563412);
	ck_assert_uint_eq(BSWAP_48(0x123456789abc), 0xbc9a78563412);
}
END_TEST

/* The console. */

static int stdout_kept;
static int pipe_end;
static char console[8192];

static void console_begin(void)
{
	int ends[2];

	(void)fflush(stdout);
	stdout_kept = dup(STDOUT_FILENO);
	ck_assert_int_ge(stdout_kept, 0);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_ge(dup2(ends[1], STDOUT_FILENO), 0);
	(void)close(ends[1]);
	pipe_end = ends[0];
}

/* What was printed since, and standard output as it was. */
static const char *console_end(void)
{
	size_t length = 0;
	ssize_t got;

	(void)dup2(stdout_kept, STDOUT_FILENO);
	(void)close(stdout_kept);
	do {
		got = read(pipe_end, console + length, sizeof(console) - 1 - length);
		length += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	(void)close(pipe_end);
	console[length] = '\0';
	return console;
}

START_TEST(printk_formats_as_printf)
{
	uint64_t large = UINT64_MAX;
	char expected[128];
	char text[8];

	console_begin();
	errno = ERANGE;
	printk("%s %5d|%-5u|%08x %c %% ", "text", -3, 7U, 0xbeefU, 'c');
	printk("%llu %zu %p\n", (unsigned long long)large, sizeof(large), (void *)&large);
	ck_assert_int_eq(errno, ERANGE);
	(void)snprintf(expected, sizeof(expected), "text    -3|7    |0000beef c %% %llu %zu %p\n",
		       (unsigned long long)large, sizeof(large), (void *)&large);
	ck_assert_str_eq(console_end(), expected);
	ck_assert_int_eq(snprintk(text, sizeof(text), "%d", 123456789), 9);
	ck_assert_str_eq(text, "1234567");
}
END_TEST

START_TEST(printk_prints_long_text_whole)
{
	static const int sizes[] = {510, 511, 512, 513, 4000};
	static char text[4001];

	memset(text, 'x', sizeof(text) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		console_begin();
		printk("%.*s", sizes[i] - 1, text);
		printk("y");
		ck_assert_uint_eq(strlen(console_end()), (size_t)sizes[i]);
		ck_assert_int_eq(console[sizes[i] - 2], 'x');
		ck_assert_int_eq(console[sizes[i] - 1], 'y');
	}
}
END_TEST

/* A function that counts, for arguments that must not be evaluated. */
static int calls;

static int call(void)
{
	return ++calls;
}

static void log_in_a_function_that_declares(void)
{
	LOG_MODULE_DECLARE(other, LOG_LEVEL_DBG);

	LOG_DBG("call %d", call());
	LOG_HEXDUMP_DBG("0123456789abcdefgh", 18, "bytes");
}

START_TEST(log_prints_up_to_the_level)
{
	console_begin();
	LOG_ERR("call %d", call());
	LOG_WRN("call %d", call());
	LOG_INF("no arguments");
	LOG_DBG("call %d", call());
	for (int i = 0; i < 3; i++) {
		LOG_WRN_ONCE("once");
	}
	log_in_a_function_that_declares();
	LOG_PANIC();
	ck_assert_str_eq(console_end(), "<err> test_util: call 1\n"
					"<wrn> test_util: call 2\n"
					"<inf> test_util: no arguments\n"
					"<wrn> test_util: once\n"
					"<dbg> other: call 3\n"
					"<dbg> other: bytes\n"
					"      30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66 |0123456789abcdef\n"
					"      67 68                                           |gh\n");
	ck_assert_int_eq(calls, 3);
}
END_TEST

/* Assertions end here. */

static int assertions;

void assert_post_action(const char *file, unsigned int line)
{
	ck_assert_str_eq(file, __FILE__);
	ck_assert_uint_gt(line, 0);
	assertions++;
}

START_TEST(assertions_print_and_call_the_post_action)
{
	const char *text;
	char expected[256];
	int line;

	console_begin();
	__ASSERT(1 + 1 == 2, "never seen");
	line = __LINE__ + 1;
	__ASSERT(call() % 2 == 2, "calls: %d", calls);
	__ASSERT_NO_MSG(call() > 0);
	text = console_end();
	(void)snprintf(expected, sizeof(expected), "ASSERTION FAIL [call() %% 2 == 2] @ %s:%d\n\tcalls: 1\n", __FILE__,
		       line);
	ck_assert_str_eq(text, expected);
	ck_assert_int_eq(assertions, 1);
	ck_assert_int_eq(calls, 2);
}
END_TEST

static int check(int argument)
{
	CHECKIF(argument < 0)
	{
		return -EINVAL;
	}
	return 0;
}

/* Sections, caches, random numbers. */

static __noinit int uninitialised;
static __pinned_bss int pinned;
static const __ondemand_rodata int on_demand[] = {1, 2, 3};

__ondemand_func static int run_on_demand(int i)
{
	return on_demand[i];
}

START_TEST(the_image_is_known)
{
	const char *code = (const char *)(uintptr_t)run_on_demand;
	const char *data = (const char *)on_demand;

	ck_assert_int_eq(run_on_demand(2), 3);
	ck_assert_int_eq(uninitialised + pinned, 0);
	ck_assert(code >= lnkr_ondemand_text_start && code < lnkr_ondemand_text_end);
	ck_assert(data >= lnkr_ondemand_rodata_start && data < lnkr_ondemand_rodata_end);
	ck_assert((char *)&pinned >= z_mapped_start && (char *)&pinned < z_mapped_end);
	ck_assert_uint_eq(POINTER_TO_UINT(lnkr_ondemand_rodata_size), sizeof(on_demand));
	ck_assert_int_eq(sys_cache_data_flush_range(&pinned, sizeof(pinned)), 0);
	ck_assert_int_eq(sys_cache_instr_invd_range(&pinned, sizeof(pinned)), 0);
	barrier_dmem_fence_full();
	ck_assert_int_eq(check(-1), -EINVAL);
	ck_assert_int_eq(check(1), 0);
}
END_TEST

START_TEST(random_numbers_differ)
{
	uint8_t bytes[1000] = {0};
	uint8_t others[1000] = {0};

	sys_rand_get(bytes, sizeof(bytes));
	ck_assert_int_eq(sys_csrand_get(others, sizeof(others)), 0);
	ck_assert_mem_ne(bytes, others, sizeof(bytes));
	ck_assert_mem_ne(&bytes[990], "\0\0\0\0\0\0\0\0\0\0", 10);
	ck_assert_uint_ne(sys_rand64_get(), sys_rand64_get());
}
END_TEST

static void setup(void)
{
	calls = 0;
	assertions = 0;
}

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("zephyr util");
	TCase *macros = tcase_create("macros");
	TCase *prints = tcase_create("console");

	tcase_add_test(macros, tokens_are_made);
	tcase_add_test(macros, numbers_are_rounded);
	tcase_add_test(macros, text_is_converted);
	tcase_add_test(macros, overflows_are_told_and_bytes_turned);
	tcase_add_test(macros, the_image_is_known);
	tcase_add_test(macros, random_numbers_differ);
	suite_add_tcase(suite, macros);

	tcase_add_checked_fixture(prints, setup, NULL);
	tcase_add_test(prints, printk_formats_as_printf);
	tcase_add_test(prints, printk_prints_long_text_whole);
	tcase_add_test(prints, log_prints_up_to_the_level);
	tcase_add_test(prints, assertions_print_and_call_the_post_action);
	suite_add_tcase(suite, prints);
	return suite;
}
