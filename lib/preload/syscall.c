/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscall(): system calls by their numbers.
 *
 * A program that makes a call by its number must get what it gets by its name. Most calls go straight to the host kernel, without a C
 * frame of ours: vfork() or a clone() onto another stack could not return through one. The numbers in `kmem_syscall_own` go to
 * the wrappers: memory (map.c), structures with pointers in them (face.c, exec.c), masks and handlers (lib/host/signals.h), descriptors
 * (descriptor.c), and those that copy the process (clone.c). syscall() is no cancellation point; of what is reached from here,
 * msync() is one all the same.
 *
 * The library's own calls of syscall() never pass here: it is linked with --wrap=syscall, and they reach the system call at once.
 */

/* mmap() is called under its own name. */
#undef _FILE_OFFSET_BITS

#include <errno.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/annotate.h"
#include "host/copy.h"
#include "host/descriptor.h"
#include "host/signals.h"
#include "preload/clone.h"
#include "preload/face.h"

#define EXPORT __attribute__((visibility("default")))

/* Numbers from here up go straight; a power of two above all that there are. */
#define NUMBERS 512

/* For kmem_syscall_own: to C, or there only if kmem_syscall_is_fork(). */
#define OWN 1
#define OWN_FORK 2

/* Read by the assembly. */
extern const uint8_t kmem_syscall_own[NUMBERS];
const uint8_t kmem_syscall_own[NUMBERS] = {
	[SYS_clone] = OWN_FORK,
	[SYS_clone3] = OWN_FORK,
	[SYS_close] = OWN,
	[SYS_close_range] = OWN,
	[SYS_dup2] = OWN,
	[SYS_dup3] = OWN,
	[SYS_epoll_pwait] = OWN,
	[SYS_epoll_pwait2] = OWN,
	[SYS_execve] = OWN,
	[SYS_execveat] = OWN,
	[SYS_exit_group] = OWN,
	[SYS_fork] = OWN,
	[SYS_ioctl] = OWN,
	[SYS_madvise] = OWN,
	[SYS_mincore] = OWN,
	[SYS_mlock] = OWN,
	[SYS_mlock2] = OWN,
	[SYS_mlockall] = OWN,
	[SYS_mmap] = OWN,
	[SYS_mprotect] = OWN,
	[SYS_mremap] = OWN,
	[SYS_msync] = OWN,
	[SYS_munlock] = OWN,
	[SYS_munlockall] = OWN,
	[SYS_munmap] = OWN,
	[SYS_pkey_mprotect] = OWN,
	[SYS_ppoll] = OWN,
	[SYS_prctl] = OWN,
	[SYS_preadv] = OWN,
	[SYS_preadv2] = OWN,
	[SYS_process_vm_readv] = OWN,
	[SYS_process_vm_writev] = OWN,
	[SYS_pselect6] = OWN,
	[SYS_pwritev] = OWN,
	[SYS_pwritev2] = OWN,
	[SYS_readv] = OWN,
	[SYS_recvmmsg] = OWN,
	[SYS_recvmsg] = OWN,
	[SYS_rt_sigaction] = OWN,
	[SYS_rt_sigprocmask] = OWN,
	[SYS_rt_sigsuspend] = OWN,
	[SYS_seccomp] = OWN,
	[SYS_sendmmsg] = OWN,
	[SYS_sendmsg] = OWN,
	[SYS_setsockopt] = OWN,
	[SYS_sigaltstack] = OWN,
	[SYS_vmsplice] = OWN,
	[SYS_writev] = OWN,
};

/* What the assembly calls. */
long kmem_syscall_error(long ret);
bool kmem_syscall_is_fork(long nr, long a, long b);
long kmem_syscall_wrapped(long nr, long a, long b, long c, long d, long e, long f);

/*
 * syscall(): number in RDI, arguments in RSI, RDX, RCX, R8, R9 and on the stack. The C function takes the same, so that a jump is enough.
 */
