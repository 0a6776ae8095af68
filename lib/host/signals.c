/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals: blocking them around locks, owning SIGSEGV and SIGBUS, and the program's wishes for these two.
 *
 * Theory of operation. While the two are taken, neither is ever blocked in truth: masks that the program sets, in whichever
 * way, are stripped of both, and what it asked for is kept beside: the disposition here, the mask bits in struct kmem_thread,
 * the bits in other handlers' masks in `masked`. All of it comes back at release. A signal that is not libkmem's is delivered
 * from here as the host kernel would have done it.
 *
 * A handler of the program's may be left by siglongjmp(), which restores a mask without telling us. So a delivery does not
 * count its own signal as blocked; instead a fault of the program's own inside its handler is recognised by where it is
 * taken, on the alternate stack below the delivery, and ends in the default action, as a blocked one does on the host. A
 * signal that is sent in there waits for the end of the handler.
 *
 * Masks are set by raw system calls: the C library's leave signals 32 and 33 open, and a cancelled thread would keep its lock.
 */
#include "host/signals.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "host/annotate.h"
#include "host/lock.h"
#include "host/log.h"
#include "host/thread.h"

#define BIT(signo) ((kmem_sigmask)1 << ((signo)-1))
#define TRAPS (BIT(SIGSEGV) | BIT(SIGBUS))
#define SYNCHRONOUS (TRAPS | BIT(SIGFPE) | BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGSYS))
#define SIGNALS 64

/* The C library's own sigaction(), which interpose.c hides by a wrapper. */
extern int __sigaction(int signo, const struct sigaction *action, struct sigaction *old);

static struct {
	_Atomic bool is_taken;
	struct kmem_lock lock; /* lock.h, 3 */

	/* guarded by the lock */
	struct sigaction wishes[2];          /* of SIGSEGV, SIGBUS */
	uint8_t masked[SIGNALS + 1];         /* which of the two a handler's mask had: bits as wish_index() */
} state;

static unsigned int wish_index(int signo)
{
	return signo == SIGBUS ? 1 : 0;
}

static bool is_trap(int signo)
{
	return signo == SIGSEGV || signo == SIGBUS;
}

static kmem_sigmask mask_of(const sigset_t *set)
{
	kmem_sigmask mask;

	memcpy(&mask, set, sizeof(mask));
	return mask;
}

static void mask_put(sigset_t *set, kmem_sigmask mask)
{
	memcpy(set, &mask, sizeof(mask));
}

KMEM_NO_TSAN static int mask_change(int how, const kmem_sigmask *mask, kmem_sigmask *old)
{
	int saved = errno;
	int ret = (int)syscall(SYS_rt_sigprocmask, how, mask, old, sizeof(kmem_sigmask));

	if (ret != 0) {
		ret = -errno;
	}
	errno = saved;
	return ret;
}

/* The calling thread's wish, as mask bits. */
KMEM_NO_TSAN static kmem_sigmask wish_get(void)
{
	const struct kmem_thread *self = kmem_thread_self();

	return (self->segv_blocked ? BIT(SIGSEGV) : 0) | (self->bus_blocked ? BIT(SIGBUS) : 0);
}

static void wish_set(kmem_sigmask mask)
{
	struct kmem_thread *self = kmem_thread_self();

	self->segv_blocked = (mask & BIT(SIGSEGV)) != 0;
	self->bus_blocked = (mask & BIT(SIGBUS)) != 0;
}

