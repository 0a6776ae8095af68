/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals: masks. Blocking signals around locks, and the bits that the program asks for and sees. See signals.c for the rest.
 *
 * Theory of operation. A taken signal is never blocked in truth. Where a thread of the program's blocks one, the bit is kept in its
 * struct kmem_thread, the *wish mask*, and what the program sees is both together; a signal that is sent meanwhile is kept there too, and
 * sent again once the wish is gone. Where the program's handler runs, what was blocked for it is in the delivery (signals_deliver.c), which
 * the stack pointer tells.
 *
 * Masks are set by raw system calls: the C library's leave signals 32 and 33 open, and a cancelled thread would keep its lock.
 *
 * No lock: what is here belongs to the calling thread.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "host/annotate.h"
#include "host/signals.h"
#include "host/signals_section.h"
#include "host/thread.h"

KMEM_NO_TSAN int kmem_signals_mask_change(int how, const kmem_sigmask *mask, kmem_sigmask *old)
{
	int saved = errno;
	int ret = (int)syscall(SYS_rt_sigprocmask, how, mask, old, sizeof(kmem_sigmask));

	if (ret != 0) {
		ret = -errno;
	}
	errno = saved;
	return ret;
}

KMEM_NO_TSAN bool kmem_signals_is_borrower(struct kmem_thread *self)
{
	uint32_t tid;

	if (self->tid == 0) {
		return false;
	}
	tid = (uint32_t)syscall(SYS_gettid);
	if (tid == self->tid) {
		return false;
	}
	if (self->borrower.tid != tid) {
		self->borrower.tid = tid;
		self->borrower.blocked = self->traps_blocked;
		self->borrower.changed = 0;
		self->borrower.ignored = 0;
	}
	return true;
}

KMEM_NO_TSAN kmem_sigmask kmem_signals_wish_mask(void)
{
	struct kmem_thread *self = kmem_thread_self();

	return kmem_signals_is_borrower(self) ? self->borrower.blocked : self->traps_blocked;
}

KMEM_NO_TSAN void kmem_signals_wish_mask_set(kmem_sigmask mask)
{
	struct kmem_thread *self = kmem_thread_self();

	if (kmem_signals_is_borrower(self)) {
		self->borrower.blocked = mask;
	} else {
		self->traps_blocked = mask;
	}
}

void kmem_signals_send(int signo)
{
	(void)syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), signo);
}

void kmem_signals_pending_send(kmem_sigmask due)
{
	struct kmem_thread *self = kmem_thread_self();

	due &= self->traps_pending;
	if (due == 0 || kmem_signals_is_borrower(self)) {
		return;
	}
	self->traps_pending &= ~due;
	for (int signo = 1; signo <= KMEM_SIGNALS_LAST && due != 0; signo++) {
		if ((due & KMEM_SIGBIT(signo)) != 0) {
			kmem_signals_send(signo);
			due &= ~KMEM_SIGBIT(signo);
		}
	}
}

void kmem_signals_pending_resend(void)
{
	if (kmem_thread_self()->traps_pending != 0) {
		kmem_signals_pending_send(~kmem_signals_wish_mask());
	}
}

void kmem_signals_block(kmem_sigmask *saved)
{
	const kmem_sigmask mask = ~KMEM_SIGNALS_SYNCHRONOUS;

	/* What the program has blocked of the synchronous ones stays so: one of them may be pending. */
	(void)kmem_signals_mask_change(SIG_BLOCK, &mask, saved);
}

/* A mask from before signals were taken may hold them: remember, and strip; one from after their release gets them back. */
void kmem_signals_restore(const kmem_sigmask *saved)
{
	const kmem_sigmask owned = kmem_signals_owned();
	kmem_sigmask mask = *saved;

	if ((mask & owned) != 0) {
		kmem_signals_wish_mask_set(kmem_signals_wish_mask() | (mask & owned));
	}
	mask = (mask | kmem_thread_self()->traps_blocked) & ~owned;
	(void)kmem_signals_mask_change(SIG_SETMASK, &mask, NULL);
	kmem_signals_pending_send(mask); /* those that are blocked in truth by now: the host keeps them */
}

kmem_sigmask kmem_signals_trapping(void)
{
	return KMEM_SIGNALS_MEMORY | kmem_signals_owned();
}

void kmem_signals_block_all(void)
{
	kmem_signals_block(NULL);
}

void kmem_signals_interrupted_mask(const void *ucontext)
{
	const ucontext_t *context = ucontext;
	kmem_sigmask mask = kmem_sigmask_of(&context->uc_sigmask) & ~kmem_signals_trapping();

	(void)kmem_signals_mask_change(SIG_SETMASK, &mask, NULL);
}

kmem_sigmask kmem_signals_strip(kmem_sigmask mask)
{
	return mask & ~kmem_signals_owned();
}

/* Once a signal is released, what the calling thread wishes becomes the truth. */
KMEM_NO_TSAN static void wish_realise(void)
{
	const kmem_sigmask wish = kmem_thread_self()->traps_blocked & ~kmem_signals_owned();

	if (wish != 0) {
		(void)kmem_signals_mask_change(SIG_BLOCK, &wish, NULL);
		kmem_thread_self()->traps_blocked &= ~wish;
		kmem_signals_pending_send(wish);
	}
}

