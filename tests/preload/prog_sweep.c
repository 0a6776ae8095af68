/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every system call with a buffer that this kernel lets us call, with buffers that are not there.
 *
 * A *case* is a function that takes buffers from numbered *slots*, fills in what the call reads, and makes the call by its number,
 * with no C library in between. Every case runs in four *layouts*:
 *
 *   absent     the buffer lies in one page, which has been pushed out by other memory
 *   straddling it begins at the end of a page that is present and goes on in one that is out
 *   read-only  it begins in a writable page and ends in a read-only one
 *   bad        it begins in a good page and ends in one that allows nothing
 *
 * A line for each: the result, the error, and a checksum of the whole slots, what lies around the buffers included. The same lines
 * must come out under libkmem and without. What differs from run to run (times, process numbers, addresses) is hidden from the
 * checksum, by the case, after it has looked whether it makes sense. Where a call fails with EFAULT, how much it wrote before is not
 * looked at: the kernel promises nothing.
 *
 * Calls that this kernel does not have, or that need rights, are made as well: they fail alike.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <linux/stat.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#define PAGE 4096UL

/* A slot: parts of PART bytes, each of one permission. */
#define PART (4 * PAGE)
#define SLOT (6 * PART)
#define SLOTS 6

/* Touching this much pushes out all the rest. */
#define PRESSURE (3UL << 20)

/* Numbers that are younger than the headers. */
#define NR_CACHESTAT 451
#define NR_FCHMODAT2 452
#define NR_FUTEX_WAKE 454
#define NR_FUTEX_WAIT 455
#define NR_STATMOUNT 457
#define NR_LISTMOUNT 458
#define NR_LSM_LIST_MODULES 461

enum layout {
	ABSENT,
	STRADDLING,
	READ_ONLY,
	BAD,
	LAYOUTS,
};

static const char *const layout_names[LAYOUTS] = {"absent", "straddling", "read-only", "bad"};

static enum layout layout;
static unsigned char *slots;
static size_t slots_used;
static volatile unsigned char *pressure;
static const char *case_name;

/* Parts of the slots that differ from run to run. */
static struct {
	unsigned char *start;
	size_t size;
} hidden[16];
static size_t hidden_count;

#define L(...) ((long)(__VA_ARGS__))

