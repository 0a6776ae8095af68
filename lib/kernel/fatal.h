/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fatal errors: bad accesses, broken assertions, panics. Reads everything, changes nothing.
 */
#ifndef KMEM_KERNEL_FATAL_H
#define KMEM_KERNEL_FATAL_H

#include <stdbool.h>

#include <kmem/fatal.h>

#include "machine/trap.h"

/*
 * A caller's bug, noted under a lock and raised without one. The first note stays.
 */
struct kmem_bug {
	const char *condition; /* that does not hold; NULL: no bug */
	const char *file;
	int line;
	char text[200];
};

#define KMEM_BUG(bug, condition, ...) kmem_bug_note((bug), (condition), __FILE__, __LINE__, __VA_ARGS__)

void kmem_bug_note(struct kmem_bug *bug, const char *condition, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/*
 * Zephyr's __ASSERT: print `ASSERTION FAIL [condition] @ file:line` and the text, and panic. Returns where there is no bug
 * or assertions are off.
 */
void kmem_bug_raise(const struct kmem_bug *bug);

/* End in the fatal error handler with an own reason and no access. Context: no lock held. */
_Noreturn void kmem_fatal_panic(unsigned int reason, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * A trap that cannot be served: explain it, call the handler, and arrange that returning to the instruction ends the process,
 * or end the thread. Context: the trap, no lock held.
 */
void kmem_fatal_trap(struct kmem_trap *trap, enum kmem_fault_kind kind, int error);

/* The same for a trap under a lock, or inside a policy or store: explained, never handed to the program's handler. */
void kmem_fatal_nested(struct kmem_trap *trap);

/* An access in words, for `0x... of ...` to follow. */
const char *kmem_fatal_access_text(enum kmem_access access);

/*
 * What can say more of a bad access, where the access itself was wrong, such as to which block of a heap it belongs: called in the
 * faulting thread, in the handler of its signal, with no lock held, after the access has been explained.
 */
void kmem_fatal_explain_set(void (*explain)(const struct arch_esf *esf));

/* Have it said of an access that is the program's own to handle, and that is not explained otherwise. */
void kmem_fatal_explain(const struct kmem_trap *trap, enum kmem_fault_kind kind);

/* Print what the default handler prints, unless it has been printed for this error. */
void kmem_fatal_print(unsigned int reason, const struct arch_esf *esf);

/* The default handler was reached (fatal_default.c says so): let the process end. */
void kmem_fatal_default(void);

#endif /* KMEM_KERNEL_FATAL_H */