KMEM_NO_TSAN static kmem_sigmask mask_changed(kmem_sigmask from, int how, kmem_sigmask mask)
{
	switch (how) {
	case SIG_BLOCK:
		return from | mask;
	case SIG_UNBLOCK:
		return from & ~mask;
	default:
		return mask;
	}
}

/* What a program has blocked of the taken signals where its stack pointer is at, and a change of that. */
KMEM_NO_TSAN static kmem_sigmask blocked_at(uintptr_t at)
{
	const kmem_sigmask *blocked = kmem_signals_delivery_blocked(at);

	return kmem_signals_wish_mask() | (blocked != NULL ? *blocked : 0);
}

KMEM_NO_TSAN static void blocked_set(uintptr_t at, kmem_sigmask mask)
{
	kmem_sigmask *blocked = kmem_signals_delivery_blocked(at);

	if (blocked != NULL) {
		*blocked &= mask;
		mask &= ~*blocked;
	}
	kmem_signals_wish_mask_set(mask);
}

/*
 * A program may also change its mask by a system call of its own, as run-time systems do in threads that they were given with everything
 * blocked, and siglongjmp() does. Then the wish is none any more, which shows by other signals: they were blocked with
 * it, and no more are. Signals 32 and 33 come and go with the C library.
 */
KMEM_NO_TSAN static void beside_set(kmem_sigmask mask)
{
	struct kmem_thread *self = kmem_thread_self();

	if (self->traps_blocked != 0 && !kmem_signals_is_borrower(self)) {
		self->blocked_beside = mask & ~(KMEM_SIGBIT(SIGKILL) | KMEM_SIGBIT(SIGSTOP) | KMEM_SIGBIT(32) | KMEM_SIGBIT(33));
	}
}

void kmem_signals_wish_mask_check(const ucontext_t *context)
{
	struct kmem_thread *self = kmem_thread_self();

	if (self->traps_blocked != 0 && (self->blocked_beside & ~kmem_sigmask_of(&context->uc_sigmask)) != 0 &&
	    !kmem_signals_is_borrower(self)) {
		self->traps_blocked = 0;
	}
}

/* Change the mask for code whose stack pointer is at. */
KMEM_NO_TSAN static int mask_exchange(uintptr_t at, int how, const kmem_sigmask *mask, kmem_sigmask *old)
{
	const kmem_sigmask owned = kmem_signals_owned();
	kmem_sigmask blocked;
	kmem_sigmask stripped;
	kmem_sigmask before;
	int ret;

	wish_realise();
	if (owned == 0) {
		return kmem_signals_mask_change(how, mask, old);
	}
	if (mask != NULL) {
		stripped = *mask & ~owned;
	}
	ret = kmem_signals_mask_change(how, mask != NULL ? &stripped : NULL, &before);
	if (ret != 0) {
		return ret;
	}
	/* What this thread has had blocked since before another one took the signals is a wish as well. */
	if ((before & owned) != 0) {
		kmem_signals_wish_mask_set(kmem_signals_wish_mask() | (before & owned));
		(void)kmem_signals_mask_change(SIG_UNBLOCK, &owned, NULL);
	}
	blocked = blocked_at(at);
	if (old != NULL) {
		*old = before | blocked;
	}
	if (mask != NULL) {
		blocked_set(at, mask_changed(blocked, how, *mask) & owned);
		beside_set(mask_changed(before, how, *mask) & ~owned);
		kmem_signals_pending_resend();
	}
	return 0;
}

KMEM_NO_TSAN int kmem_signals_mask(int how, const kmem_sigmask *mask, kmem_sigmask *old)
{
	return mask_exchange((uintptr_t)__builtin_frame_address(0), how, mask, old);
}

int kmem_signals_mask_in(void *ucontext, int how, const kmem_sigmask *mask, kmem_sigmask *old)
{
	ucontext_t *context = ucontext;
	kmem_sigmask now;
	int ret = mask_exchange(kmem_signals_stack_pointer(context), how, mask, old);

	if (ret == 0 && mask != NULL) {
		(void)kmem_signals_mask_change(SIG_BLOCK, NULL, &now);
		kmem_sigmask_put(&context->uc_sigmask, now);
	}
	return ret;
}

kmem_sigmask kmem_signals_pending(void)
{
	struct kmem_thread *self = kmem_thread_self();
	kmem_sigmask pending = 0;

	(void)syscall(SYS_rt_sigpending, &pending, sizeof(pending));
	return kmem_signals_is_borrower(self) ? pending : pending | self->traps_pending;
}

bool kmem_signals_pending_take(int signo)
{
	struct kmem_thread *self = kmem_thread_self();
	const bool is_pending = (self->traps_pending & KMEM_SIGBIT(signo)) != 0 && !kmem_signals_is_borrower(self);

	if (is_pending) {
		self->traps_pending &= ~KMEM_SIGBIT(signo);
	}
	return is_pending;
}

void kmem_signals_discard(int signo)
{
	const struct timespec now = {.tv_sec = 0};
	kmem_sigmask mask = KMEM_SIGBIT(signo);
	int saved = errno;

	(void)syscall(SYS_rt_sigtimedwait, &mask, NULL, &now, sizeof(mask));
	errno = saved;
}
