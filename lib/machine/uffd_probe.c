/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the host can run the engine on userfaultfd: what it does is done once, with a page and a slot. See uffd_slots.h.
 */
#include <errno.h>

#include "host/annotate.h"
#include "host/descriptor.h"
#include "host/memory.h"
#include "host/uffd.h"
#include "machine/uffd_slots.h"

/* A page moves from its slot into the range and back; then a copy of it appears there, which cannot be written to until it is let. */
static int probe_moves(int door, uintptr_t page, uintptr_t slot, size_t size)
{
	const struct kmem_host_part part = {page, size};
	size_t done;
	int ret = kmem_host_uffd_move(door, page, slot, size, &done);

	if (ret == 0) {
		ret = kmem_host_uffd_move(door, slot, page, size, &done);
	}
	if (ret == 0) {
		ret = kmem_host_is_writable(page) ? -ENOTSUP : kmem_host_uffd_copy(door, page, slot, size, true, &done);
	}
	if (ret == 0) {
		ret = kmem_host_is_writable(page) ? -ENOTSUP : kmem_host_uffd_write_protect(door, page, size, false);
	}
	if (ret == 0) {
		ret = kmem_host_is_writable(page) ? kmem_host_pages_drop(&part, 1) : -ENOTSUP;
	}
	return ret;
}

static int probe_memory(int door, void *slot, size_t size)
{
	void *page;
	int ret = kmem_host_uffd_register(door, (uintptr_t)slot, size, KMEM_HOST_UFFD_TRAVEL);

	if (ret == 0) {
		ret = kmem_host_uffd_memory_get(&page, size);
	}
	if (ret != 0) {
		return ret;
	}
	ret = kmem_uffd_unshare((uintptr_t)slot, size);
	if (ret == 0) {
		ret = kmem_host_uffd_memory_replace(door, (uintptr_t)page, size);
	}
	if (ret == 0) {
		ret = probe_moves(door, (uintptr_t)page, (uintptr_t)slot, size);
	}
	kmem_host_memory_free(page, size);
	return ret;
}

/* Valgrind does not know the call, and says so. */
int kmem_uffd_probe(void)
{
	size_t size = kmem_host_page_size();
	void *slot;
	int door;
	int ret;

	if (kmem_annotate_on_valgrind()) {
		return -ENOSYS;
	}
	door = kmem_host_uffd_open();
	if (door < 0) {
		return door;
	}
	ret = kmem_host_uffd_memory_get(&slot, size);
	if (ret == 0) {
		ret = probe_memory(door, slot, size);
		kmem_host_memory_free(slot, size);
	}
	kmem_descriptor_close(door);
	return ret;
}
