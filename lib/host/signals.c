/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals: owning SIGSEGV, SIGBUS and SIGSYS, and the dispositions that the program wishes for these. Masks are in signals_mask.c, the
 * handing on of signals that are not libkmem's in signals_deliver.c.
 *
 * Theory of operation. While a signal is taken, it is never blocked in truth: masks that the program sets, in whichever
 * way, are stripped of it, and what it asked for is kept beside: the disposition here, the mask bits in struct kmem_thread,
 * the bits in other handlers' masks in `masked`. All of it comes back at release. SIGSEGV and SIGBUS are taken together, SIGSYS by itself.
 */
#include "host/signals.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/annotate.h"
#include "host/lock.h"
#include "host/signals_section.h"
#include "host/stack.h"
#include "host/thread.h"

/* The C library's own sigaction(), which interpose.c hides by a wrapper. */
extern int __sigaction(int signo, const struct sigaction *action, struct sigaction *old);

static struct {
	_Atomic kmem_sigmask owned; /* the signals that are taken */
	struct kmem_lock lock;      /* lock.h, 3 */

	/* guarded by the lock */
	struct sigaction wishes[KMEM_SIGNALS_OWNED]; /* as wish_index() */
	kmem_sigmask masked[KMEM_SIGNALS_LAST + 1];  /* which of the taken ones a handler's mask had */
	bool are_stacks_paged;                       /* code of the program's runs on paged memory */
	kmem_sigmask lifted;                         /* whose handlers run on the alternate stack for that reason only, a bit a signal */

	_Atomic bool are_stacks_known; /* are_stacks_paged, or about to be */
} state;

static const int ownable[KMEM_SIGNALS_OWNED] = {SIGSEGV, SIGBUS, SIGSYS};

static unsigned int wish_index(int signo)
{
	switch (signo) {
	case SIGBUS:
		return 1;
	case SIGSYS:
		return 2;
	default:
		return 0;
	}
}

KMEM_NO_TSAN kmem_sigmask kmem_signals_owned(void)
{
	return atomic_load_explicit(&state.owned, memory_order_acquire);
}

KMEM_NO_TSAN static bool is_owned(int signo)
{
	return (kmem_signals_owned() & KMEM_SIGBIT(signo)) != 0;
}

static void lock_acquire(kmem_sigmask *saved)
{
	kmem_signals_block(saved);
	kmem_lock_acquire(&state.lock);
}

static void lock_release(const kmem_sigmask *saved)
{
	kmem_lock_release(&state.lock);
	kmem_signals_restore(saved);
}

KMEM_NO_TSAN bool kmem_signals_are_taken(void)
{
	return kmem_signals_owned() != 0;
}

/* Strip the taken signals from a handler's mask, and keep what it had. Lock held. */
static void handler_mask_strip(int signo, sigset_t *mask)
{
	kmem_sigmask full = kmem_sigmask_of(mask);

	state.masked[signo] = full & kmem_signals_owned();
	kmem_sigmask_put(mask, full & ~kmem_signals_owned());
}

static void handler_mask_unstrip(int signo, sigset_t *mask)
{
	kmem_sigmask_put(mask, kmem_sigmask_of(mask) | state.masked[signo]);
}

/* Other signals are taken now: have the masks of all handlers that the program has installed without them. Lock held. */
static void handlers_strip(void)
{
	for (int signo = 1; signo <= KMEM_SIGNALS_LAST; signo++) {
		struct sigaction action;

		if (is_owned(signo) || __sigaction(signo, NULL, &action) != 0) {
			continue;
		}
		if (!kmem_signals_has_handler(&action) && state.masked[signo] == 0) {
			continue;
		}
		handler_mask_unstrip(signo, &action.sa_mask);
		handler_mask_strip(signo, &action.sa_mask);
		(void)__sigaction(signo, &action, NULL);
	}
}

/* Take some signals. Lock held. 0, or -errno with nothing changed. */
static int own(kmem_sigmask signals, const struct sigaction *action)
{
	for (size_t i = 0; i < KMEM_SIGNALS_OWNED; i++) {
		struct sigaction *wish = &state.wishes[i];

		if ((signals & KMEM_SIGBIT(ownable[i])) == 0) {
			continue;
		}
		if (__sigaction(ownable[i], action, wish) != 0) {
			return -errno;
		}
		handler_mask_unstrip(ownable[i], &wish->sa_mask);
		state.masked[ownable[i]] = 0;
	}
	atomic_store_explicit(&state.owned, kmem_signals_owned() | signals, memory_order_release);
	handlers_strip();
	return 0;
}

