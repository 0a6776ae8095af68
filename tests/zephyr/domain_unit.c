/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another unit of test_domain.c, with variables in its partition: linked behind it.
 */
#define CONFIG_USERSPACE 1
#define KMEM_KCONFIG_NO_RECORD

#include "domain_unit.h"

K_APP_DMEM(domain_part) int domain_unit_initialised = 8;
K_APP_BMEM(domain_part) int domain_unit_zeroed[3000];

K_APPMEM_PARTITION_DEFINE(domain_unit_part);
K_APP_DMEM(domain_unit_part) int domain_unit_own = 1;

int domain_unit_foreign_data = 1;
int domain_unit_foreign_bss;
__attribute__((section("domain_unit_section"))) int domain_unit_foreign_section = 1;