static long raw(long nr, const long *args)
{
	register long r10 __asm__("r10") = args[3];
	register long r8 __asm__("r8") = args[4];
	register long r9 __asm__("r9") = args[5];
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(args[0]), "S"(args[1]), "d"(args[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

/* A call that does not take buffers, or takes them from the stack. */
#define RAW(nr, ...) raw(nr, (long[6]){__VA_ARGS__})

static void must(bool is_fine, const char *what)
{
	if (!is_fine) {
		(void)printf("%s: %s\n", case_name, what);
	}
}

static void protect_all(int prot)
{
	must(mprotect(slots, SLOTS * SLOT, prot) == 0, "mprotect failed");
}

/* In every slot: writable, writable, read-only, nothing, writable, nothing. */
static void protect_as_laid_out(void)
{
	for (size_t i = 0; i < slots_used && layout >= READ_ONLY; i++) {
		unsigned char *slot = slots + i * SLOT;

		must(mprotect(slot + 2 * PART, PART, PROT_READ) == 0, "mprotect failed");
		must(mprotect(slot + 3 * PART, PART, PROT_NONE) == 0, "mprotect failed");
		must(mprotect(slot + 5 * PART, PART, PROT_NONE) == 0, "mprotect failed");
	}
}

/* Before the next call: no slots are in use, and what those that were hold is as at first. */
static void again(void)
{
	for (size_t i = 0; i < slots_used * SLOT; i++) {
		slots[i] = (unsigned char)(i * 7 + i / PAGE);
	}
	slots_used = 0;
	hidden_count = 0;
}

static void begin(const char *name)
{
	case_name = name;
	protect_all(PROT_READ | PROT_WRITE);
	slots_used = SLOTS;
	again();
}

/* The next slot's buffer. */
static void *buffer(size_t size)
{
	unsigned char *slot = slots + slots_used++ * SLOT;
	size_t before = size / 2 < 64 ? size / 2 : size / 2 & ~7UL;

	switch (layout) {
	case ABSENT:
		return slot + 128;
	case STRADDLING:
		return slot + PART - before;
	case READ_ONLY:
		return slot + 2 * PART - before;
	default:
		return slot + 5 * PART - before;
	}
}

/* One with contents. */
static void *input(const void *bytes, size_t size)
{
	return memcpy(buffer(size), bytes, size);
}

static void *text(const char *string)
{
	return input(string, strlen(string) + 1);
}

static void *number(long value)
{
	return input(&value, sizeof(value));
}

static void *number32(int value)
{
	return input(&value, sizeof(value));
}

static void hide(void *start, size_t size)
{
	hidden[hidden_count].start = start;
	hidden[hidden_count++].size = size;
}

static void evict(void)
{
	static unsigned char round;

	round++;
	for (size_t i = 0; i < PRESSURE; i += PAGE) {
		pressure[i] = round;
	}
	/* The first page of a straddling buffer is there again. */
	for (size_t i = 0; i < slots_used && layout == STRADDLING; i++) {
		(void)*(volatile unsigned char *)(slots + i * SLOT + PART - 1);
	}
}

static unsigned long checksum(void)
{
	unsigned long sum = 14695981039346656037UL;

	for (size_t i = 0; i < hidden_count; i++) {
		(void)memset(hidden[i].start, 0, hidden[i].size);
	}
	for (size_t i = 0; i < slots_used * SLOT; i++) {
		sum = (sum ^ slots[i]) * 1099511628211UL;
	}
	return sum;
}

/* Make the call with all buffers as laid out, and leave them accessible. */
static long call(long nr, const long *args)
{
	long result;

	protect_as_laid_out();
	evict();
	result = raw(nr, args);
	protect_all(PROT_READ | PROT_WRITE);
	return result;
}

#define CALL(nr, ...) call(nr, (long[6]){__VA_ARGS__})

static void print(long result)
{
	if (result == -EFAULT) {
		(void)printf("%s, %s: EFAULT\n", case_name, layout_names[layout]);
	} else if (result < 0) {
		(void)printf("%s, %s: error %ld, %016lx\n", case_name, layout_names[layout], -result, checksum());
	} else {
		(void)printf("%s, %s: %ld, %016lx\n", case_name, layout_names[layout], result, checksum());
	}
}

/* For results that differ from run to run: a descriptor, a process. */
static void print_success(long result)
{
	print(result > 0 ? 1 : result);
}

static void print_fd(long result)
{
	print_success(result);
	if (result >= 0) {
		(void)close((int)result);
	}
}

static long file_with(const char *name, const char *contents)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	must(fd >= 0 && write(fd, contents, strlen(contents)) == L(strlen(contents)), "a file cannot be made");
	(void)lseek(fd, 0, SEEK_SET);
	return fd;
}

#define ALPHABET "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-."

/* Files. */

static void case_read(void)
{
	long fd = file_with("f", ALPHABET);

	print(CALL(SYS_read, fd, L(buffer(200)), 200));
	(void)printf("at %ld\n", (long)lseek((int)fd, 0, SEEK_CUR));
	(void)close((int)fd);
}

static void case_read_large(void)
{
	long fd = file_with("f", ALPHABET);

	must(ftruncate((int)fd, 12000) == 0, "ftruncate");
	print(CALL(SYS_read, fd, L(buffer(12000)), 12000));
	(void)close((int)fd);
}

static void print_file(const char *name)
{
	char bytes[512] = "";
	int fd = open(name, O_RDONLY);
	ssize_t size = read(fd, bytes, sizeof(bytes) - 1);

	(void)printf("%s has %zd: %.*s\n", name, size, (int)(size < 0 ? 0 : size), bytes);
	(void)close(fd);
}

static void case_write(void)
{
	long fd = file_with("f", "");

	print(CALL(SYS_write, fd, L(text(ALPHABET ALPHABET)), 2 * strlen(ALPHABET)));
	(void)close((int)fd);
	print_file("f");
}

static void case_pread64(void)
{
	long fd = file_with("f", ALPHABET);

	print(CALL(SYS_pread64, fd, L(buffer(40)), 40, 10));
	(void)close((int)fd);
}

static void case_pwrite64(void)
{
	long fd = file_with("f", ALPHABET);

	print(CALL(SYS_pwrite64, fd, L(text("0123456789")), 10, 5));
	(void)close((int)fd);
	print_file("f");
}

/* An array of two segments with their data, in three slots. */
static void *segments(const char *one, const char *two, size_t size)
{
	struct iovec array[2] = {
		{.iov_base = one != NULL ? input(one, size) : buffer(size), .iov_len = size},
		{.iov_base = two != NULL ? input(two, size) : buffer(size), .iov_len = size},
	};

	return input(array, sizeof(array));
}

static void hide_addresses(void *array)
{
	hide(array, 2 * sizeof(struct iovec));
}

static void vectored_in(long nr, long offset)
{
	long fd = file_with("f", ALPHABET);
	void *array = segments(NULL, NULL, 24);

	hide_addresses(array);
	print(CALL(nr, fd, L(array), 2, offset, 0, 0));
	(void)close((int)fd);
}

static void vectored_out(long nr, long offset)
{
	long fd = file_with("f", ALPHABET);
	void *array = segments("the first of two segments", "the second of two segments", 24);

	hide_addresses(array);
	print(CALL(nr, fd, L(array), 2, offset, 0, 0));
	(void)close((int)fd);
	print_file("f");
}

static void case_readv(void)
{
	vectored_in(SYS_readv, 0);
}

static void case_preadv(void)
{
	vectored_in(SYS_preadv, 7);
}

static void case_preadv2(void)
{
	vectored_in(SYS_preadv2, 9);
}

static void case_writev(void)
{
	vectored_out(SYS_writev, 0);
}

static void case_pwritev(void)
{
	vectored_out(SYS_pwritev, 7);
}

static void case_pwritev2(void)
{
	vectored_out(SYS_pwritev2, 9);
}

static void case_open(void)
{
	(void)close((int)file_with("f", ALPHABET));
	print_fd(CALL(SYS_open, L(text("f")), O_RDONLY));
}

static void case_open_long(void)
{
	char *name = buffer(5000);

	(void)memset(name, 'x', 5000);
	print_fd(CALL(SYS_open, L(name), O_RDONLY));
}

static void case_creat(void)
{
	print_fd(CALL(SYS_creat, L(text("created")), 0600));
	(void)unlink("created");
}

static void case_openat(void)
{
	(void)close((int)file_with("f", ALPHABET));
	print_fd(CALL(SYS_openat, AT_FDCWD, L(text("f")), O_RDONLY));
}

static void case_openat2(void)
{
	struct open_how how = {.flags = O_RDONLY};

	(void)close((int)file_with("f", ALPHABET));
	print_fd(CALL(SYS_openat2, AT_FDCWD, L(text("f")), L(input(&how, sizeof(how))), sizeof(how)));
}

static void check_stat(void *where, long result)
{
	struct stat *status = where;

	must(result != 0 || (status->st_size == 64 && status->st_mode == (S_IFREG | 0644)), "not the file");
	hide(where, sizeof(*status));
	print(result);
}

static void case_stat(void)
{
	void *status = buffer(sizeof(struct stat));

	(void)close((int)file_with("f", ALPHABET));
	check_stat(status, CALL(SYS_stat, L(text("f")), L(status)));
}

static void case_lstat(void)
{
	void *status = buffer(sizeof(struct stat));

	(void)close((int)file_with("f", ALPHABET));
	check_stat(status, CALL(SYS_lstat, L(text("f")), L(status)));
}

static void case_fstat(void)
{
	void *status = buffer(sizeof(struct stat));
	long fd = file_with("f", ALPHABET);

	check_stat(status, CALL(SYS_fstat, fd, L(status)));
	(void)close((int)fd);
}

static void case_newfstatat(void)
{
	void *status = buffer(sizeof(struct stat));

	(void)close((int)file_with("f", ALPHABET));
	check_stat(status, CALL(SYS_newfstatat, AT_FDCWD, L(text("f")), L(status), 0));
}

static void case_statx(void)
{
	struct statx *status = buffer(sizeof(*status));
	long result;

	(void)close((int)file_with("f", ALPHABET));
	result = CALL(SYS_statx, AT_FDCWD, L(text("f")), 0, STATX_SIZE | STATX_MODE, L(status));
	must(result != 0 || status->stx_size == 64, "not the file");
	hide(status, sizeof(*status));
	print(result);
}

static void case_statfs(void)
{
	struct statfs *status = buffer(sizeof(*status));
	long result = CALL(SYS_statfs, L(text("/proc")), L(status));

	print(result);
}

static void case_fstatfs(void)
{
	struct statfs *status = buffer(sizeof(*status));
	int fd = open("/proc", O_RDONLY | O_DIRECTORY);

	print(CALL(SYS_fstatfs, fd, L(status)));
	(void)close(fd);
}

static void case_access(void)
{
	(void)close((int)file_with("f", ALPHABET));
	print(CALL(SYS_access, L(text("f")), R_OK));
}

static void case_faccessat(void)
{
	print(CALL(SYS_faccessat, AT_FDCWD, L(text("not there at all")), R_OK));
}

static void case_faccessat2(void)
{
	print(CALL(SYS_faccessat2, AT_FDCWD, L(text("not there at all")), R_OK, 0));
}

static void case_getcwd(void)
{
	void *path = buffer(200);

	hide(path, 200);
	print(CALL(SYS_getcwd, L(path), 200));
}

static void case_getcwd_small(void)
{
	print(CALL(SYS_getcwd, L(buffer(8)), 4));
}

static void case_directories(void)
{
	print(CALL(SYS_mkdir, L(text("directory")), 0755));
	print(CALL(SYS_chdir, L(text("directory"))));
	print(CALL(SYS_chdir, L(text(".."))));
	print(CALL(SYS_rmdir, L(text("directory"))));
	(void)rmdir("directory");
}

static void case_mkdirat(void)
{
	print(CALL(SYS_mkdirat, AT_FDCWD, L(text("directory")), 0755));
	print(CALL(SYS_unlinkat, AT_FDCWD, L(text("directory")), AT_REMOVEDIR));
	(void)rmdir("directory");
}

static void case_links(void)
{
	(void)close((int)file_with("f", ALPHABET));
	(void)unlink("one");
	(void)unlink("two");
	(void)unlink("three");
	print(CALL(SYS_link, L(text("f")), L(text("one"))));
	again();
	print(CALL(SYS_symlink, L(text("one")), L(text("two"))));
	again();
	print(CALL(SYS_rename, L(text("two")), L(text("three"))));
	again();
	print(CALL(SYS_unlink, L(text("one"))));
	print(CALL(SYS_unlink, L(text("three"))));
}

static void case_links_at(void)
{
	(void)close((int)file_with("f", ALPHABET));
	(void)unlink("one");
	(void)unlink("two");
	(void)unlink("three");
	(void)unlink("four");
	print(CALL(SYS_linkat, AT_FDCWD, L(text("f")), AT_FDCWD, L(text("one")), 0));
	again();
	print(CALL(SYS_symlinkat, L(text("one")), AT_FDCWD, L(text("two"))));
	again();
	print(CALL(SYS_renameat, AT_FDCWD, L(text("two")), AT_FDCWD, L(text("three"))));
	again();
	print(CALL(SYS_renameat2, AT_FDCWD, L(text("three")), AT_FDCWD, L(text("four")), 1));
	again();
	print(CALL(SYS_unlinkat, AT_FDCWD, L(text("four")), 0));
}

static void case_readlink(void)
{
	(void)unlink("link");
	must(symlink("a place that is nowhere", "link") == 0, "symlink");
	print(CALL(SYS_readlink, L(text("link")), L(buffer(100)), 100));
}

static void case_readlinkat(void)
{
	(void)unlink("link");
	must(symlink("a place that is nowhere", "link") == 0, "symlink");
	print(CALL(SYS_readlinkat, AT_FDCWD, L(text("link")), L(buffer(10)), 10));
}

static void case_modes(void)
{
	(void)close((int)file_with("f", ALPHABET));
	print(CALL(SYS_chmod, L(text("f")), 0600));
	print(CALL(SYS_fchmodat, AT_FDCWD, L(text("f")), 0644));
	print(CALL(NR_FCHMODAT2, AT_FDCWD, L(text("f")), 0644, 0));
	print(CALL(SYS_chown, L(text("f")), -1, -1));
	print(CALL(SYS_lchown, L(text("f")), -1, -1));
	print(CALL(SYS_fchownat, AT_FDCWD, L(text("f")), -1, -1, 0));
}

static void case_truncate(void)
{
	(void)close((int)file_with("f", ALPHABET));
	print(CALL(SYS_truncate, L(text("f")), 10));
	print_file("f");
}

static void case_mknod(void)
{
	print(CALL(SYS_mknod, L(text("fifo")), S_IFIFO | 0600, 0));
	(void)unlink("fifo");
	print(CALL(SYS_mknodat, AT_FDCWD, L(text("fifo")), S_IFIFO | 0600, 0));
	(void)unlink("fifo");
}

static void case_times_of_files(void)
{
	struct utimbuf old = {1000, 2000};
	struct timeval micro[2] = {{3000, 4}, {5000, 6}};
	struct timespec nano[2] = {{7000, 8}, {9000, 10}};
	struct stat status;

	(void)close((int)file_with("f", ALPHABET));
	print(CALL(SYS_utime, L(text("f")), L(input(&old, sizeof(old)))));
	again();
	print(CALL(SYS_utimes, L(text("f")), L(input(micro, sizeof(micro)))));
	again();
	print(CALL(SYS_futimesat, AT_FDCWD, L(text("f")), L(input(micro, sizeof(micro)))));
	again();
	print(CALL(SYS_utimensat, AT_FDCWD, L(text("f")), L(input(nano, sizeof(nano))), 0));
	must(stat("f", &status) == 0, "stat");
	(void)printf("%s\n", status.st_mtim.tv_sec == 9000 && status.st_mtim.tv_nsec == 10 ? "set" : "not set");
}

/* Inode numbers differ, and so does the order on some file systems; what matters is the sum of the lengths. */
static void directory(long nr)
{
	void *entries = buffer(4000);
	int fd;

	(void)mkdir("d", 0755);
	(void)close((int)file_with("d/one", ""));
	(void)close((int)file_with("d/two", ""));
	fd = open("d", O_RDONLY | O_DIRECTORY);
	hide(entries, 4000);
	print(CALL(nr, fd, L(entries), 4000));
	(void)close(fd);
}

static void case_getdents(void)
{
	directory(SYS_getdents);
}

static void case_getdents64(void)
{
	directory(SYS_getdents64);
}

static void case_xattr(void)
{
	(void)close((int)file_with("f", ALPHABET));
	print(CALL(SYS_setxattr, L(text("f")), L(text("user.sweep")), L(text("the value")), 9, 0));
	again();
	print(CALL(SYS_getxattr, L(text("f")), L(text("user.sweep")), L(buffer(50)), 50));
	again();
	print(CALL(SYS_lgetxattr, L(text("f")), L(text("user.sweep")), L(buffer(4)), 4));
	again();
	print(CALL(SYS_listxattr, L(text("f")), L(buffer(100)), 100));
	again();
	print(CALL(SYS_removexattr, L(text("f")), L(text("user.sweep"))));
	again();
	print(CALL(SYS_lremovexattr, L(text("f")), L(text("user.sweep"))));
}

static void case_fxattr(void)
{
	long fd = file_with("f", ALPHABET);

	print(CALL(SYS_fsetxattr, fd, L(text("user.other")), L(text("a value")), 7, 0));
	again();
	print(CALL(SYS_fgetxattr, fd, L(text("user.other")), L(buffer(50)), 50));
	again();
	print(CALL(SYS_flistxattr, fd, L(buffer(100)), 100));
	again();
	print(CALL(SYS_fremovexattr, fd, L(text("user.other"))));
	again();
	print(CALL(SYS_lsetxattr, L(text("f")), L(text("no such space")), L(text("a value")), 7, 0));
	again();
	print(CALL(SYS_llistxattr, L(text("f")), L(buffer(100)), 100));
	(void)close((int)fd);
}

static void case_file_handle(void)
{
	struct file_handle *handle = buffer(8 + 128);
	int *mount = buffer(sizeof(*mount));

	handle->handle_bytes = 128;
	hide(handle, 8 + 128);
	hide(mount, sizeof(*mount));
	(void)close((int)file_with("f", ALPHABET));
	print(CALL(SYS_name_to_handle_at, AT_FDCWD, L(text("f")), L(handle), L(mount), 0));
}

static void case_file_handle_small(void)
{
	unsigned int *handle = buffer(8);
	int *mount = buffer(sizeof(*mount));

	handle[0] = 0;
	hide(mount, sizeof(*mount));
	(void)close((int)file_with("f", ALPHABET));
	print(CALL(SYS_name_to_handle_at, AT_FDCWD, L(text("f")), L(handle), L(mount), 0));
	must(layout >= READ_ONLY || handle[0] > 0, "no size");
}

static void case_sendfile(void)
{
	long from = file_with("f", ALPHABET);
	long to = file_with("g", "");

	print(CALL(SYS_sendfile, to, from, L(number(10)), 20));
	(void)close((int)from);
	(void)close((int)to);
	print_file("g");
}

static void case_copy_file_range(void)
{
	long from = file_with("f", ALPHABET);
	long to = file_with("g", "0123456789");

	print(CALL(SYS_copy_file_range, from, L(number(10)), to, L(number(5)), 20, 0));
	(void)close((int)from);
	(void)close((int)to);
	print_file("g");
}

static void case_splice(void)
{
	long from = file_with("f", ALPHABET);
	char bytes[64] = "";
	int ends[2];

	must(pipe(ends) == 0, "pipe");
	print(CALL(SYS_splice, from, L(number(10)), ends[1], 0, 20, 0));
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	(void)printf("%zd %s\n", read(ends[0], bytes, 30), bytes);
	(void)close((int)from);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void case_vmsplice(void)
{
	void *array = segments("the first of two segments", "the second of two segments", 24);
	char bytes[64] = "";
	int ends[2];

	hide_addresses(array);
	must(pipe(ends) == 0, "pipe");
	print(CALL(SYS_vmsplice, ends[1], L(array), 2, 0));
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	(void)printf("%zd %s\n", read(ends[0], bytes, 63), bytes);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void case_mount_calls(void)
{
	print(CALL(SYS_umount2, L(text("nowhere to be found")), 0));
	print(CALL(SYS_acct, L(text("nowhere to be found"))));
	print(CALL(SYS_swapoff, L(text("nowhere to be found"))));
	print(CALL(SYS_chroot, L(text("nowhere to be found"))));
	print(CALL(SYS_pivot_root, L(text("nowhere to be found")), L(text("nor this"))));
	again();
	print(CALL(SYS_mount, L(text("none")), L(text("nowhere to be found")), L(text("tmpfs")), 0, L(text("size=1"))));
	again();
	print(CALL(SYS_open_tree, AT_FDCWD, L(text("nowhere to be found")), 0));
	print(CALL(SYS_fspick, AT_FDCWD, L(text("nowhere to be found")), 0));
	again();
	print(CALL(SYS_fsopen, L(text("no such file system")), 0));
	print(CALL(SYS_move_mount, AT_FDCWD, L(text("nowhere to be found")), AT_FDCWD, L(text("nor this")), 0));
}

static void case_sysfs(void)
{
	print_success(CALL(SYS_sysfs, 1, L(text("proc"))));
	again();
	print(CALL(SYS_sysfs, 2, 0, L(buffer(20))));
	print(CALL(SYS_ustat, 0x7fffff, L(buffer(32))));
}

static void case_cachestat(void)
{
	unsigned long range[2] = {0, 0};
	void *result = buffer(40);
	long fd = file_with("f", ALPHABET);

	hide(result, 40);
	print(CALL(NR_CACHESTAT, fd, L(input(range, sizeof(range))), L(result), 0));
	(void)close((int)fd);
}

static void case_memfd(void)
{
	print_fd(CALL(SYS_memfd_create, L(text("a name")), 0));
}

/* Descriptors. */

static void case_pipe(void)
{
	int *ends = buffer(8);
	long result = CALL(SYS_pipe, L(ends));

	if (result == 0) {
		must(write(ends[1], "x", 1) == 1, "no pipe");
		(void)close(ends[0]);
		(void)close(ends[1]);
	}
	hide(ends, 8);
	print(result);
	again();
	ends = buffer(8);
	result = CALL(SYS_pipe2, L(ends), O_CLOEXEC);
	if (result == 0) {
		(void)close(ends[0]);
		(void)close(ends[1]);
	}
	hide(ends, 8);
	print(result);
}

static void case_pipe_data(void)
{
	int ends[2];

	must(pipe(ends) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0, "pipe");
	print(CALL(SYS_write, ends[1], L(text(ALPHABET)), 64));
	again();
	print(CALL(SYS_read, ends[0], L(buffer(40)), 40));
	again();
	print(CALL(SYS_read, ends[0], L(buffer(40)), 40));
	again();
	print(CALL(SYS_read, ends[0], L(buffer(40)), 40));
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void case_poll(void)
{
	struct pollfd set[2] = {{.events = POLLOUT}, {.events = POLLIN}};
	struct timespec limit = {0, 1000};
	unsigned long mask = 0;
	int ends[2];

	must(pipe(ends) == 0, "pipe");
	/* High numbers that are the same in every run. */
	must(dup2(ends[1], 100) == 100 && dup2(ends[0], 101) == 101, "dup2");
	set[0].fd = 100;
	set[1].fd = 101;
	print(CALL(SYS_poll, L(input(set, sizeof(set))), 2, 10));
	again();
	print(CALL(SYS_poll, L(input(&set[1], sizeof(set[1]))), 1, 1));
	again();
	{
		void *left = input(&limit, sizeof(limit));

		hide(left, sizeof(limit));
		print(CALL(SYS_ppoll, L(input(set, sizeof(set))), 2, L(left), L(input(&mask, 8)), 8));
	}
	(void)close(100);
	(void)close(101);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void case_select(void)
{
	struct timeval limit = {0, 1000};
	struct timespec exact = {0, 1000};
	unsigned long mask = 0;
	fd_set set;
	int ends[2];

	must(pipe(ends) == 0, "pipe");
	must(dup2(ends[1], 100) == 100 && dup2(ends[0], 101) == 101, "dup2");
	FD_ZERO(&set);
	FD_SET(100, &set);
	FD_SET(101, &set);
	{
		void *left = input(&limit, sizeof(limit));

		hide(left, sizeof(limit));
		print(CALL(SYS_select, 102, L(input(&set, 16)), L(input(&set, 16)), L(input(&set, 16)), L(left)));
	}
	again();
	{
		void *left = input(&exact, sizeof(exact));
		void *masks[2] = {input(&mask, sizeof(mask)), (void *)8};
		void *last = input(masks, sizeof(masks));

		hide(left, sizeof(exact));
		hide(last, sizeof(masks));
		print(CALL(SYS_pselect6, 102, L(input(&set, 16)), L(input(&set, 16)), 0, L(left), L(last)));
	}
	(void)close(100);
	(void)close(101);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void case_epoll(void)
{
	struct epoll_event wanted = {.events = EPOLLOUT, .data.u64 = 0x1122334455667788};
	struct timespec limit = {0, 1000};
	unsigned long mask = 0;
	int ends[2];
	int epoll = epoll_create1(0);

	must(pipe(ends) == 0, "pipe");
	print(CALL(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, ends[1], L(input(&wanted, 12))));
	(void)epoll_ctl(epoll, EPOLL_CTL_ADD, ends[1], &wanted);
	again();
	print(CALL(SYS_epoll_wait, epoll, L(buffer(5 * 12)), 5, 10));
	again();
	print(CALL(SYS_epoll_pwait, epoll, L(buffer(5 * 12)), 5, 10, L(input(&mask, 8)), 8));
	again();
	print(CALL(SYS_epoll_pwait2, epoll, L(buffer(5 * 12)), 5, L(input(&limit, sizeof(limit))), L(input(&mask, 8)),
		   8));
	again();
	print(CALL(SYS_epoll_ctl, epoll, EPOLL_CTL_DEL, ends[1], L(buffer(12))));
	print(CALL(SYS_epoll_wait, epoll, L(buffer(5 * 12)), -1, 0));
	(void)close(epoll);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void case_eventfd(void)
{
	long fd = syscall(SYS_eventfd2, 5, 04000);

	print(CALL(SYS_write, fd, L(number(37)), 8));
	again();
	print(CALL(SYS_read, fd, L(buffer(8)), 8));
	again();
	print(CALL(SYS_read, fd, L(buffer(8)), 8));
	(void)close((int)fd);
}

static void case_timerfd(void)
{
	struct itimerspec time = {{1000, 0}, {5000, 0}};
	struct itimerspec soon = {{0, 0}, {0, 1}};
	struct timespec while_it_fires = {0, 2000000};
	void *old = buffer(sizeof(time));
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

	hide(old, sizeof(time));
	print(CALL(SYS_timerfd_settime, fd, 0, L(input(&time, sizeof(time))), L(old)));
	again();
	old = buffer(sizeof(time));
	hide(old, sizeof(time));
	print(CALL(SYS_timerfd_gettime, fd, L(old)));
	must(timerfd_settime(fd, 0, &soon, NULL) == 0, "timerfd_settime");
	(void)nanosleep(&while_it_fires, NULL);
	again();
	print(CALL(SYS_read, fd, L(buffer(8)), 8));
	again();
	print(CALL(SYS_read, fd, L(buffer(8)), 8));
	(void)close(fd);
}

static void case_signalfd(void)
{
	unsigned long mask = 1UL << (SIGUSR1 - 1);
	void *info;
	long fd;

	must(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, 8) == 0, "rt_sigprocmask");
	print_fd(CALL(SYS_signalfd4, -1, L(input(&mask, 8)), 8, 0));
	again();
	print_fd(CALL(SYS_signalfd, -1, L(input(&mask, 8)), 8));
	fd = syscall(SYS_signalfd4, -1, &mask, 8, SFD_NONBLOCK);
	(void)raise(SIGUSR1);
	again();
	info = buffer(128);
	hide(info, 128);
	print(CALL(SYS_read, fd, L(info), 128));
	again();
	info = buffer(128);
	print(CALL(SYS_read, fd, L(info), 128));
	(void)close((int)fd);
	must(syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, NULL, 8) == 0, "rt_sigprocmask");
}

static void case_inotify(void)
{
	int fd = inotify_init1(IN_NONBLOCK);

	(void)mkdir("watched", 0755);
	print(CALL(SYS_inotify_add_watch, fd, L(text("watched")), IN_CREATE));
	must(inotify_add_watch(fd, "watched", IN_CREATE) > 0, "inotify_add_watch");
	(void)close((int)file_with("watched/created", ""));
	again();
	print(CALL(SYS_read, fd, L(buffer(200)), 200));
	(void)unlink("watched/created");
	(void)close(fd);
}

static void case_fcntl_locks(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 3, .l_len = 4};
	struct flock *found;
	long fd = file_with("f", ALPHABET);

	print(CALL(SYS_fcntl, fd, F_SETLK, L(input(&lock, sizeof(lock)))));
	again();
	print(CALL(SYS_fcntl, fd, F_GETLK, L(input(&lock, sizeof(lock)))));
	again();
	found = input(&lock, sizeof(lock));
	hide(&found->l_pid, sizeof(found->l_pid));
	print(CALL(SYS_fcntl, fd, F_OFD_GETLK, L(found)));
	again();
	print(CALL(SYS_fcntl, fd, F_SETLKW, L(input(&lock, sizeof(lock)))));
	again();
	print(CALL(SYS_fcntl, fd, F_GETOWN_EX, L(buffer(8))));
	again();
	print(CALL(SYS_fcntl, fd, F_GET_RW_HINT, L(buffer(8))));
	again();
	/* No pointer: the register may hold anything. */
	print(CALL(SYS_fcntl, fd, F_GETFD, L(buffer(8))));
	(void)close((int)fd);
}

static void case_ioctl(void)
{
	int ends[2];
	long fd = file_with("f", ALPHABET);

	must(pipe(ends) == 0 && write(ends[1], "12345", 5) == 5, "pipe");
	print(CALL(SYS_ioctl, ends[0], FIONREAD, L(buffer(4))));
	again();
	print(CALL(SYS_ioctl, ends[0], TIOCGWINSZ, L(buffer(8))));
	again();
	print(CALL(SYS_ioctl, fd, FIONREAD, L(buffer(4))));
	again();
	print(CALL(SYS_ioctl, ends[0], FIONBIO, L(number32(1))));
	again();
	print(CALL(SYS_ioctl, ends[0], FIOCLEX, L(buffer(4))));
	(void)close(ends[0]);
	(void)close(ends[1]);
	(void)close((int)fd);
}

static void case_ioctl_terminal(void)
{
	unsigned short window[4] = {24, 80, 1, 2};
	int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY);

	print(CALL(SYS_ioctl, fd, TCGETS, L(buffer(36))));
	again();
	print(CALL(SYS_ioctl, fd, TIOCSWINSZ, L(input(window, sizeof(window)))));
	again();
	print(CALL(SYS_ioctl, fd, TIOCGWINSZ, L(buffer(8))));
	again();
	print(CALL(SYS_ioctl, fd, TIOCSPTLCK, L(number32(0))));
	(void)close(fd);
}

static void case_ioctl_interfaces(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	struct ifconf list = {.ifc_len = 0};
	void *interfaces;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	print(CALL(SYS_ioctl, fd, SIOCGIFFLAGS, L(input(&request, sizeof(request)))));
	again();
	print(CALL(SYS_ioctl, fd, SIOCGIFINDEX, L(input(&request, sizeof(request)))));
	again();
	interfaces = buffer(10 * sizeof(request));
	list.ifc_len = 10 * sizeof(request);
	list.ifc_buf = interfaces;
	hide(interfaces, 10 * sizeof(request));
	{
		struct ifconf *conf = input(&list, sizeof(list));

		hide((char *)conf + offsetof(struct ifconf, ifc_buf), sizeof(void *));
		print(CALL(SYS_ioctl, fd, SIOCGIFCONF, L(conf)));
	}
	(void)close(fd);
}

/* Sockets. */

static void case_socketpair(void)
{
	int *ends = buffer(8);
	long result = CALL(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, L(ends));

	if (result == 0) {
		(void)close(ends[0]);
		(void)close(ends[1]);
	}
	hide(ends, 8);
	print(result);
}

static void data_through_socket(int type)
{
	int ends[2];

	must(socketpair(AF_UNIX, type, 0, ends) == 0, "socketpair");
	print(CALL(SYS_sendto, ends[0], L(text(ALPHABET)), 64, 0, 0, 0));
	again();
	print(CALL(SYS_recvfrom, ends[1], L(buffer(50)), 50, MSG_DONTWAIT, L(buffer(100)), L(number32(100))));
	again();
	print(CALL(SYS_recvfrom, ends[1], L(buffer(50)), 50, MSG_DONTWAIT, 0, 0));
	again();
	print(CALL(SYS_recvfrom, ends[1], L(buffer(50)), 50, MSG_DONTWAIT, 0, 0));
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void case_socket_stream(void)
{
	data_through_socket(SOCK_STREAM);
}

static void case_socket_datagram(void)
{
	data_through_socket(SOCK_DGRAM);
}

static void case_socket_seqpacket(void)
{
	data_through_socket(SOCK_SEQPACKET);
}

static void case_socket_names(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
	struct linger linger = {.l_onoff = 1, .l_linger = 7};
	socklen_t size = offsetof(struct sockaddr_un, sun_path) + sizeof("socket");
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)unlink("socket");
	print(CALL(SYS_bind, server, L(input(&name, size)), size));
	(void)unlink("socket");
	(void)bind(server, (struct sockaddr *)&name, size);
	must(listen(server, 5) == 0, "listen");
	again();
	print(CALL(SYS_getsockname, server, L(buffer(110)), L(number32(110))));
	again();
	print(CALL(SYS_getsockname, server, L(buffer(5)), L(number32(5))));
	again();
	print(CALL(SYS_getsockname, server, L(buffer(5)), L(number32(-1))));
	again();
	print(CALL(SYS_connect, client, L(input(&name, size)), size));
	(void)connect(client, (struct sockaddr *)&name, size);
	again();
	print(CALL(SYS_getpeername, client, L(buffer(110)), L(number32(110))));
	again();
	print_fd(CALL(SYS_accept, server, L(buffer(110)), L(number32(110))));
	again();
	print_fd(CALL(SYS_accept4, server, L(buffer(110)), L(number32(110)), SOCK_CLOEXEC));
	again();
	print(CALL(SYS_setsockopt, client, SOL_SOCKET, SO_LINGER, L(input(&linger, sizeof(linger))), sizeof(linger)));
	again();
	print(CALL(SYS_getsockopt, client, SOL_SOCKET, SO_LINGER, L(buffer(20)), L(number32(20))));
	again();
	print(CALL(SYS_getsockopt, client, SOL_SOCKET, SO_TYPE, L(buffer(4)), L(number32(4))));
	again();
	print(CALL(SYS_getsockopt, client, SOL_SOCKET, SO_TYPE, L(buffer(4)), L(number32(-1))));
	(void)close(server);
	(void)close(client);
}

static void case_socket_addresses(void)
{
	struct sockaddr_un one = {.sun_family = AF_UNIX, .sun_path = "socket1"};
	struct sockaddr_un two = {.sun_family = AF_UNIX, .sun_path = "socket2"};
	socklen_t size = offsetof(struct sockaddr_un, sun_path) + sizeof("socket1");
	int a = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int b = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	(void)unlink("socket1");
	(void)unlink("socket2");
	must(bind(a, (struct sockaddr *)&one, size) == 0 && bind(b, (struct sockaddr *)&two, size) == 0, "bind");
	print(CALL(SYS_sendto, a, L(text(ALPHABET)), 64, 0, L(input(&two, size)), size));
	again();
	print(CALL(SYS_recvfrom, b, L(buffer(80)), 80, MSG_TRUNC, L(buffer(110)), L(number32(110))));
	again();
	print(CALL(SYS_recvfrom, b, L(buffer(80)), 80, MSG_TRUNC, L(buffer(110)), L(number32(110))));
	(void)close(a);
	(void)close(b);
}

/* A message in five slots: the header, the vector and its two segments, control data. */
static struct msghdr *message(const char *one, const char *two, void *control, size_t control_size)
{
	void *array = segments(one, two, 24);
	struct msghdr header = {
		.msg_iov = array, .msg_iovlen = 2, .msg_control = control, .msg_controllen = control_size};
	struct msghdr *message = input(&header, sizeof(header));

	hide(array, 2 * sizeof(struct iovec));
	hide(&message->msg_iov, sizeof(void *));
	hide(&message->msg_control, sizeof(void *));
	return message;
}

static void case_messages(void)
{
	int ends[2];

	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0, "socketpair");
	print(CALL(SYS_sendmsg, ends[0], L(message("the first of two segments", "the second of two segments", NULL, 0)),
		   0));
	again();
	print(CALL(SYS_recvmsg, ends[1], L(message(NULL, NULL, NULL, 0)), MSG_DONTWAIT));
	again();
	print(CALL(SYS_recvmsg, ends[1], L(message(NULL, NULL, NULL, 0)), MSG_DONTWAIT));
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void case_messages_with_descriptors(void)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	struct msghdr *received;
	void *ancillary;
	int ends[2];
	long fd = file_with("f", ALPHABET);
	long result;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
	(void)memcpy(CMSG_DATA(&control.header), &(int){(int)fd}, sizeof(int));
	ancillary = input(&control, sizeof(control));
	hide(ancillary, sizeof(control));
	print(CALL(SYS_sendmsg, ends[0],
		   L(message("the first of two segments", "the second of two segments", ancillary, sizeof(control))),
		   0));
	again();
	ancillary = buffer(100);
	hide(ancillary, sizeof(control));
	received = message(NULL, NULL, ancillary, 100);
	result = CALL(SYS_recvmsg, ends[1], L(received), MSG_DONTWAIT);
	if (result > 0 && layout < READ_ONLY) {
		struct stat status;
		int copy;

		must(received->msg_controllen == CMSG_SPACE(sizeof(int)), "no descriptor");
		(void)memcpy(&copy, CMSG_DATA((struct cmsghdr *)ancillary), sizeof(copy));
		must(fstat(copy, &status) == 0 && status.st_size == 64, "not the descriptor");
		(void)close(copy);
	}
	print(result);
	(void)close((int)fd);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void case_many_messages(void)
{
	struct timespec limit = {1, 0};
	struct mmsghdr headers[2];
	void *array;
	void *all;
	int ends[2];

	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0, "socketpair");
	array = segments("the first of two segments", "the second of two segments", 24);
	(void)memset(headers, 0, sizeof(headers));
	headers[0].msg_hdr = headers[1].msg_hdr = (struct msghdr){.msg_iov = array, .msg_iovlen = 2};
	all = input(headers, sizeof(headers));
	hide(array, 2 * sizeof(struct iovec));
	hide(all, sizeof(headers));
	print(CALL(SYS_sendmmsg, ends[0], L(all), 2, 0));
	again();
	array = segments(NULL, NULL, 24);
	headers[0].msg_hdr = headers[1].msg_hdr = (struct msghdr){.msg_iov = array, .msg_iovlen = 2};
	all = input(headers, sizeof(headers));
	hide(array, 2 * sizeof(struct iovec));
	hide(all, sizeof(headers));
	{
		void *left = input(&limit, sizeof(limit));

		hide(left, sizeof(limit));
		print(CALL(SYS_recvmmsg, ends[1], L(all), 2, MSG_DONTWAIT, L(left)));
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* Time. */

static void sane_time(void *where, size_t size, long result, bool is_sane)
{
	must(result != 0 || is_sane, "not a time");
	hide(where, size);
	print(result);
}

static void case_clocks(void)
{
	struct timespec *now = buffer(sizeof(*now));
	struct timeval *micro;
	long result = CALL(SYS_clock_gettime, CLOCK_REALTIME, L(now));

	sane_time(now, sizeof(*now), result, now->tv_sec > 1600000000);
	again();
	print(CALL(SYS_clock_getres, CLOCK_MONOTONIC, L(buffer(sizeof(*now)))));
	again();
	micro = buffer(sizeof(*micro));
	result = CALL(SYS_gettimeofday, L(micro), L(buffer(8)));
	sane_time(micro, sizeof(*micro), result, micro->tv_sec > 1600000000);
	again();
	now = buffer(sizeof(*now));
	result = CALL(SYS_time, L(now));
	sane_time(now, sizeof(time_t), result < 0 ? result : 0, now->tv_sec > 1600000000);
	again();
	print(CALL(SYS_clock_gettime, 77, L(buffer(sizeof(*now)))));
	print(CALL(SYS_clock_settime, 77, L(buffer(sizeof(*now)))));
}

static void case_sleeps(void)
{
	struct timespec little = {0, 1000};
	struct timespec wrong = {0, 1000000000};

	print(CALL(SYS_nanosleep, L(input(&little, sizeof(little))), L(buffer(sizeof(little)))));
	again();
	print(CALL(SYS_nanosleep, L(input(&wrong, sizeof(wrong))), L(buffer(sizeof(little)))));
	again();
	print(CALL(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, L(input(&little, sizeof(little))),
		   L(buffer(sizeof(little)))));
}

static void on_alarm(int signo)
{
	(void)signo;
}

static void case_interrupted_sleep(void)
{
	struct sigaction action = {.sa_handler = on_alarm};
	/* Again and again: it may fire before the call. */
	struct itimerval soon = {{0, 20000}, {0, 20000}};
	struct timespec long_time = {100, 0};
	struct timespec *left = buffer(sizeof(*left));
	void *wanted = input(&long_time, sizeof(long_time));
	long result;

	must(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &soon, NULL) == 0, "setitimer");
	result = CALL(SYS_nanosleep, L(wanted), L(left));
	must(result != -EINTR || (left->tv_sec >= 90 && left->tv_sec < 100), "not what is left");
	hide(left, sizeof(*left));
	soon.it_value.tv_usec = soon.it_interval.tv_usec = 0;
	must(setitimer(ITIMER_REAL, &soon, NULL) == 0, "setitimer");
	print(result);
}

static void case_interval_timers(void)
{
	struct itimerval far = {{2000, 0}, {1000, 0}};
	struct itimerval none = {{0, 0}, {0, 0}};
	void *old = buffer(sizeof(far));

	print(CALL(SYS_setitimer, ITIMER_VIRTUAL, L(input(&far, sizeof(far))), L(old)));
	again();
	old = buffer(sizeof(far));
	hide(old, sizeof(far));
	print(CALL(SYS_getitimer, ITIMER_VIRTUAL, L(old)));
	must(setitimer(ITIMER_VIRTUAL, &none, NULL) == 0, "setitimer");
}

static void case_timers(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_NONE};
	struct itimerspec far = {{2000, 0}, {1000, 0}};
	int *id = buffer(sizeof(*id));
	long result = CALL(SYS_timer_create, CLOCK_MONOTONIC, L(input(&event, sizeof(event))), L(id));
	int timer = *id;
	void *old;

	hide(id, sizeof(*id));
	print(result);
	if (result != 0) {
		must(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
	}
	again();
	print(CALL(SYS_timer_settime, timer, 0, L(input(&far, sizeof(far))), L(buffer(sizeof(far)))));
	again();
	old = buffer(sizeof(far));
	hide(old, sizeof(far));
	print(CALL(SYS_timer_gettime, timer, L(old)));
	(void)syscall(SYS_timer_delete, timer);
}

static void case_adjtimex(void)
{
	struct timex *state = buffer(sizeof(*state));

	(void)memset(state, 0, sizeof(*state));
	hide(state, sizeof(*state));
	print_success(CALL(SYS_adjtimex, L(state)));
	again();
	state = buffer(sizeof(*state));
	(void)memset(state, 0, sizeof(*state));
	hide(state, sizeof(*state));
	print_success(CALL(SYS_clock_adjtime, CLOCK_REALTIME, L(state)));
}

/* Processes. */

static pid_t child(void)
{
	pid_t pid = (pid_t)RAW(SYS_fork, SIGCHLD);

	if (pid == 0) {
		(void)RAW(SYS_exit_group, 7);
	}
	return pid;
}

static void case_wait4(void)
{
	int *status = buffer(sizeof(*status));
	void *usage = buffer(sizeof(struct rusage));
	pid_t pid = child();
	long result = CALL(SYS_wait4, pid, L(status), 0, L(usage));

	must(result != pid || (WIFEXITED(*status) && WEXITSTATUS(*status) == 7), "not its status");
	hide(usage, sizeof(struct rusage));
	print_success(result);
	(void)waitpid(pid, NULL, 0);
}

static void case_wait4_nobody(void)
{
	print(CALL(SYS_wait4, -1, L(buffer(4)), WNOHANG, L(buffer(sizeof(struct rusage)))));
}

static void case_waitid(void)
{
	siginfo_t *info = buffer(sizeof(*info));
	void *usage = buffer(sizeof(struct rusage));
	pid_t pid = child();
	long result = CALL(SYS_waitid, P_PID, pid, L(info), WEXITED, L(usage));

	must(result != 0 || (info->si_pid == pid && info->si_status == 7), "not the child");
	hide(&info->si_pid, sizeof(info->si_pid));
	hide(usage, sizeof(struct rusage));
	print(result);
	(void)waitpid(pid, NULL, 0);
}

static void case_resources(void)
{
	struct rlimit limit = {100, 200};
	void *old;

	print(CALL(SYS_setrlimit, RLIMIT_CORE, L(input(&(struct rlimit){0, 1000}, sizeof(limit)))));
	again();
	print(CALL(SYS_getrlimit, RLIMIT_CORE, L(buffer(sizeof(limit)))));
	again();
	print(CALL(SYS_prlimit64, 0, RLIMIT_CORE, L(input(&limit, sizeof(limit))), L(buffer(sizeof(limit)))));
	again();
	old = buffer(sizeof(struct rusage));
	hide(old, sizeof(struct rusage));
	print(CALL(SYS_getrusage, RUSAGE_SELF, L(old)));
	again();
	old = buffer(sizeof(struct tms));
	hide(old, sizeof(struct tms));
	print_success(CALL(SYS_times, L(old)));
	again();
	old = buffer(sizeof(struct sysinfo));
	hide(old, sizeof(struct sysinfo));
	print(CALL(SYS_sysinfo, L(old)));
	again();
	print(CALL(SYS_uname, L(buffer(sizeof(struct utsname)))));
	again();
	/* Longer than the kernel takes: nothing is set. */
	print(CALL(SYS_sethostname, L(text(ALPHABET ALPHABET)), 2 * strlen(ALPHABET)));
	print(CALL(SYS_setdomainname, L(text(ALPHABET ALPHABET)), 2 * strlen(ALPHABET)));
}

static void case_identities(void)
{
	print(CALL(SYS_getresuid, L(buffer(4)), L(buffer(4)), L(buffer(4))));
	again();
	print(CALL(SYS_getresgid, L(buffer(4)), L(buffer(4)), L(buffer(4))));
	again();
	print(CALL(SYS_getgroups, 1000, L(buffer(4000))));
	again();
	print(CALL(SYS_getgroups, 0, L(buffer(4))));
	again();
	print(CALL(SYS_setgroups, 70000, L(buffer(4))));
}

static void case_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_header_struct unknown = {.version = 1};

	print(CALL(SYS_capget, L(input(&header, sizeof(header))), L(buffer(24))));
	again();
	print(CALL(SYS_capget, L(input(&unknown, sizeof(unknown))), L(buffer(24))));
	again();
	print(CALL(SYS_capset, L(input(&unknown, sizeof(unknown))), L(buffer(24))));
}

static void case_scheduling(void)
{
	struct sched_param param = {0};
	unsigned int attribute[16] = {48, SCHED_OTHER};
	unsigned int wrong[16] = {3000, SCHED_OTHER};
	unsigned long *cpus = buffer(1024);
	long result = CALL(SYS_sched_getaffinity, 0, 1024, L(cpus));

	must(result < 8 || cpus[0] != 0, "no processor");
	print(result);
	again();
	cpus = buffer(128);
	(void)memset(cpus, 0xff, 128);
	print(CALL(SYS_sched_setaffinity, 0, 128, L(cpus)));
	again();
	print(CALL(SYS_sched_getparam, 0, L(buffer(sizeof(param)))));
	again();
	print(CALL(SYS_sched_setparam, 0, L(input(&param, sizeof(param)))));
	again();
	print(CALL(SYS_sched_setscheduler, 0, SCHED_OTHER, L(input(&param, sizeof(param)))));
	again();
	cpus = buffer(sizeof(struct timespec));
	hide(cpus, sizeof(struct timespec));
	print(CALL(SYS_sched_rr_get_interval, 0, L(cpus)));
	again();
	print(CALL(SYS_sched_getattr, 0, L(buffer(48)), 48, 0));
	again();
	print(CALL(SYS_sched_setattr, 0, L(input(attribute, 48)), 0));
	again();
	print(CALL(SYS_sched_setattr, 0, L(input(wrong, 64)), 0));
	again();
	cpus = buffer(4);
	hide(cpus, 4);
	print(CALL(SYS_getcpu, L(cpus), L(buffer(4)), 0));
}

static void case_prctl(void)
{
	print(CALL(SYS_prctl, PR_SET_NAME, L(text("a name that is too long"))));
	again();
	print(CALL(SYS_prctl, PR_GET_NAME, L(buffer(16))));
	again();
	print(CALL(SYS_prctl, PR_GET_PDEATHSIG, L(buffer(4))));
	again();
	print(CALL(SYS_prctl, PR_GET_CHILD_SUBREAPER, L(buffer(4))));
	again();
	print(CALL(SYS_prctl, PR_GET_TSC, L(buffer(4))));
	again();
	/* No pointer. */
	print(CALL(SYS_prctl, PR_GET_DUMPABLE, L(buffer(4))));
}

static void case_arch_prctl(void)
{
	unsigned long *base = buffer(8);
	long result = CALL(SYS_arch_prctl, 0x1003, L(base));

	must(result != 0 || *base == (unsigned long)__builtin_thread_pointer(), "not the thread");
	hide(base, 8);
	print(result);
}

static void case_seccomp(void)
{
	print(CALL(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, L(number32((int)SECCOMP_RET_ALLOW))));
	again();
	print(CALL(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, L(buffer(6))));
}

static void case_getrandom(void)
{
	void *bytes = buffer(100);

	hide(bytes, 100);
	print(CALL(SYS_getrandom, L(bytes), 100, 0));
}

static void case_process_vm(void)
{
	char source[49] = "what is in an ordinary place of the same process";
	struct iovec remote[1] = {{.iov_base = source, .iov_len = 48}};
	void *array = segments(NULL, NULL, 24);
	void *far = input(remote, sizeof(remote));

	hide_addresses(array);
	hide(far, sizeof(remote));
	print(CALL(SYS_process_vm_readv, getpid(), L(array), 2, L(far), 1, 0));
	again();
	array = segments("the first of two segments", "the second of two segments", 24);
	far = input(remote, sizeof(remote));
	hide_addresses(array);
	hide(far, sizeof(remote));
	print(CALL(SYS_process_vm_writev, getpid(), L(array), 2, L(far), 1, 0));
	(void)printf("%s\n", layout < READ_ONLY ? source : "");
}

/* The other side is our own memory, and not there either. The vectors are present, so the call has to come by the C library. */
static void case_process_vm_absent(void)
{
	char *source = text("what is in an ordinary place of the same process");
	struct iovec remote = {.iov_base = source, .iov_len = 48};
	struct iovec local = {.iov_base = buffer(48), .iov_len = 48};
	long result;

	protect_as_laid_out();
	evict();
	result = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
	protect_all(PROT_READ | PROT_WRITE);
	print(result < 0 ? -errno : result);
}

static void case_mincore(void)
{
	unsigned char *map = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	map[0] = map[2 * PAGE] = 1;
	print(CALL(SYS_mincore, L(map), 3 * PAGE - 1, L(buffer(3))));
	(void)munmap(map, 3 * PAGE);
}

static void case_nodes(void)
{
	unsigned long *nodes = buffer(128);

	print(CALL(SYS_get_mempolicy, L(buffer(4)), L(nodes), 1024, 0, 0));
	again();
	nodes = buffer(8);
	*nodes = 0;
	print(CALL(SYS_set_mempolicy, 0, L(nodes), 64));
	again();
	print(CALL(SYS_migrate_pages, 0x7ffffff0, 64, L(number(1)), L(number(1))));
}

/* Signals. */

static void case_signal_actions(void)
{
	/* Ignored; with the flag that says that the third field, which differs from run to run, is used. */
	unsigned long action[4] = {1, 0x04000000, 0, 0};
	void *old;

	old = buffer(32);
	hide((char *)old + 16, 8);
	print(CALL(SYS_rt_sigaction, SIGUSR2, L(input(action, sizeof(action))), L(old), 8));
	again();
	old = buffer(32);
	hide((char *)old + 16, 8);
	print(CALL(SYS_rt_sigaction, SIGUSR2, 0, L(old), 8));
	again();
	print(CALL(SYS_rt_sigaction, SIGKILL, L(input(action, sizeof(action))), 0, 8));
	(void)signal(SIGUSR2, SIG_DFL);
}

static void case_signal_masks(void)
{
	unsigned long mask = 1UL << (SIGUSR1 - 1);
	unsigned long other = 1UL << (SIGUSR2 - 1);
	struct timespec none = {0, 0};
	siginfo_t *info;
	long result;

	print(CALL(SYS_rt_sigprocmask, SIG_BLOCK, L(input(&other, 8)), L(buffer(8)), 8));
	again();
	print(CALL(SYS_rt_sigprocmask, SIG_BLOCK, L(input(&mask, 8)), L(buffer(8)), 8));
	must(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, 8) == 0, "rt_sigprocmask");
	(void)raise(SIGUSR1);
	again();
	print(CALL(SYS_rt_sigpending, L(buffer(8)), 8));
	again();
	info = buffer(128);
	result = CALL(SYS_rt_sigtimedwait, L(input(&mask, 8)), L(info), L(input(&none, sizeof(none))), 8);
	must(result != SIGUSR1 || info->si_signo == SIGUSR1, "not the signal");
	hide(info, 128);
	print(result);
	again();
	print(CALL(SYS_rt_sigtimedwait, L(input(&mask, 8)), L(buffer(128)), L(input(&none, sizeof(none))), 8));
	mask |= other;
	must(syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, NULL, 8) == 0, "rt_sigprocmask");
}

static void case_signal_queue(void)
{
	siginfo_t info;
	unsigned long mask = 1UL << (SIGUSR1 - 1);

	must(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, 8) == 0, "rt_sigprocmask");
	(void)memset(&info, 0, sizeof(info));
	info.si_signo = SIGUSR1;
	info.si_code = SI_QUEUE;
	info.si_value.sival_int = 77;
	print(CALL(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, L(input(&info, 128))));
	(void)memset(&info, 0, sizeof(info));
	(void)printf("%ld %d\n", RAW(SYS_rt_sigtimedwait, L(&mask), L(&info), L(&(struct timespec){0, 0}), 8),
		     info.si_value.sival_int);
	again();
	info.si_code = SI_QUEUE;
	print(CALL(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGUSR1, L(input(&info, 128))));
	(void)RAW(SYS_rt_sigtimedwait, L(&mask), 0, L(&(struct timespec){0, 0}), 8);
	must(syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, NULL, 8) == 0, "rt_sigprocmask");
}

