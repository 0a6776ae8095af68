/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads. (Zephyr: kernel.h, kernel/thread.h)
 *
 * A thread is a host thread with a stack of its own, and all of them run in parallel. Priorities are kept and decide
 * who of several waiting threads is served first; they preempt nobody. k_sched_lock() keeps out other threads that
 * call it, too.
 *
 * A thread that ends, of itself or by k_thread_abort(), runs no pthread cleanup handlers and no C++ destructors of
 * its frames. The real-time signal SIGRTMAX - 4 is the library's, for k_thread_abort() and k_thread_suspend(): it
 * acts on a thread at once while it runs the program's own code or waits in here, and otherwise as soon as it has
 * interrupts unlocked and has left the C library.
 *
 * main() runs in z_main_thread. The process ends when it returns. Other host threads get a thread object when they
 * first ask for it, which lasts as long as they do.
 */
#ifndef ZEPHYR_INCLUDE_KERNEL_THREAD_H_
#define ZEPHYR_INCLUDE_KERNEL_THREAD_H_

#include <kmem/kconfig.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <kmem/kmem.h>
#include <zephyr/kernel/thread_stack.h>
#include <zephyr/kernel_structs.h>
#include <zephyr/sys_clock.h>

#ifndef CONFIG_THREAD_MAX_NAME_LEN
#define CONFIG_THREAD_MAX_NAME_LEN 32
#endif
#ifndef CONFIG_NUM_COOP_PRIORITIES
#define CONFIG_NUM_COOP_PRIORITIES 16
#endif
#ifndef CONFIG_NUM_PREEMPT_PRIORITIES
#define CONFIG_NUM_PREEMPT_PRIORITIES 15
#endif

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct k_heap;
struct k_mem_domain;
struct kmem_host_thread;

#define KMEM_THREAD_NAME_SIZE 32

typedef void (*k_thread_entry_t)(void *p1, void *p2, void *p3);

struct __thread_entry {
	k_thread_entry_t pEntry;
	void *parameter1;
	void *parameter2;
	void *parameter3;
};

struct _thread_base {
	/* Guarded by the interrupt lock. */
	_wait_q_t *pended_on;            /* where it waits; NULL if nowhere */
	struct k_thread *kmem_wait_next; /* behind it there */
	uint32_t user_options;           /* K_USER and its like */
	uint32_t thread_state;           /* _THREAD_* */
	int prio;
	unsigned int sched_locked; /* k_sched_lock() less k_sched_unlock() */
};

struct _thread_stack_info {
	uintptr_t start; /* of what was declared */
	size_t size;
	size_t delta;
};

struct _mem_domain_info {
	struct k_mem_domain *mem_domain; /* never NULL */
};

struct k_thread {
	struct _thread_base base;
	struct __thread_entry entry;
	struct _thread_stack_info stack_info;
	struct _mem_domain_info mem_domain_info;
	k_thread_stack_t *stack_obj;
	_wait_q_t join_queue;
	void *swap_data;
	void *custom_data;
	struct k_heap *resource_pool;
	char name[KMEM_THREAD_NAME_SIZE];
	struct kmem_host_thread *kmem_host; /* NULL once dead */
	uint64_t kmem_delay;                /* deadline of its start, in nanoseconds */
	bool kmem_has_faulted;              /* a fatal error ended it */
	uint32_t kmem_events;               /* k_event_wait(): for which, then those found */
	bool kmem_events_all;
};

typedef struct k_thread *k_tid_t;

/* Options. */
#define K_ESSENTIAL 0x01U
#define K_FP_REGS 0x02U
#define K_FP_IDX 1
#define K_USER 0x04U
#define K_INHERIT_PERMS 0x08U
#define K_CALLBACK_STATE 0x10U
#define K_SSE_REGS 0x80U

/* Priorities: a lower number is a higher priority, below zero cooperative. */
#define K_PRIO_COOP(x) (-(CONFIG_NUM_COOP_PRIORITIES - (x)))
#define K_PRIO_PREEMPT(x) (x)
#define K_HIGHEST_THREAD_PRIO (-CONFIG_NUM_COOP_PRIORITIES)
#define K_LOWEST_THREAD_PRIO CONFIG_NUM_PREEMPT_PRIORITIES
#define K_IDLE_PRIO K_LOWEST_THREAD_PRIO
#define K_HIGHEST_APPLICATION_THREAD_PRIO K_HIGHEST_THREAD_PRIO
#define K_LOWEST_APPLICATION_THREAD_PRIO (K_LOWEST_THREAD_PRIO - 1)
#define K_ANY NULL
#define K_END NULL

extern struct k_thread z_main_thread;

/**
 * Make a thread of @p new_thread, which must be none by now. A host thread that cannot be had is a kernel panic.
 *
 * @param stack, stack_size  what was declared
 * @param delay  K_NO_WAIT, a time, or K_FOREVER: until k_thread_start()
 * Context: a thread.
 */
k_tid_t k_thread_create(struct k_thread *new_thread, k_thread_stack_t *stack, size_t stack_size, k_thread_entry_t entry,
			void *p1, void *p2, void *p3, int prio, uint32_t options, k_timeout_t delay);

/** Start a thread that still waits for it; k_wakeup() does so, too. Context: anywhere. */
void k_thread_start(k_tid_t thread);

/**
 * Wait until a thread has ended; it may be created again then.
 *
 * @return 0; -EBUSY with K_NO_WAIT, -EAGAIN after the timeout if it lives; -EDEADLK if it is, or waits for, the caller
 */
int k_thread_join(struct k_thread *thread, k_timeout_t timeout);

