/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of the little kernel: semaphores, mutexes, condition variables, events, queues, slabs, heaps, locks, work.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <zephyr/kernel.h>

#include "../harness.h"
#include "kernel_threads.h"

#define ROUNDS 20000

static atomic_t value;

K_SEM_DEFINE(sem, 1, 2);

START_TEST(semaphores_count)
{
	struct k_sem own;

	ck_assert_int_eq(k_sem_init(&own, 0, 0), -EINVAL);
	ck_assert_int_eq(k_sem_init(&own, 3, 2), -EINVAL);
	ck_assert_int_eq(k_sem_init(&own, 0, K_SEM_MAX_LIMIT), 0);
	ck_assert_uint_eq(k_sem_count_get(&sem), 1);
	k_sem_give(&sem);
	k_sem_give(&sem);
	ck_assert_uint_eq(k_sem_count_get(&sem), 2);
	ck_assert_int_eq(k_sem_take(&sem, K_NO_WAIT), 0);
	ck_assert_int_eq(k_sem_take(&sem, K_FOREVER), 0);
	ck_assert_int_eq(k_sem_take(&sem, K_NO_WAIT), -EBUSY);
	TAKES(5, ck_assert_int_eq(k_sem_take(&sem, SHORT), -EAGAIN));
	ck_assert_int_eq(k_sem_take(&sem, K_TIMEOUT_ABS_MS(1)), -EAGAIN);
	k_sem_give(&sem);
	k_sem_reset(&sem);
	ck_assert_uint_eq(k_sem_count_get(&sem), 0);
}
END_TEST

static int order[THREADS];

static void take_in_order(void *p1, void *self, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p3);
	atomic_set(&value, k_sem_take(&sem, K_FOREVER));
	order[atomic_get(&value) == 0 ? (int)(intptr_t)self : 0]++;
}

START_TEST(the_best_thread_is_served_first)
{
	ck_assert_int_eq(k_sem_take(&sem, K_NO_WAIT), 0);
	for (int i = THREADS - 1; i >= 0; i--) {
		start(i, take_in_order, NULL, i < 2 ? 3 : 1);
		until_pending(i);
	}
	/* Of priority 1, the first that came, then the other; then a priority that has changed. */
	static const int expected[] = {3, 2, 0, 1};

	k_thread_priority_set(&threads[0], 2);
	for (int i = 0; i < THREADS; i++) {
		k_sem_give(&sem);
		ck_assert_int_eq(k_thread_join(&threads[expected[i]], K_FOREVER), 0);
		ck_assert_int_eq(order[expected[i]], 1);
	}
	ck_assert_uint_eq(k_sem_count_get(&sem), 0);
}
END_TEST

static void take_reset(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	if (k_sem_take(&sem, K_FOREVER) == -EAGAIN) {
		atomic_inc(&value);
	}
}

START_TEST(a_reset_sends_all_away)
{
	ck_assert_int_eq(k_sem_take(&sem, K_NO_WAIT), 0);
	start_all(take_reset);
	for (int i = 0; i < THREADS; i++) {
		until_pending(i);
	}
	k_sem_reset(&sem);
	join_all();
	ck_assert_int_eq(atomic_get(&value), THREADS);
}
END_TEST

/* Mutual exclusion: a sum that only holds if nobody else adds meanwhile. */

K_MUTEX_DEFINE(mutex);
static struct k_spinlock spinlock;
static volatile unsigned long total;

static void add(void)
{
	unsigned long before = total;

	if (before % 1000 == 0) {
		sched_yield();
	}
	total = before + 1;
}

static void with_mutex(void)
{
	k_mutex_lock(&mutex, K_FOREVER);
	k_mutex_lock(&mutex, K_FOREVER);
	add();
	k_mutex_unlock(&mutex);
	k_mutex_unlock(&mutex);
}

static void with_spinlock(void)
{
	k_spinlock_key_t key = k_spin_lock(&spinlock);

	add();
	k_spin_unlock(&spinlock, key);
}

