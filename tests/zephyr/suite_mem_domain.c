/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory domains, as a Zephyr developer tests them: what each function accepts and refuses, which domain a thread is
 * in, and that a partition over mapped memory takes the kernel's permission away as well.
 */
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>
#include <zephyr/app_memory/app_memdomain.h>
#include <zephyr/app_memory/mem_domain.h>
#include <zephyr/app_memory/partitions.h>
#include <zephyr/kernel/mm.h>

#ifndef CONFIG_USERSPACE
#error "build it with CONFIG_USERSPACE"
#endif

#define PAGE CONFIG_MMU_PAGE_SIZE
#define PARTS CONFIG_MAX_DOMAIN_PARTITIONS

K_APPMEM_PARTITION_DEFINE(app_part);
K_APP_DMEM(app_part) static volatile int initialised = 0x1234;
K_APP_BMEM(app_part) static volatile uint8_t zeroed[100];
static K_APP_DMEM(app_part) volatile int on_the_other_side = 7;

ZTEST_BMEM static volatile uint32_t in_test_partition;
static ZTEST_DMEM volatile uint32_t in_test_partition_too = 5;

static uint8_t __aligned(PAGE) bufs[PARTS + 1][PAGE];
K_MEM_PARTITION_DEFINE(part0, bufs[0], sizeof(bufs[0]), K_MEM_PARTITION_P_RW_U_RW);
K_MEM_PARTITION_DEFINE(part1, bufs[1], sizeof(bufs[1]), K_MEM_PARTITION_P_RW_U_RW);
K_MEM_PARTITION_DEFINE(part01, bufs[0], 2 * PAGE, K_MEM_PARTITION_P_RW_U_RW);
K_MEM_PARTITION_DEFINE(part_ro, bufs[2], sizeof(bufs[2]), K_MEM_PARTITION_P_RO_U_RO);

static struct k_mem_domain domain;
static struct k_mem_domain other;

static volatile bool expect_thread_fault;
static volatile unsigned int thread_faults;

void k_sys_fatal_error_handler(unsigned int reason, const struct arch_esf *esf)
{
	ARG_UNUSED(esf);
	if (!expect_thread_fault || reason != K_ERR_CPU_EXCEPTION) {
		printk("unexpected fatal error %u\n", reason);
		k_fatal_halt(reason);
	}
	expect_thread_fault = false;
	thread_faults++;
}

/* ---- what is refused ---- */

ZTEST(mem_domain, test_init)
{
	struct k_mem_partition *parts[] = {&part0, &part1, &part_ro};

	zassert_ok(k_mem_domain_init(&domain, ARRAY_SIZE(parts), parts));
	zassert_equal(domain.num_partitions, 3);
	zassert_equal(domain.partitions[0].start, (uintptr_t)bufs[0]);
	zassert_equal(domain.partitions[1].size, PAGE);
	zassert_ok(k_mem_domain_deinit(&domain));

	zassert_ok(k_mem_domain_init(&domain, 0, NULL));
	zassert_equal(domain.num_partitions, 0);
	zassert_ok(k_mem_domain_deinit(&domain));
}

ZTEST(mem_domain, test_init_refuses)
{
	struct k_mem_partition *overlapping[] = {&part0, &part01};
	struct k_mem_partition nothing = {(uintptr_t)bufs[0], 0, K_MEM_PARTITION_P_RW_U_RW};
	struct k_mem_partition *empty[] = {&nothing};
	struct k_mem_partition *missing[] = {NULL};
	struct k_mem_partition *many[PARTS + 1];
	static struct k_mem_partition spread[PARTS + 1];

	for (int i = 0; i <= PARTS; i++) {
		spread[i] = (struct k_mem_partition){(uintptr_t)bufs[i], PAGE, K_MEM_PARTITION_P_RW_U_RW};
		many[i] = &spread[i];
	}
	zassert_equal(k_mem_domain_init(NULL, 0, NULL), -EINVAL);
	zassert_equal(k_mem_domain_init(NULL, 1, overlapping), -EINVAL);
	zassert_equal(k_mem_domain_init(&domain, 1, NULL), -EINVAL);
	zassert_equal(k_mem_domain_init(&domain, 1, missing), -EINVAL);
	zassert_equal(k_mem_domain_init(&domain, PARTS + 1, many), -EINVAL);
	zassert_equal(k_mem_domain_init(&domain, 1, empty), -EINVAL);
	zassert_equal(k_mem_domain_init(&domain, 2, overlapping), -EINVAL);
	zassert_equal(domain.num_partitions, 1, "the one that was accepted stays");

	zassert_ok(k_mem_domain_init(&domain, PARTS, many));
	zassert_equal(k_mem_domain_add_partition(&domain, &spread[PARTS]), -ENOSPC);
	zassert_ok(k_mem_domain_remove_partition(&domain, &spread[3]));
	zassert_ok(k_mem_domain_add_partition(&domain, &spread[PARTS]), "a slot was free");
	zassert_equal(k_mem_domain_add_partition(&domain, &spread[3]), -ENOSPC);
	zassert_ok(k_mem_domain_deinit(&domain));
}

