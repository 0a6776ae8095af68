/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the arguments of one call are, where another argument tells: the *variants* of a call in the table.
 *
 * Most are a second table, of the number of the call, the value of its selector (fcntl()'s command, prctl()'s option, ...) and the
 * arguments of that variant. What is not in it has no pointers. A few depend on more than one value, and have a function each.
 * Requests of ioctl() are in call_ioctl.c.
 *
 * Not described, and so made with the pointers as they are, which fails with EFAULT where the memory is absent: requests of
 * ptrace() and keyctl() with sizes inside structures, or with structures behind structures.
 */
#include <asm/prctl.h>
#include <asm/ptrace-abi.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/quota.h>
#include <linux/reboot.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <time.h>

#include "preload/bounce.h"
#include "preload/call.h"
#include "preload/call_ioctl.h"
#include "preload/call_shape.h"

/* Values and sizes of which the C library's headers have none, or have them beside what collides with the kernel's. */
#define FCNTL_SETOWN_EX 15
#define FCNTL_GETOWN_EX 16
#define FCNTL_GETOWNER_UIDS 17
#define EPOLL_ADD 1
#define EPOLL_MODIFY 3
#define PRCTL_GET_AUXV 0x41555856
#define ARCH_UNTAG_MASK_GET 0x4001
#define ARCH_TAG_BITS_MAX_GET 0x4003
#define ARCH_PERMISSIONS_SUPPORTED_GET 0x1021
#define ARCH_PERMISSIONS_GET 0x1022
#define ARCH_PERMISSIONS_GUEST_GET 0x1024
#define ARCH_SHADOW_STACK_STATUS 0x5005
#define SYSLOG_READ 2
#define SYSLOG_READ_ALL 3
#define SYSLOG_READ_CLEAR 4
#define SYSFS_INDEX_BY_NAME 1
#define SYSFS_NAME_BY_INDEX 2
#define SYSFS_NAME_MAX 64UL
#define FSCONFIG_FLAG 0
#define FSCONFIG_STRING 1
#define FSCONFIG_BINARY 2
#define FSCONFIG_PATH 3
#define FSCONFIG_PATH_EMPTY 4
#define FSCONFIG_DESCRIPTOR 5
#define LANDLOCK_NET_PORT 2
#define LANDLOCK_NET_PORT_SIZE 16UL
#define SIZE_SIGINFO 128UL
#define SIZE_EPOLL_EVENT 12UL
#define SIZE_EPOLL_SLOT 12UL      /* struct kcmp_epoll_slot */
#define SIZE_NOTIFICATION 6UL     /* struct seccomp_notif_sizes */
#define SIZE_FLOATING_POINT 512UL /* what FXSAVE writes */
#define SIZE_KEY_QUERY 48UL       /* struct keyctl_pkey_query */
#define LENGTH_NAME 15U           /* PR_SET_NAME takes no more */
#define LENGTH_MAPPING 80U        /* PR_SET_VMA_ANON_NAME */
#define LENGTH_FS_PARAMETER 256U
#define LENGTH_REBOOT 256U
#define LENGTH_KEY_TYPE 32U
#define SEMAPHORES_MAX 65535U /* of a set: they are counted in an unsigned short */

#define QUOTA(command) ((uint32_t)(command) << SUBCMDSHIFT)
#define QUOTA_TYPES ((1U << SUBCMDSHIFT) - 1)

struct variant {
	uint16_t nr;
	uint32_t value; /* of the selector */
	struct kmem_call_arg args[KMEM_CALL_ARGS];
};

