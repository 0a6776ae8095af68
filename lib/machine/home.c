/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the bytes of each frame lie: a byte a frame. See home.h.
 */
#include "machine/home.h"

#include "host/assert.h"
#include "host/memory.h"

enum home {
	HOME_FILE,
	HOME_OWN,
	HOME_SHARED,
};

static struct {
	/* constant after init */
	uintptr_t phys;
	size_t size;
	unsigned int page_shift;

	uint8_t *homes; /* enum home, by frame; NULL: all lie in the file */
} table;

static size_t table_bytes(void)
{
	return kmem_host_page_round(table.size >> table.page_shift);
}

int kmem_home_init(uintptr_t phys, size_t size, size_t page_size, bool has_own)
{
	void *memory;
	int ret;

	table.phys = phys;
	table.size = size;
	table.page_shift = (unsigned int)__builtin_ctzl(page_size);
	if (!has_own) {
		return 0;
	}
	ret = kmem_host_memory_get(&memory, table_bytes());
	if (ret == 0) {
		table.homes = memory;
	}
	return ret;
}

void kmem_home_finish(void)
{
	if (table.homes != NULL) {
		kmem_host_memory_free(table.homes, table_bytes());
		table.homes = NULL;
	}
}

/* The frame's byte; NULL where there is no choice. */
static uint8_t *home_of(uintptr_t phys)
{
	if (table.homes == NULL || phys - table.phys >= table.size) {
		return NULL;
	}
	return &table.homes[(phys - table.phys) >> table.page_shift];
}

bool kmem_home_is_own(uintptr_t phys)
{
	const uint8_t *home = home_of(phys);

	return home != NULL && *home == HOME_OWN;
}

bool kmem_home_take(uintptr_t phys)
{
	uint8_t *home = home_of(phys);

	if (home == NULL || *home == HOME_SHARED) {
		return false;
	}
	*home = HOME_OWN;
	return true;
}

void kmem_home_leave(uintptr_t phys)
{
	uint8_t *home = home_of(phys);

	if (home != NULL && *home == HOME_OWN) {
		*home = HOME_FILE;
	}
}

void kmem_home_share(uintptr_t phys, size_t size)
{
	for (size_t done = 0; done < size; done += (size_t)1 << table.page_shift) {
		uint8_t *home = home_of(phys + done);

		if (home != NULL) {
			kmem_assert(*home != HOME_OWN);
			*home = HOME_SHARED;
		}
	}
}
