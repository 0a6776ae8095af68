/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code and constants of the program that are absent until they are used: sections kmem_ondemand_text and kmem_ondemand_rodata.
 * (Zephyr: on-demand sections, kernel/mmu.c)
 *
 * Their pages are read from the program's file, or from a store of the program's own that knows them (location_query). A page that
 * was not written to goes out without being stored.
 */
#ifndef KMEM_KERNEL_ONDEMAND_H
#define KMEM_KERNEL_ONDEMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Locations of these pages: from here up to the special ones. Where there are any, a store may not have such. */
#define KMEM_ONDEMAND_LOCATION 0x0000fffe00000000ULL

/* Find the sections of the program that lies at program_start and is the boot image. 0 or -errno. */
int kmem_ondemand_init(void);
void kmem_ondemand_finish(void);

/* Whether the page at addr lies in them; its location, if so. Constant while booted. */
bool kmem_ondemand_has(uintptr_t addr, uint64_t *location);

/* Whether a location is one of theirs. */
bool kmem_ondemand_is_location(uint64_t location);

/* Bring a page's bytes from the program's file. 0 or -errno. No lock needed; _sigsafe. */
int kmem_ondemand_read(uint64_t location, void *page);

#endif /* KMEM_KERNEL_ONDEMAND_H */