ZTEST(mem_domain, test_add_refuses)
{
	struct k_mem_partition wraps = {(uintptr_t)0 - PAGE, 2 * PAGE, K_MEM_PARTITION_P_RW_U_RW};
	struct k_mem_partition empty = {(uintptr_t)bufs[3], 0, K_MEM_PARTITION_P_RW_U_RW};
#ifdef CONFIG_EXECUTE_XOR_WRITE
	struct k_mem_partition wx = {(uintptr_t)bufs[3], PAGE, K_MEM_PARTITION_P_RWX_U_RWX};
#endif

	zassert_ok(k_mem_domain_init(&domain, 0, NULL));
	zassert_equal(k_mem_domain_add_partition(NULL, &part0), -EINVAL);
	zassert_equal(k_mem_domain_add_partition(&domain, NULL), -EINVAL);
	zassert_equal(k_mem_domain_add_partition(&domain, &empty), -EINVAL);
	zassert_equal(k_mem_domain_add_partition(&domain, &wraps), -EINVAL);
#ifdef CONFIG_EXECUTE_XOR_WRITE
	zassert_equal(k_mem_domain_add_partition(&domain, &wx), -EINVAL);
#endif
	zassert_equal(domain.num_partitions, 0);

	zassert_ok(k_mem_domain_add_partition(&domain, &part0));
	zassert_equal(k_mem_domain_add_partition(&domain, &part0), -EINVAL, "itself overlaps");
	zassert_equal(k_mem_domain_add_partition(&domain, &part01), -EINVAL, "overlaps");
	zassert_ok(k_mem_domain_add_partition(&domain, &part1));
	zassert_equal(domain.num_partitions, 2);

	/* Behind a gap as well, which Zephyr's own check misses. */
	zassert_ok(k_mem_domain_remove_partition(&domain, &part0));
	zassert_equal(k_mem_domain_add_partition(&domain, &part01), -EINVAL, "overlaps the one in the second slot");
	zassert_ok(k_mem_domain_deinit(&domain));
}

ZTEST(mem_domain, test_remove)
{
	struct k_mem_partition same_place = part0;
	struct k_mem_partition larger = part0;

	zassert_ok(k_mem_domain_init(&domain, 0, NULL));
	zassert_ok(k_mem_domain_add_partition(&domain, &part0));
	zassert_equal(k_mem_domain_remove_partition(NULL, &part0), -EINVAL);
	zassert_equal(k_mem_domain_remove_partition(&domain, NULL), -EINVAL);
	zassert_equal(k_mem_domain_remove_partition(&domain, &part1), -ENOENT);
	larger.size = 2 * PAGE;
	zassert_equal(k_mem_domain_remove_partition(&domain, &larger), -ENOENT);

	/* Start and size are what counts, permissions are not looked at. */
	same_place.attr = K_MEM_PARTITION_P_RO_U_RO;
	zassert_ok(k_mem_domain_remove_partition(&domain, &same_place));
	zassert_equal(k_mem_domain_remove_partition(&domain, &part0), -ENOENT);
	zassert_equal(domain.num_partitions, 0);
	zassert_ok(k_mem_domain_deinit(&domain));
}

/* The domain has a copy. */
ZTEST(mem_domain, test_partitions_are_copied)
{
	struct k_mem_partition part = part0;

	zassert_ok(k_mem_domain_init(&domain, 0, NULL));
	zassert_ok(k_mem_domain_add_partition(&domain, &part));
	part.start = (uintptr_t)bufs[1];
	zassert_equal(k_mem_domain_remove_partition(&domain, &part), -ENOENT);
	zassert_ok(k_mem_domain_remove_partition(&domain, &part0));
	zassert_ok(k_mem_domain_deinit(&domain));
}

/* ---- threads ---- */

K_THREAD_STACK_DEFINE(child_stack, 1024);
static struct k_thread child;
K_SEM_DEFINE(may_end, 0, 1);

static void wait_for_end(void *unused1, void *unused2, void *unused3)
{
	ARG_UNUSED(unused1);
	ARG_UNUSED(unused2);
	ARG_UNUSED(unused3);
	(void)k_sem_take(&may_end, K_FOREVER);
}

