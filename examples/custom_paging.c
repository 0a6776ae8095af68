/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy that takes the frames in turn, and a store that is an array with a place for every page of the VM range.
 * Both run inside page faults: nothing here allocates, prints or waits. `state` is what init sets; there is one of each.
 */
#include <stdio.h>
#include <string.h>
#include <kmem/kmem.h>
#define VM_SIZE ((size_t)8 << 20)
#define SIZE ((size_t)2 << 20) /* of the mapping: twice RAM */
static struct kmem_frames frames;
static unsigned char array[VM_SIZE];

static int policy_init(void **state, const struct kmem_eviction_params *params)
{
	frames = params->frames;
	return 0;
}

static struct k_mem_page_frame *policy_select(void *state, bool *dirty)
{
	static size_t next;

	for (size_t tries = 0; tries < frames.count; tries++) {
		struct k_mem_page_frame *pf = &frames.first[next++ % frames.count];

		if (k_mem_page_frame_is_evictable(pf)) {
			*dirty = (kmem_page_info_get(k_mem_page_frame_to_virt(pf), NULL, false) & KMEM_PAGE_DIRTY) != 0;
			return pf;
		}
	}
	return NULL;
}
static const struct kmem_eviction_ops policy = {KMEM_EVICTION_VERSION, "turns", .init = policy_init, .select = policy_select};

static int store_init(void **state, const struct kmem_store_params *params)
{
	return 0;
}
/* Where a page is kept follows from its address, so there is always room, and nothing to give back. */
static int location_get(void *state, struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault)
{
	*location = (uintptr_t)k_mem_page_frame_to_virt(pf) % VM_SIZE;
	return 0;
}
static void location_free(void *state, uintptr_t location) {}

static int page_out(void *state, uintptr_t location, const void *page)
{
	memcpy(array + location, page, frames.page_size);
	return 0;
}
static int page_in(void *state, uintptr_t location, void *page)
{
	memcpy(page, array + location, frames.page_size);
	return 0;
}
static void page_finalize(void *state, struct k_mem_page_frame *pf, uintptr_t location)
{
	k_mem_page_frame_set(pf, K_MEM_PAGE_FRAME_BACKED); /* the copy stays, so a clean page goes out unwritten */
}
static const struct kmem_store_ops store = {KMEM_STORE_VERSION, "array", 0, store_init, .location_get = location_get,
	.location_free = location_free, .page_out = page_out, .page_in = page_in, .page_finalize = page_finalize};

int main(void)
{
	struct kmem_config config = {sizeof(config), .vm_size = VM_SIZE, .ram_size = SIZE / 2, .policy_ops = &policy, .store_ops = &store};
	unsigned char *memory = kmem_boot(&config) == 0 ? k_mem_map(SIZE, K_MEM_PERM_RW) : NULL;
	size_t kept = 0;

	for (size_t i = 0; memory != NULL && i < SIZE; i++) {
		memory[i] = (unsigned char)(i / 1000);
	}
	for (size_t i = 0; memory != NULL && i < SIZE; i++) {
		kept += memory[i] == (unsigned char)(i / 1000);
	}
	printf("%zu of %zu bytes kept, %lu page faults\n", kept, SIZE, k_mem_num_pagefaults_get());
	return kept == SIZE && kmem_shutdown() == 0 ? 0 : 1;
}