static int take(kmem_sigmask signals, const struct sigaction *action)
{
	kmem_sigmask saved;
	int ret;

	lock_acquire(&saved);
	ret = own(signals, action);
	lock_release(&saved);
	return ret;
}

static void release(kmem_sigmask signals)
{
	kmem_sigmask saved;

	lock_acquire(&saved);
	atomic_store_explicit(&state.owned, kmem_signals_owned() & ~signals, memory_order_release);
	for (size_t i = 0; i < KMEM_SIGNALS_OWNED; i++) {
		if ((signals & KMEM_SIGBIT(ownable[i])) != 0) {
			handler_mask_strip(ownable[i], &state.wishes[i].sa_mask);
			(void)__sigaction(ownable[i], &state.wishes[i], NULL);
		}
	}
	handlers_strip();
	lock_release(&saved);
}

/* A handler that signals are taken with, and what is blocked in it. */
static struct sigaction taking(kmem_trap_handler handler, kmem_sigmask mask)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

	memset(&action.sa_mask, 0, sizeof(action.sa_mask));
	kmem_sigmask_put(&action.sa_mask, mask);
	return action;
}

int kmem_signals_take(kmem_trap_handler handler)
{
	struct sigaction action = taking(handler, ~KMEM_SIGNALS_SYNCHRONOUS);

	return take(KMEM_SIGNALS_MEMORY, &action);
}

void kmem_signals_release(void)
{
	release(KMEM_SIGNALS_MEMORY);
}

int kmem_signals_take_calls(kmem_trap_handler handler)
{
	struct sigaction action = taking(handler, 0);

	return take(KMEM_SIGNALS_CALLS, &action);
}

void kmem_signals_release_calls(void)
{
	release(KMEM_SIGNALS_CALLS);
}

bool kmem_signals_is_default(int signo)
{
	const struct sigaction *wish = &state.wishes[wish_index(signo)];

	return (wish->sa_flags & SA_SIGINFO) == 0 && wish->sa_handler == SIG_DFL;
}

/* The wish of a vfork() child, as far as its successor inherits it: whether the signal is ignored. */
static void borrower_exchange(struct kmem_thread *self, int signo, const struct sigaction *action, struct sigaction *old)
{
	*old = state.wishes[wish_index(signo)];
	if ((self->borrower.changed & KMEM_SIGBIT(signo)) != 0) {
		const bool is_ignored = (self->borrower.ignored & KMEM_SIGBIT(signo)) != 0;

		*old = (struct sigaction){.sa_handler = is_ignored ? SIG_IGN : SIG_DFL};
	}
	if (action != NULL) {
		self->borrower.changed |= KMEM_SIGBIT(signo);
		self->borrower.ignored &= ~KMEM_SIGBIT(signo);
		self->borrower.ignored |= action->sa_handler == SIG_IGN ? KMEM_SIGBIT(signo) : 0;
	}
}

bool kmem_signals_is_ignored(int signo)
{
	struct kmem_thread *self = kmem_thread_self();

	if (kmem_signals_is_borrower(self) && (self->borrower.changed & KMEM_SIGBIT(signo)) != 0) {
		return (self->borrower.ignored & KMEM_SIGBIT(signo)) != 0;
	}
	return state.wishes[wish_index(signo)].sa_handler == SIG_IGN;
}

/* The wish for a taken signal, read and replaced. */
static void wish_exchange(int signo, const struct sigaction *action, struct sigaction *old)
{
	struct sigaction *wish = &state.wishes[wish_index(signo)];
	struct kmem_thread *self = kmem_thread_self();

	if (kmem_signals_is_borrower(self)) {
		borrower_exchange(self, signo, action, old);
		return;
	}
	*old = *wish;
	if (action != NULL) {
		*wish = *action;
		/* As the host does. */
		(void)sigdelset(&wish->sa_mask, SIGKILL);
		(void)sigdelset(&wish->sa_mask, SIGSTOP);
	}
}