static void with_spinlock_block(void)
{
	K_SPINLOCK(&spinlock)
	{
		add();
		if (total % 2 == 0) {
			K_SPINLOCK_BREAK;
		}
	}
}

static void with_irq_lock(void)
{
	int outer = (int)irq_lock();
	unsigned int inner = irq_lock();

	irq_unlock(inner);
	add();
	irq_unlock((unsigned int)outer);
}

static void with_sched_lock(void)
{
	k_sched_lock();
	k_sched_lock();
	k_sched_unlock();
	add();
	k_sched_unlock();
}

static void with_sem(void)
{
	k_sem_take(&sem, K_FOREVER);
	add();
	k_sem_give(&sem);
}

static void (*const exclusions[])(void) = {
	with_mutex, with_spinlock, with_spinlock_block, with_irq_lock, with_sched_lock, with_sem,
};

static void add_often(void *exclusion, void *p2, void *p3)
{
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	for (int i = 0; i < ROUNDS; i++) {
		(*(void (*const *)(void))exclusion)();
	}
}

START_TEST(locks_exclude)
{
	for (int i = 0; i < THREADS; i++) {
		start(i, add_often, (void *)&exclusions[_i], i);
	}
	join_all();
	ck_assert_uint_eq(total, (unsigned long)THREADS * ROUNDS);
}
END_TEST

static void hold_mutex(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	k_mutex_lock(&mutex, K_FOREVER);
	k_sem_take(&sem, K_FOREVER);
	k_sem_take(&sem, K_FOREVER);
	k_mutex_unlock(&mutex);
}

static k_tid_t owner(void)
{
	unsigned int key = irq_lock();
	k_tid_t thread = mutex.owner;

	irq_unlock(key);
	return thread;
}

START_TEST(mutexes_know_their_owner)
{
	struct k_mutex own;

	ck_assert_int_eq(k_mutex_init(&own), 0);
	ck_assert_int_eq(k_mutex_unlock(&own), -EINVAL);
	start(0, hold_mutex, NULL, 0);
	until_pending(0);
	ck_assert_ptr_eq(owner(), &threads[0]);
	ck_assert_int_eq(k_mutex_unlock(&mutex), -EPERM);
	ck_assert_int_eq(k_mutex_lock(&mutex, K_NO_WAIT), -EBUSY);
	TAKES(5, ck_assert_int_eq(k_mutex_lock(&mutex, SHORT), -EAGAIN));
	k_sem_give(&sem);
	ck_assert_int_eq(k_mutex_lock(&mutex, K_FOREVER), 0);
	ck_assert_ptr_eq(owner(), k_current_get());
	ck_assert_int_eq(k_mutex_unlock(&mutex), 0);
	join_all();
}
END_TEST

START_TEST(interrupts_are_unlocked_while_a_thread_waits)
{
	unsigned int key = irq_lock();
	unsigned int inner = irq_lock();

	ck_assert(arch_irq_unlocked(key));
	ck_assert(!arch_irq_unlocked(inner));
	start(0, hold_mutex, NULL, 0);
	start(1, take_reset, NULL, 0);
	TAKES(5, k_sleep(SHORT));
	ck_assert(kmem_irq_is_locked());
	irq_unlock(inner);
	ck_assert(kmem_irq_is_locked());
	irq_unlock(key);
	ck_assert(!kmem_irq_is_locked());
	k_sem_reset(&sem);
	k_thread_abort(&threads[0]);
	k_thread_abort(&threads[1]);
}
END_TEST

K_CONDVAR_DEFINE(condvar);

static void wait_for_condition(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	k_mutex_lock(&mutex, K_FOREVER);
	while (total == 0) {
		(void)k_condvar_wait(&condvar, &mutex, K_FOREVER);
	}
	total++;
	k_mutex_unlock(&mutex);
}

