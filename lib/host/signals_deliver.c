/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals: handing on what is not libkmem's, as the host kernel would have delivered it. See signals.c for the rest.
 *
 * Theory of operation. A *delivery* is a call of the program's handler from the trap handler, on the trap's own stack. While it lasts,
 * the context that the handler sees is the program's: its mask, its alternate stack; both are taken back from there at the end.
 *
 * A handler of the program's may be left by siglongjmp(), which restores a mask without telling us. So what a delivery blocks is
 * no wish of the thread's; it is kept in the delivery's own frame, and counts for code that runs on the alternate stack below that: a fault
 * of a signal that is blocked there ends in the default action, as on the host, and a signal that is sent in there waits for the
 * end of the handler. Frames that were left are told by a check word, which what comes to lie there later does not have.
 *
 * No lock, but for the wish that a delivery begins with (signals.c): what is here belongs to the calling thread.
 */
#include <stdint.h>
#include <sys/auxv.h>
#include <ucontext.h>

#include "host/annotate.h"
#include "host/copy.h"
#include "host/log.h"
#include "host/signals.h"
#include "host/signals_section.h"
#include "host/thread.h"

/* A call of the program's handler, on the stack of the trap. */
struct delivery {
	uintptr_t check;      /* DELIVERY_CHECK, with its own address in it: what lies here after a jump out of the handler differs */
	kmem_sigmask blocked; /* taken signals that are blocked in the handler, and not before */
	bool is_onstack;      /* the program believes to be on its alternate stack */
};

#define DELIVERY_CHECK 0x4b6d44656c697665UL

/* The delivery in whose handler the code at a stack pointer runs, if that is on the alternate stack; else NULL. */
KMEM_NO_ASAN KMEM_NO_TSAN static struct delivery *delivery_at(uintptr_t at)
{
	const struct kmem_thread *self = kmem_thread_self();
	struct delivery *delivery = (struct delivery *)self->delivery;

	if (at < self->delivery_bottom || at >= self->delivery || delivery->check != (DELIVERY_CHECK ^ self->delivery)) {
		return NULL;
	}
	return delivery;
}

KMEM_NO_TSAN kmem_sigmask *kmem_signals_delivery_blocked(uintptr_t at)
{
	struct delivery *delivery = delivery_at(at);

	return delivery != NULL ? &delivery->blocked : NULL;
}

uintptr_t kmem_signals_stack_pointer(const ucontext_t *context)
{
#if defined(__x86_64__)
	return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
	return context->uc_mcontext.sp;
#else
	return (uintptr_t)context;
#endif
}

bool kmem_signals_is_onstack(uintptr_t sp, uintptr_t bottom, size_t size)
{
	const struct delivery *delivery = delivery_at(sp);

	return sp - bottom < size && (delivery == NULL || delivery->is_onstack);
}

int kmem_signals_altstack_in(void *ucontext, const stack_t *stack, stack_t *old)
{
	ucontext_t *context = ucontext;

	return kmem_thread_altstack_exchange(stack, old, kmem_signals_stack_pointer(context), &context->uc_stack);
}

/* Codes above 0 are the host's: an instruction caused it, and repeating that causes it again. */
static bool is_fault(const siginfo_t *info)
{
	return info->si_code > 0;
}

/* The default action: at the instruction where one caused the signal and is repeated, else here and now. */
static void deliver_default(int signo, const siginfo_t *info)
{
	kmem_signals_default(signo);
	if (!is_fault(info) || signo == SIGSYS) {
		kmem_signals_send(signo);
	}
}

KMEM_CALLBACK static void handler_call(const struct sigaction *wish, int signo, siginfo_t *info, void *context)
{
	if ((wish->sa_flags & SA_SIGINFO) != 0) {
		wish->sa_sigaction(signo, info, context);
	} else {
		wish->sa_handler(signo);
	}
	KMEM_CALLBACK_END;
}

/* Where alternate stacks are our own, a handler sees the program's in its context, which is what it returns to; and back. */
static void stack_show(ucontext_t *context, stack_t *installed)
{
	*installed = context->uc_stack;
	if (kmem_thread_altstack_is_own()) {
		context->uc_stack = kmem_thread_self()->altstack_wish;
	}
}

static void stack_hide(ucontext_t *context, const stack_t *installed)
{
	if (kmem_thread_altstack_is_own()) {
		kmem_thread_self()->altstack_wish = context->uc_stack;
		context->uc_stack = *installed;
	}
}