/* Futexes. */

static void case_futex(void)
{
	struct timespec little = {0, 1000};

	print(CALL(SYS_futex, L(number32(5)), FUTEX_WAIT, 6, L(input(&little, sizeof(little)))));
	again();
	print(CALL(SYS_futex, L(number32(5)), FUTEX_WAIT, 5, L(input(&little, sizeof(little)))));
	again();
	print(CALL(SYS_futex, L(number32(5)), FUTEX_WAIT_PRIVATE, 5, L(input(&little, sizeof(little)))));
	again();
	print(CALL(SYS_futex, L(number32(5)), FUTEX_WAKE_PRIVATE, 1));
	again();
	print(CALL(SYS_futex, L(number32(5)), FUTEX_WAKE, 1));
	again();
	print(CALL(SYS_futex, L(number32(5)), FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, L(number32(7)), 5));
	again();
	print(CALL(SYS_futex, L(number32(5)), FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, L(number32(7)), 6));
	again();
	print(CALL(SYS_futex, L(number32(5)), FUTEX_WAKE_OP_PRIVATE, 1, 1, L(number32(7)),
		   FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 7)));
}

static void case_futex_new(void)
{
	struct timespec past = {1, 0};
	struct {
		unsigned long value, address;
		unsigned int flags, reserved;
	} waiter = {5, 0, 0x82, 0};
	void *waiters;

	waiter.address = (unsigned long)number32(5);
	waiters = input(&waiter, 24);
	hide((char *)waiters + 8, 8);
	print(CALL(SYS_futex_waitv, L(waiters), 1, 0, L(input(&past, sizeof(past))), CLOCK_MONOTONIC));
	again();
	print(CALL(NR_FUTEX_WAKE, L(number32(5)), -1, 1, 0x82));
	again();
	print(CALL(NR_FUTEX_WAIT, L(number32(5)), 5, -1, 0x82, L(input(&past, sizeof(past))), CLOCK_MONOTONIC));
}

