/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backtraces: taken in any thread at any time, kept once each, and printed with what the dynamic linker knows of their addresses.
 *
 * A frame is printed as `#0 0x7f0012345678 strcpy+0x1d (/lib/libc.so.6+0x9a1d)`: address of the instruction, nearest exported function,
 * object and the offset in it, which is what addr2line(1) wants. In callers, the instruction is the last byte of the call, so that it
 * belongs to the line of the call.
 */
#ifndef KMEM_PRELOAD_TRACE_H
#define KMEM_PRELOAD_TRACE_H

#include <stdint.h>

/* Callers in a backtrace at most. */
#define KMEM_TRACE_DEPTH 16

/* A backtrace that is kept; 0: none. Equal backtraces have equal numbers. */
typedef uint32_t kmem_trace;

/* Once, before all else. 0 or -errno. */
int kmem_trace_init(void);

/* The callers of this library, from the innermost one that is not of it. 0 where there is no room. No allocation. */
kmem_trace kmem_trace_take(void);

/* Print one that was taken; print that of the calling thread; print that of the instruction at pc that was interrupted by a signal,
 * in the handler of it. _sigsafe. */
void kmem_trace_print(kmem_trace trace);
void kmem_trace_print_here(void);
void kmem_trace_print_trap(uintptr_t pc);

/* Around a fork: nobody changes the table meanwhile. */
void kmem_trace_fork_prepare(void);
void kmem_trace_fork_parent(void);
void kmem_trace_fork_child(void);

#endif /* KMEM_PRELOAD_TRACE_H */
