/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of system calls and the filter made of it.
 *
 * The table: its order, that it is complete for the headers, that entries make sense. The filter: it is run by a small interpreter
 * for every number with every kind of value in every register, and the outcome compared with what the table says.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "preload/bounce.h"
#include "preload/call.h"
#include "preload/filter.h"
#include "preload/preload.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* As ck_assert_msg(), which tells Check of every success, too: that is too slow for millions. */
#define MUST(condition, ...)                                                                                           \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			ck_abort_msg(__VA_ARGS__);                                                                     \
		}                                                                                                      \
	} while (0)

/* Only semctl() asks the kernel, for the number of a set's semaphores. */
#define SEMAPHORES 7

/* Commands, options and requests that are only numbers are below this. */
#define SELECTORS 0x9000

/* Given by the test's build, from the headers. */
static const struct {
	const char *name;
	long nr;
} numbers[] = {
#include "call_numbers.h"
};

/* Calls without a pointer that the kernel follows, and those that Linux has no longer. */
static const char *const without[] = {
	/* No pointer at all. */
	"close",
	"lseek",
	"rt_sigreturn",
	"sched_yield",
	"shmget",
	"dup",
	"dup2",
	"pause",
	"alarm",
	"getpid",
	"socket",
	"shutdown",
	"listen",
	"fork",
	"vfork",
	"exit",
	"kill",
	"semget",
	"msgget",
	"flock",
	"fsync",
	"fdatasync",
	"ftruncate",
	"fchdir",
	"fchmod",
	"fchown",
	"umask",
	"getuid",
	"getgid",
	"setuid",
	"setgid",
	"geteuid",
	"getegid",
	"setpgid",
	"getppid",
	"getpgrp",
	"setsid",
	"setreuid",
	"setregid",
	"setresuid",
	"setresgid",
	"getpgid",
	"setfsuid",
	"setfsgid",
	"getsid",
	"personality",
	"getpriority",
	"setpriority",
	"sched_getscheduler",
	"sched_get_priority_max",
	"sched_get_priority_min",
	"mlockall",
	"munlockall",
	"vhangup",
	"sync",
	"iopl",
	"ioperm",
	"gettid",
	"readahead",
	"tkill",
	"epoll_create",
	"restart_syscall",
	"fadvise64",
	"timer_getoverrun",
	"timer_delete",
	"exit_group",
	"tgkill",
	"ioprio_set",
	"ioprio_get",
	"inotify_init",
	"inotify_rm_watch",
	"unshare",
	"tee",
	"sync_file_range",
	"timerfd_create",
	"eventfd",
	"fallocate",
	"eventfd2",
	"epoll_create1",
	"dup3",
	"inotify_init1",
	"fanotify_init",
	"syncfs",
	"setns",
	"membarrier",
	"pkey_alloc",
	"pkey_free",
	"fsmount",
	"pidfd_open",
	"close_range",
	"pidfd_getfd",
	"landlock_restrict_self",
	"memfd_secret",
	"process_mrelease",
	"uretprobe",
	"uprobe",
	/* The address of a mapping, which need not be present. */
	"mmap",
	"mprotect",
	"munmap",
	"brk",
	"mremap",
	"msync",
	"madvise",
	"shmat",
	"shmdt",
	"mlock",
	"munlock",
	"mlock2",
	"remap_file_pages",
	"pkey_mprotect",
	"set_mempolicy_home_node",
	"map_shadow_stack",
	"mseal",
	/* On something that io_setup() or io_uring_setup(), which are refused, would have made. */
	"io_destroy",
	"io_getevents",
	"io_submit",
	"io_cancel",
	"io_pgetevents",
	"io_uring_enter",
	"io_uring_register",
	/* Not there on x86-64, or no longer. */
	"_sysctl",
	"create_module",
	"get_kernel_syms",
	"query_module",
	"nfsservctl",
	"getpmsg",
	"putpmsg",
	"afs_syscall",
	"tuxcall",
	"security",
	"set_thread_area",
	"get_thread_area",
	"lookup_dcookie",
	"epoll_ctl_old",
	"epoll_wait_old",
	"vserver",
};

