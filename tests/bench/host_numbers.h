/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of Linux's interface that headers of older C libraries do not have.
 */
#ifndef BENCH_HOST_NUMBERS_H
#define BENCH_HOST_NUMBERS_H

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13, for files 6.15 */
#define MADV_GUARD_REMOVE 103
#endif

#ifndef UFFD_FEATURE_MOVE
#define UFFD_FEATURE_MOVE (1 << 16) /* Linux 6.8 */
#endif

#ifndef UFFDIO_MOVE
struct uffdio_move {
	__u64 dst;
	__u64 src;
	__u64 len;
	__u64 mode;
	__s64 move;
};
#define UFFDIO_MOVE _IOWR(UFFDIO, 0x05, struct uffdio_move)
#endif

#endif /* BENCH_HOST_NUMBERS_H */
