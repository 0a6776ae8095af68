/* SPDX-License-Identifier: Apache-2.0 */
/*
 * K_THREAD_DEFINE(): the threads that the linker has gathered, made before main().
 */
#include <zephyr/kernel.h>

const char kmem_static_thread_anchor = 0;

/* Weak: a program need not have any. */
extern const struct kmem_static_thread *const __start_kmem_static_threads[] __attribute__((weak));
extern const struct kmem_static_thread *const __stop_kmem_static_threads[] __attribute__((weak));

/*
 * An archive's constructors come behind those of the program's objects; and all SYS_INIT() functions have run before.
 * A thread takes the interrupt lock before anything else, so all of them are there when the first one runs.
 */
__attribute__((constructor)) static void static_threads_start(void)
{
	unsigned int key = arch_irq_lock();

	for (const struct kmem_static_thread *const *at = __start_kmem_static_threads; at != __stop_kmem_static_threads;
	     at++) {
		const struct kmem_static_thread *thread = *at;
		const k_timeout_t delay = SYS_TIMEOUT_MS(thread->delay_ms);

		(void)k_thread_create(thread->thread, thread->stack, thread->stack_size, thread->entry, thread->p1,
				      thread->p2, thread->p3, thread->prio, thread->options, delay);
		(void)k_thread_name_set(thread->thread, thread->name);
	}
	arch_irq_unlock(key);
}