__asm__(".pushsection .text.kmem_syscall, \"ax\", @progbits\n"
	".p2align 4\n"
	".globl syscall\n"
	".type syscall, @function\n"
	"syscall:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	cmpq $512, %rdi\n"
	"	jae 1f\n"
	"	leaq kmem_syscall_own(%rip), %rax\n"
	"	movzbl (%rax, %rdi), %eax\n"
	"	testl %eax, %eax\n"
	"	je 1f\n"
	"	cmpl $2, %eax\n"
	"	jne kmem_syscall_wrapped\n"
	"	pushq %rdi\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pushq %rsi\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pushq %rdx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pushq %rcx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pushq %r8\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pushq %r9\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	subq $8, %rsp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	call kmem_syscall_is_fork\n"
	"	addq $8, %rsp\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %r9\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %r8\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %rcx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %rdx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %rsi\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %rdi\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	testb %al, %al\n"
	"	jne kmem_syscall_wrapped\n"
	"	jmp 1f\n"
	"	.cfi_endproc\n"
	".size syscall, . - syscall\n"
	".p2align 4\n"
	".globl __wrap_syscall\n"
	".hidden __wrap_syscall\n"
	".type __wrap_syscall, @function\n"
	"__wrap_syscall:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"1:	movq %rdi, %rax\n"
	"	movq %rsi, %rdi\n"
	"	movq %rdx, %rsi\n"
	"	movq %rcx, %rdx\n"
	"	movq %r8, %r10\n"
	"	movq %r9, %r8\n"
	"	movq 8(%rsp), %r9\n"
	"	syscall\n"
	"	cmpq $-4095, %rax\n"
	"	jae 2f\n"
	"	ret\n"
	"2:	movq %rax, %rdi\n"
	"	jmp kmem_syscall_error\n"
	"	.cfi_endproc\n"
	".size __wrap_syscall, . - __wrap_syscall\n"
	".popsection\n");
_Static_assert(NUMBERS == 512 && OWN_FORK == 2, "as the assembly has them");

__attribute__((used)) long kmem_syscall_error(long ret)
{
	errno = (int)-ret;
	return -1;
}

/* 0 or -errno as a C function has it. */
static long result_of(long ret)
{
	return ret < 0 ? kmem_syscall_error(ret) : ret;
}

static void *pointer_of(long value)
{
	return (void *)(uintptr_t)value;
}

/* Memory. For the program: map.c leaves the library's own calls alone. */

KMEM_CALLBACK static long call_memory(long nr, long a, long b, long c, long d, long e, long f)
{
	void *addr = pointer_of(a);
	const size_t size = (size_t)b;
	long ret;

	switch (nr) {
	case SYS_mmap:
		ret = (long)(uintptr_t)mmap(addr, size, (int)c, (int)d, (int)e, f);
		break;
	case SYS_mremap:
		ret = (long)(uintptr_t)mremap(addr, size, (size_t)c, (int)d, pointer_of(e));
		break;
	case SYS_munmap:
		ret = munmap(addr, size);
		break;
	case SYS_mprotect:
		ret = mprotect(addr, size, (int)c);
		break;
	case SYS_pkey_mprotect:
		ret = pkey_mprotect(addr, size, (int)c, (int)d);
		break;
	case SYS_madvise:
		ret = madvise(addr, size, (int)c);
		break;
	case SYS_mincore:
		ret = mincore(addr, size, pointer_of(c));
		break;
	case SYS_msync:
		ret = msync(addr, size, (int)c);
		break;
	case SYS_mlock:
		ret = mlock(addr, size);
		break;
	case SYS_mlock2:
		ret = mlock2(addr, size, (unsigned int)c);
		break;
	case SYS_munlock:
		ret = munlock(addr, size);
		break;
	case SYS_mlockall:
		ret = mlockall((int)a);
		break;
	default:
		ret = munlockall();
		break;
	}
	KMEM_CALLBACK_END;
	return ret;
}

/* Masks and handlers. */

static long call_mask(int how, const kmem_sigmask *given, kmem_sigmask *old)
{
	kmem_sigmask before;
	kmem_sigmask mask = 0;
	int ret;

	if (given != NULL && kmem_copy(&mask, given, sizeof(mask)) != sizeof(mask)) {
		return -EFAULT;
	}
	ret = kmem_signals_mask(how, given != NULL ? &mask : NULL, &before);
	if (ret == 0 && old != NULL && kmem_copy(old, &before, sizeof(before)) != sizeof(before)) {
		return -EFAULT;
	}
	return ret;
}

