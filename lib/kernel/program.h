/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program defines of Zephyr's replaceable names, and how it is used.
 *
 * A program, or an unmodified module of Zephyr's, replaces the eviction algorithm, the backing store, the histogram bounds and
 * the frame database by defining them under Zephyr's names. The library refers to these weakly and adapts them to its tables.
 * A set that is there in part only is refused by name.
 */
#ifndef KMEM_KERNEL_PROGRAM_H
#define KMEM_KERNEL_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include <kmem/backing_store.h>
#include <kmem/eviction.h>

/* Tables over the program's functions; NULL where it defines none of a set. */
const struct kmem_eviction_ops *kmem_program_policy(void);
const struct kmem_store_ops *kmem_program_store(void);

/* Whether a table is one of these: its functions want to be called with interrupts locked, one at a time. */
bool kmem_program_is_policy(const struct kmem_eviction_ops *ops);
bool kmem_program_is_store(const struct kmem_store_ops *ops);

/* Whether the sets are complete: 0, or -EINVAL with a message that names what is missing and where the rest is. */
int kmem_program_check(char *error, size_t error_size);

/* The program's array of frames, and its bounds of the histograms; NULL where it has none. */
struct k_mem_page_frame *kmem_program_frames(void);
const unsigned long *kmem_program_eviction_bounds(void);
const unsigned long *kmem_program_store_bounds(void);

/* Say in the log what was bound, and from which object. Normal context. */
void kmem_program_report(void);

#endif /* KMEM_KERNEL_PROGRAM_H */
