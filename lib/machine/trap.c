/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handler of SIGSEGV and SIGBUS.
 *
 * What an access was (read, write, execute) and where it came from are in the signal's context, in a form of each
 * architecture's own: decode() is the one place that knows. Where it cannot tell, it says so, and the kernel takes a trap
 * on a page that can already be read for a write.
 */
#include "machine/trap.h"

#include <errno.h>
#include <stddef.h>
#include <ucontext.h>

#include "host/copy.h"
#include "host/signals.h"
#include "machine/mmu.h"

static kmem_trap_vector vector;

#if defined(__x86_64__)

/* Page fault error code: bit 1 a write, bit 4 an instruction fetch. */
#define ERR_WRITE 0x2
#define ERR_FETCH 0x10

static void decode(struct kmem_trap *trap)
{
	const ucontext_t *context = trap->ucontext;
	greg_t err = context->uc_mcontext.gregs[REG_ERR];

	trap->pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
	trap->access_known = true;
	trap->access = KMEM_ACCESS_READ;
	if ((err & ERR_FETCH) != 0) {
		trap->access = KMEM_ACCESS_EXEC;
	} else if ((err & ERR_WRITE) != 0) {
		trap->access = KMEM_ACCESS_WRITE;
	}
}

#elif defined(__aarch64__)

/* Exception syndrome: the class in bits 26 to 31 (0x20, 0x21: instruction abort), bit 6 a write. */
#define ESR_CLASS(esr) ((esr) >> 26 & 0x3f)
#define ESR_WRITE 0x40

static void decode(struct kmem_trap *trap)
{
	const ucontext_t *context = trap->ucontext;
	const unsigned char *record = context->uc_mcontext.__reserved;

	trap->pc = context->uc_mcontext.pc;
	trap->access_known = false;
	trap->access = trap->pc == trap->addr ? KMEM_ACCESS_EXEC : KMEM_ACCESS_READ;
	for (;;) {
		const struct _aarch64_ctx *head = (const void *)record;

		if (head->magic == 0) {
			return;
		}
		if (head->magic == ESR_MAGIC) {
			uint64_t esr = ((const struct esr_context *)head)->esr;

			trap->access_known = true;
			if ((ESR_CLASS(esr) & ~1U) == 0x20) {
				trap->access = KMEM_ACCESS_EXEC;
			} else if ((esr & ESR_WRITE) != 0) {
				trap->access = KMEM_ACCESS_WRITE;
			}
			return;
		}
		record += head->size;
	}
}

#else

static void decode(struct kmem_trap *trap)
{
	trap->pc = 0;
	trap->access_known = false;
	trap->access = KMEM_ACCESS_READ;
}

#endif

void kmem_trap_as_segv(struct kmem_trap *trap)
{
	if (trap->signo == SIGBUS) {
		trap->signo = SIGSEGV;
		trap->info->si_signo = SIGSEGV;
		trap->info->si_code = SEGV_ACCERR;
	}
}

static void handle(int signo, siginfo_t *info, void *ucontext)
{
	struct kmem_trap trap = {.signo = signo, .info = info, .ucontext = ucontext};
	int saved = errno;
	bool is_handled = false;

	kmem_signals_interrupted(ucontext);
	/* Codes above 0 are the host's: an instruction caused it. The rest was sent by somebody. */
	if (info->si_code > 0) {
		trap.addr = (uintptr_t)info->si_addr;
		decode(&trap);
		is_handled = vector(&trap) || kmem_copy_fixup(ucontext);
	}
	if (!is_handled) {
		kmem_signals_hand_on(trap.signo, info, ucontext);
	}
	if (trap.is_refused && trap.signo != signo && kmem_signals_is_ending(trap.signo)) {
		kmem_mmu_page_forbid(trap.addr);
	}
	errno = saved;
}

int kmem_trap_init(kmem_trap_vector function)
{
	vector = function;
	return kmem_signals_take(handle);
}

void kmem_trap_finish(void)
{
	kmem_signals_release();
}
