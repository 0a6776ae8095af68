/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory domains: sets of partitions, ranges of memory with permissions, that threads belong to. (Zephyr:
 * app_memory/mem_domain.h)
 *
 * Every thread belongs to exactly one domain: the first ones to k_mem_domain_default, others to that of the thread
 * that made them, until k_mem_domain_add_thread() moves them. A domain keeps copies of its partitions; one of size 0
 * is a free slot.
 *
 * What a partition does here. A host process has one address space and no user mode, so a partition works for all
 * threads alike, by its *privileged* permission: while it is in a domain that has a thread (or in the default domain),
 * those pages of it that were mapped in the VM when it took effect are what K_MEM_PARTITION_P_* says, by
 * k_mem_update_flags(). P_RO is readable, P_RW writable, P_RX executable, P_RWX both. When the partition is removed,
 * or the last thread leaves the domain, the pages get back what they had before, unless the program has changed it
 * meanwhile. Of two partitions on one page, in two domains, the one that took effect last counts; when it goes, the
 * other one does. Memory outside the VM, and P_NA, are recorded and not enforced. The *user* permission,
 * K_MEM_PARTITION_*_U_*, is recorded alone: user threads are threads like any other.
 *
 * Without CONFIG_USERSPACE partitions are not defined and the functions cannot be linked, as in Zephyr.
 *
 * Partitions begin and end at multiples of CONFIG_MMU_PAGE_SIZE. A request that says otherwise is asserted against
 * under CONFIG_ASSERT and is -EINVAL without. Under CONFIG_ASSERT_ON_ERRORS every -EINVAL, -ENOSPC and -ENOENT below
 * is an assertion.
 *
 * Locking: one lock for all domains, the interrupt lock. Context of all functions: any thread; not a signal handler.
 */
#ifndef ZEPHYR_INCLUDE_APP_MEMORY_MEM_DOMAIN_H_
#define ZEPHYR_INCLUDE_APP_MEMORY_MEM_DOMAIN_H_

#include <kmem/kconfig.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/kernel/thread.h>
#include <zephyr/sys/__assert.h>
#include <zephyr/sys/dlist.h>
#include <zephyr/toolchain.h>

#ifndef CONFIG_MAX_DOMAIN_PARTITIONS
#define CONFIG_MAX_DOMAIN_PARTITIONS 16
#endif
#ifndef CONFIG_MEM_DOMAIN_HAS_THREAD_LIST
#define CONFIG_MEM_DOMAIN_HAS_THREAD_LIST 1
#endif
#if CONFIG_MAX_DOMAIN_PARTITIONS < 0 || CONFIG_MAX_DOMAIN_PARTITIONS > 255
#error "CONFIG_MAX_DOMAIN_PARTITIONS is between 0 and 255"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/*
 * Attributes. K_MEM_PERM_RW and K_MEM_PERM_EXEC are what the kernel may do besides reading; K_MEM_PERM_USER lets user
 * threads do the same, less what the bits below take away.
 */
typedef uint32_t k_mem_partition_attr_t;

#define KMEM_PARTITION_RW 0x8U        /* K_MEM_PERM_RW */
#define KMEM_PARTITION_EXEC 0x10U     /* K_MEM_PERM_EXEC */
#define KMEM_PARTITION_USER 0x20U     /* K_MEM_PERM_USER */
#define KMEM_PARTITION_USER_RO 0x100U /* users may not write, the kernel may */
#define KMEM_PARTITION_NONE 0x200U    /* nobody may do anything */

/* P: privileged, U: user. */
#define K_MEM_PARTITION_P_NA_U_NA KMEM_PARTITION_NONE
#define K_MEM_PARTITION_P_RO_U_NA 0U
#define K_MEM_PARTITION_P_RO_U_RO KMEM_PARTITION_USER
#define K_MEM_PARTITION_P_RW_U_NA KMEM_PARTITION_RW
#define K_MEM_PARTITION_P_RW_U_RO (KMEM_PARTITION_RW | KMEM_PARTITION_USER | KMEM_PARTITION_USER_RO)
#define K_MEM_PARTITION_P_RW_U_RW (KMEM_PARTITION_RW | KMEM_PARTITION_USER)
#define K_MEM_PARTITION_P_RX_U_NA KMEM_PARTITION_EXEC
#define K_MEM_PARTITION_P_RX_U_RX (KMEM_PARTITION_EXEC | KMEM_PARTITION_USER)
#define K_MEM_PARTITION_P_RWX_U_NA (KMEM_PARTITION_RW | KMEM_PARTITION_EXEC)
#define K_MEM_PARTITION_P_RWX_U_RX (K_MEM_PARTITION_P_RWX_U_RWX | KMEM_PARTITION_USER_RO)
#define K_MEM_PARTITION_P_RWX_U_RWX (KMEM_PARTITION_RW | KMEM_PARTITION_EXEC | KMEM_PARTITION_USER)

