/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fatal errors: the explanation of a bad access, the call of k_sys_fatal_error_handler(), and what follows it.
 *
 * Theory of operation. A fatal trap is explained from page table and region index, without a lock, into one line of text
 * that travels with the exception frame. A program with a record of Zephyr's configuration sees Zephyr's lines printed
 * before its handler is called, as on a board; any other sees them from the default handler, so that a handler of its own
 * has the last word on what is said.
 *
 * The handler is called with the interrupted code's signal mask and no lock, so it may leave by longjmp. If the default one
 * returns, the default action of the signal is restored and the instruction repeated: the process dies of the original
 * signal at the original instruction. If the program's own returns, the thread ends alone; the main thread cannot, as
 * Zephyr's main thread is essential.
 */
#include "kernel/fatal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>

#include "host/log.h"
#include "host/process.h"
#include "host/signals.h"
#include "host/thread.h"
#include "kernel/kernel.h"
#include "kernel/paging.h"
#include "machine/page_table.h"

/* State of the error that this thread is in. */
static __thread struct {
	bool is_printed;
	bool is_default;
} current __attribute__((tls_model("initial-exec")));

static const char *reason_text(unsigned int reason)
{
	switch (reason) {
	case K_ERR_CPU_EXCEPTION:
		return "CPU exception";
	case K_ERR_SPURIOUS_IRQ:
		return "Unhandled interrupt";
	case K_ERR_STACK_CHK_FAIL:
		return "Stack overflow";
	case K_ERR_KERNEL_OOPS:
		return "Kernel oops";
	case K_ERR_KERNEL_PANIC:
		return "Kernel panic";
	default:
		return "Unknown error";
	}
}

/* What stands in for a kernel's threads. */
static void (*_Atomic abort_hook)(void);
static const char *(*_Atomic name_hook)(void **object);

void kmem_fatal_thread_abort_set(void (*abort_self)(void))
{
	atomic_store(&abort_hook, abort_self);
}

void kmem_fatal_thread_name_set(const char *(*name)(void **object))
{
	atomic_store(&name_hook, name);
}

static bool (*_Atomic stack_hook)(uintptr_t addr);

void kmem_fatal_stack_set(bool (*is_stack_guard)(uintptr_t addr))
{
	atomic_store(&stack_hook, is_stack_guard);
}

static void (*_Atomic explain_hook)(const struct arch_esf *esf);

void kmem_fatal_explain_set(void (*explain)(const struct arch_esf *esf))
{
	atomic_store(&explain_hook, explain);
}

/* Whatever else is known of the address, where the access itself was wrong. */
static void explain_more(const struct arch_esf *esf)
{
	void (*more)(const struct arch_esf *esf) = atomic_load(&explain_hook);

	switch (esf->kind) {
	case KMEM_FAULT_NONE:
	case KMEM_FAULT_STORE:
	case KMEM_FAULT_NO_MEMORY:
	case KMEM_FAULT_HOST:
	case KMEM_FAULT_NESTED:
	case KMEM_FAULT_FORK:
		return;
	default:
		break;
	}
	if (more != NULL) {
		more(esf);
	}
}

static void thread_print(void)
{
	const char *(*name)(void **object) = atomic_load(&name_hook);
	void *object = kmem_thread_self();
	const char *text = name != NULL ? name(&object) : NULL;

	if (text != NULL) {
		kmem_print("Current thread: %p (%s)\n", object, text);
	} else {
		kmem_print("Current thread: %p (thread %u)\n", object, kmem_thread_id());
	}
}

/* The program's handler has returned: this thread ends alone, if it may. */
static void thread_end(void)
{
	void (*abort_self)(void) = atomic_load(&abort_hook);

	if (abort_self != NULL) {
		abort_self();
	}
	if (!kmem_thread_is_main()) {
		kmem_thread_exit();
	}
}

void kmem_fatal_print(unsigned int reason, const struct arch_esf *esf)
{
	if (current.is_printed) {
		return;
	}
	current.is_printed = true;
	kmem_print(">>> ZEPHYR FATAL ERROR %u: %s on CPU 0\n", reason, reason_text(reason));
	thread_print();
	if (esf != NULL && esf->text != NULL && esf->text[0] != '\0') {
		kmem_log(KMEM_LOG_ERROR, "%s", esf->text);
	}
	if (esf != NULL) {
		explain_more(esf);
	}
}

void kmem_fatal_default(void)
{
	current.is_default = true;
}

void k_fatal_halt(unsigned int reason)
{
	kmem_log(KMEM_LOG_ERROR, "halting system (reason %u: %s)", reason, reason_text(reason));
	kmem_kernel_abandon();
	kmem_signals_abort();
}

