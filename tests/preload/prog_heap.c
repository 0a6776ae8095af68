/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The malloc family: sizes, alignments, contents, edges, errors. Prints what the C library's own prints.
 *
 * Sizes that only one allocator would choose, malloc_usable_size() above all, are not printed, but checked.
 */
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Blocks alive at once, together about four times the RAM that the test has. */
#define BLOCKS 2048
#define ROUNDS 4

struct block {
	unsigned char *bytes;
	size_t size;
	uint32_t seed;
};

static struct block blocks[BLOCKS];
static uint32_t random_state = 1;

static uint32_t random_next(void)
{
	random_state = random_state * 1664525u + 1013904223u;
	return random_state >> 8;
}

/* What the compiler may not know, lest it judges, or drops, calls by it. */
static size_t hide(size_t size)
{
	static volatile size_t hidden;

	hidden = size;
	return hidden;
}

static void *hide_pointer(void *pointer)
{
	static void *volatile hidden;

	hidden = pointer;
	return hidden;
}

static void say(const char *what, bool is_so)
{
	printf("%s: %s\n", what, is_so ? "yes" : "NO");
}

static void fill(struct block *block)
{
	for (size_t i = 0; i < block->size; i++) {
		block->bytes[i] = (unsigned char)((block->seed + i) * 31u >> 3);
	}
}

static bool is_intact(const struct block *block, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (block->bytes[i] != (unsigned char)((block->seed + i) * 31u >> 3)) {
			return false;
		}
	}
	return true;
}

/* Mostly small, some of pages, a few large. */
static size_t size_choose(void)
{
	switch (random_next() % 32) {
	case 0:
		return random_next() % 200000;
	case 1:
	case 2:
	case 3:
		return random_next() % 20000;
	default:
		return random_next() % 600;
	}
}

static bool block_resize(struct block *block)
{
	size_t size = size_choose() + 1;
	size_t kept = size < block->size ? size : block->size;
	unsigned char *bytes = realloc(block->bytes, size);

	if (bytes == NULL) {
		return false;
	}
	block->bytes = bytes;
	if (!is_intact(block, kept)) {
		return false;
	}
	block->size = size;
	fill(block);
	return true;
}

static bool block_make(struct block *block)
{
	block->size = size_choose() + 1;
	block->seed = random_next();
	block->bytes = malloc(block->size);
	if (block->bytes == NULL || malloc_usable_size(block->bytes) < block->size || (uintptr_t)block->bytes % 16 != 0) {
		return false;
	}
	fill(block);
	return true;
}

/* Whatever is allocated keeps its contents, whatever happens to the rest. */
static void test_contents(void)
{
	uint64_t bytes = 0;
	bool ok = true;

	for (size_t i = 0; i < (size_t)BLOCKS * ROUNDS; i++) {
		struct block *block = &blocks[random_next() % BLOCKS];

		if (block->bytes == NULL) {
			ok = block_make(block) && ok;
		} else if (random_next() % 2 == 0) {
			ok = block_resize(block) && ok;
		} else {
			ok = is_intact(block, block->size) && ok;
			free(block->bytes);
			block->bytes = NULL;
		}
	}
	for (size_t i = 0; i < BLOCKS; i++) {
		if (blocks[i].bytes != NULL) {
			ok = is_intact(&blocks[i], blocks[i].size) && ok;
			bytes += blocks[i].size;
			free(blocks[i].bytes);
			blocks[i].bytes = NULL;
		}
	}
	say("contents are kept", ok);
	printf("bytes at the end: %llu\n", (unsigned long long)bytes);
}

static bool is_zero(const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != 0) {
			return false;
		}
	}
	return true;
}

/* Also where memory was used before. */
static void test_zeroes(void)
{
	static const size_t sizes[] = {1, 16, 100, 1000, 4096, 5000, 40000, 300000, 3000000};
	bool ok = true;

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			unsigned char *bytes = calloc(sizes[i], 1);

			ok = bytes != NULL && is_zero(bytes, sizes[i]) && ok;
			memset(bytes, 0xa5, sizes[i]);
			free(bytes);
		}
	}
	say("calloc gives zeroes", ok);
}

/* A block that grows by little steps, and one that shrinks. */
static void test_chain(void)
{
	struct block block = {.seed = 7};
	bool ok = true;

	for (size_t size = 1; size < 3000000; size += size / 3 + 1) {
		unsigned char *bytes = realloc(block.bytes, size);

		ok = bytes != NULL && ok;
		block.bytes = bytes;
		ok = is_intact(&block, block.size) && ok;
		block.size = size;
		fill(&block);
	}
	while (block.size > 1) {
		size_t size = block.size - block.size / 4 - 1;

		block.bytes = realloc(block.bytes, size > 0 ? size : 1);
		block.size = size > 0 ? size : 1;
		ok = block.bytes != NULL && is_intact(&block, block.size) && ok;
	}
	free(block.bytes);
	say("realloc keeps what there is", ok);
}