/* Whether anybody may write, or execute. */
#define K_MEM_PARTITION_IS_WRITABLE(attr) (((attr)&KMEM_PARTITION_RW) != 0U)
#define K_MEM_PARTITION_IS_EXECUTABLE(attr) (((attr)&KMEM_PARTITION_EXEC) != 0U)

struct k_mem_partition {
	uintptr_t start; /* page-aligned */
	size_t size;     /* bytes, whole pages */
	k_mem_partition_attr_t attr;
};

/* Of an architecture's own data libkmem has none. */
struct arch_mem_domain {
	void *kmem_nothing;
};

struct k_mem_domain {
#ifdef CONFIG_ARCH_MEM_DOMAIN_DATA
	struct arch_mem_domain arch;
#endif
	/* In no order, with gaps where partitions were removed; one that is never used where there may be none. */
	struct k_mem_partition partitions[CONFIG_MAX_DOMAIN_PARTITIONS + (CONFIG_MAX_DOMAIN_PARTITIONS == 0)];
#ifdef CONFIG_MEM_DOMAIN_HAS_THREAD_LIST
	sys_dlist_t thread_mem_domain_list;
#endif
	uint8_t num_partitions; /* in use */
};

typedef struct k_mem_domain k_mem_domain_t;

/* The domain of threads that were put into no other. */
extern struct k_mem_domain k_mem_domain_default;

/*
 * A domain as the library sees it, which is compiled once, for programs with all values of
 * CONFIG_MAX_DOMAIN_PARTITIONS. Our own.
 */
struct kmem_domain {
	struct k_mem_domain *domain; /* NULL for none */
	struct k_mem_partition *partitions;
	sys_dlist_t *threads;
	uint8_t *num_partitions;
	size_t max;        /* slots */
	size_t page_size;  /* what partitions are multiples of */
	bool exclusive_wx; /* refuse what is writable and executable */
};

/* What the functions below return for a partition that is not whole pages. */
#define KMEM_DOMAIN_UNALIGNED 1

/* The default domain, seen so. */
extern struct kmem_domain kmem_domain_default;

/* The work of the functions further down, with the same results, and KMEM_DOMAIN_UNALIGNED. */
int kmem_domain_init(const struct kmem_domain *domain, size_t num_parts, struct k_mem_partition *const parts[]);
int kmem_domain_deinit(const struct kmem_domain *domain);
int kmem_domain_add_partition(const struct kmem_domain *domain, const struct k_mem_partition *part);
int kmem_domain_remove_partition(const struct kmem_domain *domain, const struct k_mem_partition *part);
int kmem_domain_add_thread(const struct kmem_domain *domain, struct k_thread *thread);
int kmem_domain_inherit(const struct kmem_domain *domain, const struct k_thread *thread);

/**
 * A thread begins, in its creator's domain: for what makes threads. Our own.
 *
 * @param child   its mem_domain_info is filled in; it must be in no domain
 * @param parent  NULL, or one in no domain: the default domain
 */
void kmem_domain_thread_init(struct k_thread *child, const struct k_thread *parent);

/** A thread has ended and leaves its domain, if it is in one. Our own. Context: also the handler of its fatal error. */
void kmem_domain_thread_exit(struct k_thread *thread);

#ifdef CONFIG_USERSPACE

#ifdef CONFIG_EXECUTE_XOR_WRITE
#define KMEM_DOMAIN_EXCLUSIVE_WX true
#else
#define KMEM_DOMAIN_EXCLUSIVE_WX false
#endif

__attribute__((weak)) struct k_mem_domain k_mem_domain_default;

__attribute__((weak)) struct kmem_domain kmem_domain_default = {
	&k_mem_domain_default,
	k_mem_domain_default.partitions,
	&k_mem_domain_default.thread_mem_domain_list,
	&k_mem_domain_default.num_partitions,
	CONFIG_MAX_DOMAIN_PARTITIONS,
	CONFIG_MMU_PAGE_SIZE,
	KMEM_DOMAIN_EXCLUSIVE_WX,
};

static inline struct kmem_domain kmem_domain_of(struct k_mem_domain *domain)
{
	struct kmem_domain view = {domain,
				   NULL,
				   NULL,
				   NULL,
				   CONFIG_MAX_DOMAIN_PARTITIONS,
				   CONFIG_MMU_PAGE_SIZE,
				   KMEM_DOMAIN_EXCLUSIVE_WX};

	if (domain != NULL) {
		view.partitions = domain->partitions;
		view.threads = &domain->thread_mem_domain_list;
		view.num_partitions = &domain->num_partitions;
	}
	return view;
}

/* What the program sees of a result. */
static inline int kmem_domain_result(int ret)
{
	__ASSERT(ret != KMEM_DOMAIN_UNALIGNED, "a partition is not whole pages of %d bytes", (int)CONFIG_MMU_PAGE_SIZE);
#ifdef CONFIG_ASSERT_ON_ERRORS
	__ASSERT(ret != -EINVAL && ret != -ENOSPC && ret != -ENOENT, "a memory domain refuses a request (%d)", ret);
#endif
	return ret == KMEM_DOMAIN_UNALIGNED ? -EINVAL : ret;
}

