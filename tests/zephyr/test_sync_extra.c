/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Semaphores and mutexes of the program's memory, futexes, pipes; and what handlers of system calls use.
 */
#include <errno.h>
#include <string.h>

#include <zephyr/app_memory/app_memdomain.h>
#include <zephyr/internal/syscall_handler.h>
#include <zephyr/kernel.h>
#include <zephyr/linker/linker-defs.h>
#include <zephyr/sys/mutex.h>
#include <zephyr/sys/sem.h>

#include "../harness.h"
#include "kernel_threads.h"

#define ROUNDS 2000

static atomic_t value;

/* Semaphores and mutexes. */

SYS_SEM_DEFINE(sem, 1, 2);
static volatile unsigned long total;

START_TEST(semaphores_count)
{
	struct sys_sem own;

	ck_assert_int_eq(sys_sem_init(NULL, 0, 1), -EINVAL);
	ck_assert_int_eq(sys_sem_init(&own, 0, 0), -EINVAL);
	ck_assert_int_eq(sys_sem_init(&own, 3, 2), -EINVAL);
	ck_assert_int_eq(sys_sem_init(&own, 0, (unsigned int)INT_MAX + 1U), -EINVAL);
	ck_assert_int_eq(sys_sem_init(&own, INT_MAX, INT_MAX), 0);
	ck_assert_uint_eq(sys_sem_count_get(&own), INT_MAX);
	ck_assert_int_eq(sys_sem_give(&sem), 0);
	/* This program has CONFIG_USERSPACE. */
	ck_assert_int_eq(sys_sem_give(&sem), -EAGAIN);
	ck_assert_uint_eq(sys_sem_count_get(&sem), 2);
	ck_assert_int_eq(sys_sem_take(&sem, K_NO_WAIT), 0);
	ck_assert_int_eq(sys_sem_take(&sem, K_FOREVER), 0);
	ck_assert_int_eq(sys_sem_take(&sem, K_NO_WAIT), -ETIMEDOUT);
	TAKES(5, ck_assert_int_eq(sys_sem_take(&sem, SHORT), -ETIMEDOUT));
}
END_TEST

static void add(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	for (int i = 0; i < ROUNDS; i++) {
		SYS_SEM_LOCK(&sem) {
			total++;
			if (i % 2 == 0) {
				SYS_SEM_LOCK_BREAK;
			}
			total++;
		}
	}
}

START_TEST(semaphores_exclude)
{
	start_all(add);
	join_all();
	ck_assert_uint_eq(total, 3UL * THREADS * ROUNDS / 2);
	ck_assert_uint_eq(sys_sem_count_get(&sem), 1);
}
END_TEST

SYS_MUTEX_DEFINE(mutex);

static void try_mutex(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	if (sys_mutex_unlock(&mutex) == -EPERM && sys_mutex_lock(&mutex, K_NO_WAIT) == -EBUSY &&
	    sys_mutex_lock(&mutex, SHORT) == -EAGAIN) {
		atomic_inc(&value);
	}
}

START_TEST(mutexes_know_their_owner)
{
	struct sys_mutex own;

	sys_mutex_init(&own);
	ck_assert_int_eq(sys_mutex_unlock(&own), -EINVAL);
	ck_assert_int_eq(sys_mutex_lock(&mutex, K_FOREVER), 0);
	ck_assert_int_eq(sys_mutex_lock(&mutex, K_NO_WAIT), 0);
	start(0, try_mutex, NULL, 0);
	join_all();
	ck_assert_int_eq(atomic_get(&value), 1);
	ck_assert_int_eq(sys_mutex_unlock(&mutex), 0);
	ck_assert_int_eq(sys_mutex_unlock(&mutex), 0);
	ck_assert_int_eq(sys_mutex_unlock(&mutex), -EINVAL);
}
END_TEST

/* Futexes. */

static struct k_futex futexes[2];

static void wait_on_first(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	if (k_futex_wait(&futexes[0], 7, K_FOREVER) == 0) {
		atomic_inc(&value);
	}
}

START_TEST(futexes_wait_while_they_have_the_value)
{
	atomic_set(&futexes[0].val, 7);
	ck_assert_int_eq(k_futex_wait(&futexes[0], 6, K_FOREVER), -EAGAIN);
	ck_assert_int_eq(k_futex_wait(&futexes[0], 7, K_NO_WAIT), -ETIMEDOUT);
	TAKES(5, ck_assert_int_eq(k_futex_wait(&futexes[0], 7, SHORT), -ETIMEDOUT));
	ck_assert_int_eq(k_futex_wake(&futexes[0], true), 0);
}
END_TEST