long kmem_raw_call(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct semid_ds *set = (void *)(uintptr_t)d;

	(void)a;
	(void)b;
	(void)e;
	(void)f;
	ck_assert_int_eq(nr, SYS_semctl);
	ck_assert_uint_eq(c, IPC_STAT);
	set->sem_nsems = SEMAPHORES;
	return 0;
}

static bool is_without(const char *name)
{
	for (size_t i = 0; i < COUNT(without); i++) {
		if (strcmp(without[i], name) == 0) {
			return true;
		}
	}
	return false;
}

START_TEST(test_table_ascending)
{
	for (size_t i = 0; i < kmem_calls_count; i++) {
		ck_assert_uint_lt(kmem_calls[i].nr, KMEM_CALL_NR_END);
		ck_assert(i == 0 || kmem_calls[i - 1].nr < kmem_calls[i].nr);
	}
}
END_TEST

START_TEST(test_table_names_and_numbers)
{
	for (size_t i = 0; i < COUNT(numbers); i++) {
		const struct kmem_call *call = kmem_call_find(numbers[i].nr);

		if (call == NULL) {
			ck_assert_msg(is_without(numbers[i].name),
				      "%s (%ld) is neither in the table nor known to have no pointers", numbers[i].name,
				      numbers[i].nr);
		} else {
			ck_assert_str_eq(call->name, numbers[i].name);
			ck_assert_msg(!is_without(numbers[i].name), "%s is in the table", numbers[i].name);
		}
	}
	/* The headers were read at all. */
	ck_assert_uint_gt(COUNT(numbers), 330);
}
END_TEST

START_TEST(test_find_by_number)
{
	for (size_t i = 0; i < kmem_calls_count; i++) {
		ck_assert_ptr_eq(kmem_call_find(kmem_calls[i].nr), &kmem_calls[i]);
	}
	ck_assert_ptr_null(kmem_call_find(SYS_getpid));
	ck_assert_ptr_null(kmem_call_find(-1));
	ck_assert_ptr_null(kmem_call_find(KMEM_CALL_NR_END));
	ck_assert_ptr_null(kmem_call_find(LONG_MAX));
}
END_TEST

static void check_bytes(const char *name, const struct kmem_call_arg *args, unsigned int arg)
{
	const struct kmem_call_arg *a = &args[arg];

	MUST((a->direction & KMEM_CALL_INOUT) != 0, "%s: argument %u has no direction", name, arg);
	switch (a->size) {
	case KMEM_SIZE_FIXED:
		MUST(a->unit > 0, "%s: argument %u is nothing", name, arg);
		break;
	case KMEM_SIZE_ARG:
		MUST(a->unit > 0 && a->size_arg < KMEM_CALL_ARGS && args[a->size_arg].shape == KMEM_SHAPE_VALUE,
		     "%s: argument %u has no number", name, arg);
		break;
	case KMEM_SIZE_AT:
		MUST(a->unit > 0 && a->size_arg < KMEM_CALL_ARGS && args[a->size_arg].shape == KMEM_SHAPE_BYTES &&
			     args[a->size_arg].direction == KMEM_CALL_INOUT,
		     "%s: argument %u has no length", name, arg);
		break;
	case KMEM_SIZE_BITS:
	case KMEM_SIZE_NODES:
	case KMEM_SIZE_PAGES:
		MUST(a->size_arg < KMEM_CALL_ARGS && args[a->size_arg].shape == KMEM_SHAPE_VALUE, "%s: argument %u",
		     name, arg);
		break;
	case KMEM_SIZE_HEAD:
	case KMEM_SIZE_TAIL:
		MUST(a->unit >= sizeof(uint32_t) && a->size_arg <= a->unit - sizeof(uint32_t), "%s: argument %u", name,
		     arg);
		break;
	default:
		ck_abort_msg("%s: argument %u is of no known size", name, arg);
	}
	if (a->by_result) {
		MUST(a->direction == KMEM_CALL_OUT && a->size == KMEM_SIZE_ARG, "%s: argument %u by result", name, arg);
	}
}