/* Ascending by number, then by value. */
static const struct variant variants[] = {
	{SYS_shmctl, IPC_SET, {[2] = IN(struct shmid_ds)}},
	{SYS_shmctl, IPC_STAT, {[2] = OUT(struct shmid_ds)}},
	{SYS_shmctl, IPC_INFO, {[2] = OUT(struct shminfo)}},
	{SYS_shmctl, SHM_STAT, {[2] = OUT(struct shmid_ds)}},
	{SYS_shmctl, SHM_INFO, {[2] = OUT(struct shm_info)}},
	{SYS_shmctl, SHM_STAT_ANY, {[2] = OUT(struct shmid_ds)}},
	{SYS_semctl, IPC_SET, {[3] = IN(struct semid_ds)}},
	{SYS_semctl, IPC_STAT, {[3] = OUT(struct semid_ds)}},
	{SYS_semctl, IPC_INFO, {[3] = OUT(struct seminfo)}},
	{SYS_semctl, SEM_STAT, {[3] = OUT(struct semid_ds)}},
	{SYS_semctl, SEM_INFO, {[3] = OUT(struct seminfo)}},
	{SYS_semctl, SEM_STAT_ANY, {[3] = OUT(struct semid_ds)}},
	{SYS_msgctl, IPC_SET, {[2] = IN(struct msqid_ds)}},
	{SYS_msgctl, IPC_STAT, {[2] = OUT(struct msqid_ds)}},
	{SYS_msgctl, IPC_INFO, {[2] = OUT(struct msginfo)}},
	{SYS_msgctl, MSG_STAT, {[2] = OUT(struct msqid_ds)}},
	{SYS_msgctl, MSG_INFO, {[2] = OUT(struct msginfo)}},
	{SYS_msgctl, MSG_STAT_ANY, {[2] = OUT(struct msqid_ds)}},
	{SYS_fcntl, F_GETLK, {[2] = INOUT(struct flock)}},
	{SYS_fcntl, F_SETLK, {[2] = IN(struct flock)}},
	{SYS_fcntl, F_SETLKW, {[2] = IN(struct flock)}},
	{SYS_fcntl, FCNTL_SETOWN_EX, {[2] = IN(int[2])}},
	{SYS_fcntl, FCNTL_GETOWN_EX, {[2] = OUT(int[2])}},
	{SYS_fcntl, FCNTL_GETOWNER_UIDS, {[2] = OUT(uid_t[2])}},
	{SYS_fcntl, F_OFD_GETLK, {[2] = INOUT(struct flock)}},
	{SYS_fcntl, F_OFD_SETLK, {[2] = IN(struct flock)}},
	{SYS_fcntl, F_OFD_SETLKW, {[2] = IN(struct flock)}},
	{SYS_fcntl, F_GET_RW_HINT, {[2] = OUT(uint64_t)}},
	{SYS_fcntl, F_SET_RW_HINT, {[2] = IN(uint64_t)}},
	{SYS_fcntl, F_GET_FILE_RW_HINT, {[2] = OUT(uint64_t)}},
	{SYS_fcntl, F_SET_FILE_RW_HINT, {[2] = IN(uint64_t)}},
	{SYS_ptrace, PTRACE_PEEKTEXT, {[3] = OUT(long)}},
	{SYS_ptrace, PTRACE_PEEKDATA, {[3] = OUT(long)}},
	{SYS_ptrace, PTRACE_PEEKUSR, {[3] = OUT(long)}},
	{SYS_ptrace, PTRACE_GETREGS, {[3] = OUT(struct user_regs_struct)}},
	{SYS_ptrace, PTRACE_SETREGS, {[3] = IN(struct user_regs_struct)}},
	{SYS_ptrace, PTRACE_GETFPREGS, {[3] = OUT_SIZE(SIZE_FLOATING_POINT)}},
	{SYS_ptrace, PTRACE_SETFPREGS, {[3] = IN_SIZE(SIZE_FLOATING_POINT)}},
	{SYS_ptrace, PTRACE_GETEVENTMSG, {[3] = OUT(long)}},
	{SYS_ptrace, PTRACE_GETSIGINFO, {[3] = OUT_SIZE(SIZE_SIGINFO)}},
	{SYS_ptrace, PTRACE_SETSIGINFO, {[3] = IN_SIZE(SIZE_SIGINFO)}},
	{SYS_ptrace, PTRACE_GETSIGMASK, {[3] = OUT_ARG(2, 1)}},
	{SYS_ptrace, PTRACE_SETSIGMASK, {[3] = IN_ARG(2, 1)}},
	{SYS_ptrace, PTRACE_SECCOMP_GET_METADATA, {[3] = MAYBE_ARG(2, 1)}},
	{SYS_ptrace, PTRACE_GET_SYSCALL_INFO, {[3] = OUT_RESULT(2, 1)}},
	{SYS_ptrace, PTRACE_GET_RSEQ_CONFIGURATION, {[3] = OUT_RESULT(2, 1)}},
	{SYS_syslog, SYSLOG_READ, {[1] = OUT_RESULT(2, 1)}},
	{SYS_syslog, SYSLOG_READ_ALL, {[1] = OUT_RESULT(2, 1)}},
	{SYS_syslog, SYSLOG_READ_CLEAR, {[1] = OUT_RESULT(2, 1)}},
	{SYS_sysfs, SYSFS_INDEX_BY_NAME, {[1] = PATH}},
	{SYS_sysfs, SYSFS_NAME_BY_INDEX, {[2] = MAYBE_SIZE(SYSFS_NAME_MAX)}},
	{SYS_prctl, PR_GET_PDEATHSIG, {[1] = OUT(int)}},
	{SYS_prctl, PR_SET_NAME, {[1] = STRING_MAX(LENGTH_NAME)}},
	{SYS_prctl, PR_GET_NAME, {[1] = OUT(char[LENGTH_NAME + 1])}},
	{SYS_prctl, PR_GET_TSC, {[1] = OUT(int)}},
	{SYS_prctl, PR_GET_CHILD_SUBREAPER, {[1] = OUT(int)}},
	{SYS_prctl, PR_GET_TID_ADDRESS, {[1] = OUT(int *)}},
	{SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, {[4] = ADDRESS}},
	{SYS_prctl, PR_SCHED_CORE, {[4] = MAYBE(uint64_t)}},
	{SYS_prctl, PRCTL_GET_AUXV, {[1] = OUT_RESULT(2, 1)}},
	{SYS_prctl, PR_SET_VMA, {[4] = STRING_MAX(LENGTH_MAPPING)}},
	{SYS_arch_prctl, ARCH_GET_FS, {[1] = OUT(long)}},
	{SYS_arch_prctl, ARCH_GET_GS, {[1] = OUT(long)}},
	{SYS_arch_prctl, ARCH_PERMISSIONS_SUPPORTED_GET, {[1] = OUT(long)}},
	{SYS_arch_prctl, ARCH_PERMISSIONS_GET, {[1] = OUT(long)}},
	{SYS_arch_prctl, ARCH_PERMISSIONS_GUEST_GET, {[1] = OUT(long)}},
	{SYS_arch_prctl, ARCH_UNTAG_MASK_GET, {[1] = OUT(long)}},
	{SYS_arch_prctl, ARCH_TAG_BITS_MAX_GET, {[1] = OUT(long)}},
	{SYS_arch_prctl, ARCH_SHADOW_STACK_STATUS, {[1] = OUT(long)}},
	{SYS_reboot, (uint32_t)LINUX_REBOOT_CMD_RESTART2, {[3] = STRING_MAX(LENGTH_REBOOT)}},
	{SYS_epoll_ctl, EPOLL_ADD, {[3] = IN_SIZE(SIZE_EPOLL_EVENT)}},
	{SYS_epoll_ctl, EPOLL_MODIFY, {[3] = IN_SIZE(SIZE_EPOLL_EVENT)}},
	{SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, {[1] = PATH}},
	{SYS_keyctl, KEYCTL_UPDATE, {[2] = IN_ARG(3, 1)}},
	{SYS_keyctl, KEYCTL_DESCRIBE, {[2] = OUT_RESULT(3, 1)}},
	{SYS_keyctl, KEYCTL_SEARCH, {[2] = STRING_MAX(LENGTH_KEY_TYPE), [3] = PATH}},
	{SYS_keyctl, KEYCTL_READ, {[2] = OUT_RESULT(3, 1)}},
	{SYS_keyctl, KEYCTL_INSTANTIATE, {[2] = IN_ARG(3, 1)}},
	{SYS_keyctl, KEYCTL_GET_SECURITY, {[2] = OUT_RESULT(3, 1)}},
	{SYS_keyctl, KEYCTL_INSTANTIATE_IOV, {[2] = IOVEC(KMEM_CALL_IN, 3)}},
	{SYS_keyctl, KEYCTL_DH_COMPUTE, {[1] = IN(struct keyctl_dh_params), [2] = OUT_RESULT(3, 1)}},
	{SYS_keyctl, KEYCTL_PKEY_QUERY, {[3] = PATH, [4] = OUT_SIZE(SIZE_KEY_QUERY)}},
	{SYS_keyctl, KEYCTL_RESTRICT_KEYRING, {[2] = STRING_MAX(LENGTH_KEY_TYPE), [3] = PATH}},
	{SYS_keyctl, KEYCTL_CAPABILITIES, {[1] = OUT_RESULT(2, 1)}},
	{SYS_kcmp, KCMP_EPOLL_TFD, {[4] = IN_SIZE(SIZE_EPOLL_SLOT)}},
	{SYS_seccomp, SECCOMP_SET_MODE_FILTER, {[2] = FPROG}},
	{SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, {[2] = IN(uint32_t)}},
	{SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, {[2] = OUT_SIZE(SIZE_NOTIFICATION)}},
	{SYS_fsconfig, FSCONFIG_FLAG, {[2] = STRING_MAX(LENGTH_FS_PARAMETER)}},
	{SYS_fsconfig, FSCONFIG_STRING, {[2] = STRING_MAX(LENGTH_FS_PARAMETER), [3] = STRING_MAX(LENGTH_FS_PARAMETER)}},
	{SYS_fsconfig, FSCONFIG_BINARY, {[2] = STRING_MAX(LENGTH_FS_PARAMETER), [3] = IN_ARG(4, 1)}},
	{SYS_fsconfig, FSCONFIG_PATH, {[2] = STRING_MAX(LENGTH_FS_PARAMETER), [3] = PATH}},
	{SYS_fsconfig, FSCONFIG_PATH_EMPTY, {[2] = STRING_MAX(LENGTH_FS_PARAMETER), [3] = PATH}},
	{SYS_fsconfig, FSCONFIG_DESCRIPTOR, {[2] = STRING_MAX(LENGTH_FS_PARAMETER)}},
	{SYS_landlock_add_rule, LANDLOCK_RULE_PATH_BENEATH, {[2] = IN(struct landlock_path_beneath_attr)}},
	{SYS_landlock_add_rule, LANDLOCK_NET_PORT, {[2] = IN_SIZE(LANDLOCK_NET_PORT_SIZE)}},
};

