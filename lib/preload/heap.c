/* SPDX-License-Identifier: Apache-2.0 */
/*
 * malloc() and its kin, as the program and every library in the process find them. C++'s operators come through them.
 *
 * Three heaps. Where the VM is not there yet, and for the dynamic linker, the resident one (heap_resident.c); in guard mode, for the
 * allocations that are sampled, guard.c; for all else jemalloc, whose memory is the VM's (heap_memory.c). Which one a pointer belongs to
 * is told by its address, so any may be given to free() in any order of start and end.
 *
 * They behave as those of the C library 2.36 do, at the edges, too: malloc(0) is a pointer of its own, realloc(p, 0) frees, memory is
 * aligned to 16 bytes, alignments that are no powers of two are rounded up by memalign() and aligned_alloc(), free() leaves errno alone,
 * and what fails sets it to ENOMEM. A pointer that was never given out ends the process, as there.
 *
 * Nothing here is locked; the heaps lock themselves. Not for traps, nor for signal handlers, which may not call malloc() anyway.
 */
#include "preload/heap.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/log.h"
#include "host/memory.h"
#include "host/process.h"
#include "host/signals.h"
#include "preload/guard.h"
#include "preload/preload.h"
#include "preload/heap_resident.h"

#define EXPORT __attribute__((visibility("default")))
#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

/* Every pointer is aligned to this, as the C library has it. */
#define ALIGN_MIN 16UL

/* Who calls the exported function. */
#define CALLER() __builtin_return_address(0)

/*
 * Two arenas: threads share them, since memory that lies idle in an arena costs RAM that is scarce here. What is freed goes back to the VM
 * soon, by one call for a run of pages; there is no second stage, which the VM could not tell from use. Address space is kept
 * (retain), there is plenty. No thread of the allocator's own.
 */
const char *const kmem_je_conf = "abort_conf:true,narenas:2,background_thread:false,dss:disabled,dirty_decay_ms:100,muzzy_decay_ms:0,"
				 "retain:true,stats_print:false";

int kmem_heap_init(void)
{
	void *first = kmem_je_malloc(ALIGN_MIN);

	if (first == NULL) {
		return -ENOMEM;
	}
	kmem_je_free(first);
	return 0;
}

static void *failed(void)
{
	errno = ENOMEM;
	return NULL;
}