static void check_args(const char *name, const struct kmem_call_arg *args)
{
	for (unsigned int arg = 0; arg < KMEM_CALL_ARGS; arg++) {
		const struct kmem_call_arg *a = &args[arg];

		switch (a->shape) {
		case KMEM_SHAPE_BYTES:
			check_bytes(name, args, arg);
			break;
		case KMEM_SHAPE_IOVEC:
		case KMEM_SHAPE_MMSGHDR:
			MUST(a->direction == KMEM_CALL_IN || a->direction == KMEM_CALL_OUT, "%s: argument %u", name,
			     arg);
			MUST(args[a->size_arg].shape == KMEM_SHAPE_VALUE, "%s: argument %u", name, arg);
			break;
		case KMEM_SHAPE_STRING:
			MUST(a->direction == KMEM_CALL_IN && a->unit > 0, "%s: argument %u", name, arg);
			break;
		default:
			break;
		}
	}
}

START_TEST(test_table_consistent)
{
	for (size_t i = 0; i < kmem_calls_count; i++) {
		const struct kmem_call *call = &kmem_calls[i];
		unsigned int pointers = 0;
		unsigned int data = 0;

		check_args(call->name, call->args);
		for (unsigned int arg = 0; arg < KMEM_CALL_ARGS; arg++) {
			pointers += kmem_call_arg_is_pointer(call, arg) ? 1 : 0;
			data += call->args[arg].shape == KMEM_SHAPE_BYTES || call->args[arg].shape == KMEM_SHAPE_IOVEC
					? 1
					: 0;
			ck_assert(kmem_call_arg_is_pointer(call, arg) || !kmem_call_arg_is_deep(call, arg));
		}
		ck_assert_msg((pointers == 0) == call->is_refused, "%s", call->name);
		ck_assert_msg(!call->is_transfer || data >= 1, "%s: no data", call->name);
		ck_assert_msg(call->selector == 0 || !kmem_call_arg_is_pointer(call, call->selector - 1U),
			      "%s: selector", call->name);
		ck_assert_msg(call->pass_arg == 0 || !kmem_call_arg_is_pointer(call, call->pass_arg - 1U), "%s: pass",
			      call->name);
		ck_assert_msg(call->offset_arg == 0 || call->is_transfer, "%s: offset", call->name);
	}
}
END_TEST

/* Whatever the selector, a variant is consistent and has pointers only where the filter looks. */
static void check_variant(const struct kmem_call *call, uint64_t value)
{
	uint64_t regs[KMEM_CALL_ARGS] = {0};
	struct kmem_call_arg args[KMEM_CALL_ARGS];

	regs[call->selector - 1] = value;
	kmem_call_args_get(call, regs, args);
	check_args(call->name, args);
	for (unsigned int arg = 0; arg < KMEM_CALL_ARGS; arg++) {
		MUST(args[arg].shape == KMEM_SHAPE_VALUE || kmem_call_arg_is_pointer(call, arg),
		     "%s, variant %" PRIu64 ": the filter does not look at argument %u", call->name, value, arg);
	}
}

START_TEST(test_variants_consistent)
{
	for (size_t i = 0; i < kmem_calls_count; i++) {
		if (kmem_calls[i].selector == 0) {
			continue;
		}
		for (uint64_t value = 0; value < SELECTORS; value++) {
			check_variant(&kmem_calls[i], value);
		}
		check_variant(&kmem_calls[i], PR_SET_VMA);
		check_variant(&kmem_calls[i], UINT64_MAX);
	}
}
END_TEST

static struct kmem_call_arg variant(long nr, unsigned int arg, uint64_t first, uint64_t second, uint64_t third)
{
	const uint64_t regs[KMEM_CALL_ARGS] = {first, second, third};
	struct kmem_call_arg args[KMEM_CALL_ARGS];

	kmem_call_args_get(kmem_call_find(nr), regs, args);
	return args[arg];
}

