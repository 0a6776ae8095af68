/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits that are lifted: see limit.h.
 *
 * A call is tried with the limit as it is, so that the usual one costs nothing more; also where the limit was set before the process
 * began, or by another process. The lock is the innermost of all. It keeps two that lift from taking each other's limit for the program's,
 * and is held over a fork, so that no child begins with a limit that is lifted.
 *
 * In the fork's window (lib/kernel/fork.c) the forking thread may lift while it holds the lock.
 */
#include "host/limit.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/lock.h"
#include "host/signals.h"
#include "host/stack.h"

static bool is_lifting;       /* constant once there are threads */
static struct kmem_lock lock; /* of the process's limits, as they are at the host */

struct section {
	kmem_sigmask saved;
	bool was_held;
};

static void section_enter(struct section *section)
{
	kmem_signals_block(&section->saved);
	section->was_held = kmem_lock_is_held(&lock);
	if (!section->was_held) {
		kmem_lock_acquire(&lock);
	}
}

static void section_leave(const struct section *section)
{
	if (!section->was_held) {
		kmem_lock_release(&lock);
	}
	kmem_signals_restore(&section->saved);
}

/* prlimit(), errno untouched. */
static int exchange(int resource, const struct rlimit *limit, struct rlimit *old)
{
	const int saved = errno;
	const int ret = syscall(SYS_prlimit64, 0, resource, limit, old) == 0 ? 0 : -errno;

	errno = saved;
	return ret;
}

static long call_once(int resource, long number, const long *args)
{
	const int saved = errno;
	const long value = syscall(number, args[0], args[1], args[2], args[3]);
	const long ret = value < 0 ? -errno : value;

	if (ret == -EFBIG && resource == RLIMIT_FSIZE) {
		kmem_signals_discard(SIGXFSZ);
	}
	errno = saved;
	return ret;
}

/* Whether a limit may be why a call has failed. A descriptor that is asked for by its number is refused in words of its own. */
static bool is_refusal(int resource, long ret)
{
	if (resource == RLIMIT_FSIZE) {
		return ret == -EFBIG;
	}
	return ret == -EMFILE || ret == -EINVAL || ret == -EBADF;
}

static long call_lifted(int resource, long number, const long *args, long refusal)
{
	struct rlimit former;
	struct rlimit lifted;

	if (exchange(resource, NULL, &former) != 0 || former.rlim_cur == former.rlim_max) {
		return refusal;
	}
	lifted = former;
	lifted.rlim_cur = former.rlim_max;
	if (exchange(resource, &lifted, NULL) == 0) {
		refusal = call_once(resource, number, args);
		(void)exchange(resource, &former, NULL);
	}
	return refusal;
}

void kmem_host_limit_lift_allow(void)
{
	is_lifting = true;
}

long kmem_host_limit_call(int resource, long number, const long args[KMEM_HOST_LIMIT_ARGS])
{
	long ret = call_once(resource, number, args);

	if (is_lifting && is_refusal(resource, ret)) {
		struct section section;

		section_enter(&section);
		ret = call_lifted(resource, number, args, ret);
		section_leave(&section);
	}
	return ret;
}

struct request {
	int resource;
	const struct rlimit *limit;
	struct rlimit *old;
};

static long exchange_locked(void *arg)
{
	const struct request request = *(const struct request *)arg;
	struct rlimit limit = {.rlim_cur = 0};
	struct rlimit old;
	struct section section;
	int ret;

	if (request.limit != NULL) {
		limit = *request.limit;
	}
	section_enter(&section);
	ret = exchange(request.resource, request.limit != NULL ? &limit : NULL, &old);
	section_leave(&section);
	if (ret == 0 && request.old != NULL) {
		*request.old = old;
	}
	return ret;
}

int kmem_host_limit_exchange(int resource, const struct rlimit *limit, struct rlimit *old)
{
	struct request request = {.resource = resource, .limit = limit, .old = old};

	return (int)kmem_stack_call(exchange_locked, &request);
}

void kmem_host_limit_fork_prepare(void)
{
	kmem_lock_acquire(&lock);
}

void kmem_host_limit_fork_parent(void)
{
	kmem_lock_release(&lock);
}

void kmem_host_limit_fork_adopt(void)
{
	kmem_lock_adopt(&lock);
}

void kmem_host_limit_fork_child(void)
{
	kmem_lock_release(&lock);
}
