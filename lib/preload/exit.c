/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a preloaded process: the report, and the other reports' beginning.
 *
 * A process that calls exit() or returns from main() comes to the kernel's handler of atexit(). One that calls _exit() or quick_exit() does
 * not, and would leave no report: children of shells and of fork() in general end so. The wrappers here write it and then do what they are
 * asked to. exit() does not come by here, since the C library calls its own _exit() directly; were it to, the report is written once.
 *
 * The child of a vfork() ends by _exit() in its parent's memory: lib/kernel/report_write.c tells it by the process id, and does nothing.
 * Both wrappers may be called in signal handlers, as in the C library.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/cleaner.h"
#include "kernel/kernel.h"
#include "kernel/report.h"
#include "preload/preload.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT void _exit(int status)
{
	if (kmem_is_booted()) {
		kmem_report_exit();
	}
	for (;;) {
		(void)syscall(SYS_exit_group, status);
	}
}

EXPORT void _Exit(int status)
{
	_exit(status);
}

/*
 * Once the VM is there, the constructors of this library have run, and the heap works: threads can be made. The process runs on without
 * the reports, and the cleaner, that cannot be had, which a message has told.
 */
__attribute__((constructor(103))) static void reports_start(void)
{
	if (!kmem_preload_ready()) {
		return;
	}
	(void)at_quick_exit(kmem_report_exit);
	(void)kmem_report_start();
	(void)kmem_cleaner_start();
}