/* Have a handler run on the alternate stack if the program's stacks cannot be relied on. Whether it has not asked for that. Lock held. */
static bool handler_lift(struct sigaction *action)
{
	if (!state.are_stacks_paged || !kmem_signals_has_handler(action) || (action->sa_flags & SA_ONSTACK) != 0) {
		return false;
	}
	action->sa_flags |= SA_ONSTACK;
	return true;
}

/* Have all handlers run there that the program has installed by now. Lock held. */
static void handlers_lift(void)
{
	for (int signo = 1; signo <= KMEM_SIGNALS_LAST; signo++) {
		struct sigaction action;

		if (!is_owned(signo) && __sigaction(signo, NULL, &action) == 0 && handler_lift(&action) &&
		    __sigaction(signo, &action, NULL) == 0) {
			state.lifted |= KMEM_SIGBIT(signo);
		}
	}
}

/*
 * Whether the interrupted code runs on paged memory, on a stack from malloc(), say. The host kernel kills a process if it cannot write
 * a signal's frame. So from then on all handlers run on alternate stacks. A vfork() child's handlers are its parent's and stay what they
 * are.
 */
void kmem_signals_interrupted(const void *ucontext)
{
	kmem_sigmask saved;

	if (kmem_thread_stack_is_paged == NULL || !kmem_thread_altstack_is_own() ||
	    atomic_load_explicit(&state.are_stacks_known, memory_order_relaxed) ||
	    !kmem_thread_stack_is_paged((const void *)kmem_signals_stack_pointer(ucontext), 1) ||
	    kmem_thread_self()->locks > 0 || kmem_signals_is_borrower(kmem_thread_self()) ||
	    atomic_exchange(&state.are_stacks_known, true)) {
		return;
	}
	lock_acquire(&saved);
	state.are_stacks_paged = true;
	handlers_lift();
	lock_release(&saved);
}

/* Another signal's action, its mask stripped if there is a handler, and shown as the program gave it. */
static int stripped_exchange(int signo, const struct sigaction *action, struct sigaction *old)
{
	const kmem_sigmask lifted = state.lifted;
	const kmem_sigmask masked = state.masked[signo];
	bool is_lifted = false;
	struct sigaction stripped;
	kmem_sigmask now;
	int ret;

	if (action != NULL) {
		stripped = *action;
		state.masked[signo] = 0;
		if (kmem_signals_has_handler(action)) {
			handler_mask_strip(signo, &stripped.sa_mask);
		}
		is_lifted = handler_lift(&stripped);
	}
	ret = __sigaction(signo, action != NULL ? &stripped : NULL, old);
	if (ret != 0) {
		ret = -errno;
		state.masked[signo] = masked;
		return ret;
	}
	now = state.masked[signo];
	state.masked[signo] = masked;
	handler_mask_unstrip(signo, &old->sa_mask);
	if ((lifted & KMEM_SIGBIT(signo)) != 0) {
		old->sa_flags &= ~SA_ONSTACK;
	}
	/* The actions of a vfork() child are its own. */
	if (action != NULL && !kmem_signals_is_borrower(kmem_thread_self())) {
		state.masked[signo] = now;
		state.lifted = is_lifted ? lifted | KMEM_SIGBIT(signo) : lifted & ~KMEM_SIGBIT(signo);
	}
	return 0;
}

struct action_call {
	int signo;
	const struct sigaction *action;
	struct sigaction *old;
};

KMEM_NO_TSAN static long action_call(void *argument)
{
	const struct action_call call = *(const struct action_call *)argument;
	struct sigaction given;
	struct sigaction before;
	kmem_sigmask saved;
	int ret = 0;

	/* The caller's memory may be paged: it is touched outside the lock only. */
	if (call.action != NULL) {
		given = *call.action;
	}
	lock_acquire(&saved);
	if (is_owned(call.signo)) {
		wish_exchange(call.signo, call.action != NULL ? &given : NULL, &before);
	} else {
		ret = stripped_exchange(call.signo, call.action != NULL ? &given : NULL, &before);
	}
	lock_release(&saved);
	if (ret == 0 && call.old != NULL) {
		*call.old = before;
	}
	return ret;
}