START_TEST(test_variants_of_well_known_calls)
{
	struct kmem_call_arg arg;

	ck_assert_uint_eq(variant(SYS_fcntl, 2, 0, F_SETFL, 0).shape, KMEM_SHAPE_VALUE);
	arg = variant(SYS_fcntl, 2, 0, F_GETLK, 0);
	ck_assert_uint_eq(arg.shape, KMEM_SHAPE_BYTES);
	ck_assert_uint_eq(arg.direction, KMEM_CALL_INOUT);
	ck_assert_uint_eq(arg.unit, sizeof(struct flock));

	ck_assert_uint_eq(variant(SYS_prctl, 1, PR_SET_NAME, 0, 0).shape, KMEM_SHAPE_STRING);
	ck_assert_uint_eq(variant(SYS_prctl, 1, PR_SET_DUMPABLE, 1, 0).shape, KMEM_SHAPE_VALUE);
	ck_assert_uint_eq(variant(SYS_prctl, 2, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0).shape, KMEM_SHAPE_FPROG);
	ck_assert_uint_eq(variant(SYS_prctl, 2, PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0).shape, KMEM_SHAPE_VALUE);
	ck_assert_uint_eq(variant(SYS_prctl, 2, PR_SET_MM, PR_SET_MM_START_BRK, 0).shape, KMEM_SHAPE_VALUE);
	ck_assert_uint_eq(variant(SYS_prctl, 2, PR_SET_MM, PR_SET_MM_AUXV, 0).shape, KMEM_SHAPE_BYTES);

	ck_assert_uint_eq(variant(SYS_setsockopt, 3, 0, SOL_SOCKET, SO_ATTACH_FILTER).shape, KMEM_SHAPE_FPROG);
	ck_assert_uint_eq(variant(SYS_setsockopt, 3, 0, SOL_SOCKET, SO_KEEPALIVE).shape, KMEM_SHAPE_BYTES);

	arg = variant(SYS_semctl, 3, 0, 0, SETALL);
	ck_assert_uint_eq(arg.unit, SEMAPHORES * sizeof(unsigned short));
	ck_assert_uint_eq(arg.direction, KMEM_CALL_IN);
	ck_assert_uint_eq(variant(SYS_semctl, 3, 0, 0, SETVAL).shape, KMEM_SHAPE_VALUE);

	ck_assert_uint_eq(variant(SYS_futex, 3, 0, FUTEX_WAIT_PRIVATE, 0).shape, KMEM_SHAPE_BYTES);
	ck_assert_uint_eq(variant(SYS_futex, 4, 0, FUTEX_WAIT_PRIVATE, 0).shape, KMEM_SHAPE_VALUE);
	ck_assert_uint_eq(variant(SYS_futex, 3, 0, FUTEX_CMP_REQUEUE, 0).shape, KMEM_SHAPE_VALUE);
	ck_assert_uint_eq(variant(SYS_futex, 4, 0, FUTEX_CMP_REQUEUE, 0).shape, KMEM_SHAPE_ADDRESS);
}
END_TEST

START_TEST(test_ioctl_requests)
{
	struct kmem_call_arg arg = variant(SYS_ioctl, 2, 0, FIONREAD, 0);

	ck_assert_uint_eq(arg.unit, sizeof(int));
	ck_assert_uint_eq(arg.direction, KMEM_CALL_OUT);
	ck_assert_uint_eq(variant(SYS_ioctl, 2, 0, TCGETS, 0).unit, 36);
	ck_assert_uint_eq(variant(SYS_ioctl, 2, 0, FIOCLEX, 0).shape, KMEM_SHAPE_VALUE);
	ck_assert_uint_eq(variant(SYS_ioctl, 2, 0, SIOCGIFCONF, 0).shape, KMEM_SHAPE_IFCONF);
	ck_assert_uint_eq(variant(SYS_ioctl, 2, 0, SIOCGIFFLAGS, 0).unit, 40);
	arg = variant(SYS_ioctl, 2, 0, _IOW('k', 1, char[77]), 0);
	ck_assert_uint_eq(arg.unit, 77);
	ck_assert_uint_eq(arg.direction, KMEM_CALL_IN);
	arg = variant(SYS_ioctl, 2, 0, _IOWR('k', 1, char[78]), 0);
	ck_assert_uint_eq(arg.unit, 78);
	ck_assert_uint_eq(arg.direction, KMEM_CALL_WRITTEN_MAYBE);
	ck_assert_uint_eq(variant(SYS_ioctl, 2, 0, _IO('k', 1), 0).shape, KMEM_SHAPE_VALUE);
}
END_TEST

