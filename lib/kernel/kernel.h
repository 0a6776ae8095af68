/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The running machine: what the kernel's rooms share, and the kernel lock around it.
 */
#ifndef KMEM_KERNEL_KERNEL_H
#define KMEM_KERNEL_KERNEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <kmem/kmem.h>

#include "host/lock.h"
#include "host/pool.h"
#include "host/signals.h"
#include "kernel/config.h"
#include "kernel/eviction.h"
#include "kernel/region.h"
#include "kernel/region_index.h"
#include "kernel/store.h"

/* Zephyr's z_mm_lock and what it guards. One machine a process. */
struct kmem_kernel {
	/* constant while booted */
	struct kmem_settings settings;
	struct kmem_layout layout;
	const char *engine_name, *engine_reason;
	int boot_pid; /* the process that booted, not a child of it */
	bool is_preloaded; /* what runs on it is an unmodified Linux program (lib/preload/), which has signal handlers of its own */
	bool is_paging_programs; /* policy or store are the program's, under Zephyr's names */

	/* atomic */
	_Atomic bool booted;
	_Atomic int pid;        /* whose memory this is; differs in the child of a fork until it has been rebuilt */
	_Atomic int fork_error; /* in a child: why RAM could not be copied; the VM may not be touched */

	/* lock.h, 1 and 2; paging_mutex only where the store wants serialised calls */
	struct kmem_lock paging_mutex;
	struct kmem_lock lock;

	/* guarded by the kernel lock */
	struct kmem_region_map map;
	struct kmem_region_index index;
	struct kmem_pool holes;
	struct kmem_eviction eviction;
	struct kmem_store store;
};

extern struct kmem_kernel kmem_kernel;

/* Take and release the kernel lock from outside a trap: signals are blocked meanwhile. */
void kmem_kernel_lock(kmem_sigmask *saved);
void kmem_kernel_unlock(const kmem_sigmask *saved);

/* Release it, and give back descriptors of regions that were removed under it: now and then that waits for their readers. */
void kmem_kernel_unlock_and_reclaim(const kmem_sigmask *saved);

/* The same in a trap, where they are blocked already. */
void kmem_kernel_lock_in_trap(void);
void kmem_kernel_unlock_in_trap(void);

/* Boot with the defaults if nothing runs yet. 0 or -errno; an error, too, in the child of a fork that could not copy RAM. */
int kmem_kernel_ready(void);

/* The process is about to end as it is: write the last report, and remove what would stay behind on disk. _sigsafe. */
void kmem_kernel_abandon(void);

static inline size_t kmem_page_size(void)
{
	return kmem_kernel.layout.page_size;
}

static inline uintptr_t kmem_page_floor(uintptr_t addr)
{
	return addr & ~(uintptr_t)(kmem_kernel.layout.page_size - 1);
}

#endif /* KMEM_KERNEL_KERNEL_H */
