/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What domain_unit.c has for test_domain.c: variables in its partition, in one of the unit's own, and in none.
 */
#ifndef KMEM_TESTS_ZEPHYR_DOMAIN_UNIT_H
#define KMEM_TESTS_ZEPHYR_DOMAIN_UNIT_H

#include <zephyr/app_memory/app_memdomain.h>

extern struct k_mem_partition domain_part;
extern struct k_mem_partition domain_unit_part;

extern int domain_unit_initialised;
extern int domain_unit_zeroed[3000];
extern int domain_unit_own;
extern int domain_unit_foreign_data;
extern int domain_unit_foreign_bss;
extern int domain_unit_foreign_section;

#endif /* KMEM_TESTS_ZEPHYR_DOMAIN_UNIT_H */