/**
 * End a thread, and wait until it has ended: at once if it is dead. Does not return for the caller. Essential: panic.
 */
void k_thread_abort(k_tid_t thread);

/** Stop a thread until k_thread_resume(). Context: a thread. */
void k_thread_suspend(k_tid_t thread);
void k_thread_resume(k_tid_t thread);

/** Call @p entry without more ado, and end the thread: there is no user mode. */
__attribute__((noreturn)) void k_thread_user_mode_enter(k_thread_entry_t entry, void *p1, void *p2, void *p3);

int k_thread_name_set(k_tid_t thread, const char *name); /* NULL: the caller; 0 */
const char *k_thread_name_get(k_tid_t thread);
int k_thread_name_copy(k_tid_t thread, char *buf, size_t size); /* 0, -ENOSPC */
const char *k_thread_state_str(k_tid_t thread, char *buf, size_t size);

int k_thread_priority_get(k_tid_t thread);
void k_thread_priority_set(k_tid_t thread, int prio);

/** Bytes never used of a stack: of the declared one, all. 0, or -EINVAL. */
int k_thread_stack_space_get(const struct k_thread *thread, size_t *unused);

typedef void (*k_thread_user_cb_t)(const struct k_thread *thread, void *user_data);

/** Visit main and all live threads that k_thread_create() made, with interrupts locked, or unlocked. */
void k_thread_foreach(k_thread_user_cb_t user_cb, void *user_data);
void k_thread_foreach_unlocked(k_thread_user_cb_t user_cb, void *user_data);

k_tid_t k_sched_current_thread_query(void);

static inline k_tid_t k_current_get(void)
{
	return k_sched_current_thread_query();
}

#define _current k_sched_current_thread_query()
#define arch_current_thread() k_sched_current_thread_query()
#define z_current_get() k_sched_current_thread_query()

static inline void k_thread_heap_assign(struct k_thread *thread, struct k_heap *heap)
{
	thread->resource_pool = heap;
}

static inline void k_thread_system_pool_assign(struct k_thread *thread)
{
	thread->resource_pool = NULL;
}

#define k_thread_resource_pool_assign(thread, pool) ((void)(thread), (void)(pool))

void k_thread_custom_data_set(void *value);
void *k_thread_custom_data_get(void);

/** Let a thread use objects, given as pointers: it may, in any case. */
#define k_thread_access_grant(thread, ...) kmem_thread_access_grant(thread, __VA_ARGS__)

static inline void kmem_thread_access_grant(const struct k_thread *thread, ...)
{
	(void)thread;
}

/* Essential threads: their end, or a fatal error of theirs, ends the process. */
void z_thread_essential_set(k_tid_t thread);
void z_thread_essential_clear(k_tid_t thread);
bool z_is_thread_essential(k_tid_t thread);

/** Counters of a thread object, those of its former lives included; zeros if statistics are off. Our own. */
void kmem_k_thread_stats_get(struct k_thread *thread, struct kmem_stats *stats);

/* What K_THREAD_DEFINE() leaves. */
struct kmem_static_thread {
	struct k_thread *thread;
	k_thread_stack_t *stack;
	size_t stack_size;
	k_thread_entry_t entry;
	void *p1, *p2, *p3;
	int prio;
	uint32_t options;
	int32_t delay_ms;
	const char *name;
	const char *anchor; /* has the linker bring in what starts them */
};

extern const char kmem_static_thread_anchor;

#pragma GCC visibility pop

/*
 * A thread that starts before main(), @p delay milliseconds after the last SYS_INIT(); SYS_FOREVER_MS: by
 * k_thread_start().
 */
#define KMEM_THREAD_DEFINE(id, size, entry, p1, p2, p3, prio, options, delay)                                          \
	K_THREAD_STACK_DEFINE(_k_thread_stack_##id, size);                                                             \
	struct k_thread _k_thread_obj_##id;                                                                            \
	static const struct kmem_static_thread kmem_static_thread_##id = {&_k_thread_obj_##id,                         \
									  _k_thread_stack_##id,                        \
									  K_THREAD_STACK_SIZEOF(_k_thread_stack_##id), \
									  (k_thread_entry_t)(entry),                   \
									  (void *)(p1),                                \
									  (void *)(p2),                                \
									  (void *)(p3),                                \
									  (prio),                                      \
									  (uint32_t)(options),                         \
									  (int32_t)(delay),                            \
									  #id,                                         \
									  &kmem_static_thread_anchor};                 \
	__attribute__((used, section("kmem_static_threads"))) static const struct kmem_static_thread                   \
		*const kmem_static_thread_entry_##id = &kmem_static_thread_##id

#ifdef __cplusplus
#define K_THREAD_DEFINE(id, size, entry, p1, p2, p3, prio, options, delay)                                             \
	KMEM_THREAD_DEFINE(id, size, entry, p1, p2, p3, prio, options, delay);                                         \
	extern const k_tid_t id;                                                                                       \
	const k_tid_t id = &_k_thread_obj_##id
#else
#define K_THREAD_DEFINE(id, size, entry, p1, p2, p3, prio, options, delay)                                             \
	KMEM_THREAD_DEFINE(id, size, entry, p1, p2, p3, prio, options, delay);                                         \
	const k_tid_t id = &_k_thread_obj_##id
#endif
#define K_KERNEL_THREAD_DEFINE(id, size, entry, p1, p2, p3, prio, options, delay)                                      \
	K_THREAD_DEFINE(id, size, entry, p1, p2, p3, prio, options, delay)

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_KERNEL_THREAD_H_ */