static bool is_power_of_two(size_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

/* Whether an allocation must be resident. */
static bool is_resident(const void *caller)
{
	if (unlikely(!atomic_load_explicit(&kmem_preload_is_ready, memory_order_acquire)) && !kmem_preload_ready()) {
		return true;
	}
	return unlikely(kmem_heap_resident_wanted || kmem_preload_is_in(&kmem_preload_linker, caller));
}

static bool is_guarding(void)
{
	return unlikely(kmem_preload_options.guard != KMEM_GUARD_OFF);
}

/* Memory of an alignment that is a power of two. */
static void *allocate(size_t size, size_t align, const void *caller)
{
	void *memory;

	if (is_resident(caller)) {
		memory = kmem_heap_resident_alloc(size, align);
		return memory != NULL ? memory : failed();
	}
	if (unlikely(size > PTRDIFF_MAX)) {
		return failed();
	}
	if (is_guarding()) {
		memory = kmem_guard_alloc(size, align);
		if (memory != NULL) {
			return memory;
		}
	}
	/* Of less than this jemalloc makes pieces of 8 bytes. */
	size = size < ALIGN_MIN ? ALIGN_MIN : size;
	return align <= ALIGN_MIN ? kmem_je_malloc(size) : kmem_je_memalign(align, size);
}

static void *allocate_zeroes(size_t size, const void *caller)
{
	void *memory;

	if (likely(!is_resident(caller) && !is_guarding() && size <= PTRDIFF_MAX)) {
		return kmem_je_calloc(1, size < ALIGN_MIN ? ALIGN_MIN : size);
	}
	memory = allocate(size, ALIGN_MIN, caller);
	/* Guarded blocks are made of zeroes. */
	if (memory != NULL && !kmem_guard_owns(memory)) {
		memset(memory, 0, size);
	}
	return memory;
}

/* A pointer that is not the heap's: of the program's doing, and fatal as it is in the C library. */
static _Noreturn void bad_pointer(const char *function, const void *pointer)
{
	kmem_log(KMEM_LOG_ERROR, "%s(): invalid pointer %p, not one that malloc() or its kin gave", function, pointer);
	kmem_signals_abort();
}

/* Outside the window there is nothing but the resident heap. Its bytes may be read without a trap that matters. */
static void resident_release(const char *function, void *pointer)
{
	if (kmem_heap_resident_size(pointer) == 0) {
		bad_pointer(function, pointer);
	}
	kmem_heap_resident_free(pointer);
}

static void release(const char *function, void *pointer)
{
	if (unlikely(!kmem_window_has((uintptr_t)pointer))) {
		if (pointer != NULL) {
			resident_release(function, pointer);
		}
		return;
	}
	if (unlikely(kmem_guard_owns(pointer))) {
		kmem_guard_free(pointer);
		return;
	}
	kmem_je_free(pointer);
}

/* Bytes that may be used. */
static size_t size_of(const char *function, void *pointer)
{
	size_t size;

	if (!kmem_window_has((uintptr_t)pointer)) {
		size = kmem_heap_resident_size(pointer);
		if (size == 0) {
			bad_pointer(function, pointer);
		}
		return size;
	}
	return kmem_guard_owns(pointer) ? kmem_guard_size(pointer) : kmem_je_malloc_usable_size(pointer);
}

/* From one heap, or one guarded block, to another. */
static void *reallocate_by_copy(void *pointer, size_t size, const void *caller)
{
	size_t former = size_of("realloc", pointer);
	void *memory;

	if (size <= former && !kmem_window_has((uintptr_t)pointer)) {
		return pointer;
	}
	memory = allocate(size, ALIGN_MIN, caller);
	if (memory == NULL) {
		return NULL;
	}
	memcpy(memory, pointer, former < size ? former : size);
	release("realloc", pointer);
	return memory;
}

static void *reallocate(void *pointer, size_t size, const void *caller)
{
	void *memory;

	if (pointer == NULL) {
		return allocate(size, ALIGN_MIN, caller);
	}
	if (size == 0) {
		release("realloc", pointer);
		return NULL;
	}
	if (unlikely(size > PTRDIFF_MAX)) {
		return failed();
	}
	if (unlikely(!kmem_window_has((uintptr_t)pointer) || kmem_guard_owns(pointer))) {
		return reallocate_by_copy(pointer, size, caller);
	}
	memory = kmem_je_realloc(pointer, size < ALIGN_MIN ? ALIGN_MIN : size);
	return likely(memory != NULL) ? memory : failed();
}

/* Any alignment, as memalign() takes it. */
static void *allocate_aligned(size_t align, size_t size, const void *caller)
{
	size_t power = ALIGN_MIN;

	if (align > SIZE_MAX / 2 + 1) {
		errno = EINVAL;
		return NULL;
	}
	while (power < align) {
		power <<= 1;
	}
	/* What is larger than any object can only fail, and sums of it must not wrap. */
	return power > PTRDIFF_MAX ? failed() : allocate(size, power, caller);
}

EXPORT void *malloc(size_t size)
{
	return allocate(size, ALIGN_MIN, CALLER());
}

EXPORT void free(void *pointer)
{
	release("free", pointer);
}

EXPORT void *calloc(size_t count, size_t size)
{
	size_t total;

	return __builtin_mul_overflow(count, size, &total) ? failed() : allocate_zeroes(total, CALLER());
}

EXPORT void *realloc(void *pointer, size_t size)
{
	return reallocate(pointer, size, CALLER());
}

EXPORT void *reallocarray(void *pointer, size_t count, size_t size)
{
	size_t total;

	return __builtin_mul_overflow(count, size, &total) ? failed() : reallocate(pointer, total, CALLER());
}

EXPORT int posix_memalign(void **pointer, size_t align, size_t size)
{
	void *memory;

	if (align % sizeof(void *) != 0 || !is_power_of_two(align)) {
		return EINVAL;
	}
	memory = allocate_aligned(align, size, CALLER());
	if (memory == NULL) {
		return ENOMEM;
	}
	*pointer = memory;
	return 0;
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
	return allocate_aligned(align, size, CALLER());
}

EXPORT void *memalign(size_t align, size_t size)
{
	return allocate_aligned(align, size, CALLER());
}

EXPORT void *valloc(size_t size)
{
	return allocate_aligned(kmem_host_page_size(), size, CALLER());
}

EXPORT void *pvalloc(size_t size)
{
	size_t page = kmem_host_page_size();

	return size > PTRDIFF_MAX ? failed() : allocate_aligned(page, (size + page - 1) & ~(page - 1), CALLER());
}

EXPORT size_t malloc_usable_size(void *pointer)
{
	return pointer == NULL ? 0 : size_of("malloc_usable_size", pointer);
}

/* C23, which this C library does not have yet; the sizes are hints. */
void free_sized(void *pointer, size_t size);
void free_aligned_sized(void *pointer, size_t align, size_t size);

EXPORT void free_sized(void *pointer, size_t size)
{
	(void)size;
	release("free_sized", pointer);
}

EXPORT void free_aligned_sized(void *pointer, size_t align, size_t size)
{
	(void)align;
	(void)size;
	release("free_aligned_sized", pointer);
}

/* Gone from the headers, not from old programs. */
void cfree(void *pointer);

EXPORT void cfree(void *pointer)
{
	release("cfree", pointer);
}

/*
 * The C library's view of its heap and knobs for it. The knobs have no effect; the figures are those of the allocator.
 */

EXPORT int malloc_trim(size_t pad)
{
	(void)pad;
	if (!atomic_load(&kmem_preload_is_ready)) {
		return 0;
	}
	/* 4096 stands for all arenas (MALLCTL_ARENAS_ALL). */
	return kmem_je_mallctl("arena.4096.purge", NULL, NULL, NULL, 0) == 0 ? 1 : 0;
}

EXPORT int mallopt(int parameter, int value)
{
	(void)parameter;
	(void)value;
	return 1;
}

/* A figure of the allocator's, 0 if it does not count it. */
static size_t figure(const char *name)
{
	size_t value = 0;
	size_t size = sizeof(value);

	return kmem_je_mallctl(name, &value, &size, NULL, 0) == 0 ? value : 0;
}

EXPORT struct mallinfo2 mallinfo2(void)
{
	struct mallinfo2 info = {.arena = 0};
	size_t guarded, guarded_mapped;
	uint64_t epoch = 1;

	if (!atomic_load(&kmem_preload_is_ready)) {
		return info;
	}
	/* Have the figures brought up to date. */
	(void)kmem_je_mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
	kmem_guard_usage(&guarded, &guarded_mapped);
	info.arena = figure("stats.mapped") + guarded_mapped;
	info.uordblks = figure("stats.allocated") + guarded;
	info.fordblks = info.arena - info.uordblks;
	return info;
}

/* Numbers that do not fit wrap, as in the C library. */
EXPORT struct mallinfo mallinfo(void)
{
	struct mallinfo2 info = mallinfo2();

	return (struct mallinfo){
		.arena = (int)info.arena,
		.uordblks = (int)info.uordblks,
		.fordblks = (int)info.fordblks,
	};
}

EXPORT void malloc_stats(void)
{
	struct mallinfo2 info = mallinfo2();

	kmem_print("Total (incl. mmap):\nsystem bytes     = %zu\nin use bytes     = %zu\n", info.arena, info.uordblks);
}

EXPORT int malloc_info(int options, FILE *file)
{
	struct mallinfo2 info;

	if (options != 0) {
		return EINVAL;
	}
	info = mallinfo2();
	(void)fprintf(file, "<malloc version=\"1\">\n<total type=\"rest\" count=\"1\" size=\"%zu\"/>\n", info.fordblks);
	(void)fprintf(file, "<system type=\"current\" size=\"%zu\"/>\n</malloc>\n", info.arena);
	return 0;
}