START_TEST(condition_variables_wake_one_and_all)
{
	k_mutex_lock(&mutex, K_FOREVER);
	TAKES(5, ck_assert_int_eq(k_condvar_wait(&condvar, &mutex, SHORT), -EAGAIN));
	ck_assert_ptr_eq(owner(), k_current_get());
	k_mutex_unlock(&mutex);
	start_all(wait_for_condition);
	for (int i = 0; i < THREADS; i++) {
		until_pending(i);
	}
	k_mutex_lock(&mutex, K_FOREVER);
	total = 1;
	ck_assert_int_eq(k_condvar_signal(&condvar), 0);
	ck_assert_int_eq(k_condvar_broadcast(&condvar), THREADS - 1);
	k_mutex_unlock(&mutex);
	join_all();
	ck_assert_uint_eq(total, 1 + THREADS);
}
END_TEST

K_EVENT_DEFINE(event);

static void wait_for_events(void *wanted, void *p2, void *p3)
{
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	atomic_add(&value, (long)k_event_wait_all(&event, (uint32_t)(uintptr_t)wanted, false, K_FOREVER));
}

START_TEST(events_wake_those_who_want_them)
{
	ck_assert_uint_eq(k_event_wait(&event, 3, false, K_NO_WAIT), 0);
	TAKES(5, ck_assert_uint_eq(k_event_wait(&event, 3, false, SHORT), 0));
	start(0, wait_for_events, (void *)0x3, 0);
	start(1, wait_for_events, (void *)0x30, 0);
	until_pending(0);
	until_pending(1);
	ck_assert_uint_eq(k_event_post(&event, 0x11), 0);
	ck_assert_int_eq(k_thread_join(&threads[0], K_NO_WAIT), -EBUSY);
	ck_assert_uint_eq(k_event_post(&event, 0x2), 0);
	/* What it was woken by counts, also when it is gone. */
	ck_assert_uint_eq(k_event_clear(&event, 0xf), 0x3);
	ck_assert_int_eq(k_thread_join(&threads[0], K_FOREVER), 0);
	ck_assert_int_eq(atomic_get(&value), 0x3);
	ck_assert_uint_eq(k_event_set_masked(&event, 0x20, 0x20), 0);
	ck_assert_int_eq(k_thread_join(&threads[1], K_FOREVER), 0);
	ck_assert_int_eq(atomic_get(&value), 0x33);
	ck_assert_uint_eq(k_event_wait(&event, 0x21, false, K_FOREVER), 0x20);
	ck_assert_uint_eq(k_event_set(&event, 0x4), 0x30);
	ck_assert_uint_eq(k_event_test(&event, 0xff), 0x4);
	ck_assert_uint_eq(k_event_wait(&event, 0x4, true, K_NO_WAIT), 0);
}
END_TEST

/* Slabs. */

#define BLOCKS 8
#define BLOCK_SIZE 20 /* rounded up to 24 */

K_MEM_SLAB_DEFINE(slab, BLOCK_SIZE, BLOCKS, 16);
K_MEM_SLAB_DEFINE_STATIC(static_slab, 64, 2, 64);

START_TEST(slabs_give_each_block_once)
{
	char *blocks[BLOCKS];
	void *more = &more;

	ck_assert_uint_eq(k_mem_slab_num_free_get(&slab), BLOCKS);
	for (size_t i = 0; i < BLOCKS; i++) {
		ck_assert_int_eq(k_mem_slab_alloc(&slab, (void **)&blocks[i], K_NO_WAIT), 0);
		ck_assert_ptr_eq(blocks[i], slab.buffer + i * 24);
		memset(blocks[i], (int)i, BLOCK_SIZE);
	}
	ck_assert_uint_eq((uintptr_t)blocks[0] % 16, 0);
	ck_assert_uint_eq(k_mem_slab_num_used_get(&slab), BLOCKS);
	ck_assert_int_eq(k_mem_slab_alloc(&slab, &more, K_NO_WAIT), -ENOMEM);
	ck_assert_ptr_null(more);
	TAKES(5, ck_assert_int_eq(k_mem_slab_alloc(&slab, &more, SHORT), -EAGAIN));
	k_mem_slab_free(&slab, blocks[3]);
	k_mem_slab_free(&slab, blocks[5]);
	ck_assert_ptr_eq(slab.free_list, blocks[5]);
	ck_assert_ptr_eq(*(void **)(void *)blocks[5], blocks[3]);
	ck_assert_int_eq(k_mem_slab_alloc(&slab, &more, K_NO_WAIT), 0);
	ck_assert_ptr_eq(more, blocks[5]);
	ck_assert_uint_eq(k_mem_slab_num_free_get(&slab), 1);
	ck_assert_uint_eq(k_mem_slab_max_used_get(&slab), BLOCKS);
}
END_TEST

