/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals: blocking them around locks, owning SIGSEGV, SIGBUS and SIGSYS, and remembering what the program wants done with
 * these. interpose.c holds the wrappers of sigaction() and its kin that programs call; they end here.
 *
 * Terms. *Wish*: the disposition, or mask bit, that the program asked for and would see if libkmem were not there.
 */
#ifndef KMEM_HOST_SIGNALS_H
#define KMEM_HOST_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A mask as the host kernel has it: 64 signals, bit n - 1 for signal n. */
typedef uint64_t kmem_sigmask;

/* Signals that can be taken. */
#define KMEM_SIGNALS_OWNED 3

/* Block every signal but SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP and SIGSYS, 32 and 33 too. _sigsafe. */
void kmem_signals_block(kmem_sigmask *saved); /* saved may be NULL */
void kmem_signals_restore(const kmem_sigmask *saved);

/* A handler of traps. Called on the alternate stack if there is one. */
typedef void (*kmem_trap_handler)(int signo, siginfo_t *info, void *ucontext);

/*
 * Take SIGSEGV and SIGBUS, whose handler is called with every signal blocked but the synchronous ones: what was installed becomes the
 * program's wish, and in the calling thread both are unblocked (the wish remembered). 0 or -errno. release gives both back as the
 * program wishes them by then.
 */
int kmem_signals_take(kmem_trap_handler handler);
void kmem_signals_release(void);

/*
 * The same for SIGSYS, whose handler is called with the mask of the interrupted code: a system call made in it blocks, and is
 * interrupted, as the program's would. What it does not know it hands on.
 */
int kmem_signals_take_calls(kmem_trap_handler handler);
void kmem_signals_release_calls(void);

/*
 * Hand a signal on as the host would have delivered it without libkmem: to the program's handler, with the mask, flags
 * (SA_RESETHAND, SA_NODEFER, SA_SIGINFO) and interrupted mask that it asked for; else by the default action, so that
 * returning repeats the instruction and dies of it (for signals sent by kill() and the like, which no instruction
 * repeats, the signal is sent again).
 */
void kmem_signals_hand_on(int signo, siginfo_t *info, void *ucontext);

/* Whether the program leaves a taken signal to its default action, or ignores it. _sigsafe. */
bool kmem_signals_is_default(int signo);
bool kmem_signals_is_ignored(int signo);

/* Restore the default action of signo for good, so that returning from the handler dies of it; and whether that has been done. */
void kmem_signals_default(int signo);
bool kmem_signals_is_ending(int signo);

/* In the handler of a signal that is taken, first of all: what ran, and on what stack, may change how handlers are called from then on. */
void kmem_signals_interrupted(const void *ucontext);

/* Inside a trap: set the mask to that of the interrupted code, less the taken ones, or back to all blocked. */
void kmem_signals_interrupted_mask(const void *ucontext);
void kmem_signals_block_all(void);

/*
 * For interpose.c: what the program asks for, and sees. 0 or -errno. Masks are its own, with all bits as it wishes them.
 * The caller's structures are touched with no lock held.
 */
bool kmem_signals_are_taken(void);
int kmem_signals_action(int signo, const struct sigaction *action, struct sigaction *old);
int kmem_signals_mask(int how, const kmem_sigmask *mask, kmem_sigmask *old);

/* A mask for the time of one system call, without the signals that are taken. */
kmem_sigmask kmem_signals_strip(kmem_sigmask mask);

/* The signals that wait for the calling thread, as the program sees it; take one of ours from among them. _sigsafe. */
kmem_sigmask kmem_signals_pending(void);
bool kmem_signals_pending_take(int signo);

/* An action as the host kernel has it. */
struct kmem_signals_action {
	void (*handler)(int signo);
	unsigned long flags;
	void (*restorer)(void);
	kmem_sigmask mask;
};

/*
 * What the raw system calls do, as the program means them: rt_sigaction, and rt_sigprocmask made by code that was interrupted by
 * a trap, whose return would bring the former mask back. The structures are the caller's own, in memory that is there. 0 or -errno.
 */
int kmem_signals_action_raw(int signo, const struct kmem_signals_action *action, struct kmem_signals_action *old);
int kmem_signals_mask_in(void *ucontext, int how, const kmem_sigmask *mask, kmem_sigmask *old);

/* The same for sigaltstack, where alternate stacks are the library's own (thread.h). */
int kmem_signals_altstack_in(void *ucontext, const stack_t *stack, stack_t *old);

/*
 * Before and after an execve() that may fail: what the calling thread wishes becomes the truth, for the next program to inherit, and
 * a wish again. Between the two nothing may trap: whatever the system call needs is in memory that is there. _sigsafe, also in
 * the child of a vfork().
 *
 * Where the program ignores a taken signal, it is ignored in all threads of the process meanwhile: another thread that
 * needs a page in that moment dies of it.
 */
struct kmem_signals_exec {
	kmem_sigmask blocked;
	kmem_sigmask ignored;
	struct sigaction actions[KMEM_SIGNALS_OWNED]; /* that were installed */
};

void kmem_signals_exec_begin(struct kmem_signals_exec *exec);
void kmem_signals_exec_end(const struct kmem_signals_exec *exec);

/* Whether the program believes a stack pointer to be on its alternate stack, given what is installed. _sigsafe. */
bool kmem_signals_is_onstack(uintptr_t sp, uintptr_t bottom, size_t size);

/* In the child of a fork: no other thread holds the lock. */
void kmem_signals_forked(void);

/* Take back a signal that a system call of the library's own has just raised, while it was blocked. */
void kmem_signals_discard(int signo);

/* End the process with SIGABRT even if the program catches or ignores it. */
_Noreturn void kmem_signals_abort(void);

#endif /* KMEM_HOST_SIGNALS_H */