/* The filter, and what is known of one run of it. */
static struct sock_filter program[BPF_MAXINSNS];
static size_t program_size;
static bool has_looked_at_args;

static void program_setup(void)
{
	program_size = kmem_filter_make(program, BPF_MAXINSNS);
}

/* The instructions that filters here consist of; any other ends the test. */
static uint32_t interpret(const struct seccomp_data *data)
{
	uint32_t a = 0;
	size_t at = 0;

	has_looked_at_args = false;
	for (;;) {
		const struct sock_filter *i = &program[at++];

		MUST(at <= program_size, "the program ends without a result");
		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			MUST(i->k <= sizeof(*data) - sizeof(a), "a load at %u", i->k);
			(void)memcpy(&a, (const char *)data + i->k, sizeof(a));
			has_looked_at_args |= i->k >= offsetof(struct seccomp_data, instruction_pointer);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			at += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			at += a >= i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			ck_abort_msg("instruction %zu is %#x", at - 1, i->code);
		}
	}
}

static const uint64_t registers[] = {
	0,
	1,
	UINT64_MAX,
	UINT32_MAX,
	0x00007ffc12345678UL,
	0x0000555512345678UL,
	KMEM_STUB_ADDR,
	KMEM_WINDOW_BASE - 1,
	KMEM_WINDOW_BASE,
	KMEM_WINDOW_BASE + 0x12345678UL,
	KMEM_WINDOW_BASE + KMEM_WINDOW_SIZE / 2 + 0x87654321UL,
	KMEM_WINDOW_BASE + KMEM_WINDOW_SIZE - 1,
	KMEM_WINDOW_BASE + KMEM_WINDOW_SIZE,
	KMEM_MARK,
	KMEM_MARK | 0x00007ffc12345678UL,
	KMEM_MARK | KMEM_WINDOW_BASE,
	KMEM_MARK - 1,
	KMEM_MARK + (1UL << 48),
	KMEM_MARK << 1,
	KMEM_MARK >> 16,
	KMEM_WINDOW_BASE | 1UL << 63,
	KMEM_WINDOW_BASE >> 16,
};

static const uint64_t instruction_pointers[] = {
	0x00007f1234567890UL,
	KMEM_STUB_ADDR - 1,
	KMEM_STUB_ADDR,
	KMEM_STUB_ADDR + 2,
	KMEM_STUB_ADDR + KMEM_STUB_SIZE - 1,
	KMEM_STUB_ADDR + KMEM_STUB_SIZE,
	KMEM_STUB_ADDR + (1UL << 32) + 2,
};

/* Whether the call uses a register, as far as the filter is to tell. */
static bool is_used(const struct kmem_call *call, const struct seccomp_data *data, unsigned int arg)
{
	struct kmem_call_arg args[KMEM_CALL_ARGS];
	uint64_t regs[KMEM_CALL_ARGS] = {0};

	if (call->selector_bits == 0) {
		return true;
	}
	regs[call->selector - 1] = data->args[call->selector - 1] & ((1U << call->selector_bits) - 1);
	kmem_call_args_get(call, regs, args);
	return args[arg].shape != KMEM_SHAPE_VALUE;
}