static bool is_before(const struct variant *variant, uint16_t nr, uint32_t value)
{
	return variant->nr != nr ? variant->nr < nr : variant->value < value;
}

/* Bisection. NULL for variants without pointers. */
static const struct kmem_call_arg *variant_find(uint16_t nr, uint32_t value)
{
	size_t first = 0;
	size_t end = sizeof(variants) / sizeof(variants[0]);

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (is_before(&variants[middle], nr, value)) {
			first = middle + 1;
		} else {
			end = middle;
		}
	}
	if (first == sizeof(variants) / sizeof(variants[0]) || variants[first].nr != nr ||
	    variants[first].value != value) {
		return NULL;
	}
	return variants[first].args;
}

/* An option with a filter for a socket in it. */
static void setsockopt_get(const uint64_t *regs, struct kmem_call_arg *args)
{
	static const struct kmem_call_arg program = FPROG;
	static const struct kmem_call_arg bytes = IN_ARG(4, 1);
	int option = (int)regs[2];

	args[3] = (int)regs[1] == SOL_SOCKET && (option == SO_ATTACH_FILTER || option == SO_ATTACH_REUSEPORT_CBPF)
			  ? program
			  : bytes;
}

/* All semaphores of a set at once: as many as the host kernel says. A set that it does not let us see, it does not let us change either. */
static void semctl_get(const uint64_t *regs, struct kmem_call_arg *args)
{
	struct semid_ds set = {.sem_nsems = 0};
	struct kmem_call_arg all = BYTES(KMEM_CALL_OUT, .size = KMEM_SIZE_FIXED);

	if ((regs[2] != GETALL && regs[2] != SETALL) ||
	    kmem_raw_call(SYS_semctl, regs[0], 0, IPC_STAT, (uint64_t)(uintptr_t)&set, 0, 0) != 0 ||
	    set.sem_nsems > SEMAPHORES_MAX) {
		return;
	}
	all.direction = regs[2] == SETALL ? KMEM_CALL_IN : KMEM_CALL_OUT;
	all.unit = (uint32_t)(set.sem_nsems * sizeof(unsigned short));
	args[3] = all;
}