/* Call the handler; true if the program's own one returned. */
static bool handler_call(unsigned int reason, const struct arch_esf *esf)
{
	current.is_printed = false;
	current.is_default = false;
	if (kmem_kernel.settings.is_zephyr) {
		kmem_fatal_print(reason, esf);
	}
	k_sys_fatal_error_handler(reason, esf);
	return !current.is_default;
}

void kmem_bug_note(struct kmem_bug *bug, const char *condition, const char *file, int line, const char *format, ...)
{
	va_list args;

	if (bug->condition != NULL) {
		return;
	}
	bug->condition = condition;
	bug->file = file;
	bug->line = line;
	va_start(args, format);
	(void)kmem_vformat(bug->text, sizeof(bug->text), format, args);
	va_end(args);
}

/* What the program's own assertions end in, where it defines it, or uses some; with CONFIG_ASSERT_NO_FILE_INFO it takes nothing. */
__attribute__((weak, visibility("default"))) void assert_post_action(const char *file, unsigned int line);

void kmem_bug_raise(const struct kmem_bug *bug)
{
	if (bug->condition == NULL || !kmem_kernel.settings.assertions) {
		return;
	}
	kmem_print("ASSERTION FAIL [%s] @ %s:%d\n\t%s\n", bug->condition, bug->file, bug->line, bug->text);
	if (assert_post_action != NULL) {
		assert_post_action(bug->file, (unsigned int)bug->line);
		return;
	}
	kmem_fatal_panic(K_ERR_KERNEL_PANIC, "assertion failed: %s", bug->text);
}

void kmem_fatal_panic(unsigned int reason, const char *format, ...)
{
	char text[256];
	struct arch_esf esf = {.kind = KMEM_FAULT_NONE, .text = text};
	va_list args;

	va_start(args, format);
	(void)kmem_vformat(text, sizeof(text), format, args);
	va_end(args);
	if (handler_call(reason, &esf)) {
		thread_end();
	}
	kmem_kernel_abandon();
	kmem_signals_abort();
}

void kmem_fatal_raise(unsigned int reason)
{
	kmem_fatal_panic(reason, "%s", reason_text(reason));
}

const char *kmem_fatal_access_text(enum kmem_access access)
{
	switch (access) {
	case KMEM_ACCESS_WRITE:
		return "write to";
	case KMEM_ACCESS_EXEC:
		return "execution of";
	default:
		return "read of";
	}
}

static const char *target_text(enum kmem_fault_kind kind)
{
	switch (kind) {
	case KMEM_FAULT_GUARD:
		return "a guard page";
	case KMEM_FAULT_READ_ONLY:
		return "a read-only page";
	case KMEM_FAULT_NO_EXEC:
		return "a page that is not executable";
	case KMEM_FAULT_NO_ACCESS:
		return "a page that allows no access";
	case KMEM_FAULT_STORE:
		return "a page that the backing store cannot bring in";
	case KMEM_FAULT_NO_MEMORY:
		return "a page for which no frame can be had";
	case KMEM_FAULT_HOST:
		return "a page that the host refuses to map (vm.max_map_count, or memory)";
	case KMEM_FAULT_NESTED:
		return "paged memory inside libkmem, a policy or a store";
	case KMEM_FAULT_FORK:
		return "paged memory in the child of a fork that could not copy RAM";
	default:
		return "unmapped memory";
	}
}

static const char *flags_text(uint32_t flags)
{
	bool is_exec = (flags & K_MEM_PERM_EXEC) != 0;

	if ((flags & KMEM_PERM_NO_ACCESS) != 0) {
		return "inaccessible";
	}
	if ((flags & K_MEM_PERM_RW) != 0) {
		return is_exec ? "read-write-execute" : "read-write";
	}
	return is_exec ? "read-execute" : "read-only";
}

/* Append to the text in a buffer. */
static void append(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...)
{
	size_t used = __builtin_strlen(text);
	va_list args;

	va_start(args, format);
	(void)kmem_vformat(text + used, size - used, format, args);
	va_end(args);
}

/* Permissions of the page at addr, where the region has it, for they may differ from the region's; else the region's. */
static uint32_t flags_at(const struct kmem_region_info *region, uintptr_t addr)
{
	kmem_pte pte = addr - region->addr < region->size ? kmem_pte_get(addr) : KMEM_PTE_UNMAPPED;

	return kmem_pte_state(pte) > KMEM_PTE_GUARD ? kmem_pte_flags(pte) : region->flags;
}

