/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setrlimit() and its kin, wrapped: RLIMIT_AS and RLIMIT_DATA count what the program has, not what the library has reserved;
 * RLIMIT_FSIZE and RLIMIT_NOFILE are for the program's files and descriptors.
 *
 * The host counts the VM, which is many times what the program has mapped, and the tables that come with it. With the limit that a program
 * sets, no page could be mapped any more. So the host gets the program's limit and our own share on top; the program is shown what it set;
 * and what it maps in the VM is refused beyond that, as the host would. What the allocator keeps of freed memory counts there; what the
 * program maps elsewhere has our share as slack. A successor gets the soft limit as it was set, and a hard one with our share: once
 * lowered, that could not be had back if there is no successor after all.
 *
 * RAM and store are files, and are written to, and made for a fork, whatever the program allows itself. So the host gets its soft limits
 * of the second kind as they are, and the library lifts them for its own calls (lib/host/limit.h); its hard ones are shown to it, and kept
 * from the host, a successor's included. What another thread writes or opens in the very instant of such a call is measured by the host's
 * hard limit, and a successor whose execve() falls into it gets that as its soft one.
 *
 * Limits that were there when the process began are the host's: the VM is made to fit (start.c). The child of a vfork() has limits of its
 * own, in the memory of its parent: they are kept with the thread, which the parent's lends it.
 *
 * Limits are changed rarely, and by one thread: no lock. A torn reading is one of two limits, each of which was set. _sigsafe.
 */
/* Both names of each are defined here, and are the same on this machine. */
#undef _FILE_OFFSET_BITS

#include "preload/limit.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/limit.h"
#include "host/thread.h"
#include "kernel/kernel.h"
#include "kernel/space.h"
#include "preload/next.h"
#include "preload/preload.h"

#define EXPORT __attribute__((visibility("default")))

/* Beside VM and tables: alternate stacks, and what bounced calls and the copies of arguments take. */
#define SHARE_MORE (256UL * 1024 * 1024)

struct limits {
	uint32_t tid; /* of the child of a vfork() that they are of */
	bool is_set[KMEM_LIMITS];
	struct rlimit shown[KMEM_LIMITS];
};

/* Of memory, and of files. */
#define MEMORY_LIMITS 2

static const int resources[KMEM_LIMITS] = {RLIMIT_AS, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_NOFILE};

static struct limits process_limits;
static _Atomic bool is_limited; /* the process's: whether there is anything to look at */
static __thread struct limits borrower_limits __attribute__((tls_model("initial-exec")));

static struct limits *limits_get(void)
{
	const uint32_t known = kmem_thread_self()->tid;
	const uint32_t tid = (uint32_t)syscall(SYS_gettid);

	if (known == 0 || known == tid) {
		return &process_limits;
	}
	if (borrower_limits.tid != tid) {
		borrower_limits = process_limits;
		borrower_limits.tid = tid;
	}
	return &borrower_limits;
}

/* Which of the resources, or -1. */
static int index_of(int resource)
{
	for (int i = 0; i < KMEM_LIMITS; i++) {
		if (resources[i] == resource) {
			return i;
		}
	}
	return -1;
}

static int host_set(int resource, const struct rlimit *limit)
{
	return kmem_host_limit_exchange(resource, limit, NULL);
}

static int host_get(int resource, struct rlimit *limit)
{
	return kmem_host_limit_exchange(resource, NULL, limit);
}

/* A limit with our share on top, at most `most`. */
static rlim_t raised(rlim_t limit, rlim_t most)
{
	const rlim_t share = kmem_preload_reserved + 2 * kmem_kernel.settings.ram_usable + SHARE_MORE;
	const rlim_t sum = limit >= RLIM_INFINITY - share ? RLIM_INFINITY : limit + share;

	return sum < most ? sum : most;
}

static int limit_get(int i, struct rlimit *limit)
{
	const struct limits *limits = limits_get();

	if (limits->is_set[i]) {
		*limit = limits->shown[i];
		return 0;
	}
	return host_get(resources[i], limit);
}

/* Whether the host would raise a hard limit for us. */
static bool is_raising_allowed(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &header, data) == 0 &&
	       (data[CAP_TO_INDEX(CAP_SYS_RESOURCE)].effective & CAP_TO_MASK(CAP_SYS_RESOURCE)) != 0;
}

/* What the host gets for address space or data. Whether the hard limit may be raised, the host tells. */
static int memory_limit(const struct rlimit *wanted, const struct rlimit *before, const struct rlimit *host,
			struct rlimit *given)
{
	const rlim_t most = wanted->rlim_max > before->rlim_max ? RLIM_INFINITY : host->rlim_max;

