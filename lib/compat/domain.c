/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory domains: partitions in slots, and threads that come and go. (Zephyr: kernel/mem_domain.c)
 *
 * A domain is *in effect* while it has a thread; the default domain always is. domain_apply.c does what that means for
 * pages. The library sees domains through struct kmem_domain, since their size is the program's affair. How many
 * threads each has stands in a table of the library's own, and the domain of a thread in the thread.
 *
 * Differences from Zephyr: 1 a new partition is checked against those in all slots, not in the first num_partitions
 * ones. 2 k_mem_domain_remove_partition() never finds a free slot, whatever is asked for. 3 the checks are made under
 * CONFIG_NO_RUNTIME_CHECKS, too. 4 the default domain may be initialised again, and keeps its threads. 5 a thread that
 * has ended, and has not been made again, cannot be put into a domain: nothing happens.
 *
 * Locking: the interrupt lock for everything. What the caller names is looked at before it is taken, so that a bad
 * pointer is a fatal error of the caller alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <kmem/irq.h>

#include "domain_apply.h"

/* A domain other than the default one that has threads. */
struct population {
	struct population *next;
	const struct k_mem_domain *domain;
	size_t threads;
};

/* Guarded by the interrupt lock. */
static struct population *populations;
static struct population *deserted; /* to be freed: threads also end where that cannot be done */

static struct population **population_find(const struct k_mem_domain *domain)
{
	struct population **link = &populations;

	while (*link != NULL && (*link)->domain != domain) {
		link = &(*link)->next;
	}
	return link;
}

static bool is_default(const struct k_mem_domain *domain)
{
	return domain == kmem_domain_default.domain;
}

static bool is_in_effect(const struct k_mem_domain *domain)
{
	return is_default(domain) || *population_find(domain) != NULL;
}

static void deserted_free(void)
{
	while (deserted != NULL) {
		struct population *population = deserted;

		deserted = population->next;
		free(population);
	}
}

/* One thread more. */
static int population_grow(const struct k_mem_domain *domain)
{
	struct population *population;

	if (is_default(domain)) {
		return 0;
	}
	population = *population_find(domain);
	if (population == NULL) {
		population = calloc(1, sizeof(*population));
		if (population == NULL) {
			return -ENOMEM;
		}
		population->domain = domain;
		population->next = populations;
		populations = population;
	}
	population->threads++;
	return 0;
}

/* One thread less; the domain goes out of effect with its last one. */
static void population_shrink(const struct k_mem_domain *domain)
{
	struct population **link = population_find(domain);
	struct population *population = *link;

	if (population == NULL || --population->threads != 0) {
		return;
	}
	*link = population->next;
	population->next = deserted;
	deserted = population;
	(void)kmem_domain_withdraw_all(domain);
}

/* Another domain of the program, which is laid out alike. */
static struct kmem_domain domain_like(const struct kmem_domain *model, struct k_mem_domain *domain)
{
	struct kmem_domain other = *model;
	const char *base = (const char *)model->domain;

	other.domain = domain;
	other.partitions = (void *)((char *)domain + ((const char *)model->partitions - base));
	other.threads = (void *)((char *)domain + ((const char *)model->threads - base));
	other.num_partitions = (void *)((char *)domain + ((const char *)model->num_partitions - base));
	return other;
}

static bool overlaps(const struct k_mem_partition *one, const struct k_mem_partition *other)
{
	return one->start < other->start + other->size && other->start < one->start + one->size;
}

/* 0 if a partition may be added: what is the matter with it otherwise. */
static int partition_check(const struct kmem_domain *domain, const struct k_mem_partition *part)
{
	if (part->size == 0 || part->start + part->size <= part->start) {
		return -EINVAL;
	}
	if (domain->exclusive_wx && K_MEM_PARTITION_IS_WRITABLE(part->attr) &&
	    K_MEM_PARTITION_IS_EXECUTABLE(part->attr)) {
		return -EINVAL;
	}
	for (size_t i = 0; i < domain->max; i++) {
		if (domain->partitions[i].size != 0 && overlaps(part, &domain->partitions[i])) {
			return -EINVAL;
		}
	}
	return part->start % domain->page_size != 0 || part->size % domain->page_size != 0 ? KMEM_DOMAIN_UNALIGNED : 0;
}