START_TEST(futexes_wake_one_and_all)
{
	atomic_set(&futexes[0].val, 7);
	for (int i = THREADS - 1; i >= 0; i--) {
		start(i, wait_on_first, NULL, i);
		until_pending(i);
	}
	ck_assert_int_eq(k_futex_wake(&futexes[1], true), 0);
	ck_assert_int_eq(k_futex_wake(&futexes[0], false), 1);
	/* Of the highest priority, though it came last. */
	ck_assert_int_eq(k_thread_join(&threads[0], K_FOREVER), 0);
	ck_assert_int_eq(atomic_get(&value), 1);
	k_thread_abort(&threads[1]);
	ck_assert_int_eq(k_futex_wake(&futexes[0], true), THREADS - 2);
	join_all();
	ck_assert_int_eq(atomic_get(&value), THREADS - 1);
}
END_TEST

/* Pipes. */

#define RING 8

K_PIPE_DEFINE(ring_pipe, RING, 4);
K_PIPE_DEFINE(bare_pipe, 0, 1);
static uint8_t bytes[64];
static uint8_t received[64];

static void bytes_count_up(void)
{
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)i;
	}
}

START_TEST(pipes_are_rings_of_bytes)
{
	uint8_t next = 0;
	uint8_t expected = 0;

	/* 5 is prime to 8: the ring begins and wraps everywhere. */
	for (int i = 0; i < 100; i++) {
		for (size_t k = 0; k < 5; k++) {
			bytes[k] = next++;
		}
		ck_assert_int_eq(k_pipe_write(&ring_pipe, bytes, 5, K_NO_WAIT), 5);
		ck_assert_int_eq(k_pipe_read(&ring_pipe, received, 5, K_FOREVER), 5);
		for (size_t k = 0; k < 5; k++) {
			ck_assert_uint_eq(received[k], expected);
			expected++;
		}
	}
}
END_TEST

START_TEST(pipes_do_what_they_can_in_time)
{
	bytes_count_up();
	ck_assert_int_eq(k_pipe_read(&ring_pipe, received, 1, K_NO_WAIT), -EAGAIN);
	TAKES(5, ck_assert_int_eq(k_pipe_read(&ring_pipe, received, 1, SHORT), -EAGAIN));
	ck_assert_int_eq(k_pipe_read(&ring_pipe, received, 0, K_FOREVER), 0);
	ck_assert_int_eq(k_pipe_write(&ring_pipe, bytes, 0, K_FOREVER), 0);
	ck_assert_int_eq(k_pipe_write(&ring_pipe, bytes, 5, K_NO_WAIT), 5);
	TAKES(5, ck_assert_int_eq(k_pipe_write(&ring_pipe, bytes + 5, 5, SHORT), 3));
	ck_assert_int_eq(k_pipe_write(&ring_pipe, bytes, 1, K_NO_WAIT), -EAGAIN);
	TAKES(5, ck_assert_int_eq(k_pipe_write(&ring_pipe, bytes, 1, SHORT), -EAGAIN));
	TAKES(5, ck_assert_int_eq(k_pipe_read(&ring_pipe, received, 20, SHORT), RING));
	ck_assert_mem_eq(received, bytes, RING);
	ck_assert_int_eq(k_pipe_write(&bare_pipe, bytes, 1, K_NO_WAIT), -EAGAIN);
}
END_TEST

START_TEST(closed_pipes_can_be_emptied)
{
	struct k_pipe own;
	uint8_t buffer[3];

	k_pipe_init(&own, buffer, sizeof(buffer));
	ck_assert_int_eq(k_pipe_write(&own, bytes, 2, K_NO_WAIT), 2);
	k_pipe_close(&own);
	ck_assert_int_eq(k_pipe_write(&own, bytes, 1, K_FOREVER), -EPIPE);
	ck_assert_int_eq(k_pipe_read(&own, received, 3, K_FOREVER), 2);
	ck_assert_int_eq(k_pipe_read(&own, received, 3, K_FOREVER), -EPIPE);
	k_pipe_init(&own, buffer, sizeof(buffer));
	ck_assert_int_eq(k_pipe_write(&own, bytes, 3, K_NO_WAIT), 3);
	k_pipe_reset(&own);
	ck_assert_int_eq(k_pipe_read(&own, received, 3, K_NO_WAIT), -EAGAIN);
}
END_TEST