/* What the table says. */
static uint32_t expected(const struct kmem_call *call, const struct seccomp_data *data)
{
	bool is_tripped = false;

	if (call == NULL || data->instruction_pointer - KMEM_STUB_ADDR < KMEM_STUB_SIZE) {
		return SECCOMP_RET_ALLOW;
	}
	if (call->pass_arg != 0 && kmem_mark_is(data->args[call->pass_arg - 1])) {
		return SECCOMP_RET_ALLOW;
	}
	if (call->is_refused) {
		return SECCOMP_RET_ERRNO | ENOSYS;
	}
	for (unsigned int arg = 0; arg < KMEM_CALL_ARGS; arg++) {
		uint64_t value = data->args[arg];

		if (!is_used(call, data, arg)) {
			continue;
		}
		is_tripped |= kmem_call_arg_is_pointer(call, arg) && kmem_window_has(value);
		is_tripped |= kmem_call_arg_is_deep(call, arg) && kmem_mark_is(value);
	}
	return is_tripped ? SECCOMP_RET_TRAP | KMEM_FILTER_DATA : SECCOMP_RET_ALLOW;
}

static void check_run(long nr, const struct seccomp_data *data)
{
	uint32_t want = expected(kmem_call_find(nr), data);
	uint32_t got = interpret(data);
	char given[256] = "";
	size_t used = 0;

	for (unsigned int arg = 0; arg < KMEM_CALL_ARGS && got != want; arg++) {
		used += (size_t)snprintf(given + used, sizeof(given) - used, " %#" PRIx64, (uint64_t)data->args[arg]);
	}
	MUST(got == want, "call %ld from %#" PRIx64 " with%s: %#" PRIx32 ", not %#" PRIx32, nr,
	     (uint64_t)data->instruction_pointer, given, got, want);
}

static struct seccomp_data data_of(long nr)
{
	return (struct seccomp_data){
		.nr = (int)nr, .arch = AUDIT_ARCH_X86_64, .instruction_pointer = instruction_pointers[0]};
}

START_TEST(test_filter_fits)
{
	static struct sock_filter small[BPF_MAXINSNS];

	ck_assert_uint_gt(program_size, 0);
	ck_assert_uint_le(program_size, BPF_MAXINSNS);
	ck_assert_uint_eq(kmem_filter_make(small, program_size), program_size);
	ck_assert_mem_eq(small, program, program_size * sizeof(program[0]));
	ck_assert_uint_eq(kmem_filter_make(small, program_size - 1), 0);
}
END_TEST

/* Every value in every register, the others empty. */
START_TEST(test_filter_one_register)
{
	for (long nr = 0; nr < KMEM_CALL_NR_END; nr++) {
		struct seccomp_data data = data_of(nr);

		for (size_t ip = 0; ip < COUNT(instruction_pointers); ip++) {
			data.instruction_pointer = instruction_pointers[ip];
			for (unsigned int arg = 0; arg < KMEM_CALL_ARGS; arg++) {
				for (size_t i = 0; i < COUNT(registers); i++) {
					data.args[arg] = registers[i];
					check_run(nr, &data);
				}
				data.args[arg] = 0;
			}
		}
	}
}
END_TEST

/* All registers full of anything. */
START_TEST(test_filter_all_registers)
{
	unsigned int seed = 1;

	for (long nr = 0; nr < KMEM_CALL_NR_END; nr++) {
		struct seccomp_data data = data_of(nr);

		for (int round = 0; round < 2000; round++) {
			for (unsigned int arg = 0; arg < KMEM_CALL_ARGS; arg++) {
				data.args[arg] = registers[(unsigned int)rand_r(&seed) % COUNT(registers)];
			}
			check_run(nr, &data);
		}
	}
}
END_TEST

