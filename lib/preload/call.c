/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of system calls, for x86-64 Linux up to 6.18.
 *
 * An entry names its arguments by position; those that are not named are no pointers. Structures that headers do not have, or have with
 * another size than the kernel's, are given by a size that has a name.
 *
 * A call that is not here passes the filter with whatever it is given. tests/preload/test_call.c lists those, so that a number that is
 * new in the headers makes itself heard.
 */
#include <linux/capability.h>
#include <linux/limits.h>
#include <linux/perf_event.h>
#include <linux/stat.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <utime.h>

#include "preload/bounce.h"
#include "preload/call.h"
#include "preload/call_shape.h"

/* The kernel's own sizes of structures: what the C library's headers call the same is larger, or is not there. */
#define SIZE_SIGACTION 32UL /* handler, flags, restorer, mask of 64 signals */
#define SIZE_SIGINFO 128UL
#define SIZE_WAITID_SIGINFO 28UL /* waitid() writes the fields up to si_status, one by one, and leaves the rest alone */
#define SIZE_USTAT 32UL
#define SIZE_CAPABILITIES 24UL /* two struct __user_cap_data_struct, of which version 1 uses one */
#define SIZE_MSGBUF 8UL        /* the type in front of a message's bytes */
#define SIZE_EPOLL_EVENT 12UL
#define SIZE_SEMBUF 6UL
#define SIZE_SCHED_ATTR_FIRST 48U /* sched_setattr() and perf_event_open(): the size that 0 stands for */
#define SIZE_FILE_HANDLE 8U       /* struct file_handle without its handle */
#define SIZE_CACHESTAT_RANGE 16UL
#define SIZE_CACHESTAT 40UL
#define SIZE_KEXEC_SEGMENT 32UL
#define SIZE_TIMEZONE 8UL
#define SIZE_MOUNT_DATA 4096UL /* as much of it as there is */
#define SIZE_MOUNT_REQUEST 24U /* struct mnt_id_req: the first version */

/* Longest strings of the calls that do not take paths. */
#define LENGTH_XATTR (XATTR_NAME_MAX + 1U)
#define LENGTH_MEMFD 250U
#define LENGTH_KEY_TYPE 32U
#define LENGTH_KEY_DESCRIPTION 4096U
#define LENGTH_FS_PARAMETER 256U
#define LENGTH_REBOOT 256U
#define LENGTH_MODULE 56U

/* Arguments of single calls. */
#define XATTR STRING_MAX(LENGTH_XATTR)
#define HANDLE(the_direction) BYTES(the_direction, .size = KMEM_SIZE_TAIL, .size_arg = 0, .unit = SIZE_FILE_HANDLE)
#define MSGBUF(the_direction, ...)                                                                                     \
	BYTES(the_direction, .size = KMEM_SIZE_ARG, .size_arg = 2, .unit = 1, .more = SIZE_MSGBUF, __VA_ARGS__)

/* Calls. */
#define NR(call) .name = #call, .nr = SYS_##call
/* Calls that are younger than the oldest headers that we are built with. */
#define NR_NEW(call, number) .name = #call, .nr = (number)
#define PIECES .is_transfer = true
#define PIECES_AT(arg) .is_transfer = true, .offset_arg = 1 + (arg)
#define BY(arg) .selector = 1 + (arg)
#define BY_BITS(arg, bits) .selector = 1 + (arg), .selector_bits = (bits)
#define PASS(arg) .pass_arg = 1 + (arg)
#define REFUSED .is_refused = true
/* What FUTEX_PRIVATE_FLAG and the other flags leave of the operation. */
#define FUTEX_OP_BITS 7
/* The call's own function (bounce.h). */
#define RUN(function) .run = kmem_call_run_##function