KMEM_NO_TSAN int kmem_signals_action(int signo, const struct sigaction *action, struct sigaction *old)
{
	struct action_call call = {.signo = signo, .action = action, .old = old};

	if (!kmem_signals_are_taken() || signo < 1 || signo > KMEM_SIGNALS_LAST) {
		return __sigaction(signo, action, old) == 0 ? 0 : -errno;
	}
	return (int)kmem_stack_call(action_call, &call);
}

int kmem_signals_action_raw(int signo, const struct kmem_signals_action *action, struct kmem_signals_action *old)
{
	struct sigaction given = {.sa_flags = 0};
	struct sigaction before;
	int ret;

	/* Signals that the C library keeps from its own callers have no wishes. */
	if (signo == 32 || signo == 33 || !kmem_signals_are_taken()) {
		return syscall(SYS_rt_sigaction, signo, action, old, sizeof(kmem_sigmask)) == 0 ? 0 : -errno;
	}
	if (action != NULL) {
		given.sa_handler = action->handler;
		given.sa_flags = (int)action->flags;
		kmem_sigmask_put(&given.sa_mask, action->mask);
	}
	ret = kmem_signals_action(signo, action != NULL ? &given : NULL, &before);
	if (ret == 0 && old != NULL) {
		*old = (struct kmem_signals_action){
			.handler = before.sa_handler,
			.flags = (unsigned int)before.sa_flags,
			.restorer = before.sa_restorer,
			.mask = kmem_sigmask_of(&before.sa_mask),
		};
	}
	return ret;
}

void kmem_signals_exec_begin(struct kmem_signals_exec *exec)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	exec->ignored = 0;
	for (size_t i = 0; i < KMEM_SIGNALS_OWNED; i++) {
		if (is_owned(ownable[i]) && kmem_signals_is_ignored(ownable[i]) &&
		    __sigaction(ownable[i], &ignore, &exec->actions[i]) == 0) {
			exec->ignored |= KMEM_SIGBIT(ownable[i]);
		}
	}
	exec->blocked = kmem_signals_wish_mask() & kmem_signals_owned();
	if (exec->blocked != 0) {
		(void)kmem_signals_mask_change(SIG_BLOCK, &exec->blocked, NULL);
		kmem_signals_pending_send(exec->blocked);
	}
}

void kmem_signals_exec_end(const struct kmem_signals_exec *exec)
{
	for (size_t i = 0; i < KMEM_SIGNALS_OWNED; i++) {
		if ((exec->ignored & KMEM_SIGBIT(ownable[i])) != 0) {
			(void)__sigaction(ownable[i], &exec->actions[i], NULL);
		}
	}
	if (exec->blocked != 0) {
		(void)kmem_signals_mask_change(SIG_UNBLOCK, &exec->blocked, NULL);
	}
}

/* Signals that have their default action again, for good, a bit each. */
static _Atomic uint64_t ending;

bool kmem_signals_is_ending(int signo)
{
	return (atomic_load(&ending) & KMEM_SIGBIT(signo)) != 0;
}

void kmem_signals_default(int signo)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	kmem_sigmask mask = KMEM_SIGBIT(signo);

	atomic_fetch_or(&ending, KMEM_SIGBIT(signo));
	(void)__sigaction(signo, &action, NULL);
	(void)kmem_signals_mask_change(SIG_UNBLOCK, &mask, NULL);
}

struct sigaction kmem_signals_wish_for_delivery(int signo)
{
	struct sigaction *wish = &state.wishes[wish_index(signo)];
	const bool is_held = kmem_lock_is_held(&state.lock);
	struct sigaction copy;

	if (!is_held) {
		kmem_lock_acquire(&state.lock);
	}
	copy = *wish;
	if (kmem_signals_has_handler(wish) && (wish->sa_flags & SA_RESETHAND) != 0) {
		wish->sa_handler = SIG_DFL;
		wish->sa_flags &= ~SA_SIGINFO;
	}
	if (!is_held) {
		kmem_lock_release(&state.lock);
	}
	return copy;
}

void kmem_signals_forked(void)
{
	/* A thread that had it is not there any more. */
	atomic_store(&state.lock.word, 0);
}

void kmem_signals_abort(void)
{
	kmem_signals_default(SIGABRT);
	(void)syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), SIGABRT);
	for (;;) {
		__builtin_trap();
	}
}