START_TEST(slabs_check_their_memory)
{
	static char __attribute__((aligned(8))) buffer[64];
	struct k_mem_slab own;

	ck_assert_int_eq(k_mem_slab_init(&own, buffer, 12, 4), -EINVAL);
	ck_assert_int_eq(k_mem_slab_init(&own, buffer + 1, 16, 3), -EINVAL);
	ck_assert_int_eq(k_mem_slab_init(&own, buffer, 16, 4), 0);
	ck_assert_uint_eq(k_mem_slab_num_free_get(&own), 4);
	ck_assert_uint_eq(k_mem_slab_num_free_get(&static_slab), 2);
}
END_TEST

static void use_slab(void *p1, void *self, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p3);
	for (int i = 0; i < ROUNDS; i++) {
		intptr_t *block;

		if (k_mem_slab_alloc(&static_slab, (void **)&block, i % 2 == 0 ? K_FOREVER : K_USEC(100)) == 0) {
			*(volatile intptr_t *)block = (intptr_t)self;
			if (*(volatile intptr_t *)block != (intptr_t)self) {
				atomic_inc(&value);
			}
			k_mem_slab_free(&static_slab, block);
		}
	}
}

START_TEST(slabs_serve_many_threads)
{
	start_all(use_slab);
	join_all();
	ck_assert_int_eq(atomic_get(&value), 0);
	ck_assert_uint_eq(k_mem_slab_num_used_get(&static_slab), 0);
}
END_TEST

/* Heaps. */

K_HEAP_DEFINE(heap, 1024);

static bool is_waited_for(const struct k_heap *of)
{
	unsigned int key = irq_lock();
	bool is_waited = of->wait_q.kmem_first != NULL;

	irq_unlock(key);
	return is_waited;
}

static void free_later(void *block, void *p2, void *p3)
{
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	while (!is_waited_for(&heap)) {
		k_yield();
	}
	k_heap_free(&heap, block);
}

START_TEST(heaps_are_bounded)
{
	void *block = k_heap_alloc(&heap, 800, K_NO_WAIT);
	void *other;

	ck_assert_ptr_nonnull(block);
	ck_assert_ptr_null(k_heap_alloc(&heap, 800, K_NO_WAIT));
	TAKES(5, ck_assert_ptr_null(k_heap_alloc(&heap, 800, SHORT)));
	start(0, free_later, block, 0);
	block = k_heap_alloc(&heap, 800, K_FOREVER);
	ck_assert_ptr_nonnull(block);
	join_all();
	k_heap_free(&heap, block);
	k_heap_free(&heap, NULL);
	ck_assert_uint_eq(heap.used, 0);
	block = k_heap_aligned_alloc(&heap, 64, 100, K_NO_WAIT);
	ck_assert_uint_eq((uintptr_t)block % 64, 0);
	memset(block, 7, 100);
	other = k_heap_realloc(&heap, block, 200, K_NO_WAIT);
	ck_assert_int_eq(((char *)other)[99], 7);
	ck_assert_ptr_null(k_heap_calloc(&heap, SIZE_MAX / 2, 4, K_NO_WAIT));
	ck_assert_ptr_null(k_heap_realloc(&heap, other, 0, K_NO_WAIT));
	ck_assert_uint_eq(heap.used, 0);
}
END_TEST

