/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handler of SIGSYS: a system call whose pointers the host kernel cannot follow.
 *
 * The call has not been made. The registers say what it was; it is made by bounce.c, and its result goes where the interrupted
 * code looks for it. The signal interrupts the call as if it took its place, so what the call would do is what the handler does: it
 * waits where the call waits, the program's handlers run meanwhile, with what they interrupt ending in EINTR or going on as they ask,
 * and siglongjmp() and cancellation leave it as they would the call. That is why the handler's mask is empty, why it may nest, why all
 * it uses is on its stack, and why this room is compiled with tables for unwinding.
 *
 * A signal that the filter did not raise, or not for a pointer of the call's, is handed on.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

#include "host/signals.h"
#include "host/thread.h"
#include "preload/bounce.h"
#include "preload/count.h"
#include "preload/filter.h"
#include "preload/guard.h"
#include "preload/preload.h"

/* A trap of the filter's, as siginfo_t says it. */
#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif

/* The registers of the arguments, in their order. */
static const int registers[KMEM_CALL_ARGS] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};

/* Whether a pointer of the call's is what the filter looks for. */
static bool is_ours(const struct kmem_call *call, const uint64_t *args)
{
	for (unsigned int i = 0; i < KMEM_CALL_ARGS; i++) {
		if (!kmem_call_arg_is_pointer(call, i)) {
			continue;
		}
		if (kmem_window_has(args[i]) || (kmem_mark_is(args[i]) && kmem_call_arg_is_deep(call, i))) {
			return true;
		}
	}
	return false;
}

/* Make the call with memory on this stack. Apart, so that the handler itself needs little of it. */
static __attribute__((noinline)) long make(const struct kmem_call *call, const uint64_t *args, ucontext_t *context)
{
	unsigned char scratch[KMEM_SCRATCH_SIZE] __attribute__((aligned(4096)));
	struct kmem_call_state state = {
		.call = call,
		.ucontext = context,
		.scratch = scratch,
		.scratch_left = sizeof(scratch),
	};

	long result;

	for (unsigned int i = 0; i < KMEM_CALL_ARGS; i++) {
		state.args[i] = kmem_call_arg_is_deep(call, i) ? kmem_mark_off(args[i]) : args[i];
	}
	result = kmem_bounce(&state);
	/* The program gets what the host kernel returns for such memory; in guard mode it is told why. */
	if (state.bad != 0 && (result == -EFAULT || state.is_bad_reached)) {
		kmem_guard_call_explain(call->name, state.bad, state.is_bad_written, (uintptr_t)context->uc_mcontext.gregs[REG_RIP]);
	}
	return result;
}

static void handle(int signo, siginfo_t *info, void *ucontext)
{
	ucontext_t *context = ucontext;
	greg_t *gregs = context->uc_mcontext.gregs;
	int saved = errno;
	const struct kmem_call *call;
	uint64_t args[KMEM_CALL_ARGS];
	long nr = info->si_syscall;

	kmem_signals_interrupted(ucontext);
	for (unsigned int i = 0; i < KMEM_CALL_ARGS; i++) {
		args[i] = (uint64_t)gregs[registers[i]];
	}
	if (info->si_code == SYS_SECCOMP && kmem_probe_is(nr, args[0])) {
		gregs[REG_RAX] = KMEM_PROBE_ANSWER;
		return;
	}
	call = info->si_code == SYS_SECCOMP ? kmem_call_find(nr) : NULL;
	if (call == NULL || !is_ours(call, args)) {
		kmem_signals_hand_on(signo, info, ucontext);
		errno = saved;
		return;
	}
	kmem_count(KMEM_COUNT_CALLS, 1);
	gregs[REG_RAX] = make(call, args, context);
	errno = saved;
}

/* What a thread does at its end, and then ours. */
static void (*leave_next)(void);

static void leave(void)
{
	if (leave_next != NULL) {
		leave_next();
	}
	kmem_room_thread_leave();
}

int kmem_call_trap_init(void)
{
	if (kmem_thread_leave_hook != leave) {
		leave_next = kmem_thread_leave_hook;
		kmem_thread_leave_hook = leave;
	}
	return kmem_signals_take_calls(handle);
}