static struct k_pipe *const pipes[] = {&ring_pipe, &bare_pipe};
static struct k_pipe *tested;

static void write_all(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	atomic_set(&value, k_pipe_write(tested, bytes, sizeof(bytes), K_FOREVER));
}

static void read_all(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	atomic_set(&value, k_pipe_read(tested, received, sizeof(received), K_FOREVER));
}

START_TEST(more_than_the_ring_goes_through)
{
	tested = pipes[_i];
	bytes_count_up();
	start(0, write_all, NULL, 0);
	until_pending(0);
	for (size_t at = 0; at < sizeof(bytes); at += 16) {
		ck_assert_int_eq(k_pipe_read(tested, received + at, 16, K_FOREVER), 16);
	}
	join_all();
	ck_assert_int_eq(atomic_get(&value), sizeof(bytes));
	ck_assert_mem_eq(received, bytes, sizeof(bytes));

	memset(received, 0, sizeof(received));
	start(0, read_all, NULL, 0);
	until_pending(0);
	for (size_t at = 0; at < sizeof(bytes); at += 16) {
		ck_assert_int_eq(k_pipe_write(tested, bytes + at, 16, K_FOREVER), 16);
	}
	join_all();
	ck_assert_int_eq(atomic_get(&value), sizeof(bytes));
	ck_assert_mem_eq(received, bytes, sizeof(bytes));
}
END_TEST

START_TEST(who_waits_at_a_pipe_is_told)
{
	tested = &ring_pipe;
	start(0, read_all, NULL, 0);
	until_pending(0);
	k_pipe_reset(&ring_pipe);
	join_all();
	ck_assert_int_eq(atomic_get(&value), -ECANCELED);
	start(0, write_all, NULL, 0);
	until_pending(0);
	k_pipe_reset(&ring_pipe);
	join_all();
	ck_assert_int_eq(atomic_get(&value), -ECANCELED);
	start(0, read_all, NULL, 0);
	until_pending(0);
	ck_assert_int_eq(k_pipe_write(&ring_pipe, bytes, 3, K_NO_WAIT), 3);
	k_pipe_close(&ring_pipe);
	join_all();
	ck_assert_int_eq(atomic_get(&value), 3);
}
END_TEST

/* Bytes of all writers reach all readers: their sum. */

static atomic_t sum;

static void move_bytes(void *p1, void *self, void *p3)
{
	uint8_t chunk[7];

	ARG_UNUSED(p1);
	ARG_UNUSED(p3);
	for (int i = 0; i < ROUNDS; i++) {
		const size_t len = 1U + (size_t)i % sizeof(chunk);

		if ((intptr_t)self % 2 == 0) {
			memset(chunk, i, sizeof(chunk));
			for (size_t k = 0; k < len; k++) {
				atomic_add(&sum, chunk[k]);
			}
			if (k_pipe_write(tested, chunk, len, K_FOREVER) != (int)len) {
				atomic_inc(&value);
			}
		} else if (k_pipe_read(tested, chunk, len, K_FOREVER) == (int)len) {
			for (size_t k = 0; k < len; k++) {
				atomic_sub(&sum, chunk[k]);
			}
		} else {
			atomic_inc(&value);
		}
	}
}

START_TEST(pipes_serve_many_threads)
{
	tested = pipes[_i];
	start_all(move_bytes);
	join_all();
	ck_assert_int_eq(atomic_get(&value), 0);
	ck_assert_int_eq(atomic_get(&sum), 0);
	ck_assert_int_eq(k_pipe_read(tested, received, 1, K_NO_WAIT), -EAGAIN);
}
END_TEST

/* Handlers of system calls. */

