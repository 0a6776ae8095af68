/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many mappings of the host's the range takes, of those that a process may have: counted, so that the limit is foreseen.
 *
 * Words. A mapping of the host's is a stretch of pages that it keeps one record of; a *cut* is where one begins. The *mark* is the number
 * of mappings that the range may have before some have to be given back.
 *
 *      0                                        goal       high                limit
 *      |------------------------------------------|----------|-------------------|
 *                                                 <- relief -| <--- reserve ---->
 *
 * The reserve, an eighth of the limit, is the program's: its libraries, its threads' stacks (two mappings each), files, and heap beyond
 * libkmem; 8191 by default. A relief goes down from the high mark by a sixteenth: what is concealed for it traps once more, so it shall be
 * little; but a relief has a price of its own, which some thousand mappings share. Where pages cannot be concealed, since they are
 * pinned, the mark goes up by as much: the host has the last word.
 *
 * Counting is done by the mmap engine, and off on others. Kernel lock held.
 */
#ifndef KMEM_MACHINE_MAPPINGS_H
#define KMEM_MACHINE_MAPPINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begin to count for [base, base + size). 0 or -errno. Normal context. */
int kmem_mappings_init(uintptr_t base, size_t size, size_t page_size);
void kmem_mappings_finish(void);

bool kmem_mappings_is_counting(void);

/* A host call that makes [addr, addr + size) one mapping, which may join what is around it. */
struct kmem_mappings_change {
	uintptr_t addr;
	size_t size;
	bool is_partial; /* only what the range has in common is changed: cuts inside stay */
	bool joins_before, joins_behind;
};

/* Whether there would be no more mappings than before, or no more than the mark. */
bool kmem_mappings_allow(const struct kmem_mappings_change *change);

/* The host call was made. */
void kmem_mappings_changed(const struct kmem_mappings_change *change);

size_t kmem_mappings_count(void);
size_t kmem_mappings_limit(void);

/* Whether another page could be one too many: that was foreseen, and the host not asked. */
bool kmem_mappings_is_at_mark(void);

/* A relief that gives back a share, 1/parts, of what there may be, or of what there is: how many mappings are left then. */
#define KMEM_MAPPINGS_RELIEF_PARTS 16

size_t kmem_mappings_goal(size_t parts);

/* From now on the host alone decides; until now. */
void kmem_mappings_mark_lift(void);
void kmem_mappings_mark_set(void);

/* The count is that of the cuts. */
bool kmem_mappings_is_valid(void);

#endif /* KMEM_MACHINE_MAPPINGS_H */
