/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window of a fork: see mmu_window.h.
 *
 * Theory of operation. Before a fork every page in an own frame is concealed, and from then on the bytes that the engine keeps are the
 * parent's and the child's, each for itself. Code of the C library's runs between that and the fork, though, and may touch such a page, on
 * its thread's stack for one. Were the page exposed as usual, the child would not have it, because nothing of the range passes to it; and
 * what is written there would not be in the bytes that it has.
 *
 * So such a page is shown by private memory with a copy of the bytes, put in its place: an ordinary page of the process's, which the fork
 * copies with its last bytes. Parent and child each take the bytes back afterwards, or when the page goes out before.
 *
 * Nobody else is about: the forking thread has the kernel lock.
 */
#include "machine/mmu_window.h"

#include <errno.h>
#include <string.h>

#include "host/failpoint.h"
#include "host/memory.h"
#include "machine/mmu.h"
#include "machine/mmu_range.h"

/* Pages shown at a time: C library code needs a few, which may bring neighbours with them. */
#define SHOWN_MAX 128

/* Guarded by the kernel lock. */
static struct {
	bool is_open;
	size_t count;
	uintptr_t shown[SHOWN_MAX];
} window;

void kmem_mmu_window_open(void)
{
	window.is_open = true;
}

bool kmem_mmu_window_is_open(void)
{
	return window.is_open;
}

int kmem_mmu_window_close(void)
{
	int ret = 0;

	/* There is nobody to tell of a failure that a host does not know. */
	kmem_failpoint_hold();
	while (window.count > 0 && ret == 0) {
		ret = kmem_mmu_accessed_clear(window.shown[window.count - 1], kmem_mmu.page_size, NULL);
	}
	kmem_failpoint_release();
	window.count = 0;
	window.is_open = false;
	return ret;
}

static int page_expose(uintptr_t addr, uintptr_t phys, unsigned int prot)
{
	const struct kmem_engine *engine = kmem_mmu.engine;
	int ret;

	if (window.count == SHOWN_MAX) {
		return -ENOMEM;
	}
	ret = engine->uncover != NULL ? engine->uncover(addr, kmem_mmu.page_size) : 0;
	if (ret == 0) {
		ret = kmem_host_private_put(addr, engine->bytes(addr, phys), kmem_mmu.page_size, prot);
	}
	if (ret == 0) {
		window.shown[window.count++] = addr;
	}
	return ret;
}

/* Pages that are not shown are passed over. */
static int page_conceal(uintptr_t addr, uintptr_t phys)
{
	size_t i = 0;
	int ret;

	while (i < window.count && window.shown[i] != addr) {
		i++;
	}
	if (i == window.count) {
		return 0;
	}
	memcpy(kmem_mmu.engine->bytes(addr, phys), (const void *)addr, kmem_mmu.page_size);
	ret = kmem_mmu.engine->cover(addr, kmem_mmu.page_size);
	if (ret == 0) {
		window.shown[i] = window.shown[--window.count];
	}
	return ret;
}

int kmem_mmu_window_expose(const struct kmem_run *runs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t done = 0; done < runs[i].size; done += kmem_mmu.page_size) {
			int ret = page_expose(runs[i].addr + done, runs[i].phys + done, runs[i].prot);

			if (ret != 0) {
				return ret;
			}
		}
	}
	return 0;
}

int kmem_mmu_window_conceal(const struct kmem_run *runs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t done = 0; done < runs[i].size; done += kmem_mmu.page_size) {
			int ret = page_conceal(runs[i].addr + done, runs[i].phys + done);

			if (ret != 0) {
				return ret;
			}
		}
	}
	return 0;
}

int kmem_mmu_window_protect(const struct kmem_run *runs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int ret = kmem_host_range_protect(runs[i].addr, runs[i].size, runs[i].prot);

		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}