static struct k_mem_partition *slot_find_free(const struct kmem_domain *domain)
{
	for (size_t i = 0; i < domain->max; i++) {
		if (domain->partitions[i].size == 0) {
			return &domain->partitions[i];
		}
	}
	return NULL;
}

static struct k_mem_partition *slot_find(const struct kmem_domain *domain, const struct k_mem_partition *part)
{
	for (size_t i = 0; i < domain->max; i++) {
		if (part->size != 0 && domain->partitions[i].size == part->size &&
		    domain->partitions[i].start == part->start) {
			return &domain->partitions[i];
		}
	}
	return NULL;
}

/* Interrupts locked. */
static int partition_add(const struct kmem_domain *domain, const struct k_mem_partition *part)
{
	struct k_mem_partition *slot = slot_find_free(domain);
	int ret = partition_check(domain, part);

	if (ret != 0 || slot == NULL) {
		return ret != 0 ? ret : -ENOSPC;
	}
	ret = is_in_effect(domain->domain) ? kmem_domain_apply(domain->domain, part, domain->page_size) : 0;
	if (ret == 0) {
		*slot = *part;
		(*domain->num_partitions)++;
	}
	return ret;
}

/* Interrupts locked. */
static int partition_remove(const struct kmem_domain *domain, const struct k_mem_partition *part)
{
	struct k_mem_partition *slot = slot_find(domain, part);
	int ret;

	if (slot == NULL) {
		return -ENOENT;
	}
	ret = kmem_domain_withdraw(domain->domain, slot);
	memset(slot, 0, sizeof(*slot));
	(*domain->num_partitions)--;
	return ret;
}

/* No partitions. Interrupts locked. */
static int domain_empty(const struct kmem_domain *domain)
{
	int ret = kmem_domain_withdraw_all(domain->domain);

	memset(domain->partitions, 0, domain->max * sizeof(domain->partitions[0]));
	*domain->num_partitions = 0;
	sys_dlist_init(domain->threads);
	return ret;
}

/* Put all partitions of a domain into effect, or none. */
static int domain_apply(const struct kmem_domain *domain)
{
	for (size_t i = 0; i < domain->max; i++) {
		const struct k_mem_partition *part = &domain->partitions[i];
		int ret = part->size != 0 ? kmem_domain_apply(domain->domain, part, domain->page_size) : 0;

		if (ret != 0) {
			(void)kmem_domain_withdraw_all(domain->domain);
			return ret;
		}
	}
	return 0;
}

/* Have a bad pointer to a domain do its harm now. */
static bool is_there(const struct kmem_domain *domain)
{
	volatile uint8_t *count = domain->num_partitions;

	if (domain->domain == NULL) {
		return false;
	}
	*count = *count;
	return true;
}