START_TEST(memory_comes_from_the_c_library)
{
	char *block = k_malloc(100);

	ck_assert_ptr_nonnull(block);
	block[99] = 3;
	block = k_realloc(block, 5000);
	ck_assert_int_eq(block[99], 3);
	k_free(block);
	block = k_calloc(10, 10);
	ck_assert_int_eq(block[99], 0);
	k_free(block);
	block = k_aligned_alloc(256, 10);
	ck_assert_uint_eq((uintptr_t)block % 256, 0);
	k_free(block);
	k_free(NULL);
	ck_assert_ptr_null(k_calloc(SIZE_MAX, 2));
	block = k_object_alloc(K_OBJ_SEM);
	ck_assert_int_eq(k_sem_init((struct k_sem *)(void *)block, 0, 1), 0);
	k_object_free(block);
	ck_assert_ptr_null(k_object_alloc(K_OBJ_ANY));
}
END_TEST

/* Queues. */

struct item {
	void *reserved;
	intptr_t number;
};

K_FIFO_DEFINE(fifo);
K_LIFO_DEFINE(lifo);
static struct item items[8];

static intptr_t number_of(const void *data)
{
	return data != NULL ? ((const struct item *)data)->number : -1;
}

START_TEST(queues_keep_their_order)
{
	static int word = 5;

	for (int i = 0; i < 8; i++) {
		items[i].number = i;
	}
	ck_assert_ptr_null(k_fifo_get(&fifo, K_NO_WAIT));
	TAKES(5, ck_assert_ptr_null(k_fifo_get(&fifo, SHORT)));
	for (int i = 0; i < 4; i++) {
		k_fifo_put(&fifo, &items[i]);
		k_lifo_put(&lifo, &items[i + 4]);
	}
	ck_assert_int_eq(number_of(k_fifo_peek_head(&fifo)), 0);
	ck_assert_int_eq(number_of(k_fifo_peek_tail(&fifo)), 3);
	ck_assert(k_queue_remove(&fifo._queue, &items[2]));
	ck_assert(!k_queue_remove(&fifo._queue, &items[2]));
	k_queue_insert(&fifo._queue, &items[0], &items[2]);
	ck_assert(!k_queue_unique_append(&fifo._queue, &items[3]));
	ck_assert_int_eq(k_fifo_alloc_put(&fifo, &word), 0);
	ck_assert_ptr_eq(k_fifo_peek_tail(&fifo), &word);

	static const intptr_t expected[] = {0, 2, 1, 3};

	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(number_of(k_fifo_get(&fifo, K_NO_WAIT)), expected[i]);
		ck_assert_int_eq(number_of(k_lifo_get(&lifo, K_FOREVER)), 7 - i);
	}
	ck_assert_ptr_eq(k_fifo_get(&fifo, K_NO_WAIT), &word);
	ck_assert_int_eq(word, 5);
	ck_assert(k_fifo_is_empty(&fifo));

	sys_slist_t list;

	sys_slist_init(&list);
	ck_assert_int_eq(k_queue_merge_slist(&fifo._queue, &list), -EINVAL);
	sys_slist_append(&list, (sys_snode_t *)(void *)&items[0]);
	sys_slist_append(&list, (sys_snode_t *)(void *)&items[1]);
	ck_assert_int_eq(k_queue_merge_slist(&fifo._queue, &list), 0);
	ck_assert_int_eq(number_of(k_fifo_get(&fifo, K_NO_WAIT)), 0);
	ck_assert_int_eq(number_of(k_fifo_get(&fifo, K_NO_WAIT)), 1);
	ck_assert(k_fifo_is_empty(&fifo));
}
END_TEST

static void get_item(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	atomic_add(&value, number_of(k_fifo_get(&fifo, K_FOREVER)));
}

START_TEST(queues_serve_who_waits)
{
	start_all(get_item);
	for (int i = 0; i < THREADS; i++) {
		until_pending(i);
	}
	k_fifo_cancel_wait(&fifo);
	for (int i = 0; i < THREADS - 1; i++) {
		items[i].number = 10;
		k_fifo_put(&fifo, &items[i]);
	}
	join_all();
	ck_assert_int_eq(atomic_get(&value), 10 * (THREADS - 1) - 1);
}
END_TEST

