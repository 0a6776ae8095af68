/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF notes of the objects that are loaded. Normal context.
 */
#ifndef KMEM_HOST_NOTE_H
#define KMEM_HOST_NOTE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Call visit for every note of this name and type, of the program first, until it returns other than 0, and return that.
 * desc is aligned to 4 bytes and lives as long as its object is loaded.
 */
int kmem_host_note_walk(const char *name, uint32_t type, int (*visit)(const void *desc, size_t size, void *arg), void *arg);

#endif /* KMEM_HOST_NOTE_H */
