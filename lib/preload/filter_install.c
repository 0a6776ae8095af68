/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving the filter to the host kernel, unless an ancestor has.
 *
 * A filter can only be added, never taken away, so a chain of preloaded programs must not add one each. The probe (filter.h)
 * tells whether one of ours is there; the host kernel does not tell whose a filter is. The same probe shows that a new one works.
 *
 * Installing one needs CAP_SYS_ADMIN or "no new privileges". The second is asked for only without the first, since with it set-user-id
 * programs that are started from here run without their rights.
 *
 * The library's own calls are raw here: the C library's functions are wrapped. Called in start, before there is a second thread.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "host/log.h"
#include "host/process.h"
#include "preload/bounce.h"
#include "preload/filter.h"

/* Static, as it is too large for a stack and start has no heap. */
static struct sock_filter filter[BPF_MAXINSNS];

/* Whether a filter of ours is there. Any other answer than the handler's is the host kernel's. */
static bool is_installed(void)
{
	return kmem_raw_call(KMEM_PROBE_NR, KMEM_PROBE_POINTER, 0, 0, 0, 0, 0) == KMEM_PROBE_ANSWER;
}

/* SPEC_ALLOW: kernels before 5.16 otherwise slow down everything that a filtered process does, for the sake of what is kept from it. */
static const unsigned long install_flags[] = {
	SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW,
	SECCOMP_FILTER_FLAG_TSYNC,
	0,
};

/* 0 or -errno; with flags that the kernel does not know, without them. */
static long install(const struct sock_fprog *program)
{
	long ret = -EINVAL;

	for (size_t i = 0; i < sizeof(install_flags) / sizeof(install_flags[0]) && ret == -EINVAL; i++) {
		ret = kmem_raw_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, install_flags[i],
				    (uint64_t)(uintptr_t)program, 0, 0, 0);
	}
	/* A thread's number: that one has filters that others do not have. It then does without ours, as a child of before would. */
	if (ret > 0) {
		ret = kmem_raw_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (uint64_t)(uintptr_t)program, 0, 0, 0);
	}
	return ret;
}

/* Says what was tried, why it failed, and the two ways out. */
static int refused(char *error, size_t error_size, const char *tried, long ret)
{
	(void)kmem_format(
		error, error_size,
		"the filter of system calls cannot be installed: %s: %s. Permit seccomp(SECCOMP_SET_MODE_FILTER) and "
		"prctl(PR_SET_NO_NEW_PRIVS) where this process runs, or set KMEM_SYSCALLS=off (kmem-run --syscalls=off): "
		"system calls that are given absent pages then fail with EFAULT",
		tried, kmem_error_name((int)-ret));
	return (int)ret;
}

int kmem_filter_install(char *error, size_t error_size)
{
	struct sock_fprog program = {.filter = filter};
	long ret = kmem_stub_map(error, error_size);

	if (ret != 0 || is_installed()) {
		return (int)ret;
	}
	program.len = (unsigned short)kmem_filter_make(filter, BPF_MAXINSNS);
	if (program.len == 0) {
		return refused(error, error_size, "more instructions than BPF_MAXINSNS, 4096", -E2BIG);
	}
	ret = install(&program);
	if (ret == -EACCES) {
		ret = kmem_raw_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
		if (ret != 0) {
			return refused(error, error_size, "prctl(PR_SET_NO_NEW_PRIVS, 1)", ret);
		}
		ret = install(&program);
	}
	if (ret != 0) {
		return refused(error, error_size, "seccomp(SECCOMP_SET_MODE_FILTER)", ret);
	}
	return is_installed()
		       ? 0
		       : refused(error, error_size, "a system call that it should trap is not trapped", -ENOTSUP);
}