	given->rlim_max = raised(wanted->rlim_max, most);
	given->rlim_cur = raised(wanted->rlim_cur, given->rlim_max);
	return 0;
}

/* The same for files and descriptors, where the host's hard limit may be higher than the one that is to be raised. */
static int file_limit(const struct rlimit *wanted, const struct rlimit *before, const struct rlimit *host,
		      struct rlimit *given)
{
	given->rlim_max = wanted->rlim_max > host->rlim_max ? wanted->rlim_max : host->rlim_max;
	given->rlim_cur = wanted->rlim_cur;
	return wanted->rlim_max <= before->rlim_max || is_raising_allowed() ? 0 : -EPERM;
}

static int limit_set(int i, const struct rlimit *wanted)
{
	struct limits *limits = limits_get();
	struct rlimit before;
	struct rlimit host;
	struct rlimit given;
	int ret = limit_get(i, &before);

	ret = ret == 0 ? host_get(resources[i], &host) : ret;
	if (ret != 0) {
		return ret;
	}
	if (wanted->rlim_cur > wanted->rlim_max) {
		return -EINVAL;
	}
	ret = (i < MEMORY_LIMITS ? memory_limit : file_limit)(wanted, &before, &host, &given);
	if (ret == 0) {
		ret = host_set(resources[i], &given);
	}
	if (ret == 0) {
		limits->shown[i] = *wanted;
		limits->is_set[i] = true;
		atomic_store(&is_limited, true);
	}
	return ret;
}

bool kmem_limit_allows(size_t more)
{
	size_t used;

	if (!atomic_load_explicit(&is_limited, memory_order_relaxed)) {
		return true;
	}
	used = kmem_kernel.settings.vm_size - kmem_space_free_get();
	for (int i = 0; i < MEMORY_LIMITS; i++) {
		if (process_limits.is_set[i] && (more > process_limits.shown[i].rlim_cur ||
						 used > process_limits.shown[i].rlim_cur - more)) {
			return false;
		}
	}
	return true;
}

void kmem_limit_exec_begin(struct kmem_limit_exec *exec)
{
	const struct limits *limits = limits_get();

	for (int i = 0; i < KMEM_LIMITS; i++) {
		struct rlimit limit = limits->shown[i];

		exec->is_changed[i] = limits->is_set[i] && host_get(resources[i], &exec->former[i]) == 0;
		if (exec->is_changed[i]) {
			limit.rlim_max = exec->former[i].rlim_max;
			(void)host_set(resources[i], &limit);
		}
	}
}

void kmem_limit_exec_end(const struct kmem_limit_exec *exec)
{
	for (int i = 0; i < KMEM_LIMITS; i++) {
		if (exec->is_changed[i]) {
			(void)host_set(resources[i], &exec->former[i]);
		}
	}
}

static int limit_change(int resource, const struct rlimit *wanted, struct rlimit *old)
{
	const int i = index_of(resource);
	struct rlimit before;
	struct rlimit limit;
	int ret = 0;

	if (wanted != NULL) {
		limit = *wanted;
	}
	ret = limit_get(i, &before);
	if (ret == 0 && wanted != NULL) {
		ret = limit_set(i, &limit);
	}
	if (ret != 0) {
		errno = -ret;
		return -1;
	}
	if (old != NULL) {
		*old = before;
	}
	return 0;
}

EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	return index_of((int)resource) < 0 ? KMEM_NEXT(setrlimit)(resource, limit) : limit_change((int)resource, limit, NULL);
}

EXPORT int getrlimit(__rlimit_resource_t resource, struct rlimit *limit)
{
	return index_of((int)resource) < 0 ? KMEM_NEXT(getrlimit)(resource, limit) : limit_change((int)resource, NULL, limit);
}

/* Of another process, or of this one by its id. */
EXPORT int prlimit(pid_t pid, enum __rlimit_resource resource, const struct rlimit *limit, struct rlimit *old)
{
	if (index_of((int)resource) < 0 || (pid != 0 && pid != getpid())) {
		return KMEM_NEXT(prlimit)(pid, resource, limit, old);
	}
	return limit_change((int)resource, limit, old);
}

EXPORT int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
	return setrlimit(resource, (const struct rlimit *)limit);
}

EXPORT int getrlimit64(__rlimit_resource_t resource, struct rlimit64 *limit)
{
	return getrlimit(resource, (struct rlimit *)limit);
}

EXPORT int prlimit64(pid_t pid, enum __rlimit_resource resource, const struct rlimit64 *limit, struct rlimit64 *old)
{
	return prlimit(pid, resource, (const struct rlimit *)limit, (struct rlimit *)old);
}
