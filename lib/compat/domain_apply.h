/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partitions that are in effect: their permissions on the pages of the VM, and what these had before. For domain.c.
 *
 * All functions are called with interrupts locked.
 */
#ifndef KMEM_COMPAT_DOMAIN_APPLY_H
#define KMEM_COMPAT_DOMAIN_APPLY_H

#include <zephyr/app_memory/mem_domain.h>

/** Put a partition of a domain into effect, over all that are. 0, or -ENOMEM and nothing is changed. */
int kmem_domain_apply(const struct k_mem_domain *domain, const struct k_mem_partition *part, size_t page_size);

/**
 * End a partition's effect, if it has one. Allocates and frees nothing.
 *
 * @return 0, or -errno of the host: some pages keep the partition's permissions then
 */
int kmem_domain_withdraw(const struct k_mem_domain *domain, const struct k_mem_partition *part);

/** The same for all partitions of a domain. */
int kmem_domain_withdraw_all(const struct k_mem_domain *domain);

#endif /* KMEM_COMPAT_DOMAIN_APPLY_H */