/* Parts of the process's description; those that are addresses only stay what they are. And a filter, behind its mode. */
static void prctl_get(const uint64_t *regs, struct kmem_call_arg *args)
{
	static const struct kmem_call_arg structure = IN_ARG(3, 1);
	static const struct kmem_call_arg size = OUT(unsigned int);
	static const struct kmem_call_arg program = FPROG;

	if (regs[0] == PR_SET_SECCOMP && regs[1] == SECCOMP_MODE_FILTER) {
		args[2] = program;
	}
	if (regs[0] != PR_SET_MM) {
		return;
	}
	if (regs[1] == PR_SET_MM_MAP || regs[1] == PR_SET_MM_AUXV) {
		args[2] = structure;
	} else if (regs[1] == PR_SET_MM_MAP_SIZE) {
		args[2] = size;
	}
}

/* Of futex() the second address and the time are the same register, and so are the other two numbers. */
static void futex_get(const uint64_t *regs, struct kmem_call_arg *args)
{
	static const struct kmem_call_arg address = ADDRESS;
	static const struct kmem_call_arg limit = IN(struct timespec);
	int op = (int)regs[1] & FUTEX_CMD_MASK;

	args[0] = address;
	switch (op) {
	case FUTEX_WAIT_REQUEUE_PI:
		args[4] = address;
		args[3] = limit;
		break;
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		args[3] = limit;
		break;
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
	case FUTEX_CMP_REQUEUE_PI:
	case FUTEX_WAKE_OP:
		args[4] = address;
		break;
	default:
		break;
	}
}