#define _ARCH_MEM_PARTITION_ALIGN_CHECK(start, size)                                                                   \
	BUILD_ASSERT((size) % CONFIG_MMU_PAGE_SIZE == 0, "the size of a partition is not whole pages")

/* Define a partition: struct k_mem_partition name. The size is a constant. */
#define K_MEM_PARTITION_DEFINE(name, start, size, attr)                                                                \
	_ARCH_MEM_PARTITION_ALIGN_CHECK(start, size);                                                                  \
	struct k_mem_partition name = {(uintptr_t)(start), (size), (attr)}

/** Partitions that a domain may have. */
static inline int arch_mem_domain_max_partitions_get(void)
{
	return CONFIG_MAX_DOMAIN_PARTITIONS;
}

/**
 * Make a domain of @p num_parts partitions and no thread. Once for each domain.
 *
 * @return 0; -EINVAL for a NULL domain, NULL parts with num_parts > 0, num_parts > CONFIG_MAX_DOMAIN_PARTITIONS, or a
 *         partition that k_mem_domain_add_partition() refuses: those before it stay in the domain
 */
static inline int k_mem_domain_init(struct k_mem_domain *domain, uint8_t num_parts, struct k_mem_partition *parts[])
{
	struct kmem_domain view = kmem_domain_of(domain);

	return kmem_domain_result(kmem_domain_init(&view, num_parts, parts));
}

/**
 * End a domain: no partitions any more.
 *
 * @return 0; -EINVAL for NULL; -EBUSY while threads are in it, and always for the default one; -ENOMEM as
 *         k_mem_domain_remove_partition()
 */
static inline int k_mem_domain_deinit(struct k_mem_domain *domain)
{
	struct kmem_domain view = kmem_domain_of(domain);

	return kmem_domain_result(kmem_domain_deinit(&view));
}

/**
 * Add a copy of a partition.
 *
 * @return 0; -EINVAL for NULL, size 0, a range that wraps or overlaps a partition of the domain, permission to write
 *         and execute under CONFIG_EXECUTE_XOR_WRITE; -ENOSPC without a free slot; -ENOMEM where the host refuses the
 *         new permissions. Nothing is changed then.
 */
static inline int k_mem_domain_add_partition(struct k_mem_domain *domain, struct k_mem_partition *part)
{
	struct kmem_domain view = kmem_domain_of(domain);

	return kmem_domain_result(kmem_domain_add_partition(&view, part));
}

/**
 * Remove the partition with the same start and size.
 *
 * @return 0; -EINVAL for NULL; -ENOENT if the domain has none; -ENOMEM where it is removed, and the host refuses to
 *         give pages their old permissions
 */
static inline int k_mem_domain_remove_partition(struct k_mem_domain *domain, struct k_mem_partition *part)
{
	struct kmem_domain view = kmem_domain_of(domain);

	return kmem_domain_result(kmem_domain_remove_partition(&view, part));
}

/**
 * Move a thread into a domain, out of the one that it is in; nothing if that is the same.
 *
 * @return 0; -EINVAL for NULL; -ENOMEM where the host refuses the permissions of the domain: the thread stays where it
 *         is
 */
static inline int k_mem_domain_add_thread(struct k_mem_domain *domain, k_tid_t thread)
{
	struct kmem_domain view = kmem_domain_of(domain);

	return kmem_domain_result(kmem_domain_add_thread(&view, thread));
}

/**
 * Add all partitions of a thread's domain to another domain, or none.
 *
 * @return 0; -EINVAL for NULL, or if one of them overlaps one of the other domain; -ENOSPC without enough free slots;
 *         -ENOMEM as k_mem_domain_add_partition()
 */
static inline int k_mem_domain_inherit_thread_partitions(struct k_mem_domain *domain, k_tid_t thread)
{
	struct kmem_domain view = kmem_domain_of(domain);

	return kmem_domain_result(kmem_domain_inherit(&view, thread));
}

#else /* CONFIG_USERSPACE */

/* A declaration that a semicolon may follow, and no partition. */
#define K_MEM_PARTITION_DEFINE(name, start, size, attr) struct k_mem_partition

int k_mem_domain_init(struct k_mem_domain *domain, uint8_t num_parts, struct k_mem_partition *parts[]);
int k_mem_domain_deinit(struct k_mem_domain *domain);
int k_mem_domain_add_partition(struct k_mem_domain *domain, struct k_mem_partition *part);
int k_mem_domain_remove_partition(struct k_mem_domain *domain, struct k_mem_partition *part);
int k_mem_domain_add_thread(struct k_mem_domain *domain, k_tid_t thread);
int k_mem_domain_inherit_thread_partitions(struct k_mem_domain *domain, k_tid_t thread);

#endif /* CONFIG_USERSPACE */

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_APP_MEMORY_MEM_DOMAIN_H_ */
