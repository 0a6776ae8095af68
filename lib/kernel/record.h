/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's record of CONFIG_* values, found and checked.
 */
#ifndef KMEM_KERNEL_RECORD_H
#define KMEM_KERNEL_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include <kmem/record.h>

/*
 * The one record that all units of the program agree on: 1 with *record and *file (of the first unit) set, 0 if there is none,
 * -EINVAL with a message in error where units differ, or one is of another version.
 */
int kmem_record_find(struct kmem_record *record, const char **file, char *error, size_t error_size);

/* For tests: what two records differ in, as Kconfig spells it; NULL if in nothing. */
const char *kmem_record_difference(const struct kmem_record *a, const struct kmem_record *b);

static inline unsigned long kmem_record_number(const uint32_t words[2])
{
	return (unsigned long)words[0] | (unsigned long)words[1] << 32;
}

#endif /* KMEM_KERNEL_RECORD_H */