static void case_robust_list(void)
{
	void **head = buffer(8);
	size_t *size = buffer(8);

	hide(head, 8);
	print(CALL(SYS_get_robust_list, 0, L(head), L(size)));
}

/* System V and POSIX objects. */

static void case_messages_of_queues(void)
{
	int id = msgget(IPC_PRIVATE, 0600);
	struct {
		long type;
		char bytes[64];
	} out = {3, ALPHABET};
	struct msqid_ds *state;

	print(CALL(SYS_msgsnd, id, L(input(&out, 8 + 64)), 64, IPC_NOWAIT));
	again();
	print(CALL(SYS_msgrcv, id, L(buffer(8 + 10)), 10, 0, IPC_NOWAIT));
	again();
	print(CALL(SYS_msgrcv, id, L(buffer(8 + 100)), 100, 0, IPC_NOWAIT));
	again();
	print(CALL(SYS_msgrcv, id, L(buffer(8 + 100)), 100, 0, IPC_NOWAIT));
	again();
	state = buffer(sizeof(*state));
	hide(state, sizeof(*state));
	print(CALL(SYS_msgctl, id, IPC_STAT, L(state)));
	again();
	print(CALL(SYS_msgctl, id, IPC_RMID, L(buffer(8))));
}

static void case_semaphores(void)
{
	struct sembuf ops[2] = {{.sem_num = 0, .sem_op = 3}, {.sem_num = 1, .sem_op = 4}};
	struct sembuf wait = {.sem_num = 2, .sem_op = -1};
	unsigned short values[3] = {7, 8, 9};
	struct timespec little = {0, 1000};
	struct semid_ds *state;
	int id = semget(IPC_PRIVATE, 3, 0600);

	print(CALL(SYS_semop, id, L(input(ops, sizeof(ops))), 2));
	again();
	print(CALL(SYS_semtimedop, id, L(input(&wait, sizeof(wait))), 1, L(input(&little, sizeof(little)))));
	again();
	print(CALL(SYS_semctl, id, 0, GETALL, L(buffer(6))));
	again();
	print(CALL(SYS_semctl, id, 0, SETALL, L(input(values, sizeof(values)))));
	again();
	print(CALL(SYS_semctl, id, 0, GETALL, L(buffer(6))));
	again();
	state = buffer(sizeof(*state));
	hide(state, sizeof(*state));
	print(CALL(SYS_semctl, id, 0, IPC_STAT, L(state)));
	again();
	print(CALL(SYS_semctl, id, 0, GETVAL, L(buffer(8))));
	(void)semctl(id, 0, IPC_RMID);
}