KMEM_NO_TSAN static void wish_forget(void)
{
	struct kmem_thread *self = kmem_thread_self();

	self->segv_blocked = false;
	self->bus_blocked = false;
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

void kmem_signals_block(kmem_sigmask *saved)
{
	const kmem_sigmask mask = ~SYNCHRONOUS;

	/* What the program has blocked of the synchronous ones stays so: one of them may be pending. */
	(void)mask_change(SIG_BLOCK, &mask, saved);
}

/* Send the calling thread its pending signals of these again. */
static void pending_send(kmem_sigmask due)
{
	struct kmem_thread *self = kmem_thread_self();

	due &= self->traps_pending;
	self->traps_pending &= ~due;
	for (int signo = 1; signo <= SIGNALS && due != 0; signo++) {
		if ((due & BIT(signo)) != 0) {
			(void)syscall(SYS_tgkill, syscall(SYS_getpid), kmem_thread_id(), signo);
			due &= ~BIT(signo);
		}
	}
}

/* Signals of the two that were sent while the program had them blocked come again once it has not. */
static void pending_resend(void)
{
	pending_send(~wish_get());
}

/* A mask from before the two were taken may hold them: remember, and strip; one from after their release gets them back. */
void kmem_signals_restore(const kmem_sigmask *saved)
{
	kmem_sigmask mask = *saved;

	if (kmem_signals_are_taken()) {
		wish_set(wish_get() | mask);
		mask &= ~TRAPS;
	} else {
		mask |= wish_get();
	}
	(void)mask_change(SIG_SETMASK, &mask, NULL);
	if (!kmem_signals_are_taken()) {
		pending_send(mask); /* blocked in truth by now: the host keeps them */
	}
}

void kmem_signals_block_all(void)
{
	kmem_signals_block(NULL);
}

void kmem_signals_interrupted_mask(const void *ucontext)
{
	const ucontext_t *context = ucontext;
	kmem_sigmask mask = mask_of(&context->uc_sigmask) & ~TRAPS;

	(void)mask_change(SIG_SETMASK, &mask, NULL);
}

KMEM_NO_TSAN bool kmem_signals_are_taken(void)
{
	return atomic_load_explicit(&state.is_taken, memory_order_acquire);
}

/* Strip both signals from a handler's mask, and keep what it had. Lock held. */
static void handler_mask_strip(int signo, sigset_t *mask)
{
	state.masked[signo] = (uint8_t)((sigismember(mask, SIGSEGV) ? 1U : 0U) | (sigismember(mask, SIGBUS) ? 2U : 0U));
	(void)sigdelset(mask, SIGSEGV);
	(void)sigdelset(mask, SIGBUS);
}

static void handler_mask_unstrip(int signo, sigset_t *mask)
{
	if ((state.masked[signo] & 1U) != 0) {
		(void)sigaddset(mask, SIGSEGV);
	}
	if ((state.masked[signo] & 2U) != 0) {
		(void)sigaddset(mask, SIGBUS);
	}
}

static bool has_handler(const struct sigaction *action)
{
	return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
}

/* Strip, or give back, the masks of all handlers that the program has installed. Lock held. */
static void handlers_each(void (*change)(int signo, sigset_t *mask))
{
	for (int signo = 1; signo <= SIGNALS; signo++) {
		struct sigaction action;

		if (is_trap(signo) || __sigaction(signo, NULL, &action) != 0) {
			continue;
		}
		if (!has_handler(&action) && state.masked[signo] == 0) {
			continue;
		}
		change(signo, &action.sa_mask);
		(void)__sigaction(signo, &action, NULL);
	}
}

/* The handler that the two are taken with. */
static struct sigaction taking(kmem_trap_handler handler)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

	memset(&action.sa_mask, 0, sizeof(action.sa_mask));
	mask_put(&action.sa_mask, ~SYNCHRONOUS);
	return action;
}

int kmem_signals_take(kmem_trap_handler handler)
{
	struct sigaction action = taking(handler);
	kmem_sigmask saved;
	int ret = 0;

	lock_acquire(&saved);
	if (__sigaction(SIGSEGV, &action, &state.wishes[0]) != 0 || __sigaction(SIGBUS, &action, &state.wishes[1]) != 0) {
		ret = -errno;
	} else {
		memset(state.masked, 0, sizeof(state.masked));
		handlers_each(handler_mask_strip);
		atomic_store_explicit(&state.is_taken, true, memory_order_release);
	}
	lock_release(&saved);
	return ret;
}

void kmem_signals_release(void)
{
	kmem_sigmask saved;

	lock_acquire(&saved);
	handlers_each(handler_mask_unstrip);
	(void)__sigaction(SIGSEGV, &state.wishes[0], NULL);
	(void)__sigaction(SIGBUS, &state.wishes[1], NULL);
	atomic_store_explicit(&state.is_taken, false, memory_order_release);
	lock_release(&saved);
}

bool kmem_signals_is_default(int signo)
{
	const struct sigaction *wish = &state.wishes[wish_index(signo)];

	return (wish->sa_flags & SA_SIGINFO) == 0 && wish->sa_handler == SIG_DFL;
}

/* The wish for one of the two, read and replaced. */
static void wish_exchange(int signo, const struct sigaction *action, struct sigaction *old)
{
	struct sigaction *wish = &state.wishes[wish_index(signo)];
	struct sigaction before = *wish;

	if (action != NULL) {
		*wish = *action;
		/* As the host does. */
		(void)sigdelset(&wish->sa_mask, SIGKILL);
		(void)sigdelset(&wish->sa_mask, SIGSTOP);
	}
	if (old != NULL) {
		*old = before;
	}
}

