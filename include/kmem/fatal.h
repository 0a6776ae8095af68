/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fatal errors: what a bad access ends in. (Zephyr: fatal.h)
 *
 * k_sys_fatal_error_handler() is weak: a program that defines it gets it called, in the faulting thread, with no lock
 * held, SIGSEGV and SIGBUS unblocked and every other signal as it was. It may leave by longjmp or by ending the thread.
 * If it returns, the faulting thread ends and others go on; in the main thread, and for the default handler, the process
 * ends with the original signal at the original instruction, or with SIGABRT where there is none.
 */
#ifndef KMEM_FATAL_H
#define KMEM_FATAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

enum k_fatal_error_reason {
	K_ERR_CPU_EXCEPTION,
	K_ERR_SPURIOUS_IRQ,
	K_ERR_STACK_CHK_FAIL,
	K_ERR_KERNEL_OOPS,
	K_ERR_KERNEL_PANIC,
	K_ERR_ARCH_START = 16,
};

enum kmem_access {
	KMEM_ACCESS_READ,
	KMEM_ACCESS_WRITE,
	KMEM_ACCESS_EXEC,
};

/*
 * What a bad access hit. The reason is K_ERR_CPU_EXCEPTION where the access itself was wrong (UNMAPPED to NO_ACCESS, NESTED), or
 * K_ERR_STACK_CHK_FAIL where it was the thread's stack that overflowed, and K_ERR_KERNEL_PANIC where the machine could not serve
 * it (STORE, NO_MEMORY, HOST, FORK).
 */
enum kmem_fault_kind {
	KMEM_FAULT_NONE,      /* no access: a panic or an oops */
	KMEM_FAULT_UNMAPPED,  /* nothing is mapped there */
	KMEM_FAULT_GUARD,     /* a guard page */
	KMEM_FAULT_READ_ONLY, /* write to a page without K_MEM_PERM_RW */
	KMEM_FAULT_NO_EXEC,   /* execution of a page without K_MEM_PERM_EXEC */
	KMEM_FAULT_NO_ACCESS, /* a page that nothing may access, with contents: mprotect(PROT_NONE) of a preloaded program */
	KMEM_FAULT_STORE,     /* the store could not bring the page in */
	KMEM_FAULT_NO_MEMORY, /* no frame could be had: all pinned, or no victim can be stored */
	KMEM_FAULT_HOST,      /* the host refused: out of mappings or memory */
	KMEM_FAULT_NESTED,    /* a policy or store touched paged memory */
	KMEM_FAULT_FORK,      /* the child of a fork that could not copy RAM */
};

/* The exception stack frame, as far as a host process has one. */
struct arch_esf {
	enum kmem_fault_kind kind;
	enum kmem_access access;
	uintptr_t addr;    /* the address that was accessed; 0 for a panic */
	uintptr_t pc;      /* of the instruction; 0 for a panic */
	int error;         /* STORE, NO_MEMORY, HOST, FORK: -errno of the cause; else 0 */
	int signo;         /* the host's signal; 0 for a panic */
	void *siginfo;     /* siginfo_t *, or NULL */
	void *ucontext;    /* ucontext_t *, or NULL */
	const char *text;  /* what happened, one line, valid while the handler runs */
};

void k_sys_fatal_error_handler(unsigned int reason, const struct arch_esf *esf);

/** End the process with the reason in the log. */
__attribute__((noreturn)) void k_fatal_halt(unsigned int reason);

/**
 * End in the fatal error handler with a reason of one's own: Zephyr's k_oops() and k_panic() are made of it. Our own.
 * If the handler returns, this thread ends alone. Context: any thread, no lock held.
 */
__attribute__((noreturn)) void kmem_fatal_raise(unsigned int reason);

/**
 * What stands in for a kernel's threads: how to end the calling one after its fatal error, and what it is called. Our own.
 *
 * @p abort_self is called in the faulting thread, maybe in the handler of its signal, when the program's fatal error handler
 * has returned. It does not return for a thread that it knows and that may end; for another it does, and the host thread, or
 * the process, ends. @p name gives the object and the name for `Current thread:`. NULL takes either back.
 */
void kmem_fatal_thread_abort_set(void (*abort_self)(void));
void kmem_fatal_thread_name_set(const char *(*name)(void **object));

/**
 * What tells that a page that is not there belongs to the stack of the calling thread: the reason is K_ERR_STACK_CHK_FAIL then. Our own.
 *
 * @p is_stack_guard is called in the faulting thread, in the handler of its signal; NULL takes it back.
 */
void kmem_fatal_stack_set(bool (*is_stack_guard)(uintptr_t addr));

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* KMEM_FATAL_H */