static void case_shared_memory(void)
{
	struct shmid_ds *state = buffer(sizeof(*state));
	int id = shmget(IPC_PRIVATE, 10000, 0600);
	long result = CALL(SYS_shmctl, id, IPC_STAT, L(state));

	must(result != 0 || state->shm_segsz == 10000, "not the segment");
	hide(state, sizeof(*state));
	print(result);
	(void)shmctl(id, IPC_RMID, NULL);
}

static void case_posix_queues(void)
{
	struct mq_attr attributes = {.mq_maxmsg = 3, .mq_msgsize = 100};
	struct timespec none = {0, 0};
	char name[32];
	long queue;

	(void)snprintf(name, sizeof(name), "sweep%d", (int)getpid());
	(void)syscall(SYS_mq_unlink, name);
	queue = CALL(SYS_mq_open, L(text(name)), O_RDWR | O_CREAT | O_NONBLOCK, 0600,
		     L(input(&attributes, sizeof(attributes))));
	hide(slots, 2 * SLOT);
	print_success(queue);
	if (queue < 0) {
		queue = syscall(SYS_mq_open, name, O_RDWR | O_CREAT | O_NONBLOCK, 0600, &attributes);
	}
	again();
	print(CALL(SYS_mq_timedsend, queue, L(text(ALPHABET)), 64, 5, L(input(&none, sizeof(none)))));
	again();
	print(CALL(SYS_mq_timedreceive, queue, L(buffer(100)), 100, L(buffer(4)), L(input(&none, sizeof(none)))));
	again();
	print(CALL(SYS_mq_timedreceive, queue, L(buffer(100)), 100, L(buffer(4)), 0));
	again();
	print(CALL(SYS_mq_getsetattr, queue, 0, L(buffer(sizeof(attributes)))));
	again();
	print(CALL(SYS_mq_notify, queue,
		   L(input(&(struct sigevent){.sigev_notify = SIGEV_NONE}, sizeof(struct sigevent)))));
	again();
	print(CALL(SYS_mq_unlink, L(text("no such queue"))));
	(void)syscall(SYS_mq_unlink, name);
	(void)close((int)queue);
}

