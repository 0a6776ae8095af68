/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page frame database: one word a frame, free ones linked through it.
 *
 * A free frame's word is the address of the next free frame with FREE in the low bits; the last one's is FREE alone.
 */
#include "kernel/frame.h"

#include <string.h>

#include "host/assert.h"
#include "host/memory.h"

static struct {
	/* constant after init */
	struct kmem_frames all;
	bool is_programs; /* the array is the program's */

	/* guarded by the kernel lock */
	struct k_mem_page_frame *head, *tail;
	size_t free_count;
} db;

static size_t db_bytes(void)
{
	return kmem_host_page_round(db.all.count * sizeof(struct k_mem_page_frame));
}

/* The program's array, zeroed, or memory of our own. */
static int array_get(struct k_mem_page_frame *programs)
{
	void *memory;
	int ret;

	db.is_programs = programs != NULL;
	if (db.is_programs) {
		memset(programs, 0, db.all.count * sizeof(*programs));
		db.all.first = programs;
		return 0;
	}
	ret = kmem_host_memory_get(&memory, db_bytes());
	db.all.first = ret == 0 ? memory : NULL;
	return ret;
}

int kmem_frame_init(uintptr_t phys, size_t size, size_t surplus, size_t page_size, struct k_mem_page_frame *programs)
{
	int ret;

	db.all = (struct kmem_frames){.count = size / page_size, .page_size = page_size, .phys_start = phys};
	ret = array_get(programs);
	if (ret != 0) {
		return ret;
	}
	db.head = NULL;
	db.tail = NULL;
	db.free_count = 0;
	for (size_t i = db.all.count - surplus / page_size; i < db.all.count; i++) {
		k_mem_page_frame_set(&db.all.first[i], K_MEM_PAGE_FRAME_RESERVED);
	}
	return 0;
}

void kmem_frame_finish(void)
{
	if (db.all.first == NULL) {
		return;
	}
	if (!db.is_programs) {
		kmem_host_memory_free(db.all.first, db_bytes());
	}
	db.all.first = NULL;
}

void kmem_frame_list_init(void)
{
	for (size_t i = 0; i < db.all.count; i++) {
		if (k_mem_page_frame_is_available(&db.all.first[i])) {
			kmem_frame_put(&db.all.first[i]);
		}
	}
}

static struct k_mem_page_frame *next_of(const struct k_mem_page_frame *pf)
{
	return (struct k_mem_page_frame *)(pf->va_and_flags & ~(uintptr_t)K_MEM_PAGE_FRAME_FREE);
}

struct k_mem_page_frame *kmem_frame_get(void)
{
	struct k_mem_page_frame *pf = db.head;

	if (pf == NULL) {
		return NULL;
	}
	db.head = next_of(pf);
	if (db.head == NULL) {
		db.tail = NULL;
	}
	db.free_count--;
	pf->va_and_flags = 0;
	return pf;
}

void kmem_frame_put(struct k_mem_page_frame *pf)
{
	kmem_assert(k_mem_page_frame_is_available(pf));
	pf->va_and_flags = K_MEM_PAGE_FRAME_FREE;
	if (db.tail == NULL) {
		db.head = pf;
	} else {
		db.tail->va_and_flags = (uintptr_t)pf | K_MEM_PAGE_FRAME_FREE;
	}
	db.tail = pf;
	db.free_count++;
}

size_t kmem_frame_free_count(void)
{
	return db.free_count;
}

const struct kmem_frames *kmem_frame_all(void)
{
	return &db.all;
}

struct k_mem_page_frame *kmem_frame_at(uintptr_t phys)
{
	size_t index = (phys - db.all.phys_start) / db.all.page_size;

	if (phys < db.all.phys_start || index >= db.all.count) {
		return NULL;
	}
	return &db.all.first[index];
}

uintptr_t kmem_frame_phys(const struct k_mem_page_frame *pf)
{
	return db.all.phys_start + (size_t)(pf - db.all.first) * db.all.page_size;
}

bool kmem_frame_is_valid(void)
{
	size_t listed = 0;
	size_t flagged = 0;

	for (struct k_mem_page_frame *pf = db.head; pf != NULL && listed <= db.all.count; pf = next_of(pf)) {
		if (!k_mem_page_frame_is_free(pf)) {
			return false; /* F2 */
		}
		listed++;
	}
	for (size_t i = 0; i < db.all.count; i++) {
		flagged += k_mem_page_frame_is_free(&db.all.first[i]) ? 1 : 0;
	}
	return listed == db.free_count && flagged == listed; /* F1, F2 */
}
