/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical memory: banks, as memory files with a direct map each. Where the bytes of RAM lie is in ram_files.c.
 *
 * Theory of operation. A bank is created sparse. RAM gets memory from the host as its frames are used (ram_files.c). Device banks are
 * small and get all at once. Direct maps stay where they are as long as there is a bank.
 *
 * Fork, by a copy: the files are shared between parent and child, so the child gets files of its own, written before the fork while
 * the kernel lock keeps everything still.
 *
 * Banks are added under the kernel lock and never removed before kmem_ram_finish(); `count` is published last, so readers
 * need no lock.
 */
#include "machine/ram.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "host/assert.h"
#include "host/file.h"
#include "host/memory.h"
#include "machine/ram_files.h"

#define BANKS_MAX (1 + KMEM_DEVICES_MAX)

static struct {
	/* constant after init */
	size_t page_size;

	/* guarded by the kernel lock; banks below count are constant */
	struct kmem_bank banks[BANKS_MAX];
	_Atomic unsigned int count;

	/* between prepare and parent or child of a fork */
	int copies[BANKS_MAX];
} ram;

static int bank_open(struct kmem_bank *bank, const char *name, uintptr_t phys, size_t size)
{
	void *bytes;
	int fd = kmem_host_memfd_create(name, size);
	int ret;

	if (fd < 0) {
		return fd;
	}
	ret = kmem_host_file_map_anywhere(&bytes, size, fd);
	if (ret != 0) {
		kmem_host_file_close(fd);
		return ret;
	}
	(void)kmem_host_range_dontdump((uintptr_t)bytes, size);

	*bank = (struct kmem_bank){.phys = phys, .size = size, .fd = fd, .bytes = bytes};
	strncpy(bank->name, name, sizeof(bank->name) - 1);
	return 0;
}

static void bank_close(struct kmem_bank *bank)
{
	(void)kmem_host_range_release((uintptr_t)bank->bytes, bank->size);
	kmem_host_file_close(bank->fd);
}

int kmem_ram_init(uintptr_t phys, size_t size, size_t page_size)
{
	int ret;

	ram.page_size = page_size;
	ret = bank_open(&ram.banks[0], "kmem-ram", phys, size);
	if (ret != 0) {
		return ret;
	}
	ret = kmem_ram_files_init(&ram.banks[0], page_size);
	if (ret != 0) {
		bank_close(&ram.banks[0]);
		return ret;
	}
	ram.banks[0].fd = -1;
	atomic_store_explicit(&ram.count, 1, memory_order_release);
	return 0;
}

void kmem_ram_finish(void)
{
	unsigned int count = atomic_exchange(&ram.count, 0);

	if (count == 0) {
		return;
	}
	kmem_ram_files_finish();
	(void)kmem_host_range_release((uintptr_t)ram.banks[0].bytes, ram.banks[0].size);
	for (unsigned int i = 1; i < count; i++) {
		bank_close(&ram.banks[i]);
	}
}

static bool overlaps(const struct kmem_bank *bank, uintptr_t phys, size_t size)
{
	return phys < bank->phys + bank->size && bank->phys < phys + size;
}

int kmem_ram_bank_add(const char *name, uintptr_t phys, size_t size, void **host)
{
	unsigned int count = atomic_load_explicit(&ram.count, memory_order_relaxed);
	int ret;

	for (unsigned int i = 0; i < count; i++) {
		if (overlaps(&ram.banks[i], phys, size)) {
			return -EEXIST;
		}
	}
	if (count == BANKS_MAX) {
		return -ENOSPC;
	}
	ret = bank_open(&ram.banks[count], name, phys, size);
	if (ret != 0) {
		return ret;
	}
	ret = kmem_host_memfd_populate(ram.banks[count].fd, 0, size);
	if (ret != 0) {
		bank_close(&ram.banks[count]);
		return ret;
	}
	if (host != NULL) {
		*host = ram.banks[count].bytes;
	}
	atomic_store_explicit(&ram.count, count + 1, memory_order_release);
	return 0;
}