static void test_alignments(void)
{
	bool ok = true;

	for (size_t align = 1; align <= 1u << 22; align *= 2) {
		for (size_t size = 1; size <= 100000; size = size * 17 + 3) {
			unsigned char *one = memalign(align, size);
			unsigned char *two = aligned_alloc(align, size);
			void *three = NULL;
			int ret = posix_memalign(&three, align, size);

			ok = one != NULL && two != NULL && (uintptr_t)one % align == 0 && (uintptr_t)two % align == 0 && ok;
			ok = (align < sizeof(void *) ? ret == EINVAL : ret == 0 && (uintptr_t)three % align == 0) && ok;
			memset(one, 1, size);
			memset(two, 2, size);
			ok = one[0] == 1 && one[size - 1] == 1 && malloc_usable_size(one) >= size && ok;
			free(one);
			free(two);
			free(three);
		}
	}
	say("alignments", ok);
}

static void test_pages(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *one = valloc(100);
	void *two = pvalloc(100);
	void *three = memalign(hide(48), 100);

	say("valloc", one != NULL && (uintptr_t)one % page == 0);
	say("pvalloc", two != NULL && (uintptr_t)two % page == 0 && malloc_usable_size(two) >= page);
	say("memalign rounds alignments up", three != NULL && (uintptr_t)three % 64 == 0);
	free(one);
	free(two);
	free(three);
}

/* Say how a call that must fail does. */
static void failing(const char *what, void *result)
{
	printf("%s: %s, errno %d\n", what, result == NULL ? "NULL" : "memory", errno);
	free(result);
	errno = 0;
}

static void test_errors(void)
{
	void *kept = hide_pointer(malloc(100));
	int here;
	void *pointer = &here;
	int ret;

	errno = 0;
	failing("malloc(SIZE_MAX)", malloc(hide(SIZE_MAX)));
	failing("malloc(PTRDIFF_MAX + 1)", malloc(hide((size_t)PTRDIFF_MAX + 1)));
	failing("malloc(2^60)", malloc(hide((size_t)1 << 60)));
	failing("calloc(overflow)", calloc(hide(SIZE_MAX / 2), hide(3)));
	failing("calloc(2^30, 2^30)", calloc(hide((size_t)1 << 30), hide((size_t)1 << 30)));
	failing("realloc(p, SIZE_MAX)", realloc(hide_pointer(kept), hide(SIZE_MAX)));
	failing("realloc(p, 2^60)", realloc(hide_pointer(kept), hide((size_t)1 << 60)));
	failing("reallocarray(overflow)", reallocarray(hide_pointer(kept), hide(SIZE_MAX), hide(2)));
	failing("memalign(16, SIZE_MAX)", memalign(16, hide(SIZE_MAX)));
	failing("memalign(SIZE_MAX, 16)", memalign(hide(SIZE_MAX), 16));
	failing("aligned_alloc(4096, SIZE_MAX)", aligned_alloc(4096, hide(SIZE_MAX)));
	failing("valloc(SIZE_MAX)", valloc(hide(SIZE_MAX)));
	failing("pvalloc(SIZE_MAX)", pvalloc(hide(SIZE_MAX)));
	errno = 77;
	ret = posix_memalign(&pointer, hide(24), 16);
	printf("posix_memalign(24): %d, errno %d, pointer %s\n", ret, errno, pointer == (void *)&here ? "as it was" : "CHANGED");
	ret = posix_memalign(&pointer, hide(0), 16);
	printf("posix_memalign(0): %d, errno %d\n", ret, errno);
	ret = posix_memalign(&pointer, 64, hide(SIZE_MAX - 10));
	printf("posix_memalign(SIZE_MAX): %d, errno %d, pointer %s\n", ret, errno, pointer == (void *)&here ? "as it was" : "CHANGED");
	free(kept);
	printf("free: errno %d\n", errno);
	free(NULL);
	printf("free(NULL): errno %d\n", errno);
}

static void test_edges(void)
{
	void *a = malloc(hide(0));
	void *b = malloc(hide(0));
	void *c = calloc(hide(0), 7);
	void *d = realloc(NULL, hide(0));
	void *e = malloc(20);

	say("malloc(0) gives pointers of their own", a != NULL && b != NULL && c != NULL && d != NULL && a != b && c != d);
	say("realloc(p, 0) frees", realloc(e, hide(0)) == NULL);
	say("malloc_usable_size(NULL) is 0", malloc_usable_size(NULL) == 0);
	say("realloc(NULL, n) allocates", (e = realloc(NULL, 100)) != NULL);
	memset(e, 3, malloc_usable_size(e));
	free(a);
	free(b);
	free(c);
	free(d);
	free(e);
}

/* What is there for programs that look into the heap of the C library. */
static void test_views(void)
{
	void *large = hide_pointer(malloc(1 << 20));
	struct mallinfo2 info = mallinfo2();

	say("mallinfo2 counts", info.uordblks + info.hblkhd >= 1 << 20);
	say("mallopt", mallopt(M_MMAP_THRESHOLD, 1 << 20) == 1);
	free(large);
	(void)malloc_trim(0);
}

int main(void)
{
	test_contents();
	test_zeroes();
	test_chain();
	test_alignments();
	test_pages();
	test_errors();
	test_edges();
	test_views();
	return 0;
}
