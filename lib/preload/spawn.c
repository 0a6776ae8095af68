/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_spawn() and posix_spawnp(), made anew.
 *
 * The C library's child shares its parent's memory, but has every signal blocked and no handler left: it dies at the first page that is
 * out, and at the first call that the filter traps. So everything that the child reads is copied to one block of resident memory
 * beforehand, its stack included: path, vectors, attributes, file actions and their paths. What the C library's child
 * cannot know, the wishes for the signals that libkmem has taken (lib/host/signals.h), this one passes on.
 *
 * The parent waits, signals blocked, until the child has become the program or given up, as in vfork(). Nothing is pinned.
 *
 * The list behind a posix_spawn_file_actions_t is the C library's own. What this file knows of it is tried before its first use, and
 * checked in every call: lists and attributes of a form that it does not know go to the C library's function as they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/copy.h"
#include "host/memory.h"
#include "host/signals.h"
#include "preload/exec.h"
#include "preload/next.h"

#define EXPORT __attribute__((visibility("default")))

/* As the exec family's. */
#define BLOCK_MAX (64UL * 1024 * 1024)

/* The child needs a path's length and some frames. */
#define STACK_SIZE (64UL * 1024)

/* What a child ends with that has not become the program; its parent takes the status away. */
#define STATUS_FAILED 127

#define FLAGS_KNOWN                                                                                                    \
	(POSIX_SPAWN_RESETIDS | POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |               \
	 POSIX_SPAWN_SETSCHEDPARAM | POSIX_SPAWN_SETSCHEDULER | POSIX_SPAWN_USEVFORK | POSIX_SPAWN_SETSID)

/* The C library's file actions. */

enum action_tag {
	ACTION_CLOSE,
	ACTION_DUP2,
	ACTION_OPEN,
	ACTION_CHDIR,
	ACTION_FCHDIR,
	ACTION_CLOSEFROM,
	ACTION_TCSETPGRP,
};

struct action {
	int tag;
	union {
		int fd; /* close, fchdir, closefrom, tcsetpgrp */
		struct {
			int from, to;
		} dup2;
		struct {
			int fd;
			const char *path;
			int flags;
			mode_t mode;
		} open;
		const char *path; /* chdir */
	};
};

/* All that the child uses. Lies in the block, behind its stack. */
struct child {
	struct kmem_exec exec;
	const posix_spawnattr_t *attributes;
	const struct action *actions;
	size_t action_count;
	kmem_sigmask mask;    /* the program's, as it sees it */
	kmem_sigmask ignored; /* of the signals that libkmem has taken, which the program ignores */
	int error;            /* the child's answer */
};

#define BIT(signo) ((kmem_sigmask)1 << ((signo)-1))
#define SIGNALS 64

static kmem_sigmask mask_of(const sigset_t *set)
{
	kmem_sigmask mask;

	memcpy(&mask, set, sizeof(mask));
	return mask;
}

/* The child. It has the parent's memory: no call that may lock, or leave a trace there, but errno. */

static int call_result(long ret)
{
	return ret < 0 ? -errno : (int)ret;
}

static void child_mask_set(kmem_sigmask mask)
{
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
}

static bool has_flag(const struct child *child, int flag)
{
	return (child->attributes->__flags & flag) != 0;
}

/* Internal to the C library's threads: one that is on its way must not end the child. */
static bool is_internal(int signo)
{
	return signo == 32 || signo == 33;
}

/* What becomes of a signal: the default action, or that it is ignored; as it is if it is one of both. */
static void child_signal_reset(const struct child *child, int signo)
{
	const kmem_sigmask defaults = has_flag(child, POSIX_SPAWN_SETSIGDEF) ? mask_of(&child->attributes->__sd) : 0;
	struct kmem_signals_action action = {.handler = SIG_DFL};

	if ((defaults & BIT(signo)) == 0) {
		(void)syscall(SYS_rt_sigaction, signo, NULL, &action, sizeof(kmem_sigmask));
		if (action.handler == SIG_IGN) {
			return;
		}
		action = (struct kmem_signals_action){
			.handler = (child->ignored & BIT(signo)) != 0 || is_internal(signo) ? SIG_IGN : SIG_DFL,
		};
	}
	(void)syscall(SYS_rt_sigaction, signo, &action, NULL, sizeof(kmem_sigmask));
}