/* Another signal's action, its mask stripped if there is a handler, and shown as the program gave it. */
static int stripped_exchange(int signo, const struct sigaction *action, struct sigaction *old)
{
	const uint8_t masked = state.masked[signo];
	struct sigaction stripped;
	int ret;

	if (action != NULL) {
		stripped = *action;
		state.masked[signo] = 0;
		if (has_handler(action)) {
			handler_mask_strip(signo, &stripped.sa_mask);
		}
	}
	ret = __sigaction(signo, action != NULL ? &stripped : NULL, old);
	if (ret != 0) {
		ret = -errno;
		state.masked[signo] = masked;
		return ret;
	}
	if (old != NULL) {
		const uint8_t now = state.masked[signo];

		state.masked[signo] = masked;
		handler_mask_unstrip(signo, &old->sa_mask);
		state.masked[signo] = now;
	}
	return 0;
}

KMEM_NO_TSAN int kmem_signals_action(int signo, const struct sigaction *action, struct sigaction *old)
{
	struct sigaction given;
	struct sigaction before;
	kmem_sigmask saved;
	int ret = 0;

	if (!kmem_signals_are_taken() || signo < 1 || signo > SIGNALS) {
		return __sigaction(signo, action, old) == 0 ? 0 : -errno;
	}
	/* The caller's memory may be paged: it is touched outside the lock only. */
	if (action != NULL) {
		given = *action;
	}
	lock_acquire(&saved);
	if (is_trap(signo)) {
		wish_exchange(signo, action != NULL ? &given : NULL, &before);
	} else {
		ret = stripped_exchange(signo, action != NULL ? &given : NULL, &before);
	}
	lock_release(&saved);
	if (ret == 0 && old != NULL) {
		*old = before;
	}
	return ret;
}

kmem_sigmask kmem_signals_strip(kmem_sigmask mask)
{
	return kmem_signals_are_taken() ? mask & ~TRAPS : mask;
}

/* Once the two are released, what the calling thread wishes becomes the truth. */
KMEM_NO_TSAN static void wish_realise(void)
{
	kmem_sigmask wish = wish_get();

	if (wish != 0) {
		(void)mask_change(SIG_BLOCK, &wish, NULL);
		wish_forget();
		pending_send(wish);
	}
}

KMEM_NO_TSAN int kmem_signals_mask(int how, const kmem_sigmask *mask, kmem_sigmask *old)
{
	const kmem_sigmask traps = TRAPS;
	kmem_sigmask wish = wish_get();
	kmem_sigmask stripped;
	kmem_sigmask before;
	int ret;

	if (!kmem_signals_are_taken()) {
		wish_realise();
		return mask_change(how, mask, old);
	}
	if (mask != NULL) {
		stripped = *mask & ~TRAPS;
	}
	ret = mask_change(how, mask != NULL ? &stripped : NULL, &before);
	if (ret != 0) {
		return ret;
	}
	/* What this thread has had blocked since before another one took the two is a wish as well. */
	if ((before & TRAPS) != 0) {
		wish |= before & TRAPS;
		wish_set(wish);
		(void)mask_change(SIG_UNBLOCK, &traps, NULL);
	}
	if (old != NULL) {
		*old = before | wish;
	}
	if (mask == NULL) {
		return 0;
	}
	switch (how) {
	case SIG_BLOCK:
		wish |= *mask;
		break;
	case SIG_UNBLOCK:
		wish &= ~*mask;
		break;
	default:
		wish = *mask;
		break;
	}
	wish_set(wish);
	pending_resend();
	return 0;
}

void kmem_signals_default(int signo)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	kmem_sigmask mask = BIT(signo);

	(void)__sigaction(signo, &action, NULL);
	(void)mask_change(SIG_UNBLOCK, &mask, NULL);
}

/* Codes above 0 are the host's: an instruction caused it, and repeating that causes it again. */
static bool is_fault(const siginfo_t *info)
{
	return info->si_code > 0;
}

/* The default action: at the instruction where one caused the signal, else here and now. */
static void deliver_default(int signo, const siginfo_t *info)
{
	kmem_signals_default(signo);
	if (!is_fault(info)) {
		(void)syscall(SYS_tgkill, syscall(SYS_getpid), kmem_thread_id(), signo);
	}
}

/* Call the program's handler with the mask that the host would give it. */
static void deliver_handler(const struct sigaction *wish, int signo, siginfo_t *info, ucontext_t *context)
{
	kmem_sigmask interrupted = mask_of(&context->uc_sigmask);
	kmem_sigmask mask = (interrupted | mask_of(&wish->sa_mask)) & ~TRAPS;
	kmem_sigmask after;

	mask_put(&context->uc_sigmask, interrupted | wish_get());
	(void)mask_change(SIG_SETMASK, &mask, NULL);
	if ((wish->sa_flags & SA_SIGINFO) != 0) {
		wish->sa_sigaction(signo, info, context);
	} else {
		wish->sa_handler(signo);
	}
	kmem_signals_block_all();
	/* The handler may have changed the mask that it returns to. */
	after = mask_of(&context->uc_sigmask);
	wish_set(after);
	mask_put(&context->uc_sigmask, after & ~TRAPS);
}

