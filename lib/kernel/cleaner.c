/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cleaner.
 *
 *             notice: low, and credit is left                    free frames have reached the goal, or no credit is left
 *    ASLEEP ------------------------------------> CALLED (cleans) -------------------------------------------------> ASLEEP
 *                                                    |
 *    ASLEEP, resting until a time <------------------+ no more pages can go out
 *
 * *Low* is fewer free frames than half of the goal; between half and all of it nobody is woken, so that each time there is a batch to do.
 *
 * *Credit*. Where everything that the program uses fits in RAM, few frames may be free for ever, and to free some would cost faults that
 * need not be. So pressure is what happens when frames are short: a fault had to send a page out itself. One time of that buys as many
 * cleaned frames as RAM has, and then frames have to run short again: under pressure they do at once, and where it has passed they do not.
 *
 * *Resting*. Where no more pages can go out, because the store is full or fails, or all is pinned, the next attempt comes after REST_MS at
 * the earliest, and only if frames are asked for then. No timer runs: whoever notices looks at the clock.
 *
 * The thread sleeps until it is woken (lib/host/helper.h). It takes the kernel lock for one step at a time, of STEP frames, which drops it
 * for I/O, and never touches paged memory or the heap. The child of a fork has no such thread, and makes one when it needs it: where it
 * calls the library by itself, since it cannot be made in a trap. A preloaded program calls nothing; its child gets one at once if the
 * parent has been under pressure, and does without else.
 */
#include "kernel/cleaner.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "host/clock.h"
#include "host/helper.h"
#include "host/log.h"
#include "host/process.h"
#include "kernel/fork.h"
#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/paging.h"

/* Frames freed for one time that the kernel lock is held: as many as go out together. */
#define STEP 16

#define REST_MS 1000U
#define NS_PER_MS 1000000UL

static bool tick(void);

static struct {
	struct kmem_helper helper;

	_Atomic bool is_running; /* there is a thread, and it may clean */
	_Atomic bool is_missing; /* there is none, and it would have been woken */

	/* guarded by the kernel lock */
	bool is_called;      /* woken, and not done yet */
	bool was_needed;     /* at any time */
	size_t credit;       /* frames that may be cleaned */
	uint64_t rest_until; /* 0: it does not rest */
} cleaner = {.helper = {.tick = tick}};

static size_t goal(void)
{
	return kmem_kernel.settings.demand_paging ? kmem_kernel.settings.cleaner_frames : 0;
}

static bool is_low(void)
{
	return kmem_frame_free_count() < (goal() + 1) / 2;
}

static bool is_resting(void)
{
	if (cleaner.rest_until != 0 && kmem_clock_ns() >= cleaner.rest_until) {
		cleaner.rest_until = 0;
	}
	return cleaner.rest_until != 0;
}

void kmem_cleaner_notice(bool is_short)
{
	if (goal() == 0) {
		return;
	}
	if (is_short) {
		cleaner.credit = kmem_frame_all()->count;
		cleaner.was_needed = true;
	}
	if (cleaner.is_called || cleaner.credit == 0 || !is_low() || is_resting()) {
		return;
	}
	if (!atomic_load(&cleaner.is_running)) {
		atomic_store(&cleaner.is_missing, true);
		return;
	}
	cleaner.is_called = true;
	kmem_helper_wake(&cleaner.helper);
}

/* Free a few frames. False when there is no more to do. Kernel lock held, and dropped for I/O. */
static bool step(void)
{
	size_t before = kmem_frame_free_count();
	size_t wanted = goal() < before + STEP ? goal() : before + STEP;

	if (!atomic_load(&cleaner.is_running) || before >= goal() || cleaner.credit == 0) {
		return false;
	}
	if (!kmem_paging_clean(wanted)) {
		cleaner.rest_until = kmem_clock_ns() + REST_MS * NS_PER_MS;
		return false;
	}
	cleaner.credit -= wanted - before < cleaner.credit ? wanted - before : cleaner.credit;
	return true;
}

static bool tick(void)
{
	bool goes_on = true;

	while (goes_on) {
		kmem_sigmask saved;

		kmem_kernel_lock(&saved);
		goes_on = step();
		cleaner.is_called = goes_on;
		kmem_kernel_unlock(&saved);
	}
	return true;
}

/* In the child of a preloaded program: see above. */
static void restart(void)
{
	if (kmem_is_booted() && cleaner.was_needed && kmem_fork_error() == 0) {
		(void)kmem_cleaner_start();
	}
}

static void restart_register(void)
{
	static bool is_registered;

	if (kmem_kernel.is_preloaded && !is_registered) {
		is_registered = true;
		kmem_process_at_fork(NULL, NULL, restart);
	}
}

/* What is known of another machine, or of the parent's thread. */
static void forget(void)
{
	atomic_store(&cleaner.is_running, false);
	atomic_store(&cleaner.is_missing, false);
	cleaner.is_called = false;
	cleaner.credit = 0;
	cleaner.rest_until = 0;
}

int kmem_cleaner_start(void)
{
	int ret;

	if (goal() == 0) {
		return 0;
	}
	restart_register();
	ret = kmem_helper_start(&cleaner.helper);
	if (ret != 0) {
		kmem_log(KMEM_LOG_WARNING, "no thread to keep %zu frames free: %s", goal(), kmem_error_name(-ret));
		return ret;
	}
	atomic_store(&cleaner.is_running, true);
	atomic_store(&cleaner.is_missing, false);
	return 0;
}

void kmem_cleaner_stop(void)
{
	if (atomic_exchange(&cleaner.is_running, false)) {
		kmem_helper_stop(&cleaner.helper);
	}
	forget();
	cleaner.was_needed = false;
}

void kmem_cleaner_forked(void)
{
	forget();
	kmem_helper_forked(&cleaner.helper);
}

void kmem_cleaner_resume(void)
{
	if (atomic_load_explicit(&cleaner.is_missing, memory_order_relaxed) && !kmem_kernel.is_preloaded &&
	    atomic_exchange(&cleaner.is_missing, false)) {
		(void)kmem_cleaner_start();
	}
}