K_STACK_DEFINE(word_stack, 2);
K_MSGQ_DEFINE(msgq, sizeof(int), 3, 4);

START_TEST(stacks_are_last_in_first_out)
{
	struct k_stack own;
	stack_data_t word;

	ck_assert_int_eq(k_stack_pop(&word_stack, &word, K_NO_WAIT), -EBUSY);
	TAKES(5, ck_assert_int_eq(k_stack_pop(&word_stack, &word, SHORT), -EAGAIN));
	ck_assert_int_eq(k_stack_push(&word_stack, 1), 0);
	ck_assert_int_eq(k_stack_push(&word_stack, 2), 0);
	ck_assert_int_eq(k_stack_push(&word_stack, 3), -ENOMEM);
	ck_assert_int_eq(k_stack_pop(&word_stack, &word, K_NO_WAIT), 0);
	ck_assert_uint_eq(word, 2);
	ck_assert_int_eq(k_stack_pop(&word_stack, &word, K_FOREVER), 0);
	ck_assert_uint_eq(word, 1);
	ck_assert_int_eq(k_stack_alloc_init(&own, 5), 0);
	ck_assert_int_eq(k_stack_push(&own, 1), 0);
	ck_assert_int_eq(k_stack_cleanup(&own), 0);
}
END_TEST

static void get_messages(void *p1, void *p2, void *p3)
{
	int message;

	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	for (int i = 0; i < ROUNDS; i++) {
		if (k_msgq_get(&msgq, &message, K_FOREVER) != 0 || message != i) {
			atomic_inc(&value);
		}
	}
}

START_TEST(messages_arrive_in_order)
{
	struct k_msgq_attrs attrs;
	int message;

	ck_assert_int_eq(k_msgq_get(&msgq, &message, K_NO_WAIT), -ENOMSG);
	TAKES(5, ck_assert_int_eq(k_msgq_get(&msgq, &message, SHORT), -EAGAIN));
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(k_msgq_put(&msgq, &i, K_NO_WAIT), 0);
	}
	ck_assert_int_eq(k_msgq_put(&msgq, &message, K_NO_WAIT), -ENOMSG);
	TAKES(5, ck_assert_int_eq(k_msgq_put(&msgq, &message, SHORT), -EAGAIN));
	ck_assert_int_eq(k_msgq_peek(&msgq, &message), 0);
	ck_assert_int_eq(message, 0);
	ck_assert_int_eq(k_msgq_peek_at(&msgq, &message, 2), 0);
	ck_assert_int_eq(message, 2);
	ck_assert_int_eq(k_msgq_peek_at(&msgq, &message, 3), -ENOMSG);
	k_msgq_get_attrs(&msgq, &attrs);
	ck_assert_uint_eq(attrs.used_msgs, 3);
	k_msgq_purge(&msgq);
	ck_assert_uint_eq(k_msgq_num_free_get(&msgq), 3);
	start(0, get_messages, NULL, 0);
	for (int i = 0; i < ROUNDS; i++) {
		ck_assert_int_eq(k_msgq_put(&msgq, &i, K_FOREVER), 0);
	}
	join_all();
	ck_assert_int_eq(atomic_get(&value), 0);
}
END_TEST

/* Work. */

static void work_count(struct k_work *work)
{
	ARG_UNUSED(work);
	ck_assert_str_eq(k_thread_name_get(NULL), "sysworkq");
	atomic_inc(&value);
}

static void work_slowly(struct k_work *work)
{
	ARG_UNUSED(work);
	atomic_inc(&value);
	k_msleep(5);
	atomic_inc(&value);
}

K_WORK_DEFINE(work, work_count);
K_WORK_DEFINE(slow_work, work_slowly);
K_WORK_DELAYABLE_DEFINE(delayable, work_count);

