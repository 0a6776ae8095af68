/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operations of space.c, space_discard.c and space_pin.c begin with: the lock, and a look at the range.
 */
#ifndef KMEM_KERNEL_SPACE_SECTION_H
#define KMEM_KERNEL_SPACE_SECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/signals.h"

/* The kernel lock, unless this thread forks just now and has it. */
struct kmem_space_section {
	kmem_sigmask saved;
	bool is_locked;
};

/* 0, or -errno with nothing to leave. */
int kmem_space_section_enter(struct kmem_space_section *section);
void kmem_space_section_leave(const struct kmem_space_section *section);

/* Do something to a range in such a section, if it is one that space.h speaks of. */
int kmem_space_range_do(uintptr_t addr, size_t size, int (*operation)(uintptr_t addr, size_t size));

/* What a range is made of. */
struct kmem_space_survey {
	size_t regions; /* with a part in it */
	bool has_holes;
	bool is_free; /* what holes there are */
};

/* Once nobody moves a page of the range, for which the lock is dropped. 0, or -EINVAL where a part is somebody else's. Lock held. */
int kmem_space_survey(uintptr_t addr, size_t size, struct kmem_space_survey *result);

/* Pages of a range that are pinned; the first of them from addr on, or end. Lock held. */
size_t kmem_space_pinned_in(uintptr_t addr, size_t size);
uintptr_t kmem_space_pinned_next(uintptr_t addr, uintptr_t end);

#endif /* KMEM_KERNEL_SPACE_SECTION_H */