static int child_schedule(const struct child *child)
{
	const posix_spawnattr_t *attributes = child->attributes;

	if (has_flag(child, POSIX_SPAWN_SETSCHEDULER)) {
		return call_result(syscall(SYS_sched_setscheduler, 0, attributes->__policy, &attributes->__sp));
	}
	if (has_flag(child, POSIX_SPAWN_SETSCHEDPARAM)) {
		return call_result(syscall(SYS_sched_setparam, 0, &attributes->__sp));
	}
	return 0;
}

/* Of this process alone: the C library's functions would change the parent's threads, too. */
static int child_ids_reset(void)
{
	int ret = call_result(syscall(SYS_setresuid, -1, syscall(SYS_getuid), -1));

	return ret != 0 ? ret : call_result(syscall(SYS_setresgid, -1, syscall(SYS_getgid), -1));
}

static int child_attributes_apply(const struct child *child)
{
	int ret = child_schedule(child);

	if (ret == 0 && has_flag(child, POSIX_SPAWN_SETSID)) {
		ret = call_result(syscall(SYS_setsid));
		ret = ret > 0 ? 0 : ret;
	}
	if (ret == 0 && has_flag(child, POSIX_SPAWN_SETPGROUP)) {
		ret = call_result(syscall(SYS_setpgid, 0, child->attributes->__pgrp));
	}
	if (ret == 0 && has_flag(child, POSIX_SPAWN_RESETIDS)) {
		ret = child_ids_reset();
	}
	return ret;
}

static rlim_t descriptor_limit(void)
{
	struct rlimit limit = {.rlim_cur = 0};

	(void)syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
	return limit.rlim_cur;
}

/* A descriptor that is not open is no error, one that cannot be is. */
static int action_close(int fd)
{
	const int ret = call_result(syscall(SYS_close, fd));

	return ret != 0 && (fd < 0 || (rlim_t)fd >= descriptor_limit()) ? ret : 0;
}

static int action_closefrom(int from)
{
	if (syscall(SYS_close_range, from, UINT_MAX, 0) == 0) {
		return 0;
	}
	for (rlim_t fd = (rlim_t)from; fd < descriptor_limit(); fd++) {
		(void)syscall(SYS_close, fd);
	}
	return 0;
}

/* A descriptor onto itself: it stays open in the program. */
static int action_keep(int fd)
{
	const int flags = call_result(syscall(SYS_fcntl, fd, F_GETFD));

	return flags < 0 ? flags : call_result(syscall(SYS_fcntl, fd, F_SETFD, flags & ~FD_CLOEXEC));
}

static int action_dup2(int from, int to)
{
	const int ret = from == to ? action_keep(to) : call_result(syscall(SYS_dup2, from, to));

	return ret < 0 ? ret : 0;
}

static int action_open(const struct action *action)
{
	int fd;
	int ret;

	(void)syscall(SYS_close, action->open.fd);
	fd = call_result(syscall(SYS_open, action->open.path, action->open.flags, action->open.mode));
	if (fd < 0 || fd == action->open.fd) {
		return fd < 0 ? fd : 0;
	}
	ret = action_dup2(fd, action->open.fd);
	return ret != 0 ? ret : call_result(syscall(SYS_close, fd));
}

static int action_tcsetpgrp(const struct child *child, int fd)
{
	pid_t group = has_flag(child, POSIX_SPAWN_SETPGROUP) ? child->attributes->__pgrp : 0;

	if (group == 0) {
		group = (pid_t)syscall(SYS_getpgid, 0);
	}
	return call_result(syscall(SYS_ioctl, fd, TIOCSPGRP, &group));
}

static int action_apply(const struct child *child, const struct action *action)
{
	switch (action->tag) {
	case ACTION_CLOSE:
		return action_close(action->fd);
	case ACTION_DUP2:
		return action_dup2(action->dup2.from, action->dup2.to);
	case ACTION_OPEN:
		return action_open(action);
	case ACTION_CHDIR:
		return call_result(syscall(SYS_chdir, action->path));
	case ACTION_FCHDIR:
		return call_result(syscall(SYS_fchdir, action->fd));
	case ACTION_CLOSEFROM:
		return action_closefrom(action->fd);
	default:
		return action_tcsetpgrp(child, action->fd);
	}
}

