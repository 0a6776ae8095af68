/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C library's functions whose system calls have pointers behind pointers, wrapped.
 *
 * The filter sees registers only. Where the outer structure lies on a stack and what it points to in the window, the wrapper hands
 * the outer pointer to the C library's own function marked (preload.h), which passes it on as it is: the filter then traps the
 * call, and the handler makes it on copies of all of it. So cancellation, errno and retries stay the C library's. Where nothing lies in
 * the window, and where calls are not trapped at all, nothing is marked.
 *
 * Structures are read by kmem_copy(): a bad pointer is for the host kernel to refuse. No locks, no allocation: all are _sigsafe as
 * the functions that they wrap.
 */

/* The plain names and those with 64 in them are defined here both: no name may stand for another. */
#undef _FILE_OFFSET_BITS

#include "preload/face.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "host/copy.h"
#include "preload/call_ioctl.h"
#include "preload/next.h"
#include "preload/preload.h"

#define EXPORT __attribute__((visibility("default")))

/* The host kernel takes no more: longer vectors are refused, longer lists of messages are cut. */
#define VECTOR_MAX UIO_MAXIOV

/* Elements that are looked at in one piece, on the stack. */
#define PIECE 16

/* What lies behind a pointer. */

static bool vector_is_deep(const struct iovec *vector, size_t count)
{
	struct iovec piece[PIECE];

	if (count > VECTOR_MAX) {
		return false;
	}
	for (size_t i = 0; i < count; i += PIECE) {
		const size_t n = count - i < PIECE ? count - i : PIECE;

		if (kmem_copy(piece, vector + i, n * sizeof(piece[0])) != n * sizeof(piece[0])) {
			return false;
		}
		for (size_t k = 0; k < n; k++) {
			if (kmem_window_has((uintptr_t)piece[k].iov_base)) {
				return true;
			}
		}
	}
	return false;
}

static bool message_has_deep(const struct msghdr *message)
{
	return kmem_window_has((uintptr_t)message->msg_name) || kmem_window_has((uintptr_t)message->msg_control) ||
	       kmem_window_has((uintptr_t)message->msg_iov) || vector_is_deep(message->msg_iov, message->msg_iovlen);
}

static bool message_is_deep(const struct msghdr *pointer)
{
	struct msghdr message;

	return kmem_copy(&message, pointer, sizeof(message)) == sizeof(message) && message_has_deep(&message);
}

static bool messages_are_deep(const struct mmsghdr *pointer, size_t count)
{
	struct mmsghdr message;

	if (count > VECTOR_MAX) {
		count = VECTOR_MAX;
	}
	for (size_t i = 0; i < count; i++) {
		if (kmem_copy(&message, pointer + i, sizeof(message)) != sizeof(message)) {
			return false;
		}
		if (message_has_deep(&message.msg_hdr)) {
			return true;
		}
	}
	return false;
}

static bool program_is_deep(const struct sock_fprog *pointer)
{
	struct sock_fprog program;

	return kmem_copy(&program, pointer, sizeof(program)) == sizeof(program) && kmem_window_has((uintptr_t)program.filter);
}

static bool list_is_deep(const struct ifconf *pointer)
{
	struct ifconf list;

	return kmem_copy(&list, pointer, sizeof(list)) == sizeof(list) && kmem_window_has((uintptr_t)list.ifc_buf);
}

static bool is_deep(enum kmem_call_shape shape, const void *pointer, size_t count)
{
	switch (shape) {
	case KMEM_SHAPE_IOVEC:
		return vector_is_deep(pointer, count);
	case KMEM_SHAPE_MSGHDR:
		return message_is_deep(pointer);
	case KMEM_SHAPE_MMSGHDR:
		return messages_are_deep(pointer, count);
	case KMEM_SHAPE_FPROG:
		return program_is_deep(pointer);
	case KMEM_SHAPE_IFCONF:
		return list_is_deep(pointer);
	default:
		return false;
	}
}

/* Whether the filter and the handler take a mark on this argument. */
static bool is_markable(long nr, unsigned int arg)
{
	const struct kmem_call *call = kmem_call_find(nr);

	return call != NULL && kmem_call_arg_is_deep(call, arg);
}

void *kmem_face_pointer(long nr, unsigned int arg, enum kmem_call_shape shape, const void *pointer, size_t count)
{
	if (kmem_preload_options.are_calls_trapped && pointer != NULL && !kmem_window_has((uintptr_t)pointer) &&
	    is_deep(shape, pointer, count) && is_markable(nr, arg)) {
		return kmem_mark_on(pointer);
	}
	return (void *)(uintptr_t)pointer;
}

void *kmem_face_ioctl_pointer(unsigned long request, void *pointer)
{
	const struct kmem_call_arg arg = kmem_call_ioctl_arg((uint32_t)request);

	return kmem_face_pointer(SYS_ioctl, 2, arg.shape, pointer, 1);
}

void *kmem_face_setsockopt_pointer(int level, int option, const void *pointer)
{
	const bool is_program = level == SOL_SOCKET && (option == SO_ATTACH_FILTER || option == SO_ATTACH_REUSEPORT_CBPF);

	return is_program ? kmem_face_pointer(SYS_setsockopt, 3, KMEM_SHAPE_FPROG, pointer, 1) : (void *)(uintptr_t)pointer;
}

unsigned long kmem_face_prctl_value(int option, unsigned long mode, unsigned long value)
{
	const bool is_program = option == PR_SET_SECCOMP && mode == SECCOMP_MODE_FILTER;

	return is_program ? (uintptr_t)kmem_face_pointer(SYS_prctl, 2, KMEM_SHAPE_FPROG, (void *)value, 1) : value;
}