/* Of futex() only the registers that the operation uses: it is called with signals blocked, and with anything in the others. */
START_TEST(test_filter_futex)
{
	static const struct {
		int operation;
		bool is_used[KMEM_CALL_ARGS];
	} cases[] = {
		{FUTEX_WAIT, {[0] = true, [3] = true}},
		{FUTEX_WAKE, {[0] = true}},
		{FUTEX_WAKE | FUTEX_PRIVATE_FLAG, {[0] = true}},
		{FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME, {[0] = true, [3] = true}},
		{FUTEX_WAKE_BITSET, {[0] = true}},
		{FUTEX_LOCK_PI, {[0] = true, [3] = true}},
		{FUTEX_UNLOCK_PI, {[0] = true}},
		{FUTEX_WAKE_OP, {[0] = true, [4] = true}},
		{FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, {[0] = true, [4] = true}},
		{FUTEX_CMP_REQUEUE_PI, {[0] = true, [4] = true}},
		{FUTEX_WAIT_REQUEUE_PI, {[0] = true, [3] = true, [4] = true}},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		for (unsigned int arg = 0; arg < KMEM_CALL_ARGS; arg++) {
			struct seccomp_data data = data_of(SYS_futex);

			data.args[1] = (uint64_t)cases[i].operation;
			if (arg != 1) {
				data.args[arg] = KMEM_WINDOW_BASE;
			}
			ck_assert_uint_eq(interpret(&data),
					  cases[i].is_used[arg] ? SECCOMP_RET_TRAP | KMEM_FILTER_DATA : SECCOMP_RET_ALLOW);
		}
	}
}
END_TEST

/* The kernel then finds out that it need not run the filter for them. */
START_TEST(test_filter_calls_without_pointers_by_number_alone)
{
	for (long nr = 0; nr < KMEM_CALL_NR_END; nr++) {
		struct seccomp_data data = data_of(nr);

		(void)interpret(&data);
		ck_assert_int_eq(has_looked_at_args, kmem_call_find(nr) != NULL);
	}
}
END_TEST

START_TEST(test_filter_leaves_other_numbers_and_architectures)
{
	static const long others[] = {-1, KMEM_CALL_NR_END, 0x3fffffff, 0x40000000, 0x40000001, 0x7fffffff};
	struct seccomp_data data;

	for (size_t i = 0; i < COUNT(others); i++) {
		data = data_of(others[i]);
		data.args[0] = data.args[1] = KMEM_WINDOW_BASE;
		ck_assert_uint_eq(interpret(&data), SECCOMP_RET_ALLOW);
	}
	data = data_of(SYS_read);
	data.args[1] = KMEM_WINDOW_BASE;
	ck_assert_uint_eq(interpret(&data), SECCOMP_RET_TRAP | KMEM_FILTER_DATA);
	data.arch = AUDIT_ARCH_I386;
	ck_assert_uint_eq(interpret(&data), SECCOMP_RET_ALLOW);
	ck_assert(!has_looked_at_args);
}
END_TEST

START_TEST(test_filter_traps_the_probe)
{
	struct seccomp_data data = data_of(KMEM_PROBE_NR);

	data.args[0] = KMEM_PROBE_POINTER;
	ck_assert_uint_eq(interpret(&data), SECCOMP_RET_TRAP | KMEM_FILTER_DATA);
	ck_assert(kmem_probe_is(data.nr, data.args[0]));
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("preload call");
	TCase *table = tcase_create("table");
	TCase *filter = tcase_create("filter");

	tcase_add_test(table, test_table_ascending);
	tcase_add_test(table, test_table_names_and_numbers);
	tcase_add_test(table, test_find_by_number);
	tcase_add_test(table, test_table_consistent);
	tcase_add_test(table, test_variants_consistent);
	tcase_add_test(table, test_variants_of_well_known_calls);
	tcase_add_test(table, test_ioctl_requests);
	tcase_set_timeout(table, 60);
	suite_add_tcase(suite, table);

	tcase_add_checked_fixture(filter, program_setup, NULL);
	tcase_set_timeout(filter, 60);
	tcase_add_test(filter, test_filter_fits);
	tcase_add_test(filter, test_filter_one_register);
	tcase_add_test(filter, test_filter_all_registers);
	tcase_add_test(filter, test_filter_futex);
	tcase_add_test(filter, test_filter_calls_without_pointers_by_number_alone);
	tcase_add_test(filter, test_filter_leaves_other_numbers_and_architectures);
	tcase_add_test(filter, test_filter_traps_the_probe);
	suite_add_tcase(suite, filter);
	return suite;
}