static void case_keys(void)
{
	print_success(CALL(SYS_add_key, L(text("user")), L(text("sweep")), L(text("the payload")), 11,
			   KEY_SPEC_PROCESS_KEYRING));
	again();
	print_success(CALL(SYS_request_key, L(text("user")), L(text("no such key")), 0, 0));
	again();
	print_success(CALL(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_PROCESS_KEYRING, L(text("user")), L(text("sweep")), 0));
	again();
	print(CALL(SYS_keyctl, KEYCTL_DESCRIBE, 0x7ffffff0, L(buffer(100)), 100));
}

static void case_listmount(void)
{
	unsigned long request[3] = {24, ~0UL, 0};
	void *mounts = buffer(800);
	long result = CALL(NR_LISTMOUNT, L(input(request, sizeof(request))), L(mounts), 100, 0);

	hide(mounts, 800);
	print_success(result);
	again();
	print(CALL(NR_LSM_LIST_MODULES, L(buffer(80)), L(number32(80)), 0));
}

static void case_refused(void)
{
	print(CALL(SYS_quotactl, 0x80000700, L(text("/dev/no such disk")), 0, L(buffer(72))));
	again();
	print(CALL(SYS_kcmp, getpid(), getpid(), 77, 0, L(buffer(12))));
	again();
	print(CALL(SYS_delete_module, L(text("no such module")), 0));
	again();
	print(CALL(SYS_finit_module, -1, L(text("")), 0));
	again();
	print(CALL(SYS_landlock_create_ruleset, L(buffer(8)), 4, 0));
	again();
	print(CALL(SYS_landlock_add_rule, -1, 1, L(buffer(12)), 0));
	again();
	print(CALL(SYS_pidfd_send_signal, -1, 0, L(buffer(128)), 0));
	again();
	print(CALL(SYS_mount_setattr, -1, L(text("")), 0, L(buffer(32)), 8));
	again();
	print(CALL(SYS_execve, L(text("no such program")), 0, 0));
	again();
	print(CALL(SYS_execveat, AT_FDCWD, L(text("no such program")), 0, 0, 0));
	again();
	print(CALL(SYS_fanotify_mark, -1, 0, 0, AT_FDCWD, L(text("f"))));
}

