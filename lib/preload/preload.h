/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libkmem-preload.so: an unmodified Linux program in a small emulated RAM.
 *
 * The room. The program's calls of malloc() and mmap() get memory of the VM (heap.c, map.c, guard.c); it faults, pages and is evicted as
 * any other. What the host kernel cannot do with absent pages, system calls, is caught by a filter (filter.c) and made with copies in
 * resident memory (trap.c, bounce.c). What the filter cannot see, pointers behind pointers, passes through wrappers of the C library's
 * functions (face.c, exec.c, spawn.c).
 *
 *      program, C library
 *        |  malloc, mmap          |  writev, sendmsg, exec, spawn     |  system calls with pointers into the window
 *        v                        v                                   v
 *      heap.c, map.c, guard.c   face.c, exec.c, spawn.c             filter.c --SIGSYS--> trap.c
 *        |                        |      mark the outer pointer       ^                    |
 *        v                        +-----------------------------------+                    v
 *      lib/kernel/space.h, <kmem/mm.h>                                bounce.c, identity.c, by the table in call.c
 *
 * Words. The *window*: the addresses that the filter takes for pointers into the VM, a constant, so that a filter that was inherited
 * serves the next program, too. A *marked* pointer: an ordinary one with KMEM_MARK in its upper bits, which no real pointer has; it
 * trips the filter, and whoever makes the call takes the mark off. *Bounce*: make a system call on resident copies of what
 * its pointers point to. The *stub*: a page at a constant address, outside the window, with one system call instruction, which the filter
 * lets pass.
 *
 * Everything below is the x86-64's.
 */
#ifndef KMEM_PRELOAD_PRELOAD_H
#define KMEM_PRELOAD_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* [0x200000000000, 0x210000000000): clear of what programs use themselves. Part of the contract between generations of the library. */
#define KMEM_WINDOW_BASE 0x200000000000UL
#define KMEM_WINDOW_SIZE (1UL << 40)
#define KMEM_STUB_ADDR (KMEM_WINDOW_BASE - 0x10000UL)
#define KMEM_STUB_SIZE 0x1000UL

#define KMEM_VM_SIZE_DEFAULT (64UL << 30)

/* Pages that one fault brings in at most. */
#define KMEM_READAHEAD_DEFAULT 16

/* Every thread's alternate stack: for handlers of the program's, too, and for trapped calls in them. */
#define KMEM_ALTSTACK_SIZE (1UL << 20)

#define KMEM_MARK 0x4b6d000000000000UL
#define KMEM_MARK_MASK 0xffff000000000000UL

static inline bool kmem_window_has(uint64_t value)
{
	return value - KMEM_WINDOW_BASE < KMEM_WINDOW_SIZE;
}

static inline bool kmem_mark_is(uint64_t value)
{
	return (value & KMEM_MARK_MASK) == KMEM_MARK;
}

/* A pointer as it was; fine on unmarked ones. */
static inline uint64_t kmem_mark_off(uint64_t value)
{
	return kmem_mark_is(value) ? value & ~KMEM_MARK_MASK : value;
}

static inline void *kmem_mark_on(const void *pointer)
{
	return (void *)((uintptr_t)pointer | KMEM_MARK);
}

/* options.c: what KMEM_* say of this room, beside what lib/kernel/config.c reads. Constant after start. */
enum kmem_guard_mode {
	KMEM_GUARD_OFF,
	KMEM_GUARD_AFTER,  /* right-aligned: an overrun traps */
	KMEM_GUARD_BEFORE, /* left-aligned: an underrun traps */
};

struct kmem_preload_options {
	enum kmem_guard_mode guard;  /* KMEM_GUARD=after|before */
	unsigned long sample;        /* KMEM_GUARD_SAMPLE=N: every Nth allocation */
	size_t map_threshold;        /* KMEM_MMAP_MIN=SIZE: anonymous mappings from here up are emulated */
	bool are_calls_trapped;      /* KMEM_SYSCALLS=on|off: the escape hatch */
};

extern struct kmem_preload_options kmem_preload_options;

/* Read the environment. 0, or -EINVAL with a message in error that names variable, value and limit. No allocation. */
int kmem_preload_options_read(char *error, size_t error_size);

/*
 * start.c: make sure that the VM is there, by whoever comes first: a constructor or the first allocation. A process in which it cannot be
 * had ends with status 125 and a message. True when it is; false while it is being made (by this very thread), and before the C library
 * has its environment: the caller then does without.
 */
bool kmem_preload_ready(void);

/* The same as a variable, for the paths that cannot start it. */
extern _Atomic bool kmem_preload_is_ready;

/* Bytes of address space that the library takes for the VM and what belongs to it. Constant after start. */
extern size_t kmem_preload_reserved;

/*
 * Where objects lie whose calls are told apart by their return address: the dynamic linker, liburcu, and this library. Constant after
 * start, empty before.
 */
struct kmem_preload_range {
	uintptr_t start;
	size_t size;
};
extern struct kmem_preload_range kmem_preload_linker, kmem_preload_rcu, kmem_preload_self;

static inline bool kmem_preload_is_in(const struct kmem_preload_range *range, const void *address)
{
	return (uintptr_t)address - range->start < range->size;
}

/* filter_install.c: install the filter unless it is there (inherited), and map the stub. 0, or -errno with a message. */
int kmem_filter_install(char *error, size_t error_size);

/* trap.c: the handler of SIGSYS takes effect. 0 or -errno. */
int kmem_call_trap_init(void);

/* stub.c: a system call from the stub: its pointers reach the host kernel as they are. The result, or -errno. _sigsafe. */
long kmem_stub_call(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

#endif /* KMEM_PRELOAD_PRELOAD_H */