static int child_run(const struct child *child)
{
	int ret;

	child_mask_set(~(kmem_sigmask)0);
	for (int signo = 1; signo <= SIGNALS; signo++) {
		child_signal_reset(child, signo);
	}
	ret = child_attributes_apply(child);
	for (size_t i = 0; ret == 0 && i < child->action_count; i++) {
		ret = action_apply(child, &child->actions[i]);
	}
	if (ret != 0) {
		return ret;
	}
	child_mask_set(has_flag(child, POSIX_SPAWN_SETSIGMASK) ? mask_of(&child->attributes->__ss) : child->mask);
	return kmem_exec_run(&child->exec);
}

static int child_main(void *arg)
{
	struct child *child = arg;

	child->error = -child_run(child);
	(void)syscall(SYS_exit_group, STATUS_FAILED);
	__builtin_unreachable();
}

/* What is known of the C library. */

/* Whether a list made by the C library's functions reads as this file takes it. */
static bool list_is_as_known(void)
{
	posix_spawn_file_actions_t list;
	const struct action *actions;
	bool is_known;

	if (posix_spawn_file_actions_init(&list) != 0) {
		return false;
	}
	is_known = posix_spawn_file_actions_addopen(&list, 5, "path", O_APPEND, 0640) == 0 &&
		   posix_spawn_file_actions_adddup2(&list, 6, 7) == 0 && posix_spawn_file_actions_addclose(&list, 8) == 0 &&
		   posix_spawn_file_actions_addchdir_np(&list, "directory") == 0 &&
		   posix_spawn_file_actions_addfchdir_np(&list, 9) == 0 && list.__used == 5;
	if (is_known) {
		actions = (const struct action *)list.__actions;
		is_known = actions[0].tag == ACTION_OPEN && actions[0].open.fd == 5 && strcmp(actions[0].open.path, "path") == 0 &&
			   actions[0].open.flags == O_APPEND && actions[0].open.mode == 0640 && actions[1].tag == ACTION_DUP2 &&
			   actions[1].dup2.from == 6 && actions[1].dup2.to == 7 && actions[2].tag == ACTION_CLOSE &&
			   actions[2].fd == 8 && actions[3].tag == ACTION_CHDIR && strcmp(actions[3].path, "directory") == 0 &&
			   actions[4].tag == ACTION_FCHDIR && actions[4].fd == 9;
	}
	(void)posix_spawn_file_actions_destroy(&list);
	return is_known;
}

static bool list_can_be_read(void)
{
	enum { UNTRIED, KNOWN, UNKNOWN };
	static _Atomic int known;

	if (atomic_load(&known) == UNTRIED) {
		atomic_store(&known, list_is_as_known() ? KNOWN : UNKNOWN);
	}
	return atomic_load(&known) == KNOWN;
}

static bool is_known(const posix_spawn_file_actions_t *list, const posix_spawnattr_t *attributes)
{
	const struct action *actions;

	if (attributes != NULL && (attributes->__flags & ~FLAGS_KNOWN) != 0) {
		return false;
	}
	if (list == NULL || list->__used == 0) {
		return true;
	}
	actions = (const struct action *)list->__actions;
	for (int i = 0; i < list->__used; i++) {
		if (actions[i].tag < ACTION_CLOSE || actions[i].tag > ACTION_TCSETPGRP) {
			return false;
		}
	}
	return list_can_be_read();
}

/* The parent. */

static const struct action *actions_copy(struct kmem_resident *resident, const struct action *actions, size_t count)
{
	struct action *copies = kmem_resident_take(resident, count * sizeof(*copies));

	for (size_t i = 0; i < count; i++) {
		struct action action = actions[i];

		if (action.tag == ACTION_OPEN) {
			action.open.path = kmem_resident_string(resident, action.open.path);
		} else if (action.tag == ACTION_CHDIR) {
			action.path = kmem_resident_string(resident, action.path);
		}
		if (copies != NULL) {
			copies[i] = action;
		}
	}
	return copies;
}

/* Attributes are copied wherever they lie: the child also reads those that were not given. */
static const posix_spawnattr_t *attributes_copy(struct kmem_resident *resident, const posix_spawnattr_t *attributes)
{
	posix_spawnattr_t *copy = kmem_resident_take(resident, sizeof(*copy));

	if (copy != NULL) {
		memset(copy, 0, sizeof(*copy));
		if (attributes != NULL) {
			*copy = *attributes;
		}
	}
	return copy;
}