/* The wish for a signal; a handler that serves once is reset. */
static struct sigaction wish_for_delivery(int signo)
{
	struct sigaction *wish = &state.wishes[wish_index(signo)];
	const bool is_held = kmem_lock_is_held(&state.lock);
	struct sigaction copy;

	if (!is_held) {
		kmem_lock_acquire(&state.lock);
	}
	copy = *wish;
	if (has_handler(wish) && (wish->sa_flags & SA_RESETHAND) != 0) {
		wish->sa_handler = SIG_DFL;
		wish->sa_flags &= ~SA_SIGINFO;
	}
	if (!is_held) {
		kmem_lock_release(&state.lock);
	}
	return copy;
}

/* Where the interrupted code's stack ends; the frame of the signal, a little below, where that is not known. */
static uintptr_t stack_pointer(const ucontext_t *context)
{
#if defined(__x86_64__)
	return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
	return context->uc_mcontext.sp;
#else
	return (uintptr_t)context;
#endif
}

/* Whether the program's handler ran out of the alternate stack, on whose top this very code runs again. */
static bool is_overflow(const siginfo_t *info)
{
	const struct kmem_thread *self = kmem_thread_self();

	if (self->traps_delivered == 0 || !is_fault(info) || !kmem_thread_altstack_is_guard((uintptr_t)info->si_addr)) {
		return false;
	}
	kmem_log(KMEM_LOG_ERROR, "a signal handler overflows its alternate stack: give the thread a larger one by sigaltstack()");
	return true;
}

/*
 * Whether a signal was taken inside the program's handler for it, blocked by that delivery: the handler runs on the alternate
 * stack, below the delivery's frame. (SS_ONSTACK in the context does not tell: it is what sigaltstack() was called with.)
 */
static bool is_recursion(const struct sigaction *wish, int signo, const ucontext_t *context)
{
	const struct kmem_thread *self = kmem_thread_self();
	uintptr_t bottom = (uintptr_t)context->uc_stack.ss_sp;
	uintptr_t at = stack_pointer(context);

	return (self->traps_delivered & BIT(signo)) != 0 && (wish->sa_flags & SA_NODEFER) == 0 &&
	       self->delivery - bottom < context->uc_stack.ss_size && at >= bottom && at < self->delivery;
}

void kmem_signals_hand_on(int signo, siginfo_t *info, void *ucontext)
{
	struct kmem_thread *self = kmem_thread_self();
	const bool is_blocked = (wish_get() & BIT(signo)) != 0;
	const kmem_sigmask traps = TRAPS;
	const uint64_t delivered = self->traps_delivered;
	const uintptr_t delivery = self->delivery;
	struct sigaction wish;
	bool is_recursive;

	if (is_blocked && !is_fault(info)) {
		self->traps_pending |= BIT(signo);
		return;
	}
	wish = wish_for_delivery(signo);
	if (wish.sa_handler == SIG_IGN && !is_fault(info)) {
		return;
	}
	is_recursive = has_handler(&wish) && (is_overflow(info) || is_recursion(&wish, signo, ucontext));
	if (is_recursive && !is_fault(info)) {
		self->traps_pending |= BIT(signo);
		return;
	}
	if (!has_handler(&wish) || is_blocked || is_recursive) {
		deliver_default(signo, info);
		return;
	}
	self->traps_delivered |= BIT(signo);
	self->delivery = (uintptr_t)__builtin_frame_address(0);
	deliver_handler(&wish, signo, info, ucontext);
	self->traps_delivered = delivered;
	self->delivery = delivery;
	if ((self->traps_pending & ~wish_get()) != 0) {
		/* What has waited comes when the trap returns, and its mask with it. */
		(void)mask_change(SIG_BLOCK, &traps, NULL);
		pending_resend();
	}
}

void kmem_signals_discard(int signo)
{
	const struct timespec now = {.tv_sec = 0};
	kmem_sigmask mask = BIT(signo);
	int saved = errno;

	(void)syscall(SYS_rt_sigtimedwait, &mask, NULL, &now, sizeof(mask));
	errno = saved;
}

void kmem_signals_abort(void)
{
	kmem_signals_default(SIGABRT);
	(void)syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), SIGABRT);
	for (;;) {
		__builtin_trap();
	}
}