/* What a command of quotactl() has at its end: args[3] in both of its calls. */
static void quota_get(uint64_t command, struct kmem_call_arg *args)
{
	static const struct {
		uint32_t command;
		struct kmem_call_arg arg;
	} commands[] = {
		{Q_QUOTAON, PATH},
		{Q_GETFMT, OUT(uint32_t)},
		{Q_GETINFO, OUT(struct if_dqinfo)},
		{Q_SETINFO, IN(struct if_dqinfo)},
		{Q_GETQUOTA, OUT(struct if_dqblk)},
		{Q_SETQUOTA, IN(struct if_dqblk)},
		{Q_GETNEXTQUOTA, OUT(struct if_nextdqblk)},
		{Q_XQUOTAON, IN(uint32_t)},
		{Q_XQUOTAOFF, IN(uint32_t)},
		{Q_XGETQUOTA, OUT(struct fs_disk_quota)},
		{Q_XSETQLIM, IN(struct fs_disk_quota)},
		{Q_XGETQSTAT, OUT(struct fs_quota_stat)},
		{Q_XQUOTARM, IN(uint32_t)},
		{Q_XGETQSTATV, INOUT(struct fs_quota_statv)},
		{Q_XGETNEXTQUOTA, OUT(struct fs_disk_quota)},
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (commands[i].command == (uint32_t)command >> SUBCMDSHIFT) {
			args[3] = commands[i].arg;
		}
	}
}

static void quotactl_get(const uint64_t *regs, struct kmem_call_arg *args)
{
	static const struct kmem_call_arg path = PATH;

	args[1] = path;
	quota_get(regs[0], args);
}

static void quotactl_fd_get(const uint64_t *regs, struct kmem_call_arg *args)
{
	quota_get(regs[1], args);
}

static void ioctl_get(const uint64_t *regs, struct kmem_call_arg *args)
{
	args[2] = kmem_call_ioctl_arg((uint32_t)regs[1]);
}

/* The calls of which one value does not tell enough; some of them are in the table with other values. */
static const struct {
	uint16_t nr;
	void (*get)(const uint64_t *regs, struct kmem_call_arg *args);
} specials[] = {
	{SYS_ioctl, ioctl_get},
	{SYS_setsockopt, setsockopt_get},
	{SYS_semctl, semctl_get},
	{SYS_prctl, prctl_get},
	{SYS_futex, futex_get},
	{SYS_quotactl, quotactl_get},
	{SYS_quotactl_fd, quotactl_fd_get},
};

static void special_get(uint16_t nr, const uint64_t *regs, struct kmem_call_arg *args)
{
	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
		if (specials[i].nr == nr) {
			specials[i].get(regs, args);
		}
	}
}

void kmem_call_args_get(const struct kmem_call *call, const uint64_t regs[KMEM_CALL_ARGS],
			struct kmem_call_arg args[KMEM_CALL_ARGS])
{
	const struct kmem_call_arg *found = call->args;

	if (call->selector != 0) {
		found = variant_find(call->nr, (uint32_t)regs[call->selector - 1]);
	}
	if (found != NULL) {
		(void)memcpy(args, found, sizeof(call->args));
		return;
	}
	(void)memset(args, 0, sizeof(call->args));
	special_get(call->nr, regs, args);
}