static void child_copy(struct child *child, struct kmem_resident *resident, const posix_spawn_file_actions_t *list,
		       const posix_spawnattr_t *attributes)
{
	child->attributes = attributes_copy(resident, attributes);
	if (list != NULL && list->__used > 0) {
		child->action_count = (size_t)list->__used;
		child->actions = actions_copy(resident, (const struct action *)list->__actions, child->action_count);
	}
	kmem_exec_copy(&child->exec, resident);
}

static void wishes_get(struct child *child)
{
	static const int owned[] = {SIGSEGV, SIGBUS, SIGSYS};

	(void)kmem_signals_mask(SIG_BLOCK, NULL, &child->mask);
	child->ignored = 0;
	for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++) {
		if (kmem_signals_is_ignored(owned[i])) {
			child->ignored |= BIT(owned[i]);
		}
	}
}

static void child_reap(pid_t pid)
{
	while (syscall(SYS_wait4, pid, NULL, 0, NULL) == -1 && errno == EINTR) {
	}
}

/* Make the child, and wait until it has become the program. 0, or an error number. */
static int child_start(struct child *child, pid_t *pid)
{
	kmem_sigmask saved;
	int state;
	int error;

	wishes_get(child);
	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	kmem_signals_block(&saved);
	child->error = 0;
	*pid = clone(child_main, child, CLONE_VM | CLONE_VFORK | SIGCHLD, child);
	error = *pid < 0 ? errno : *(volatile int *)&child->error;
	if (*pid > 0 && error != 0) {
		child_reap(*pid);
	}
	kmem_signals_restore(&saved);
	(void)pthread_setcancelstate(state, NULL);
	return error;
}

/* The C library's own, which knows what this file does not. */
static int spawn_unknown(pid_t *pid, const struct child *wanted, const posix_spawn_file_actions_t *list,
			 const posix_spawnattr_t *attributes)
{
	__typeof__(&posix_spawn) function = wanted->exec.search != NULL ? KMEM_NEXT(posix_spawnp) : KMEM_NEXT(posix_spawn);

	return function != NULL ? function(pid, wanted->exec.file, list, attributes, wanted->exec.argv, wanted->exec.envp) : ENOSYS;
}

static int spawn(pid_t *pid_at, const struct kmem_exec *exec, const posix_spawn_file_actions_t *list,
		 const posix_spawnattr_t *attributes)
{
	const struct child wanted = {.exec = *exec};
	struct child counted = wanted;
	struct kmem_resident resident = {.base = NULL};
	struct child *child;
	void *block;
	size_t size;
	pid_t pid;
	int error;

	if (!is_known(list, attributes)) {
		return spawn_unknown(pid_at, &wanted, list, attributes);
	}
	child_copy(&counted, &resident, list, attributes);
	if (resident.used > BLOCK_MAX) {
		return E2BIG;
	}
	size = kmem_host_page_round(STACK_SIZE + sizeof(*child) + resident.used);
	if (kmem_host_memory_get(&block, size) != 0) {
		return ENOMEM;
	}
	child = (struct child *)((unsigned char *)block + STACK_SIZE);
	resident = (struct kmem_resident){.base = (unsigned char *)(child + 1), .size = resident.used};
	*child = wanted;
	child_copy(child, &resident, list, attributes);
	error = child->attributes != NULL && (child->action_count == 0 || child->actions != NULL) ? child_start(child, &pid) : EINVAL;
	kmem_host_memory_free(block, size);
	if (error == 0 && pid_at != NULL) {
		*pid_at = pid;
	}
	return error;
}

/* errno stays as it is, as far as success goes. */
static int spawn_quietly(pid_t *pid, const struct kmem_exec *exec, const posix_spawn_file_actions_t *list,
			 const posix_spawnattr_t *attributes)
{
	const int saved = errno;
	const int error = spawn(pid, exec, list, attributes);

	errno = saved;
	return error;
}

EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *list, const posix_spawnattr_t *attributes,
		       char *const argv[], char *const envp[])
{
	const struct kmem_exec exec = {.fd = AT_FDCWD, .file = path, .argv = argv, .envp = envp};

	return spawn_quietly(pid, &exec, list, attributes);
}

EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *list, const posix_spawnattr_t *attributes,
			char *const argv[], char *const envp[])
{
	const struct kmem_exec exec = {
		.fd = AT_FDCWD,
		.file = file,
		.argv = argv,
		.envp = envp,
		.search = kmem_exec_search(file),
	};

	return spawn_quietly(pid, &exec, list, attributes);
}
