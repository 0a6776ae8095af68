/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports: the map picture, the table of counters (report.c), and when and where reports are written (report_write.c).
 *
 * A *report* here is what the settings ask for: the table of kmem_report_print() with a head, with counters that other rooms add, and
 * with a row for each thread where that is asked for. JSON reports are one line each.
 */
#ifndef KMEM_KERNEL_REPORT_H
#define KMEM_KERNEL_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line of the report: its name in JSON, its name in the table, and a number. */
struct kmem_report_counter {
	const char *name;
	const char *text;
	uint64_t value;
};

/* Counters that are not the kernel's. Room for this many. */
#define KMEM_REPORT_MORE_MAX 16

struct kmem_report_source {
	/* Set counters, at most KMEM_REPORT_MORE_MAX; how many. Called with signals blocked, and with no lock of the kernel's. */
	size_t (*get)(struct kmem_report_counter *counters);
	/* In the child of a fork: begin anew. Kernel lock held. */
	void (*reset)(void);
};

/* Set once, before boot, by lib/preload/; NULL: none. */
extern const struct kmem_report_source *kmem_report_source;

/* What is above the table. */
struct kmem_report_head {
	const char *event; /* why there is a report: "exit", ... */
	const char *program;
	int pid;
	uint64_t elapsed_ns; /* since boot */
	uint32_t helper;     /* a thread that is not the program's; 0: none */
};

/* Write a report to a descriptor. 0 or -errno. No lock of the kernel's held. */
int kmem_report_full_print(int fd, bool is_json, bool has_threads, const struct kmem_report_head *head);

/* Booted: reports can be written from now on. fork: in the child, kernel lock held. No descriptor of the program's is touched later. */
void kmem_report_init(void);
void kmem_report_forked(void);

/*
 * Reports on a signal and at an interval, where the settings ask for them. Not where the heap may not be used. 0, or -errno with a
 * message.
 */
int kmem_report_start(void);

/* The machine is about to be shut down: the last report, and nothing comes after it. No lock held. */
void kmem_report_shutdown(void);

/*
 * The process is about to end, in an orderly way or by a fatal error: the last report, once, if the settings ask for one and this is a
 * process that writes reports. Nothing in the child of a vfork(), or where the caller holds a lock. _sigsafe.
 */
void kmem_report_exit(void);
void kmem_report_fatal(void);

#endif /* KMEM_KERNEL_REPORT_H */