int kmem_domain_init(const struct kmem_domain *domain, size_t num_parts, struct k_mem_partition *const parts[])
{
	unsigned int key;

	if (!is_there(domain) || (parts == NULL && num_parts > 0) || num_parts > domain->max) {
		return -EINVAL;
	}
	key = arch_irq_lock();
	(void)domain_empty(domain);
	arch_irq_unlock(key);
	for (size_t i = 0; i < num_parts; i++) {
		int ret = kmem_domain_add_partition(domain, parts[i]);

		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

int kmem_domain_deinit(const struct kmem_domain *domain)
{
	unsigned int key;
	int ret = -EBUSY;

	if (!is_there(domain)) {
		return -EINVAL;
	}
	key = arch_irq_lock();
	if (!is_in_effect(domain->domain)) {
		ret = domain_empty(domain);
	}
	arch_irq_unlock(key);
	return ret;
}

/* Change a domain by a partition, which may lie in paged memory: it is read with no lock held. */
static int partition_change(const struct kmem_domain *domain, const struct k_mem_partition *part,
			    int (*change)(const struct kmem_domain *domain, const struct k_mem_partition *part))
{
	struct k_mem_partition copy;
	unsigned int key;
	int ret;

	if (!is_there(domain) || part == NULL) {
		return -EINVAL;
	}
	copy = *part;
	key = arch_irq_lock();
	ret = change(domain, &copy);
	arch_irq_unlock(key);
	return ret;
}

int kmem_domain_add_partition(const struct kmem_domain *domain, const struct k_mem_partition *part)
{
	return partition_change(domain, part, partition_add);
}

int kmem_domain_remove_partition(const struct kmem_domain *domain, const struct k_mem_partition *part)
{
	return partition_change(domain, part, partition_remove);
}

/* Interrupts locked. The new domain takes effect before the old one goes, so that a page of both is never without. */
static int thread_move(const struct kmem_domain *domain, struct k_thread *thread)
{
	struct k_mem_domain *former = thread->mem_domain_info.mem_domain;
	int ret = is_in_effect(domain->domain) ? 0 : domain_apply(domain);

	if (ret != 0) {
		return ret;
	}
	ret = population_grow(domain->domain);
	if (ret != 0) {
		if (!is_in_effect(domain->domain)) {
			(void)kmem_domain_withdraw_all(domain->domain);
		}
		return ret;
	}
	thread->mem_domain_info.mem_domain = domain->domain;
	if (former != NULL) {
		population_shrink(former);
	}
	return 0;
}

int kmem_domain_add_thread(const struct kmem_domain *domain, struct k_thread *thread)
{
	unsigned int key;
	int ret = 0;

	if (!is_there(domain) || thread == NULL) {
		return -EINVAL;
	}
	(void)__atomic_load_n(&thread->base.thread_state,
			      __ATOMIC_RELAXED); /* it may be in paged memory: now, with no lock */
	key = arch_irq_lock();
	deserted_free();
	if (thread->mem_domain_info.mem_domain != domain->domain &&
	    (__atomic_load_n(&thread->base.thread_state, __ATOMIC_ACQUIRE) & _THREAD_DEAD) == 0) {
		ret = thread_move(domain, thread);
	}
	arch_irq_unlock(key);
	return ret;
}

/* Whether all partitions of one domain may be added to another. */
static int inherit_check(const struct kmem_domain *domain, const struct kmem_domain *from)
{
	size_t free_slots = 0;
	size_t wanted = 0;

	for (size_t i = 0; i < domain->max; i++) {
		free_slots += domain->partitions[i].size == 0 ? 1 : 0;
	}
	for (size_t i = 0; i < from->max; i++) {
		int ret = from->partitions[i].size != 0 ? partition_check(domain, &from->partitions[i]) : 0;

		if (ret != 0) {
			return ret;
		}
		wanted += from->partitions[i].size != 0 ? 1 : 0;
	}
	return wanted > free_slots ? -ENOSPC : 0;
}

/* Interrupts locked. */
static int inherit(const struct kmem_domain *domain, const struct kmem_domain *from)
{
	int ret = inherit_check(domain, from);
	size_t i;

	for (i = 0; i < from->max && ret == 0; i++) {
		ret = from->partitions[i].size != 0 ? partition_add(domain, &from->partitions[i]) : 0;
	}
	if (ret == 0 || i == 0) {
		return ret;
	}
	for (i--; i-- > 0;) {
		if (from->partitions[i].size != 0) {
			(void)partition_remove(domain, &from->partitions[i]);
		}
	}
	return ret;
}

int kmem_domain_inherit(const struct kmem_domain *domain, const struct k_thread *thread)
{
	struct kmem_domain from;
	unsigned int key;
	int ret;

	if (!is_there(domain) || thread == NULL || thread->mem_domain_info.mem_domain == NULL) {
		return -EINVAL;
	}
	key = arch_irq_lock();
	from = domain_like(domain, thread->mem_domain_info.mem_domain);
	ret = inherit(domain, &from);
	arch_irq_unlock(key);
	return ret;
}

void kmem_domain_thread_init(struct k_thread *child, const struct k_thread *parent)
{
	unsigned int key = arch_irq_lock();
	struct k_mem_domain *domain = parent != NULL ? parent->mem_domain_info.mem_domain : NULL;

	/* The parent is in the domain, so there is no memory to be had for it. */
	if (domain == NULL || population_grow(domain) != 0) {
		domain = kmem_domain_default.domain;
	}
	child->mem_domain_info.mem_domain = domain;
	arch_irq_unlock(key);
}

void kmem_domain_thread_exit(struct k_thread *thread)
{
	unsigned int key = arch_irq_lock();
	struct k_mem_domain *domain = thread->mem_domain_info.mem_domain;

	/* What has ended is in the default domain, where nobody counts. */
	thread->mem_domain_info.mem_domain = kmem_domain_default.domain;
	if (domain != NULL) {
		population_shrink(domain);
	}
	arch_irq_unlock(key);
}