static void start_child(k_thread_entry_t entry, void *arg)
{
	k_thread_create(&child, child_stack, K_THREAD_STACK_SIZEOF(child_stack), entry, arg, NULL, NULL,
			K_PRIO_PREEMPT(1), 0, K_NO_WAIT);
}

ZTEST(mem_domain, test_thread_moves)
{
	struct k_mem_domain *own = k_current_get()->mem_domain_info.mem_domain;

	zassert_not_null(own, "every thread is in a domain");
	zassert_ok(k_mem_domain_init(&domain, 0, NULL));
	zassert_ok(k_mem_domain_init(&other, 0, NULL));
	zassert_equal(k_mem_domain_add_thread(NULL, k_current_get()), -EINVAL);
	zassert_equal(k_mem_domain_add_thread(&domain, NULL), -EINVAL);

	start_child(wait_for_end, NULL);
	zassert_equal(child.mem_domain_info.mem_domain, own, "the creator's domain");
	zassert_ok(k_mem_domain_add_thread(&domain, &child));
	zassert_equal(child.mem_domain_info.mem_domain, &domain);
	zassert_equal(k_mem_domain_deinit(&domain), -EBUSY);
	zassert_ok(k_mem_domain_add_thread(&domain, &child), "the same one again");
	zassert_ok(k_mem_domain_add_thread(&other, &child));
	zassert_equal(child.mem_domain_info.mem_domain, &other);
	zassert_ok(k_mem_domain_deinit(&domain));
	zassert_equal(k_mem_domain_deinit(&other), -EBUSY);
	zassert_equal(k_mem_domain_deinit(NULL), -EINVAL);

	k_sem_give(&may_end);
	zassert_ok(k_thread_join(&child, K_SECONDS(10)));
	zassert_ok(k_mem_domain_deinit(&other), "a thread that ended has left");
}

static void note_domain(void *seen, void *unused2, void *unused3)
{
	ARG_UNUSED(unused2);
	ARG_UNUSED(unused3);
	*(struct k_mem_domain **)seen = k_current_get()->mem_domain_info.mem_domain;
}

ZTEST(mem_domain, test_children_inherit)
{
	struct k_mem_domain *own = k_current_get()->mem_domain_info.mem_domain;
	struct k_mem_domain *seen = NULL;

	zassert_ok(k_mem_domain_init(&domain, 0, NULL));
	zassert_ok(k_mem_domain_add_thread(&domain, k_current_get()));
	start_child(note_domain, &seen);
	zassert_ok(k_thread_join(&child, K_SECONDS(10)));
	zassert_equal(seen, &domain);
	zassert_ok(k_mem_domain_add_thread(own, k_current_get()));
	zassert_ok(k_mem_domain_deinit(&domain));
}

ZTEST(mem_domain, test_inherit_partitions)
{
	struct k_mem_partition *parts[] = {&part0, &part1};

	zassert_ok(k_mem_domain_init(&domain, ARRAY_SIZE(parts), parts));
	zassert_ok(k_mem_domain_init(&other, 0, NULL));
	start_child(wait_for_end, NULL);
	zassert_ok(k_mem_domain_add_thread(&domain, &child));

	zassert_equal(k_mem_domain_inherit_thread_partitions(NULL, &child), -EINVAL);
	zassert_equal(k_mem_domain_inherit_thread_partitions(&other, NULL), -EINVAL);
	zassert_ok(k_mem_domain_inherit_thread_partitions(&other, &child));
	zassert_equal(other.num_partitions, 2);
	zassert_ok(k_mem_domain_remove_partition(&other, &part0));

	/* All or nothing: one of them is there already. */
	zassert_equal(k_mem_domain_inherit_thread_partitions(&other, &child), -EINVAL);
	zassert_equal(other.num_partitions, 1);

	k_sem_give(&may_end);
	zassert_ok(k_thread_join(&child, K_SECONDS(10)));
	zassert_ok(k_mem_domain_deinit(&other));
	zassert_ok(k_mem_domain_deinit(&domain));
}

ZTEST(mem_domain, test_default_domain)
{
	zassert_equal(k_current_get()->mem_domain_info.mem_domain, &k_mem_domain_default);
	zassert_equal(k_mem_domain_deinit(&k_mem_domain_default), -EBUSY);
	zassert_ok(k_mem_domain_add_partition(&k_mem_domain_default, &part0));
	zassert_ok(k_mem_domain_remove_partition(&k_mem_domain_default, &part0));
}

/* ---- memory ---- */

static void write_byte(void *address, void *unused2, void *unused3)
{
	ARG_UNUSED(unused2);
	ARG_UNUSED(unused3);
	*(volatile uint8_t *)address = 1;
	expect_thread_fault = false;
}

