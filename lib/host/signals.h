/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals: blocking them around locks, owning SIGSEGV and SIGBUS, and remembering what the program wants done with these
 * two. interpose.c holds the wrappers of sigaction() and its kin that programs call; they end here.
 *
 * Terms. *Wish*: the disposition, or mask bit, that the program asked for and would see if libkmem were not there.
 */
#ifndef KMEM_HOST_SIGNALS_H
#define KMEM_HOST_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* A mask as the host kernel has it: 64 signals, bit n - 1 for signal n. */
typedef uint64_t kmem_sigmask;

/* Block every signal but SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP and SIGSYS, 32 and 33 too. _sigsafe. */
void kmem_signals_block(kmem_sigmask *saved); /* saved may be NULL */
void kmem_signals_restore(const kmem_sigmask *saved);

/* A handler of traps. Called with every signal blocked but the synchronous ones, on the alternate stack if there is one. */
typedef void (*kmem_trap_handler)(int signo, siginfo_t *info, void *ucontext);

/*
 * Take SIGSEGV and SIGBUS: what was installed becomes the program's wish, and in the calling thread both are unblocked
 * (the wish remembered). 0 or -errno. release gives both back as the program wishes them by then.
 */
int kmem_signals_take(kmem_trap_handler handler);
void kmem_signals_release(void);

/*
 * Hand a signal on as the host would have delivered it without libkmem: to the program's handler, with the mask, flags
 * (SA_RESETHAND, SA_NODEFER, SA_SIGINFO) and interrupted mask that it asked for; else by the default action, so that
 * returning repeats the instruction and dies of it (for signals sent by kill() and the like, which no instruction
 * repeats, the signal is sent again).
 */
void kmem_signals_hand_on(int signo, siginfo_t *info, void *ucontext);

/* Whether the program leaves one of the two to its default action. _sigsafe. */
bool kmem_signals_is_default(int signo);

/* Restore the default action of signo for good, so that returning from the handler dies of it. */
void kmem_signals_default(int signo);

/* Inside a trap: set the mask to that of the interrupted code, less SIGSEGV and SIGBUS, or back to all blocked. */
void kmem_signals_interrupted_mask(const void *ucontext);
void kmem_signals_block_all(void);

/*
 * For interpose.c: what the program asks for, and sees. 0 or -errno. Masks are its own, with both bits as it wishes them.
 * The caller's structures are touched with no lock held.
 */
bool kmem_signals_are_taken(void);
int kmem_signals_action(int signo, const struct sigaction *action, struct sigaction *old);
int kmem_signals_mask(int how, const kmem_sigmask *mask, kmem_sigmask *old);

/* A mask for the time of one system call, without the two while they are taken. */
kmem_sigmask kmem_signals_strip(kmem_sigmask mask);

/* Take back a signal that a system call of the library's own has just raised, while it was blocked. */
void kmem_signals_discard(int signo);

/* End the process with SIGABRT even if the program catches or ignores it. */
_Noreturn void kmem_signals_abort(void);

#endif /* KMEM_HOST_SIGNALS_H */
