/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bad accesses without a handler of the program's: the process must die, of the right signal.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "harness.h"

#define PAGE 4096UL
#define FRAMES 32UL

static void boot(const char *store)
{
	struct kmem_config config = {
		.struct_size = sizeof(config), .vm_size = 64UL << 20, .ram_size = FRAMES * PAGE, .store = store};

	ck_assert_msg(kmem_boot(&config) == 0, "%s", kmem_boot_error());
}

static void setup(void)
{
	boot("ram:64");
}

static volatile uint8_t *map(size_t pages, uint32_t flags)
{
	void *addr = k_mem_map(pages * PAGE, flags);

	ck_assert_ptr_nonnull(addr);
	return addr;
}

START_TEST(write_to_guard_page)
{
	map(1, K_MEM_PERM_RW)[PAGE] = 1;
}
END_TEST

START_TEST(read_of_unmapped_memory)
{
	volatile uint8_t *bytes = map(1, K_MEM_PERM_RW);

	k_mem_unmap((void *)bytes, PAGE);
	(void)bytes[0];
}
END_TEST

START_TEST(write_to_read_only_page)
{
	map(1, 0)[0] = 1;
}
END_TEST

START_TEST(execution_of_data)
{
	volatile uint8_t *bytes = map(1, K_MEM_PERM_RW);
	void (*function)(void);

	memcpy(&function, &bytes, sizeof(function));
	function();
}
END_TEST

START_TEST(null_pointer)
{
	/* A member behind a null pointer: sanitizers see through the null pointer itself. */
	volatile uint8_t *volatile null = (volatile uint8_t *)(uintptr_t)8;

	(void)map(1, K_MEM_PERM_RW);
	null[0] = 1;
}
END_TEST

START_TEST(all_frames_pinned)
{
	volatile uint8_t *bytes = map(FRAMES + 1, K_MEM_PERM_RW);

	k_mem_pin((void *)bytes, FRAMES * PAGE);
	bytes[FRAMES * PAGE] = 1;
}
END_TEST

START_TEST(store_without_a_location)
{
	volatile uint8_t *bytes;

	(void)kmem_shutdown();
	boot("ram:2");
	bytes = map(FRAMES + 4, K_MEM_PERM_RW);
	memset((void *)bytes, 1, (FRAMES + 4) * PAGE);
}
END_TEST

START_TEST(page_out_of_pinned_page)
{
	void *bytes = (void *)map(1, K_MEM_PERM_RW);

	k_mem_pin(bytes, PAGE);
	(void)k_mem_page_out(bytes, PAGE);
}
END_TEST

START_TEST(page_in_of_unmapped_page)
{
	void *bytes = (void *)map(1, K_MEM_PERM_RW);

	k_mem_unmap(bytes, PAGE);
	k_mem_page_in(bytes, PAGE);
}
END_TEST

START_TEST(unmap_twice)
{
	void *bytes = (void *)map(1, K_MEM_PERM_RW);

	k_mem_unmap(bytes, PAGE);
	k_mem_unmap(bytes, PAGE);
}
END_TEST

START_TEST(bare_mapping_without_address_space)
{
	struct kmem_layout layout;
	uint8_t *first;

	ck_assert_int_eq(kmem_layout_get(&layout), 0);
	for (;;) {
		k_mem_map_phys_bare(&first, layout.phys_ram_start, FRAMES * PAGE, K_MEM_PERM_RW);
	}
}
END_TEST

/* What a dying child says on standard error. */
static void output_of_death(void (*function)(void), char *text, size_t size, int *status)
{
	int ends[2];
	size_t used = 0;
	ssize_t got;
	pid_t child;

	ck_assert_int_eq(pipe(ends), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		boot("ram");
		function();
		_exit(0);
	}
	close(ends[1]);
	while (used < size - 1 && (got = read(ends[0], text + used, size - 1 - used)) > 0) {
		used += (size_t)got;
	}
	text[used] = '\0';
	close(ends[0]);
	ck_assert_int_eq(waitpid(child, status, 0), child);
}

static void overrun(void)
{
	map(2, K_MEM_PERM_RW)[2 * PAGE + 5] = 1;
}

START_TEST(report_names_what_was_hit_and_where)
{
	char text[2048];
	int status;

	output_of_death(overrun, text, sizeof(text), &status);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
	ck_assert_ptr_nonnull(strstr(text, ">>> ZEPHYR FATAL ERROR 0: CPU exception on CPU 0"));
	ck_assert_ptr_nonnull(strstr(text, "Current thread: "));
	ck_assert_ptr_nonnull(strstr(text, "write to a guard page at "));
	ck_assert_ptr_nonnull(strstr(text, "5 bytes behind the end of the region"));
	ck_assert_ptr_nonnull(strstr(text, "8192 bytes, read-write"));
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("fault_default");
	TCase *segv = tcase_create("segv");
	TCase *abrt = tcase_create("abort");
	TCase *report = tcase_create("report");

	tcase_add_checked_fixture(segv, setup, NULL);
	tcase_add_test_raise_signal(segv, write_to_guard_page, SIGSEGV);
	tcase_add_test_raise_signal(segv, read_of_unmapped_memory, SIGSEGV);
	tcase_add_test_raise_signal(segv, write_to_read_only_page, SIGSEGV);
	tcase_add_test_raise_signal(segv, execution_of_data, SIGSEGV);
	tcase_add_test_raise_signal(segv, null_pointer, SIGSEGV);
	tcase_add_test_raise_signal(segv, all_frames_pinned, SIGSEGV);
	tcase_add_test_raise_signal(segv, store_without_a_location, SIGSEGV);
	suite_add_tcase(suite, segv);

	tcase_add_checked_fixture(abrt, setup, NULL);
	tcase_add_test_raise_signal(abrt, page_out_of_pinned_page, SIGABRT);
	tcase_add_test_raise_signal(abrt, page_in_of_unmapped_page, SIGABRT);
	tcase_add_test_raise_signal(abrt, unmap_twice, SIGABRT);
	tcase_add_test_raise_signal(abrt, bare_mapping_without_address_space, SIGABRT);
	suite_add_tcase(suite, abrt);

	tcase_add_test(report, report_names_what_was_hit_and_where);
	suite_add_tcase(suite, report);
	return suite;
}