START_TEST(work_is_done_in_its_thread)
{
	struct k_work_sync sync;

	ck_assert_int_eq(k_work_submit(&slow_work), 1);
	while (atomic_get(&value) == 0) {
		sched_yield();
	}
	ck_assert_int_eq(k_work_submit(&slow_work), 2);
	ck_assert_int_eq(k_work_submit(&slow_work), 0);
	ck_assert_int_eq(k_work_submit(&work), 1);
	ck_assert(k_work_is_pending(&work));
	ck_assert(k_work_flush(&work, &sync));
	ck_assert_int_eq(atomic_get(&value), 5);
	ck_assert(!k_work_flush(&work, &sync));
	ck_assert(!k_work_cancel_sync(&slow_work, &sync));
	ck_assert_int_eq(k_work_submit(&slow_work), 1);
	ck_assert_int_eq(k_work_queue_drain(&k_sys_work_q, true), 0);
	ck_assert_int_eq(atomic_get(&value), 7);
	ck_assert_int_eq(k_work_submit(&work), -EBUSY);
	ck_assert_int_eq(k_work_queue_unplug(&k_sys_work_q), 0);
	ck_assert_int_eq(k_work_queue_unplug(&k_sys_work_q), -EALREADY);
}
END_TEST

START_TEST(work_is_delayed_and_cancelled)
{
	struct k_work_sync sync;

	TAKES(5, {
		ck_assert_int_eq(k_work_schedule(&delayable, SHORT), 1);
		ck_assert_int_eq(k_work_schedule(&delayable, SHORT), 0);
		while (atomic_get(&value) == 0) {
			sched_yield();
		}
	});
	ck_assert_int_eq(k_work_schedule(&delayable, K_SECONDS(1000)), 1);
	ck_assert_int_gt(k_work_delayable_remaining_get(&delayable), 0);
	ck_assert(k_work_delayable_is_pending(&delayable));
	ck_assert_int_eq(k_work_cancel_delayable(&delayable), 0);
	ck_assert_int_eq(k_work_schedule(&delayable, K_SECONDS(1000)), 1);
	ck_assert_int_eq(k_work_reschedule(&delayable, K_NO_WAIT), 1);
	(void)k_work_flush_delayable(&delayable, &sync);
	ck_assert_int_eq(atomic_get(&value), 2);
	ck_assert_int_eq(k_work_schedule(&delayable, K_SECONDS(1000)), 1);
	ck_assert(k_work_flush_delayable(&delayable, &sync));
	ck_assert_int_eq(atomic_get(&value), 3);
	ck_assert(!k_work_cancel_delayable_sync(&delayable, &sync));
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("kernel objects");
	TCase *objects = tcase_create("objects");

	tcase_set_timeout(objects, 60);
	tcase_add_test(objects, semaphores_count);
	tcase_add_test(objects, the_best_thread_is_served_first);
	tcase_add_test(objects, a_reset_sends_all_away);
	tcase_add_loop_test(objects, locks_exclude, 0, (int)ARRAY_SIZE(exclusions));
	tcase_add_test(objects, mutexes_know_their_owner);
	tcase_add_test(objects, interrupts_are_unlocked_while_a_thread_waits);
	tcase_add_test(objects, condition_variables_wake_one_and_all);
	tcase_add_test(objects, events_wake_those_who_want_them);
	tcase_add_test(objects, slabs_give_each_block_once);
	tcase_add_test(objects, slabs_check_their_memory);
	tcase_add_test(objects, slabs_serve_many_threads);
	tcase_add_test(objects, heaps_are_bounded);
	tcase_add_test(objects, memory_comes_from_the_c_library);
	tcase_add_test(objects, queues_keep_their_order);
	tcase_add_test(objects, queues_serve_who_waits);
	tcase_add_test(objects, stacks_are_last_in_first_out);
	tcase_add_test(objects, messages_arrive_in_order);
	tcase_add_test(objects, work_is_done_in_its_thread);
	tcase_add_test(objects, work_is_delayed_and_cancelled);
	suite_add_tcase(suite, objects);
	return suite;
}