static bool write_faults(uint8_t *address)
{
	unsigned int before = thread_faults;

	expect_thread_fault = true;
	start_child(write_byte, address);
	zassert_ok(k_thread_join(&child, K_SECONDS(10)));
	return thread_faults != before;
}

ZTEST(mem_domain, test_partition_over_mapped_memory)
{
	uint8_t *mapped = k_mem_map(2 * PAGE, K_MEM_PERM_RW);
	struct k_mem_partition ro = {(uintptr_t)mapped, PAGE, K_MEM_PARTITION_P_RO_U_RO};

	zassert_not_null(mapped);
	(void)memset(mapped, 0x77, 2 * PAGE);
	zassert_ok(k_mem_domain_init(&domain, 0, NULL));
	start_child(wait_for_end, NULL);
	zassert_ok(k_mem_domain_add_thread(&domain, &child));
	zassert_ok(k_mem_domain_add_partition(&domain, &ro));
	zassert_equal(mapped[0], 0x77, "it can be read");
	k_sem_give(&may_end);
	zassert_ok(k_thread_join(&child, K_SECONDS(10)));
	mapped[0] = 1; /* nobody is in the domain any more */

	/* In the default domain, in which everybody is. */
	zassert_ok(k_mem_domain_add_partition(&k_mem_domain_default, &ro));
	zassert_true(write_faults(mapped), "a read-only partition");
	zassert_false(write_faults(mapped + PAGE), "not the next page");
	zassert_ok(k_mem_domain_remove_partition(&k_mem_domain_default, &ro));
	zassert_false(write_faults(mapped), "the partition is gone");
	zassert_ok(k_mem_domain_deinit(&domain));
	k_mem_unmap(mapped, 2 * PAGE);
}

ZTEST(mem_domain, test_attributes)
{
	zassert_true(K_MEM_PARTITION_IS_WRITABLE(K_MEM_PARTITION_P_RW_U_RW));
	zassert_true(K_MEM_PARTITION_IS_WRITABLE(K_MEM_PARTITION_P_RWX_U_RWX));
	zassert_true(K_MEM_PARTITION_IS_WRITABLE(K_MEM_PARTITION_P_RW_U_NA));
	zassert_false(K_MEM_PARTITION_IS_WRITABLE(K_MEM_PARTITION_P_RO_U_RO));
	zassert_false(K_MEM_PARTITION_IS_WRITABLE(K_MEM_PARTITION_P_RX_U_RX));
	zassert_true(K_MEM_PARTITION_IS_EXECUTABLE(K_MEM_PARTITION_P_RX_U_RX));
	zassert_true(K_MEM_PARTITION_IS_EXECUTABLE(K_MEM_PARTITION_P_RWX_U_NA));
	zassert_false(K_MEM_PARTITION_IS_EXECUTABLE(K_MEM_PARTITION_P_RO_U_NA));
	zassert_false(K_MEM_PARTITION_IS_EXECUTABLE(K_MEM_PARTITION_P_RW_U_RW));
}

/* Variables that were put into a partition, and nothing else in its pages. */
ZTEST_USER(mem_domain, test_app_partition)
{
	uintptr_t end = app_part.start + app_part.size;

	zassert_equal(app_part.start % PAGE, 0);
	zassert_not_equal(app_part.size, 0);
	zassert_equal(app_part.size % PAGE, 0);
	zassert_true((uintptr_t)&initialised >= app_part.start && (uintptr_t)&initialised < end);
	zassert_true((uintptr_t)zeroed >= app_part.start && (uintptr_t)zeroed + sizeof(zeroed) <= end);
	zassert_true((uintptr_t)&on_the_other_side >= app_part.start && (uintptr_t)&on_the_other_side < end);
	zassert_equal(initialised, 0x1234);
	zassert_equal(on_the_other_side, 7);
	for (size_t i = 0; i < sizeof(zeroed); i++) {
		zassert_equal(zeroed[i], 0);
	}
	in_test_partition = in_test_partition_too;
	zassert_equal(in_test_partition, 5);
	zassert_true((uintptr_t)&in_test_partition >= ztest_mem_partition.start &&
		     (uintptr_t)&in_test_partition < ztest_mem_partition.start + ztest_mem_partition.size);
}

ZTEST(mem_domain, test_app_partition_in_domain)
{
	struct k_mem_partition *parts[] = {&app_part, &ztest_mem_partition};

	zassert_ok(k_mem_domain_init(&domain, ARRAY_SIZE(parts), parts));
	initialised = 0x4321;
	zassert_equal(initialised, 0x4321);
	initialised = 0x1234;
	zassert_ok(k_mem_domain_deinit(&domain));
}

ZTEST_SUITE(mem_domain, NULL, NULL, NULL, NULL, NULL);