START_TEST(handlers_find_objects_and_copy)
{
	struct k_object *object = k_object_find(&sem);
	char text[8];
	int err = 1;
	char *copy;

	ck_assert_ptr_null(k_object_find(NULL));
	ck_assert_ptr_eq(object->name, &sem);
	ck_assert_int_eq(k_object_validate(object, K_OBJ_SEM, _OBJ_INIT_TRUE), 0);
	ck_assert_int_eq(k_object_validate(NULL, K_OBJ_SEM, _OBJ_INIT_ANY), -EBADF);
	ck_assert(!K_SYSCALL_OBJ(&sem, K_OBJ_SEM));
	ck_assert(K_SYSCALL_OBJ(NULL, K_OBJ_SEM));
	ck_assert(!K_SYSCALL_MEMORY_READ(text, sizeof(text)));
	ck_assert(K_SYSCALL_MEMORY_READ(text, SIZE_MAX));
	ck_assert(!K_SYSCALL_MEMORY_ARRAY_WRITE(text, 2, 4));
	ck_assert(K_SYSCALL_MEMORY_ARRAY_WRITE(text, SIZE_MAX, 2));
	K_OOPS(K_SYSCALL_VERIFY(err == 1));
	ck_assert_int_eq(k_usermode_string_copy(text, "seven67", sizeof(text)), 0);
	ck_assert_str_eq(text, "seven67");
	ck_assert_int_eq(k_usermode_string_copy(text, "eight678", sizeof(text)), -EINVAL);
	ck_assert_uint_eq(k_usermode_string_nlen(text, 3, &err), 3);
	ck_assert_int_eq(err, 0);
	copy = k_usermode_string_alloc_copy(text, sizeof(text));
	ck_assert_str_eq(copy, text);
	k_free(copy);
	ck_assert_ptr_null(k_usermode_string_alloc_copy(text, 7));
}
END_TEST

K_APPMEM_PARTITION_DEFINE(partition);
K_APP_DMEM(partition) static int shared = 1;

START_TEST(partitions_lie_in_shared_memory)
{
	ck_assert_uint_ge((uintptr_t)&shared, (uintptr_t)_app_smem_start);
	ck_assert_uint_lt((uintptr_t)&shared, (uintptr_t)_app_smem_end);
	ck_assert_uint_le(partition.start + partition.size, (uintptr_t)_app_smem_end);
	ck_assert_uint_gt((uintptr_t)_app_smem_size, 0);
}
END_TEST

START_TEST(the_version_is_known)
{
	ck_assert_uint_eq(SYS_KERNEL_VER_MAJOR(sys_kernel_version_get()), KERNEL_VERSION_MAJOR);
	ck_assert_uint_eq(SYS_KERNEL_VER_MINOR(sys_kernel_version_get()), KERNEL_VERSION_MINOR);
	ck_assert_uint_eq(SYS_KERNEL_VER_PATCHLEVEL(sys_kernel_version_get()), KERNEL_PATCHLEVEL);
	ck_assert_int_eq(ZEPHYR_VERSION_CODE, ZEPHYR_VERSION(4, 1, 0));
}
END_TEST

/* As it was, also where Check does not fork. */
static void restore(void)
{
	atomic_set(&value, 0);
	atomic_set(&sum, 0);
	total = 0;
	ck_assert_int_eq(sys_sem_init(&sem, 1, 2), 0);
	k_pipe_init(&ring_pipe, ring_pipe.kmem_buffer, RING);
}

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("kernel objects, the rest");
	TCase *objects = tcase_create("objects");

	tcase_set_timeout(objects, 60);
	tcase_add_checked_fixture(objects, NULL, restore);
	tcase_add_test(objects, semaphores_count);
	tcase_add_test(objects, semaphores_exclude);
	tcase_add_test(objects, mutexes_know_their_owner);
	tcase_add_test(objects, futexes_wait_while_they_have_the_value);
	tcase_add_test(objects, futexes_wake_one_and_all);
	tcase_add_test(objects, pipes_are_rings_of_bytes);
	tcase_add_test(objects, pipes_do_what_they_can_in_time);
	tcase_add_test(objects, closed_pipes_can_be_emptied);
	tcase_add_loop_test(objects, more_than_the_ring_goes_through, 0, (int)ARRAY_SIZE(pipes));
	tcase_add_test(objects, who_waits_at_a_pipe_is_told);
	tcase_add_loop_test(objects, pipes_serve_many_threads, 0, (int)ARRAY_SIZE(pipes));
	tcase_add_test(objects, handlers_find_objects_and_copy);
	tcase_add_test(objects, partitions_lie_in_shared_memory);
	tcase_add_test(objects, the_version_is_known);
	suite_add_tcase(suite, objects);
	return suite;
}