static long call_action(int signo, const struct kmem_signals_action *given, struct kmem_signals_action *old)
{
	struct kmem_signals_action action;
	struct kmem_signals_action before;
	int ret;

	if (given != NULL && kmem_copy(&action, given, sizeof(action)) != sizeof(action)) {
		return -EFAULT;
	}
	ret = kmem_signals_action_raw(signo, given != NULL ? &action : NULL, &before);
	if (ret == 0 && old != NULL && kmem_copy(old, &before, sizeof(before)) != sizeof(before)) {
		return -EFAULT;
	}
	return ret;
}

/* What pselect6()'s last argument points to. */
struct kernel_mask {
	const kmem_sigmask *mask;
	size_t size;
};

/* A mask for the time of the call, stripped; the program's pointer where there is nothing to strip, or it is bad. */
static long masked(const kmem_sigmask *given, size_t size, kmem_sigmask *mask)
{
	if (given == NULL || size != sizeof(*mask) || kmem_copy(mask, given, sizeof(*mask)) != sizeof(*mask)) {
		return (long)(uintptr_t)given;
	}
	*mask = kmem_signals_strip(*mask);
	return (long)(uintptr_t)mask;
}

static long call_pselect(long a, long b, long c, long d, long e, long f)
{
	struct kernel_mask argument;
	kmem_sigmask mask;

	if (f == 0 || kmem_copy(&argument, pointer_of(f), sizeof(argument)) != sizeof(argument)) {
		return __wrap_syscall(SYS_pselect6, a, b, c, d, e, f);
	}
	argument.mask = pointer_of(masked(argument.mask, argument.size, &mask));
	return __wrap_syscall(SYS_pselect6, a, b, c, d, e, &argument);
}

static long call_signal(long nr, long a, long b, long c, long d, long e, long f)
{
	kmem_sigmask mask;

	switch (nr) {
	case SYS_rt_sigprocmask:
	case SYS_rt_sigaction:
		if (d != sizeof(mask)) {
			return __wrap_syscall(nr, a, b, c, d);
		}
		return result_of(nr == SYS_rt_sigaction ? call_action((int)a, pointer_of(b), pointer_of(c)) :
							  call_mask((int)a, pointer_of(b), pointer_of(c)));
	case SYS_sigaltstack:
		return sigaltstack(pointer_of(a), pointer_of(b));
	case SYS_rt_sigsuspend:
		return __wrap_syscall(nr, masked(pointer_of(a), (size_t)b, &mask), b, c, d, e, f);
	case SYS_ppoll:
		return __wrap_syscall(nr, a, b, c, masked(pointer_of(d), (size_t)e, &mask), e, f);
	case SYS_pselect6:
		return call_pselect(a, b, c, d, e, f);
	default:
		return __wrap_syscall(nr, a, b, c, d, masked(pointer_of(e), (size_t)f, &mask), f);
	}
}

/* Processes. */

/*
 * Whether a clone() or clone3() copies the process, and returns on this stack. Others return on another one, or twice on the same
 * without a copy of it, and may not pass through a frame of ours.
 */
__attribute__((used)) bool kmem_syscall_is_fork(long nr, long a, long b)
{
	struct clone_args args = {.flags = CLONE_VM};
	const size_t size = (size_t)b < sizeof(args) ? (size_t)b : sizeof(args);

	if (nr == SYS_clone) {
		return ((unsigned long)a & CLONE_VM) == 0 && b == 0;
	}
	return size >= CLONE_ARGS_SIZE_VER0 && kmem_copy(&args, pointer_of(a), size) == size && (args.flags & CLONE_VM) == 0 &&
	       args.stack == 0;
}

static long call_process(long nr, long a, long b, long c, long d, long e)
{
	switch (nr) {
	case SYS_execve:
		return execve(pointer_of(a), pointer_of(b), pointer_of(c));
	case SYS_execveat:
		return execveat((int)a, pointer_of(b), pointer_of(c), pointer_of(d), (int)e);
	case SYS_exit_group:
		_exit((int)a);
	default:
		return kmem_clone_fork(nr, a, b, c, d, e);
	}
}