/* Call the program's handler with the mask that the host would give it. */
static void deliver_handler(const struct sigaction *wish, int signo, siginfo_t *info, ucontext_t *context)
{
	kmem_sigmask interrupted = kmem_sigmask_of(&context->uc_sigmask);
	kmem_sigmask mask = (interrupted | kmem_sigmask_of(&wish->sa_mask)) & ~kmem_signals_trapping();
	kmem_sigmask after;
	stack_t installed;

	stack_show(context, &installed);
	kmem_sigmask_put(&context->uc_sigmask, interrupted | kmem_signals_wish_mask());
	(void)kmem_signals_mask_change(SIG_SETMASK, &mask, NULL);
	handler_call(wish, signo, info, context);
	kmem_signals_block_all();
	stack_hide(context, &installed);
	/* The handler may have changed the mask that it returns to. */
	after = kmem_sigmask_of(&context->uc_sigmask);
	kmem_signals_wish_mask_set(after & kmem_signals_trapping());
	kmem_sigmask_put(&context->uc_sigmask, after & ~kmem_signals_trapping());
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

/* What a handler blocks of the taken signals: what its mask says, itself unless it asked otherwise, and what is blocked already. */
static kmem_sigmask blocked_by(const struct sigaction *wish, int signo, const struct delivery *outer)
{
	kmem_sigmask blocked = outer != NULL ? outer->blocked : 0;

	blocked |= kmem_sigmask_of(&wish->sa_mask) & kmem_signals_trapping();
	return (wish->sa_flags & SA_NODEFER) != 0 ? blocked : blocked | KMEM_SIGBIT(signo);
}

/* Whether the program asked for its alternate stack, and has one. */
static bool is_onstack_wished(const struct sigaction *wish)
{
	return (wish->sa_flags & SA_ONSTACK) != 0 && kmem_thread_self()->altstack_wish.ss_size != 0;
}

#if defined(__x86_64__)

/* What the host kernel leaves alone below the stack pointer. */
#define RED_ZONE 128UL

/*
 * Whether the host could put a signal's frame on the interrupted code's stack: not where that has overflowed. What is written is what is
 * there, below the stack pointer, where nothing is kept.
 */
static bool has_room(const ucontext_t *context)
{
	char *end = (char *)kmem_signals_stack_pointer(context) - RED_ZONE - 1;
	char *start = end - getauxval(AT_MINSIGSTKSZ);

	return kmem_copy(end, end, 1) == 1 && kmem_copy(start, start, 1) == 1;
}

#else

static bool has_room(const ucontext_t *context)
{
	(void)context;
	return true;
}

#endif

/* Whether the host could not call the program's handler, and would take the default action. */
static bool is_undeliverable(const struct sigaction *wish, const ucontext_t *context)
{
	return kmem_thread_altstack_is_own() && !is_onstack_wished(wish) && !has_room(context);
}

/* Where the alternate stack that a handler runs on begins; where it runs on no such stack, nothing is below it. */
static uintptr_t altstack_bottom(const ucontext_t *context)
{
	uintptr_t bottom = (uintptr_t)context->uc_stack.ss_sp;
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	return here - bottom < context->uc_stack.ss_size ? bottom : UINTPTR_MAX;
}

void kmem_signals_hand_on(int signo, siginfo_t *info, void *ucontext)
{
	struct kmem_thread *self = kmem_thread_self();
	bool is_blocked;
	const kmem_sigmask traps = kmem_signals_trapping();
	const uint64_t delivered = self->traps_delivered;
	const uintptr_t delivery = self->delivery;
	const uintptr_t bottom = self->delivery_bottom;
	const struct delivery *outer = delivery_at(kmem_signals_stack_pointer(ucontext));
	struct delivery here = {.check = DELIVERY_CHECK ^ (uintptr_t)&here};
	struct sigaction wish;
	bool is_recursive;

	if (signo == SIGSYS) {
		kmem_signals_block_all(); /* which its handler does not have blocked */
	}
	kmem_signals_wish_mask_check(ucontext);
	is_blocked = (kmem_signals_wish_mask() & KMEM_SIGBIT(signo)) != 0;
	if (is_blocked && !is_fault(info)) {
		self->traps_pending |= KMEM_SIGBIT(signo);
		return;
	}
	wish = kmem_signals_wish_for_delivery(signo);
	if (wish.sa_handler == SIG_IGN && !is_fault(info)) {
		return;
	}
	is_recursive = kmem_signals_has_handler(&wish) &&
		       (is_overflow(info) || (outer != NULL && (outer->blocked & KMEM_SIGBIT(signo)) != 0));
	if (is_recursive && !is_fault(info)) {
		self->traps_pending |= KMEM_SIGBIT(signo);
		return;
	}
	if (!kmem_signals_has_handler(&wish) || is_blocked || is_recursive || is_undeliverable(&wish, ucontext)) {
		deliver_default(signo, info);
		return;
	}
	self->traps_delivered |= KMEM_SIGBIT(signo);
	self->delivery = (uintptr_t)&here;
	self->delivery_bottom = altstack_bottom(ucontext);
	here.blocked = blocked_by(&wish, signo, outer);
	here.is_onstack = is_onstack_wished(&wish);
	deliver_handler(&wish, signo, info, ucontext);
	here.check = 0;
	self->traps_delivered = delivered;
	self->delivery = delivery;
	self->delivery_bottom = bottom;
	if ((self->traps_pending & ~kmem_signals_wish_mask()) != 0) {
		/* What has waited comes when the trap returns, and its mask with it. */
		(void)kmem_signals_mask_change(SIG_BLOCK, &traps, NULL);
		kmem_signals_pending_resend();
	}
}
