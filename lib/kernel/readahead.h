/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read-ahead: which pages a thread is about to touch, judged by its faults.
 *
 * Terms. A *stream* is a sequence of a thread's faults in steps of one length, forwards or backwards. The *window* is what one fault of a
 * stream brings in: its own page and those of the steps to come. What is known of streams belongs to the thread (host/thread.h), and needs
 * no lock. _sigsafe.
 */
#ifndef KMEM_KERNEL_READAHEAD_H
#define KMEM_KERNEL_READAHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/thread.h"

/* A fault at a page is worth so many pages: that one, and those at so many further steps. */
struct kmem_readahead {
	intptr_t step; /* bytes; 0 where there is one page */
	size_t pages;  /* from 1 */
	bool is_write; /* they will be written to, as far as can be told */
};

/* Forget every stream of every thread: another machine begins. page_size, and pages of a window at most, of its configuration. */
void kmem_readahead_init(size_t page_size, size_t pages_max);

/* Whether there can be any. */
bool kmem_readahead_is_on(void);

/*
 * A thread faults at a page, for writing or not: what to bring in. is_sequential: the program says that it goes through this memory in
 * order; the window is then as large as can be from the start.
 */
struct kmem_readahead kmem_readahead_fault(struct kmem_streams *streams, uintptr_t page, bool is_write, bool is_sequential);

/* The thread writes to a page that was in. */
void kmem_readahead_written(struct kmem_streams *streams, uintptr_t page);

#endif /* KMEM_KERNEL_READAHEAD_H */