const struct kmem_call kmem_calls[] = {
	{NR(read), PIECES, ARGS([1] = OUT_RESULT(2, 1))},
	{NR(write), PIECES, ARGS([1] = IN_ARG(2, 1))},
	{NR(open), ARGS([0] = PATH)},
	{NR(stat), ARGS([0] = PATH, [1] = OUT(struct stat))},
	{NR(fstat), ARGS([1] = OUT(struct stat))},
	{NR(lstat), ARGS([0] = PATH, [1] = OUT(struct stat))},
	{NR(poll), ARGS([0] = INOUT_ARG(1, sizeof(struct pollfd)))},
	{NR(rt_sigaction), RUN(rt_sigaction), ARGS([1] = IN_SIZE(SIZE_SIGACTION), [2] = OUT_SIZE(SIZE_SIGACTION))},
	{NR(rt_sigprocmask), RUN(rt_sigprocmask), ARGS([1] = SIGMASK(3), [2] = OUT_ARG(3, 1))},
	{NR(ioctl), BY(1), ARGS([2] = OWN)},
	{NR(pread64), PIECES_AT(3), ARGS([1] = OUT_RESULT(2, 1))},
	{NR(pwrite64), PIECES_AT(3), ARGS([1] = IN_ARG(2, 1))},
	{NR(readv), PIECES, ARGS([1] = IOVEC(KMEM_CALL_OUT, 2))},
	{NR(writev), PIECES, ARGS([1] = IOVEC(KMEM_CALL_IN, 2))},
	{NR(access), ARGS([0] = PATH)},
	{NR(pipe), ARGS([0] = OUT(int[2]))},
	{NR(select), ARGS([1] = SETS(0), [2] = SETS(0), [3] = SETS(0), [4] = TIME_LEFT(struct timeval))},
	{NR(mincore), ARGS([2] = BYTES(KMEM_CALL_OUT, .size = KMEM_SIZE_PAGES, .size_arg = 1))},
	{NR(shmctl), BY(1), ARGS([2] = OWN)},
	{NR(nanosleep), ARGS([0] = IN(struct timespec), [1] = MAYBE(struct timespec))},
	{NR(getitimer), ARGS([1] = OUT(struct itimerval))},
	{NR(setitimer), ARGS([1] = IN(struct itimerval), [2] = OUT(struct itimerval))},
	{NR(sendfile), ARGS([2] = INOUT(off_t))},
	{NR(connect), ARGS([1] = IN_ARG(2, 1))},
	{NR(accept), ARGS([1] = OUT_AT(2), [2] = LENGTH)},
	{NR(sendto), PIECES, ARGS([1] = IN_ARG(2, 1), [4] = IN_ARG(5, 1))},
	{NR(recvfrom), PIECES, ARGS([1] = OUT_RESULT(2, 1), [4] = OUT_AT(5), [5] = LENGTH)},
	{NR(sendmsg), ARGS([1] = VECTOR(KMEM_SHAPE_MSGHDR, KMEM_CALL_IN, 0))},
	{NR(recvmsg), ARGS([1] = VECTOR(KMEM_SHAPE_MSGHDR, KMEM_CALL_OUT, 0))},
	{NR(bind), ARGS([1] = IN_ARG(2, 1))},
	{NR(getsockname), ARGS([1] = OUT_AT(2), [2] = LENGTH)},
	{NR(getpeername), ARGS([1] = OUT_AT(2), [2] = LENGTH)},
	{NR(socketpair), ARGS([3] = OUT(int[2]))},
	{NR(setsockopt), BY(2), ARGS([3] = OWN)},
	{NR(getsockopt), ARGS([3] = INOUT_AT(4), [4] = LENGTH)},
	{NR(clone), RUN(clone), PASS(0), ARGS([2] = ADDRESS, [3] = ADDRESS)},
	{NR(execve), RUN(execve), ARGS([0] = PATH, [1] = STRINGS, [2] = STRINGS)},
	{NR(wait4), ARGS([1] = MAYBE(int), [3] = MAYBE(struct rusage))},
	{NR(uname), ARGS([0] = OUT(struct utsname))},
	{NR(semop), ARGS([1] = IN_ARG(2, SIZE_SEMBUF))},
	{NR(semctl), BY(2), ARGS([3] = OWN)},
	{NR(msgsnd), ARGS([1] = MSGBUF(KMEM_CALL_IN, .by_result = false))},
	{NR(msgrcv), ARGS([1] = MSGBUF(KMEM_CALL_OUT, .by_result = true))},
	{NR(msgctl), BY(1), ARGS([2] = OWN)},
	{NR(fcntl), BY(1), ARGS([2] = OWN)},
	{NR(truncate), ARGS([0] = PATH)},
	{NR(getdents), ARGS([1] = OUT_RESULT(2, 1))},
	{NR(getcwd), ARGS([0] = OUT_RESULT(1, 1))},
	{NR(chdir), ARGS([0] = PATH)},
	{NR(rename), ARGS([0] = PATH, [1] = PATH)},
	{NR(mkdir), ARGS([0] = PATH)},
	{NR(rmdir), ARGS([0] = PATH)},
	{NR(creat), ARGS([0] = PATH)},
	{NR(link), ARGS([0] = PATH, [1] = PATH)},
	{NR(unlink), ARGS([0] = PATH)},
	{NR(symlink), ARGS([0] = PATH, [1] = PATH)},
	{NR(readlink), ARGS([0] = PATH, [1] = OUT_RESULT(2, 1))},
	{NR(chmod), ARGS([0] = PATH)},
	{NR(chown), ARGS([0] = PATH)},
	{NR(lchown), ARGS([0] = PATH)},
	{NR(gettimeofday), ARGS([0] = OUT(struct timeval), [1] = OUT_SIZE(SIZE_TIMEZONE))},
	{NR(getrlimit), ARGS([1] = OUT(struct rlimit))},
	{NR(getrusage), ARGS([1] = OUT(struct rusage))},
	{NR(sysinfo), ARGS([0] = OUT(struct sysinfo))},
	{NR(times), ARGS([0] = OUT(struct tms))},
	{NR(ptrace), BY(0), ARGS([2] = OWN, [3] = OWN)},
	{NR(syslog), BY(0), ARGS([1] = OWN)},
	{NR(getgroups), ARGS([1] = OUT_RESULT(0, sizeof(gid_t)))},
	{NR(setgroups), ARGS([1] = IN_ARG(0, sizeof(gid_t)))},
	{NR(getresuid), ARGS([0] = OUT(uid_t), [1] = OUT(uid_t), [2] = OUT(uid_t))},
	{NR(getresgid), ARGS([0] = OUT(gid_t), [1] = OUT(gid_t), [2] = OUT(gid_t))},
	{NR(capget), ARGS([0] = MAYBE(struct __user_cap_header_struct), [1] = MAYBE_SIZE(SIZE_CAPABILITIES))},
	{NR(capset), ARGS([0] = MAYBE(struct __user_cap_header_struct), [1] = IN_SIZE(SIZE_CAPABILITIES))},
	{NR(rt_sigpending), RUN(rt_sigpending), ARGS([0] = OUT_ARG(1, 1))},
	{NR(rt_sigtimedwait), ARGS([0] = SIGMASK(3), [1] = OUT_SIZE(SIZE_SIGINFO), [2] = IN(struct timespec))},
	{NR(rt_sigqueueinfo), ARGS([2] = IN_SIZE(SIZE_SIGINFO))},
	{NR(rt_sigsuspend), RUN(rt_sigsuspend), ARGS([0] = SIGMASK(1))},
	{NR(sigaltstack), RUN(sigaltstack), ARGS([0] = IN(stack_t), [1] = OUT(stack_t))},
	{NR(utime), ARGS([0] = PATH, [1] = IN(struct utimbuf))},
	{NR(mknod), ARGS([0] = PATH)},
	{NR(uselib), ARGS([0] = PATH)},
	{NR(ustat), ARGS([1] = OUT_SIZE(SIZE_USTAT))},
	{NR(statfs), ARGS([0] = PATH, [1] = OUT(struct statfs))},
	{NR(fstatfs), ARGS([1] = OUT(struct statfs))},
	{NR(sysfs), BY(0), ARGS([1] = OWN, [2] = OWN)},
	{NR(sched_setparam), ARGS([1] = IN(struct sched_param))},
	{NR(sched_getparam), ARGS([1] = OUT(struct sched_param))},
	{NR(sched_setscheduler), ARGS([2] = IN(struct sched_param))},
	{NR(sched_rr_get_interval), ARGS([1] = OUT(struct timespec))},
	{NR(modify_ldt), ARGS([1] = BYTES(KMEM_CALL_WRITTEN_MAYBE, .size = KMEM_SIZE_ARG, .size_arg = 2, .unit = 1))},
	{NR(pivot_root), ARGS([0] = PATH, [1] = PATH)},
	{NR(prctl), BY(0), ARGS([1] = OWN, [2] = OWN, [3] = OWN, [4] = OWN)},
	{NR(arch_prctl), BY(0), ARGS([1] = OWN)},
	{NR(adjtimex), ARGS([0] = INOUT(struct timex))},
	{NR(setrlimit), ARGS([1] = IN(struct rlimit))},
	{NR(chroot), ARGS([0] = PATH)},
	{NR(acct), ARGS([0] = PATH)},
	{NR(settimeofday), ARGS([0] = IN(struct timeval), [1] = IN_SIZE(SIZE_TIMEZONE))},
	{NR(mount), ARGS([0] = PATH, [1] = PATH, [2] = PATH, [4] = IN_SIZE(SIZE_MOUNT_DATA))},
	{NR(umount2), ARGS([0] = PATH)},
	{NR(swapon), ARGS([0] = PATH)},
	{NR(swapoff), ARGS([0] = PATH)},
	{NR(reboot), BY(2), ARGS([3] = OWN)},
	{NR(sethostname), ARGS([0] = IN_ARG(1, 1))},
	{NR(setdomainname), ARGS([0] = IN_ARG(1, 1))},
	{NR(init_module), ARGS([0] = IN_ARG(1, 1), [2] = STRING_MAX(PATH_MAX))},
	{NR(delete_module), ARGS([0] = STRING_MAX(LENGTH_MODULE))},
	{NR(quotactl), BY(0), ARGS([1] = OWN, [3] = OWN)},
	{NR(setxattr), ARGS([0] = PATH, [1] = XATTR, [2] = IN_ARG(3, 1))},
	{NR(lsetxattr), ARGS([0] = PATH, [1] = XATTR, [2] = IN_ARG(3, 1))},
	{NR(fsetxattr), ARGS([1] = XATTR, [2] = IN_ARG(3, 1))},
	{NR(getxattr), ARGS([0] = PATH, [1] = XATTR, [2] = OUT_RESULT(3, 1))},
	{NR(lgetxattr), ARGS([0] = PATH, [1] = XATTR, [2] = OUT_RESULT(3, 1))},
	{NR(fgetxattr), ARGS([1] = XATTR, [2] = OUT_RESULT(3, 1))},
	{NR(listxattr), ARGS([0] = PATH, [1] = OUT_RESULT(2, 1))},
	{NR(llistxattr), ARGS([0] = PATH, [1] = OUT_RESULT(2, 1))},
	{NR(flistxattr), ARGS([1] = OUT_RESULT(2, 1))},
	{NR(removexattr), ARGS([0] = PATH, [1] = XATTR)},
	{NR(lremovexattr), ARGS([0] = PATH, [1] = XATTR)},
	{NR(fremovexattr), ARGS([1] = XATTR)},
	{NR(time), ARGS([0] = OUT(time_t))},
	{NR(futex), RUN(futex), BY_BITS(1, FUTEX_OP_BITS), PASS(1), ARGS([0] = ADDRESS, [3] = OWN, [4] = OWN)},
	{NR(sched_setaffinity), ARGS([2] = IN_ARG(1, 1))},
	{NR(sched_getaffinity), ARGS([2] = OUT_RESULT(1, 1))},
	{NR(io_setup), REFUSED},
	{NR(getdents64), ARGS([1] = OUT_RESULT(2, 1))},
	{NR(set_tid_address), RUN(set_tid_address), ARGS([0] = ADDRESS)},
	{NR(semtimedop), ARGS([1] = IN_ARG(2, SIZE_SEMBUF), [3] = IN(struct timespec))},
	{NR(timer_create), ARGS([1] = IN(struct sigevent), [2] = OUT(int))},
	{NR(timer_settime), ARGS([2] = IN(struct itimerspec), [3] = OUT(struct itimerspec))},
	{NR(timer_gettime), ARGS([1] = OUT(struct itimerspec))},
	{NR(clock_settime), ARGS([1] = IN(struct timespec))},
	{NR(clock_gettime), ARGS([1] = OUT(struct timespec))},
	{NR(clock_getres), ARGS([1] = OUT(struct timespec))},
	{NR(clock_nanosleep), ARGS([2] = IN(struct timespec), [3] = MAYBE(struct timespec))},
	{NR(epoll_wait), ARGS([1] = OUT_RESULT(2, SIZE_EPOLL_EVENT))},
	{NR(epoll_ctl), BY(1), ARGS([3] = OWN)},
	{NR(utimes), ARGS([0] = PATH, [1] = IN(struct timeval[2]))},
	{NR(mbind), ARGS([3] = NODES(KMEM_CALL_IN, 4))},
	{NR(set_mempolicy), ARGS([1] = NODES(KMEM_CALL_IN, 2))},
	{NR(get_mempolicy), ARGS([0] = OUT(int), [1] = NODES(KMEM_CALL_OUT, 2))},
	{NR(mq_open), ARGS([0] = PATH, [3] = IN(struct mq_attr))},
	{NR(mq_unlink), ARGS([0] = PATH)},
	{NR(mq_timedsend), ARGS([1] = IN_ARG(2, 1), [4] = IN(struct timespec))},
	{NR(mq_timedreceive), ARGS([1] = OUT_RESULT(2, 1), [3] = OUT(unsigned int), [4] = IN(struct timespec))},
	{NR(mq_notify), ARGS([1] = IN(struct sigevent))},
	{NR(mq_getsetattr), ARGS([1] = IN(struct mq_attr), [2] = OUT(struct mq_attr))},
	{NR(kexec_load), ARGS([2] = IN_ARG(1, SIZE_KEXEC_SEGMENT))},
	{NR(waitid), ARGS([2] = INOUT_SIZE(SIZE_WAITID_SIGINFO), [4] = MAYBE(struct rusage))},
	{NR(add_key),
	 ARGS([0] = STRING_MAX(LENGTH_KEY_TYPE), [1] = STRING_MAX(LENGTH_KEY_DESCRIPTION), [2] = IN_ARG(3, 1))},
	{NR(request_key), ARGS([0] = STRING_MAX(LENGTH_KEY_TYPE), [1] = STRING_MAX(LENGTH_KEY_DESCRIPTION),
			       [2] = STRING_MAX(LENGTH_KEY_DESCRIPTION))},
	{NR(keyctl), BY(0), ARGS([1] = OWN, [2] = OWN, [3] = OWN, [4] = OWN)},
	{NR(inotify_add_watch), ARGS([1] = PATH)},
	{NR(migrate_pages), ARGS([2] = NODES(KMEM_CALL_IN, 1), [3] = NODES(KMEM_CALL_IN, 1))},
	{NR(openat), ARGS([1] = PATH)},
	{NR(mkdirat), ARGS([1] = PATH)},
	{NR(mknodat), ARGS([1] = PATH)},
	{NR(fchownat), ARGS([1] = PATH)},
	{NR(futimesat), ARGS([1] = PATH, [2] = IN(struct timeval[2]))},
	{NR(newfstatat), ARGS([1] = PATH, [2] = OUT(struct stat))},
	{NR(unlinkat), ARGS([1] = PATH)},
	{NR(renameat), ARGS([1] = PATH, [3] = PATH)},
	{NR(linkat), ARGS([1] = PATH, [3] = PATH)},
	{NR(symlinkat), ARGS([0] = PATH, [2] = PATH)},
	{NR(readlinkat), ARGS([1] = PATH, [2] = OUT_RESULT(3, 1))},
	{NR(fchmodat), ARGS([1] = PATH)},
	{NR(faccessat), ARGS([1] = PATH)},
	{NR(pselect6), RUN(pselect6),
	 ARGS([1] = SETS(0), [2] = SETS(0), [3] = SETS(0), [4] = TIME_LEFT(struct timespec), [5] = OWN)},
	{NR(ppoll), RUN(ppoll),
	 ARGS([0] = INOUT_ARG(1, sizeof(struct pollfd)), [2] = TIME_LEFT(struct timespec), [3] = SIGMASK(4))},
	{NR(set_robust_list), RUN(set_robust_list), ARGS([0] = ADDRESS)},
	{NR(get_robust_list), ARGS([1] = OUT(void *), [2] = OUT(size_t))},
	{NR(splice), ARGS([1] = INOUT(off_t), [3] = INOUT(off_t))},
	{NR(vmsplice), RUN(vmsplice), ARGS([1] = OWN)},
	{NR(move_pages),
	 ARGS([2] = IN_ARG(1, sizeof(void *)), [3] = IN_ARG(1, sizeof(int)), [4] = MAYBE_ARG(1, sizeof(int)))},
	{NR(utimensat), ARGS([1] = PATH, [2] = IN(struct timespec[2]))},
	{NR(epoll_pwait), RUN(epoll_pwait), ARGS([1] = OUT_RESULT(2, SIZE_EPOLL_EVENT), [4] = SIGMASK(5))},
	{NR(signalfd), ARGS([1] = SIGMASK(2))},
	{NR(timerfd_settime), ARGS([2] = IN(struct itimerspec), [3] = OUT(struct itimerspec))},
	{NR(timerfd_gettime), ARGS([1] = OUT(struct itimerspec))},
	{NR(accept4), ARGS([1] = OUT_AT(2), [2] = LENGTH)},
	{NR(signalfd4), ARGS([1] = SIGMASK(2))},
	{NR(pipe2), ARGS([0] = OUT(int[2]))},
	{NR(preadv), PIECES_AT(3), ARGS([1] = IOVEC(KMEM_CALL_OUT, 2))},
	{NR(pwritev), PIECES_AT(3), ARGS([1] = IOVEC(KMEM_CALL_IN, 2))},
	{NR(rt_tgsigqueueinfo), ARGS([3] = IN_SIZE(SIZE_SIGINFO))},
	{NR(perf_event_open),
	 ARGS([0] = HEAD(KMEM_CALL_WRITTEN_MAYBE, offsetof(struct perf_event_attr, size), PERF_ATTR_SIZE_VER0))},
	{NR(recvmmsg), ARGS([1] = VECTOR(KMEM_SHAPE_MMSGHDR, KMEM_CALL_OUT, 2), [4] = MAYBE(struct timespec))},
	{NR(fanotify_mark), ARGS([4] = PATH)},
	{NR(prlimit64), ARGS([2] = IN(struct rlimit), [3] = OUT(struct rlimit))},
	{NR(name_to_handle_at), ARGS([1] = PATH, [2] = HANDLE(KMEM_CALL_WRITTEN_MAYBE), [3] = MAYBE(uint64_t))},
	{NR(open_by_handle_at), ARGS([1] = HANDLE(KMEM_CALL_IN))},
	{NR(clock_adjtime), ARGS([1] = INOUT(struct timex))},
	{NR(sendmmsg), ARGS([1] = VECTOR(KMEM_SHAPE_MMSGHDR, KMEM_CALL_IN, 2))},
	{NR(getcpu), ARGS([0] = OUT(unsigned int), [1] = OUT(unsigned int))},
	{NR(process_vm_readv), RUN(process_vm_readv), ARGS([1] = OWN, [3] = OWN)},
	{NR(process_vm_writev), RUN(process_vm_writev), ARGS([1] = OWN, [3] = OWN)},
	{NR(kcmp), BY(2), ARGS([4] = OWN)},
	{NR(finit_module), ARGS([1] = STRING_MAX(PATH_MAX))},
	{NR(sched_setattr), ARGS([1] = HEAD(KMEM_CALL_WRITTEN_MAYBE, 0, SIZE_SCHED_ATTR_FIRST))},
	{NR(sched_getattr), ARGS([1] = MAYBE_ARG(2, 1))},
	{NR(renameat2), ARGS([1] = PATH, [3] = PATH)},
	{NR(seccomp), BY(0), ARGS([2] = OWN)},
	{NR(getrandom), ARGS([0] = OUT_RESULT(1, 1))},
	{NR(memfd_create), ARGS([0] = STRING_MAX(LENGTH_MEMFD))},
	{NR(kexec_file_load), ARGS([3] = IN_ARG(2, 1))},
	{NR(bpf), RUN(bpf), ARGS([1] = OWN)},
	{NR(execveat), RUN(execveat), ARGS([1] = PATH, [2] = STRINGS, [3] = STRINGS)},
	{NR(userfaultfd), REFUSED, PASS(0)},
	{NR(copy_file_range), ARGS([1] = INOUT(off_t), [3] = INOUT(off_t))},
	{NR(preadv2), PIECES_AT(3), ARGS([1] = IOVEC(KMEM_CALL_OUT, 2))},
	{NR(pwritev2), PIECES_AT(3), ARGS([1] = IOVEC(KMEM_CALL_IN, 2))},
	{NR(statx), ARGS([1] = PATH, [4] = OUT(struct statx))},
	{NR(rseq), RUN(rseq), ARGS([0] = ADDRESS)},
	{NR(pidfd_send_signal), ARGS([2] = IN_SIZE(SIZE_SIGINFO))},
	{NR(io_uring_setup), REFUSED},
	{NR(open_tree), ARGS([1] = PATH)},
	{NR(move_mount), ARGS([1] = PATH, [3] = PATH)},
	{NR(fsopen), ARGS([0] = STRING_MAX(PATH_MAX))},
	{NR(fsconfig), BY(1), ARGS([2] = OWN, [3] = OWN)},
	{NR(fspick), ARGS([1] = PATH)},
	{NR(clone3), RUN(clone3), ARGS([0] = OWN)},
	{NR(openat2), ARGS([1] = PATH, [2] = IN_ARG(3, 1))},
	{NR(faccessat2), ARGS([1] = PATH)},
	{NR(process_madvise), ARGS([1] = IN_ARG(2, sizeof(struct iovec)))},
	{NR(epoll_pwait2), RUN(epoll_pwait),
	 ARGS([1] = OUT_RESULT(2, SIZE_EPOLL_EVENT), [3] = IN(struct timespec), [4] = SIGMASK(5))},
	{NR(mount_setattr), ARGS([1] = PATH, [3] = IN_ARG(4, 1))},
	{NR(quotactl_fd), BY(1), ARGS([3] = OWN)},
	{NR(landlock_create_ruleset), ARGS([0] = IN_ARG(1, 1))},
	{NR(landlock_add_rule), BY(1), ARGS([2] = OWN)},
	{NR(futex_waitv), RUN(futex_waitv), ARGS([0] = OWN, [3] = IN(struct timespec))},
	{NR_NEW(cachestat, 451), ARGS([1] = IN_SIZE(SIZE_CACHESTAT_RANGE), [2] = OUT_SIZE(SIZE_CACHESTAT))},
	{NR_NEW(fchmodat2, 452), ARGS([1] = PATH)},
	{NR_NEW(futex_wake, 454), RUN(futex_one), ARGS([0] = ADDRESS)},
	{NR_NEW(futex_wait, 455), RUN(futex_one), ARGS([0] = ADDRESS, [4] = IN(struct timespec))},
	{NR_NEW(futex_requeue, 456), RUN(futex_requeue), ARGS([0] = OWN)},
	{NR_NEW(statmount, 457), ARGS([0] = HEAD(KMEM_CALL_IN, 0, SIZE_MOUNT_REQUEST), [1] = MAYBE_ARG(2, 1))},
	{NR_NEW(listmount, 458),
	 ARGS([0] = HEAD(KMEM_CALL_IN, 0, SIZE_MOUNT_REQUEST), [1] = OUT_RESULT(2, sizeof(uint64_t)))},
	{NR_NEW(lsm_get_self_attr, 459), ARGS([1] = INOUT_AT(2), [2] = LENGTH)},
	{NR_NEW(lsm_set_self_attr, 460), ARGS([1] = IN_ARG(2, 1))},
	{NR_NEW(lsm_list_modules, 461), ARGS([0] = OUT_AT(1), [1] = LENGTH)},
	{NR_NEW(setxattrat, 463), ARGS([1] = PATH, [3] = XATTR, [4] = OWN)},
	{NR_NEW(getxattrat, 464), ARGS([1] = PATH, [3] = XATTR, [4] = OWN)},
	{NR_NEW(listxattrat, 465), ARGS([1] = PATH, [3] = OUT_RESULT(4, 1))},
	{NR_NEW(removexattrat, 466), ARGS([1] = PATH, [3] = XATTR)},
	{NR_NEW(open_tree_attr, 467), ARGS([1] = PATH, [3] = IN_ARG(4, 1))},
	{NR_NEW(file_getattr, 468), ARGS([1] = PATH, [2] = MAYBE_ARG(3, 1))},
	{NR_NEW(file_setattr, 469), ARGS([1] = PATH, [2] = IN_ARG(3, 1))},
};