/* Descriptors. Those of the library are not the program's. */

static long call_close(int fd)
{
	return kmem_descriptor_is_own(fd) ? kmem_syscall_error(-EBADF) : __wrap_syscall(SYS_close, fd);
}

static long call_descriptor(long nr, long a, long b, long c)
{
	switch (nr) {
	case SYS_close:
		return call_close((int)a);
	case SYS_close_range:
		return close_range((unsigned int)a, (unsigned int)b, (int)c);
	case SYS_dup2:
		return dup2((int)a, (int)b);
	default:
		return dup3((int)a, (int)b, (int)c);
	}
}

/* Structures with pointers in them. */

static long call_deep(long nr, long a, long b, long c, long d, long e, long f)
{
	switch (nr) {
	case SYS_ioctl:
		return __wrap_syscall(nr, a, b, kmem_face_ioctl_pointer((unsigned long)b, pointer_of(c)));
	case SYS_prctl:
		return __wrap_syscall(nr, a, b, kmem_face_prctl_value((int)a, (unsigned long)b, (unsigned long)c), d, e);
	case SYS_seccomp:
		return __wrap_syscall(nr, a, b, a == SECCOMP_SET_MODE_FILTER ?
						kmem_face_pointer(nr, 2, KMEM_SHAPE_FPROG, pointer_of(c), 1) : pointer_of(c));
	case SYS_setsockopt:
		return __wrap_syscall(nr, a, b, c, kmem_face_setsockopt_pointer((int)b, (int)c, pointer_of(d)), e);
	case SYS_sendmsg:
	case SYS_recvmsg:
		return __wrap_syscall(nr, a, kmem_face_pointer(nr, 1, KMEM_SHAPE_MSGHDR, pointer_of(b), 1), c);
	case SYS_sendmmsg:
	case SYS_recvmmsg:
		return __wrap_syscall(nr, a, kmem_face_pointer(nr, 1, KMEM_SHAPE_MMSGHDR, pointer_of(b), (unsigned int)c), c, d, e);
	case SYS_process_vm_readv:
	case SYS_process_vm_writev:
		return __wrap_syscall(nr, a, kmem_face_pointer(nr, 1, KMEM_SHAPE_IOVEC, pointer_of(b), (size_t)c), c,
				      kmem_face_pointer(nr, 3, KMEM_SHAPE_IOVEC, pointer_of(d), (size_t)e), e, f);
	default:
		return __wrap_syscall(nr, a, kmem_face_pointer(nr, 1, KMEM_SHAPE_IOVEC, pointer_of(b), (size_t)c), c, d, e, f);
	}
}

__attribute__((used)) long kmem_syscall_wrapped(long nr, long a, long b, long c, long d, long e, long f)
{
	switch (nr) {
	case SYS_madvise:
	case SYS_mincore:
	case SYS_mlock:
	case SYS_mlock2:
	case SYS_mlockall:
	case SYS_mmap:
	case SYS_mprotect:
	case SYS_mremap:
	case SYS_msync:
	case SYS_munlock:
	case SYS_munlockall:
	case SYS_munmap:
	case SYS_pkey_mprotect:
		return call_memory(nr, a, b, c, d, e, f);
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
	case SYS_ppoll:
	case SYS_pselect6:
	case SYS_rt_sigaction:
	case SYS_rt_sigprocmask:
	case SYS_rt_sigsuspend:
	case SYS_sigaltstack:
		return call_signal(nr, a, b, c, d, e, f);
	case SYS_close:
	case SYS_close_range:
	case SYS_dup2:
	case SYS_dup3:
		return call_descriptor(nr, a, b, c);
	case SYS_clone:
	case SYS_clone3:
	case SYS_execve:
	case SYS_execveat:
	case SYS_exit_group:
	case SYS_fork:
		return call_process(nr, a, b, c, d, e);
	default:
		return call_deep(nr, a, b, c, d, e, f);
	}
}
