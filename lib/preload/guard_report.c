/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guard mode's reports: of bad accesses, bad pointers, bytes around blocks that were overwritten, and system calls that were given
 * memory which is no block's. Words: see guard.c.
 *
 * A report says what was done to which block, by whom, and who allocated and released it. An access between two blocks was probably meant
 * for the nearer one. No lock is taken: a record is read as it is, and a block that is released at the very moment is reported as either.
 */
#include "preload/guard_report.h"

#include <stdlib.h>

#include "host/log.h"
#include "host/thread.h"
#include "kernel/fatal.h"
#include "kernel/kernel.h"
#include "preload/guard.h"
#include "preload/trace.h"

__thread bool kmem_guard_is_busy __attribute__((tls_model("initial-exec")));

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* Where an address lies, seen from a block. */
static void place_text(char *text, size_t size, const struct kmem_guard_record *record, uintptr_t addr)
{
	uintptr_t end = record->start + record->size;

	if (addr < record->start) {
		(void)kmem_format(text, size, "%zu byte%s before the start of", (size_t)(record->start - addr),
				  plural(record->start - addr));
	} else if (addr > end) {
		(void)kmem_format(text, size, "%zu byte%s behind the end of", (size_t)(addr - end), plural(addr - end));
	} else if (addr == record->start) {
		(void)kmem_format(text, size, "at the start of");
	} else if (addr == end) {
		(void)kmem_format(text, size, "right behind the end of");
	} else {
		(void)kmem_format(text, size, "%zu byte%s into", (size_t)(addr - record->start), plural(addr - record->start));
	}
}

/* One line on what was done to which block; more: what else is to be said of it. */
static void block_log(const char *what, const struct kmem_guard_record *record, uintptr_t addr, const char *more)
{
	char place[64];

	place_text(place, sizeof(place), record, addr);
	kmem_log(KMEM_LOG_ERROR, "guard: %s 0x%zx, %s a block of %zu byte%s at 0x%zx%s", what, (size_t)addr, place, record->size,
		 plural(record->size), (size_t)record->start, more);
}

static const char *state_text(const struct kmem_guard_record *record)
{
	return kmem_guard_state(record) == KMEM_GUARD_RELEASED ? " that was released" : "";
}

/* Who had a block, and who let it go. */
static void history_log(const struct kmem_guard_record *record)
{
	kmem_log(KMEM_LOG_ERROR, "guard: allocated by thread %u at:", record->allocated_by);
	kmem_trace_print(record->allocated);
	if (kmem_guard_state(record) == KMEM_GUARD_RELEASED) {
		kmem_log(KMEM_LOG_ERROR, "guard: released by thread %u at:", record->released_by);
		kmem_trace_print(record->released);
	}
}

static void caller_log(void)
{
	kmem_log(KMEM_LOG_ERROR, "guard: called by thread %u at:", kmem_thread_id());
	kmem_trace_print_here();
}

/* The program may catch the signal, as it may that of the C library's heap. */
static _Noreturn void die(void)
{
	kmem_kernel_abandon();
	abort();
}

_Noreturn void kmem_guard_die_of_pointer(const char *call, const struct kmem_guard_record *record, uintptr_t addr)
{
	if (record == NULL) {
		kmem_log(KMEM_LOG_ERROR, "guard: %s 0x%zx, where no block is", call, (size_t)addr);
		caller_log();
		die();
	}
	block_log(call, record, addr, state_text(record));
	caller_log();
	history_log(record);
	die();
}

static void slack_log(const struct kmem_guard_record *record, uintptr_t addr, unsigned char byte, const char *when)
{
	char more[64];

	(void)kmem_format(more, sizeof(more), ", found at %s: the byte is 0x%02x now", when, byte);
	block_log("write to", record, addr, more);
	history_log(record);
}

void kmem_guard_die_of_slack(const struct kmem_guard_record *record, uintptr_t addr, unsigned char byte)
{
	slack_log(record, addr, byte, "its release");
	die();
}

void kmem_guard_slack_log(const struct kmem_guard_record *record, uintptr_t addr, unsigned char byte)
{
	slack_log(record, addr, byte, "exit");
}

/* Bytes between a block and an address outside of it. */
static size_t distance(const struct kmem_guard_record *record, uintptr_t addr)
{
	return addr < record->start ? record->start - addr : addr - record->start - record->size;
}

/* The block that an access to a page of its slot, or to the guard before that, was probably meant for. */
static const struct kmem_guard_record *meant_block(uintptr_t addr)
{
	const struct kmem_guard_record *below = kmem_guard_record_at(addr);
	const struct kmem_guard_record *above = kmem_guard_record_at(kmem_page_floor(addr) + kmem_page_size());

	if (below != NULL && addr < kmem_guard_slot_end(below)) {
		return below;
	}
	if (above == NULL || above == below) {
		return below;
	}
	return below != NULL && distance(below, addr) <= distance(above, addr) ? below : above;
}

/* Say what an access, or a system call with more to say of it, hit; the caller is interrupted at pc, with no lock held. */
static void hit_log(const char *access, uintptr_t addr, const char *more, const char *who, uintptr_t pc)
{
	const struct kmem_guard_record *record = meant_block(addr);
	char text[96];

	kmem_guard_is_busy = true;
	if (record == NULL) {
		kmem_log(KMEM_LOG_ERROR, "guard: %s 0x%zx, where no block is, or none has been for long%s", access, (size_t)addr, more);
	} else {
		(void)kmem_format(text, sizeof(text), "%s%s", state_text(record), more);
		block_log(access, record, addr, text);
	}
	kmem_log(KMEM_LOG_ERROR, "guard: %s by thread %u at:", who, kmem_thread_id());
	kmem_trace_print_trap(pc);
	if (record != NULL) {
		history_log(record);
	}
	kmem_guard_is_busy = false;
}

/* For the report of a bad access: what it hit. In the trap. */
static void access_explain(const struct arch_esf *esf)
{
	if (!kmem_guard_is_busy && kmem_guard_owns((const void *)esf->addr)) {
		hit_log(kmem_fatal_access_text(esf->access), esf->addr, "", "accessed", esf->pc);
	}
}

void kmem_guard_call_explain(const char *call, uintptr_t addr, bool is_write, uintptr_t pc)
{
	char more[64];

	if (!kmem_guard_is_busy && kmem_guard_owns((const void *)addr)) {
		(void)kmem_format(more, sizeof(more), ", by the system call %s", call);
		hit_log(is_write ? "write to" : "read of", addr, more, "called", pc);
	}
}

void kmem_guard_report_init(void)
{
	kmem_fatal_explain_set(access_explain);
}