/* Where an address lies, seen from the nearest region. */
static void place_append(char *text, size_t size, uintptr_t addr)
{
	struct kmem_region_info below = {.size = 0};
	struct kmem_region_info above = {.size = 0};
	const struct kmem_region_info *region = &below;

	kmem_region_index_nearest(&kmem_kernel.index, addr, &below, &above);
	if (below.size == 0 && above.size == 0) {
		append(text, size, "; nothing is mapped");
		return;
	}
	if (below.size == 0 ||
	    (above.size != 0 && addr >= below.addr + below.size && above.addr - addr < addr - (below.addr + below.size))) {
		region = &above;
	}
	if (addr < region->addr) {
		append(text, size, "; %zu byte%s before", (size_t)(region->addr - addr), region->addr - addr == 1 ? "" : "s");
	} else if (addr - region->addr < region->size) {
		append(text, size, "; at offset %zu of", (size_t)(addr - region->addr));
	} else {
		size_t distance = addr - (region->addr + region->size);

		if (distance == 0) {
			append(text, size, "; right behind the end of");
		} else {
			append(text, size, "; %zu byte%s behind the end of", distance, distance == 1 ? "" : "s");
		}
	}
	append(text, size, " the region [0x%zx, 0x%zx), %zu bytes, %s%s%s", (size_t)region->addr,
	       (size_t)(region->addr + region->size), region->size, flags_text(flags_at(region, addr)),
	       region->name[0] != '\0' ? ", " : "", region->name);
}

static void explain(char *text, size_t size, const struct kmem_trap *trap, enum kmem_fault_kind kind, int error)
{
	(void)kmem_format(text, size, "%s %s at 0x%zx", kmem_fatal_access_text(trap->access), target_text(kind), (size_t)trap->addr);
	if (kind == KMEM_FAULT_NO_MEMORY) {
		append(text, size, ": %s", kmem_thread_self()->refusal);
	}
	if (error != 0) {
		append(text, size, " (error %d: %s)", -error, kmem_error_name(-error));
	}
	if (kmem_page_table_covers(trap->addr)) {
		place_append(text, size, trap->addr);
	} else {
		append(text, size, ", outside the VM range");
	}
	append(text, size, "; by the instruction at 0x%zx", (size_t)trap->pc);
	if (kind == KMEM_FAULT_NO_MEMORY && kmem_kernel.is_preloaded &&
	    (kmem_thread_self()->refusal == kmem_paging_store_full || error == -ENOSPC)) {
		append(text, size, "; give it more room: KMEM_STORE (--store) ram:PAGES, or file:DIRECTORY on a larger disk");
	}
}

static struct arch_esf esf_of(const struct kmem_trap *trap, enum kmem_fault_kind kind, int error, const char *text)
{
	return (struct arch_esf){
		.kind = kind,
		.access = trap->access,
		.addr = trap->addr,
		.pc = trap->pc,
		.error = error,
		.signo = trap->signo,
		.siginfo = trap->info,
		.ucontext = trap->ucontext,
		.text = text,
	};
}

/* Faults of an access are CPU exceptions; where the machine itself gave up, it is the kernel that panics. */
static unsigned int reason_of(enum kmem_fault_kind kind, uintptr_t addr)
{
	bool (*is_stack_guard)(uintptr_t addr) = atomic_load(&stack_hook);

	switch (kind) {
	case KMEM_FAULT_GUARD:
	case KMEM_FAULT_UNMAPPED:
		return is_stack_guard != NULL && is_stack_guard(addr) ? K_ERR_STACK_CHK_FAIL : K_ERR_CPU_EXCEPTION;
	case KMEM_FAULT_STORE:
	case KMEM_FAULT_NO_MEMORY:
	case KMEM_FAULT_HOST:
	case KMEM_FAULT_FORK:
		return K_ERR_KERNEL_PANIC;
	default:
		return K_ERR_CPU_EXCEPTION;
	}
}

void kmem_fatal_trap(struct kmem_trap *trap, enum kmem_fault_kind kind, int error)
{
	char text[480] = "";
	struct arch_esf esf = esf_of(trap, kind, error, text);

	explain(text, sizeof(text), trap, kind, error);
	kmem_signals_interrupted_mask(trap->ucontext);
	if (handler_call(reason_of(kind, trap->addr), &esf)) {
		thread_end();
	}
	kmem_signals_block_all();
	kmem_kernel_abandon();
	kmem_signals_default(trap->signo);
}

void kmem_fatal_explain(const struct kmem_trap *trap, enum kmem_fault_kind kind)
{
	struct arch_esf esf = esf_of(trap, kind, 0, "");

	explain_more(&esf);
}

void kmem_fatal_nested(struct kmem_trap *trap)
{
	char text[480] = "";
	struct arch_esf esf = esf_of(trap, KMEM_FAULT_NESTED, 0, text);

	(void)kmem_format(text, sizeof(text), "%s %s at 0x%zx; by the instruction at 0x%zx", kmem_fatal_access_text(trap->access),
			  target_text(KMEM_FAULT_NESTED), (size_t)trap->addr, (size_t)trap->pc);
	current.is_printed = false;
	kmem_fatal_print(K_ERR_CPU_EXCEPTION, &esf);
	kmem_kernel_abandon();
	kmem_signals_default(trap->signo);
}