const size_t kmem_calls_count = sizeof(kmem_calls) / sizeof(kmem_calls[0]);

/*
 * Places in kmem_calls by number, counted from 1; 0 is none. Filled by whoever asks first, in start, before there is any trap; should two
 * do it at once they write the same.
 */
static _Atomic uint16_t call_index[KMEM_CALL_NR_END];
static atomic_bool is_indexed;

static void index_fill(void)
{
	for (size_t i = 0; i < kmem_calls_count; i++) {
		atomic_store_explicit(&call_index[kmem_calls[i].nr], (uint16_t)(i + 1), memory_order_relaxed);
	}
	atomic_store_explicit(&is_indexed, true, memory_order_release);
}

const struct kmem_call *kmem_call_find(long nr)
{
	uint16_t place;

	if (nr < 0 || nr >= KMEM_CALL_NR_END) {
		return NULL;
	}
	if (!atomic_load_explicit(&is_indexed, memory_order_acquire)) {
		index_fill();
	}
	place = atomic_load_explicit(&call_index[nr], memory_order_relaxed);
	return place != 0 ? &kmem_calls[place - 1] : NULL;
}

bool kmem_call_arg_is_pointer(const struct kmem_call *call, unsigned int arg)
{
	return call->args[arg].shape != KMEM_SHAPE_VALUE;
}

bool kmem_call_arg_is_deep(const struct kmem_call *call, unsigned int arg)
{
	switch (call->args[arg].shape) {
	case KMEM_SHAPE_STRINGS:
	case KMEM_SHAPE_IOVEC:
	case KMEM_SHAPE_MSGHDR:
	case KMEM_SHAPE_MMSGHDR:
	case KMEM_SHAPE_FPROG:
	case KMEM_SHAPE_OWN:
		return true;
	default:
		return false;
	}
}