/* The wrappers. */

#define VECTOR(name, arg, vector, count) kmem_face_pointer(SYS_##name, arg, KMEM_SHAPE_IOVEC, vector, count)

/* A negative count is refused by the host kernel. */
static size_t count_of(int count)
{
	return count < 0 ? 0 : (size_t)count;
}

EXPORT ssize_t readv(int fd, const struct iovec *vector, int count)
{
	return KMEM_NEXT(readv)(fd, VECTOR(readv, 1, vector, count_of(count)), count);
}

EXPORT ssize_t writev(int fd, const struct iovec *vector, int count)
{
	return KMEM_NEXT(writev)(fd, VECTOR(writev, 1, vector, count_of(count)), count);
}

EXPORT ssize_t preadv(int fd, const struct iovec *vector, int count, off_t offset)
{
	return KMEM_NEXT(preadv)(fd, VECTOR(preadv, 1, vector, count_of(count)), count, offset);
}

EXPORT ssize_t preadv64(int fd, const struct iovec *vector, int count, off64_t offset)
{
	return KMEM_NEXT(preadv64)(fd, VECTOR(preadv, 1, vector, count_of(count)), count, offset);
}

EXPORT ssize_t pwritev(int fd, const struct iovec *vector, int count, off_t offset)
{
	return KMEM_NEXT(pwritev)(fd, VECTOR(pwritev, 1, vector, count_of(count)), count, offset);
}

EXPORT ssize_t pwritev64(int fd, const struct iovec *vector, int count, off64_t offset)
{
	return KMEM_NEXT(pwritev64)(fd, VECTOR(pwritev, 1, vector, count_of(count)), count, offset);
}

EXPORT ssize_t preadv2(int fd, const struct iovec *vector, int count, off_t offset, int flags)
{
	return KMEM_NEXT(preadv2)(fd, VECTOR(preadv2, 1, vector, count_of(count)), count, offset, flags);
}

EXPORT ssize_t preadv64v2(int fd, const struct iovec *vector, int count, off64_t offset, int flags)
{
	return KMEM_NEXT(preadv64v2)(fd, VECTOR(preadv2, 1, vector, count_of(count)), count, offset, flags);
}

EXPORT ssize_t pwritev2(int fd, const struct iovec *vector, int count, off_t offset, int flags)
{
	return KMEM_NEXT(pwritev2)(fd, VECTOR(pwritev2, 1, vector, count_of(count)), count, offset, flags);
}

EXPORT ssize_t pwritev64v2(int fd, const struct iovec *vector, int count, off64_t offset, int flags)
{
	return KMEM_NEXT(pwritev64v2)(fd, VECTOR(pwritev2, 1, vector, count_of(count)), count, offset, flags);
}

EXPORT ssize_t vmsplice(int fd, const struct iovec *vector, size_t count, unsigned int flags)
{
	return KMEM_NEXT(vmsplice)(fd, VECTOR(vmsplice, 1, vector, count), count, flags);
}

EXPORT ssize_t process_vm_readv(pid_t pid, const struct iovec *local, unsigned long local_count, const struct iovec *remote,
				unsigned long remote_count, unsigned long flags)
{
	return KMEM_NEXT(process_vm_readv)(pid, VECTOR(process_vm_readv, 1, local, local_count), local_count,
				      VECTOR(process_vm_readv, 3, remote, remote_count), remote_count, flags);
}

EXPORT ssize_t process_vm_writev(pid_t pid, const struct iovec *local, unsigned long local_count, const struct iovec *remote,
				 unsigned long remote_count, unsigned long flags)
{
	return KMEM_NEXT(process_vm_writev)(pid, VECTOR(process_vm_writev, 1, local, local_count), local_count,
				       VECTOR(process_vm_writev, 3, remote, remote_count), remote_count, flags);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	return KMEM_NEXT(sendmsg)(fd, kmem_face_pointer(SYS_sendmsg, 1, KMEM_SHAPE_MSGHDR, message, 1), flags);
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	return KMEM_NEXT(recvmsg)(fd, kmem_face_pointer(SYS_recvmsg, 1, KMEM_SHAPE_MSGHDR, message, 1), flags);
}

EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
	return KMEM_NEXT(sendmmsg)(fd, kmem_face_pointer(SYS_sendmmsg, 1, KMEM_SHAPE_MMSGHDR, messages, count), count, flags);
}

EXPORT int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout)
{
	return KMEM_NEXT(recvmmsg)(fd, kmem_face_pointer(SYS_recvmmsg, 1, KMEM_SHAPE_MMSGHDR, messages, count), count, flags, timeout);
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
	void *pointer;
	va_list args;

	va_start(args, request);
	pointer = va_arg(args, void *);
	va_end(args);
	return KMEM_NEXT(ioctl)(fd, request, kmem_face_ioctl_pointer(request, pointer));
}

EXPORT int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	return KMEM_NEXT(setsockopt)(fd, level, option, kmem_face_setsockopt_pointer(level, option, value), size);
}

EXPORT int prctl(int option, ...)
{
	unsigned long values[4];
	va_list args;

	va_start(args, option);
	for (size_t i = 0; i < 4; i++) {
		values[i] = va_arg(args, unsigned long);
	}
	va_end(args);
	return KMEM_NEXT(prctl)(option, values[0], kmem_face_prctl_value(option, values[0], values[1]), values[2], values[3]);
}