const struct kmem_bank *kmem_ram_bank_find(uintptr_t phys, size_t size)
{
	unsigned int count = atomic_load_explicit(&ram.count, memory_order_acquire);

	for (unsigned int i = 0; i < count; i++) {
		const struct kmem_bank *bank = &ram.banks[i];

		if (phys >= bank->phys && phys - bank->phys < bank->size && size <= bank->size - (phys - bank->phys)) {
			return bank;
		}
	}
	return NULL;
}

void *kmem_ram_bytes(uintptr_t phys)
{
	const struct kmem_bank *bank = kmem_ram_bank_find(phys, 1);

	kmem_assert(bank != NULL);
	return bank->bytes + (phys - bank->phys);
}

uintptr_t kmem_ram_phys(const void *bytes)
{
	unsigned int count = atomic_load_explicit(&ram.count, memory_order_acquire);

	for (unsigned int i = 0; i < count; i++) {
		const struct kmem_bank *bank = &ram.banks[i];
		size_t offset = (uintptr_t)bytes - (uintptr_t)bank->bytes;

		if (offset < bank->size) {
			return bank->phys + offset;
		}
	}
	kmem_assert(false);
	return 0;
}

int kmem_ram_extent(uintptr_t phys, size_t size, struct kmem_extent *extent)
{
	const struct kmem_bank *bank = kmem_ram_bank_find(phys, size);

	if (bank == NULL) {
		return -EFAULT;
	}
	if (bank == &ram.banks[0]) {
		return kmem_ram_files_extent(phys - bank->phys, size, extent);
	}
	*extent = (struct kmem_extent){.fd = bank->fd, .offset = phys - bank->phys, .size = size};
	return 0;
}

/* Copy the used frames of RAM, in runs; frames that were never backed are not in use. */
static int copy_frames(int to, bool (*is_used)(uintptr_t phys))
{
	const struct kmem_bank *bank = &ram.banks[0];
	size_t offset = 0;

	while (offset < bank->size) {
		size_t start = offset;
		int ret;

		while (offset < bank->size && is_used(bank->phys + offset)) {
			offset += ram.page_size;
		}
		if (offset == start) {
			offset += ram.page_size;
			continue;
		}
		ret = kmem_host_file_write(to, bank->bytes + start, offset - start, start);
		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

static int copy_bank(unsigned int i, bool (*is_used)(uintptr_t phys))
{
	const struct kmem_bank *bank = &ram.banks[i];
	int fd = kmem_host_memfd_create(bank->name, bank->size);
	int ret;

	if (fd < 0) {
		return fd;
	}
	ret = i == 0 ? copy_frames(fd, is_used) : kmem_host_file_write(fd, bank->bytes, bank->size, 0);
	if (ret != 0) {
		kmem_host_file_close(fd);
		return ret;
	}
	ram.copies[i] = fd;
	return 0;
}

int kmem_ram_fork_prepare(bool (*is_used)(uintptr_t phys))
{
	unsigned int count = atomic_load(&ram.count);

	for (unsigned int i = 0; i < count; i++) {
		int ret = copy_bank(i, is_used);

		if (ret != 0) {
			while (i > 0) {
				kmem_host_file_close(ram.copies[--i]);
			}
			return ret;
		}
	}
	return 0;
}

void kmem_ram_fork_parent(void)
{
	unsigned int count = atomic_load(&ram.count);

	for (unsigned int i = 0; i < count; i++) {
		kmem_host_file_close(ram.copies[i]);
	}
}

int kmem_ram_fork_child(void)
{
	unsigned int count = atomic_load(&ram.count);
	int ret = kmem_ram_files_replace(ram.copies[0]);

	for (unsigned int i = 1; i < count && ret == 0; i++) {
		struct kmem_bank *bank = &ram.banks[i];

		ret = kmem_host_file_replace(ram.copies[i], bank->fd);
		if (ret == 0) {
			ret = kmem_host_file_map((uintptr_t)bank->bytes, bank->size, bank->fd, 0,
						 KMEM_PROT_READ | KMEM_PROT_WRITE);
		}
	}
	return ret;
}

int kmem_ram_freeze_prepare(void)
{
	return atomic_load(&ram.count) > 1 ? -ENOTSUP : kmem_ram_files_freeze_prepare();
}
