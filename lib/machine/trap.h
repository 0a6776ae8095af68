/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traps: SIGSEGV and SIGBUS, decoded, go to the trap vector; what it does not want is handed on.
 */
#ifndef KMEM_MACHINE_TRAP_H
#define KMEM_MACHINE_TRAP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include <kmem/fatal.h>

struct kmem_trap {
	uintptr_t addr; /* that was accessed, to the byte where the host tells */
	uintptr_t pc;   /* of the instruction */
	enum kmem_access access;
	bool access_known; /* false where the host tells reads from writes by nothing */
	bool is_refused; /* by the vector */
	int signo;
	siginfo_t *info;
	void *ucontext;
};

/*
 * A trap at a page of the range: whichever signal the engine traps by, to everybody else it is SIGSEGV. Where it ends the process, that is
 * by SIGSEGV, too, at the same instruction.
 */
void kmem_trap_as_segv(struct kmem_trap *trap);

/*
 * The kernel's entry, called in the thread that trapped, in the signal handler, with all signals but the synchronous ones
 * blocked and errno saved. True: try the instruction again. False: not the kernel's.
 */
typedef bool (*kmem_trap_vector)(struct kmem_trap *trap);

/* Take the signals; give them back. 0 or -errno. */
int kmem_trap_init(kmem_trap_vector vector);
void kmem_trap_finish(void);

#endif /* KMEM_MACHINE_TRAP_H */