#define CASE(name)                                                                                                     \
	{                                                                                                              \
#name, case_##name                                                                                     \
	}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	CASE(read),
	CASE(read_large),
	CASE(write),
	CASE(pread64),
	CASE(pwrite64),
	CASE(readv),
	CASE(preadv),
	CASE(preadv2),
	CASE(writev),
	CASE(pwritev),
	CASE(pwritev2),
	CASE(open),
	CASE(open_long),
	CASE(creat),
	CASE(openat),
	CASE(openat2),
	CASE(stat),
	CASE(lstat),
	CASE(fstat),
	CASE(newfstatat),
	CASE(statx),
	CASE(statfs),
	CASE(fstatfs),
	CASE(access),
	CASE(faccessat),
	CASE(faccessat2),
	CASE(getcwd),
	CASE(getcwd_small),
	CASE(directories),
	CASE(mkdirat),
	CASE(links),
	CASE(links_at),
	CASE(readlink),
	CASE(readlinkat),
	CASE(modes),
	CASE(truncate),
	CASE(mknod),
	CASE(times_of_files),
	CASE(getdents),
	CASE(getdents64),
	CASE(xattr),
	CASE(fxattr),
	CASE(file_handle),
	CASE(file_handle_small),
	CASE(sendfile),
	CASE(copy_file_range),
	CASE(splice),
	CASE(vmsplice),
	CASE(mount_calls),
	CASE(sysfs),
	CASE(cachestat),
	CASE(memfd),
	CASE(pipe),
	CASE(pipe_data),
	CASE(poll),
	CASE(select),
	CASE(epoll),
	CASE(eventfd),
	CASE(timerfd),
	CASE(signalfd),
	CASE(inotify),
	CASE(fcntl_locks),
	CASE(ioctl),
	CASE(ioctl_terminal),
	CASE(ioctl_interfaces),
	CASE(socketpair),
	CASE(socket_stream),
	CASE(socket_datagram),
	CASE(socket_seqpacket),
	CASE(socket_names),
	CASE(socket_addresses),
	CASE(messages),
	CASE(messages_with_descriptors),
	CASE(many_messages),
	CASE(clocks),
	CASE(sleeps),
	CASE(interrupted_sleep),
	CASE(interval_timers),
	CASE(timers),
	CASE(adjtimex),
	CASE(wait4),
	CASE(wait4_nobody),
	CASE(waitid),
	CASE(resources),
	CASE(identities),
	CASE(capabilities),
	CASE(scheduling),
	CASE(prctl),
	CASE(arch_prctl),
	CASE(seccomp),
	CASE(getrandom),
	CASE(process_vm),
	CASE(process_vm_absent),
	CASE(mincore),
	CASE(nodes),
	CASE(signal_actions),
	CASE(signal_masks),
	CASE(signal_queue),
	CASE(futex),
	CASE(futex_new),
	CASE(robust_list),
	CASE(messages_of_queues),
	CASE(semaphores),
	CASE(shared_memory),
	CASE(posix_queues),
	CASE(keys),
	CASE(listmount),
	CASE(refused),
};

/* All cases, or the one that is named. */
static void run(const char *only)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (layout = ABSENT; layout < LAYOUTS && (only == NULL || strcmp(only, cases[i].name) == 0);
		     layout++) {
			begin(cases[i].name);
			cases[i].run();
		}
	}
}

int main(int argc, char *argv[])
{
	char place[] = "/tmp/kmem-sweep-XXXXXX";
	char command[64];

	if (mkdtemp(place) == NULL || chdir(place) != 0) {
		return 2;
	}
	slots = mmap(NULL, SLOTS * SLOT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pressure = malloc(PRESSURE);
	if (slots == MAP_FAILED || pressure == NULL) {
		return 2;
	}
	(void)umask(022);
	(void)signal(SIGUSR1, on_alarm);
	run(argc > 1 ? argv[1] : NULL);
	(void)fflush(stdout);
	(void)snprintf(command, sizeof(command), "rm -rf %s", place);
	return system(command) == 0 ? 0 : 2;
}
