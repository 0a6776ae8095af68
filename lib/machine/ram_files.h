/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ram.c, which has the banks, asks of ram_files.c, which knows the files that the bytes of RAM lie in. kmem_ram_populate() and the
 * rest of a freeze are there too (ram.h). Kernel lock held.
 */
#ifndef KMEM_MACHINE_RAM_FILES_H
#define KMEM_MACHINE_RAM_FILES_H

#include <stddef.h>

#include "machine/ram.h"

/* RAM is this bank, wholly in the file that the bank is open with, which is ours from now on. 0, or -errno with nothing changed. */
int kmem_ram_files_init(const struct kmem_bank *bank, size_t page_size);
void kmem_ram_files_finish(void);

/* As kmem_ram_extent(), by the offset in RAM: an extent ends where the next chunk lies in another file. 0, or -errno of a thaw. */
int kmem_ram_files_extent(size_t offset, size_t size, struct kmem_extent *extent);

/* RAM is the file with this descriptor alone: backed where frames were in use at the fork, and only there. 0 or -errno. */
int kmem_ram_files_replace(int copy);

/* 0, or -errno, nothing changed then. */
int kmem_ram_files_freeze_prepare(void);

#endif /* KMEM_MACHINE_RAM_FILES_H */
