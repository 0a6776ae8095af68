/* SPDX-License-Identifier: Apache-2.0 */
/*
 * system() and popen(), made anew over posix_spawn() (spawn.c): the C library's reach its own posix_spawn(), whose child does not
 * survive a page that is out.
 *
 * A *pipe stream* is an ordinary one over a pipe, with a record of its child beside. pclose(), and fclose() as well, close it and wait
 * for the child; streams without a record are the C library's. In a new child the parent's ends of earlier pipe streams are closed.
 *
 * Locks: `shells.lock` guards how many system() calls are at work, and what SIGINT and SIGQUIT are to become again; `streams.lock` the
 * list of pipe streams, also while a child is made, so that none of them closes meanwhile. Neither is held while waiting for a
 * child's end.
 */
#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/next.h"
#include "preload/preload.h"

#define EXPORT __attribute__((visibility("default")))

/* What a shell ends with that cannot be started. */
#define STATUS_NO_SHELL W_EXITCODE(127, 0)

static char *const *shell_vector(const char *vector[4], const char *command)
{
	vector[0] = "sh";
	vector[1] = "-c";
	vector[2] = command;
	vector[3] = NULL;
	return (char *const *)(uintptr_t)vector;
}

/* system() */

static struct {
	pthread_mutex_t lock;

	/* guarded by the lock */
	unsigned int count;
	struct sigaction interrupt, quit; /* before the first of them */
} shells = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct shell {
	pid_t pid;
	sigset_t mask; /* the caller's */
};

/* While a shell runs, SIGINT and SIGQUIT are its own, and SIGCHLD is not told. */
static void shell_enter(struct shell *shell)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t mask;

	(void)pthread_mutex_lock(&shells.lock);
	if (shells.count++ == 0) {
		(void)sigaction(SIGINT, &ignore, &shells.interrupt);
		(void)sigaction(SIGQUIT, &ignore, &shells.quit);
	}
	(void)pthread_mutex_unlock(&shells.lock);
	(void)sigemptyset(&mask);
	(void)sigaddset(&mask, SIGCHLD);
	(void)pthread_sigmask(SIG_BLOCK, &mask, &shell->mask);
}

static void shell_leave(const struct shell *shell)
{
	(void)pthread_mutex_lock(&shells.lock);
	if (--shells.count == 0) {
		(void)sigaction(SIGINT, &shells.interrupt, NULL);
		(void)sigaction(SIGQUIT, &shells.quit, NULL);
	}
	(void)pthread_mutex_unlock(&shells.lock);
	(void)pthread_sigmask(SIG_SETMASK, &shell->mask, NULL);
}

static pid_t wait_uncancelled(pid_t pid, int *status)
{
	pid_t ret;
	int state;

	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	do {
		ret = waitpid(pid, status, 0);
	} while (ret == -1 && errno == EINTR);
	(void)pthread_setcancelstate(state, NULL);
	return ret;
}

/* The caller is cancelled while it waits: its shell goes first. */
static void shell_cancel(void *arg)
{
	const struct shell *shell = arg;

	(void)kill(shell->pid, SIGKILL);
	(void)wait_uncancelled(shell->pid, NULL);
	shell_leave(shell);
}

/* 0, or an error number. */
static int shell_start(struct shell *shell, const char *command)
{
	posix_spawnattr_t attributes;
	const char *vector[4];
	sigset_t defaults;
	int error;

	(void)sigemptyset(&defaults);
	(void)pthread_mutex_lock(&shells.lock);
	if (shells.interrupt.sa_handler != SIG_IGN) {
		(void)sigaddset(&defaults, SIGINT);
	}
	if (shells.quit.sa_handler != SIG_IGN) {
		(void)sigaddset(&defaults, SIGQUIT);
	}
	(void)pthread_mutex_unlock(&shells.lock);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setsigmask(&attributes, &shell->mask);
	(void)posix_spawnattr_setsigdefault(&attributes, &defaults);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	error = posix_spawn(&shell->pid, _PATH_BSHELL, NULL, &attributes, shell_vector(vector, command), environ);
	(void)posix_spawnattr_destroy(&attributes);
	return error;
}

static int shell_run(const char *command)
{
	struct shell shell;
	pid_t pid = 0;
	int status = STATUS_NO_SHELL;
	int error;

	shell_enter(&shell);
	error = shell_start(&shell, command);
	if (error == 0) {
		pthread_cleanup_push(shell_cancel, &shell);
		do {
			pid = waitpid(shell.pid, &status, 0);
		} while (pid == -1 && errno == EINTR);
		error = errno;
		pthread_cleanup_pop(0);
		if (pid != shell.pid) {
			status = -1;
		}
	}
	shell_leave(&shell);
	if (status == -1 || pid == 0) {
		errno = error;
	}
	return status;
}

EXPORT int system(const char *command)
{
	return command == NULL ? shell_run("exit 0") == 0 : shell_run(command);
}

/* popen() */

struct pipe_stream {
	struct pipe_stream *next;
	FILE *file;
	int fd;
	pid_t pid;
};

static struct {
	pthread_mutex_t lock;
	_Atomic bool is_used; /* ever; a program without pipe streams never takes the lock */

	/* guarded by the lock */
	struct pipe_stream *first;
} streams = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct mode {
	bool is_reading, is_writing, is_closed_on_exec;
};

static bool mode_parse(struct mode *mode, const char *text)
{
	*mode = (struct mode){.is_reading = false};
	for (; *text != '\0'; text++) {
		switch (*text) {
		case 'r':
			mode->is_reading = true;
			break;
		case 'w':
			mode->is_writing = true;
			break;
		case 'e':
			mode->is_closed_on_exec = true;
			break;
		default:
			return false;
		}
	}
	return mode->is_reading != mode->is_writing;
}

/* What happens to descriptors in the child: its end becomes `target`; those of earlier pipe streams are closed. Lock held. */
static int stream_actions(posix_spawn_file_actions_t *actions, int end, int target)
{
	int error = posix_spawn_file_actions_adddup2(actions, end, target);

	for (const struct pipe_stream *stream = streams.first; stream != NULL && error == 0; stream = stream->next) {
		if (stream->fd != target) {
			error = posix_spawn_file_actions_addclose(actions, stream->fd);
		}
	}
	return error;
}

/* Start the child at one end of a pipe. Lock held. 0, or an error number. */
static int stream_spawn(struct pipe_stream *stream, const char *command, int end, int target)
{
	posix_spawn_file_actions_t actions;
	const char *vector[4];
	int error = posix_spawn_file_actions_init(&actions);

	if (error != 0) {
		return error;
	}
	error = stream_actions(&actions, end, target);
	if (error == 0) {
		error = posix_spawn(&stream->pid, _PATH_BSHELL, &actions, NULL, shell_vector(vector, command), environ);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return error;
}

static void stream_add(struct pipe_stream *stream)
{
	stream->next = streams.first;
	streams.first = stream;
	atomic_store(&streams.is_used, true);
}

/* Both ends close on exec until the child runs: another thread may start a program at any time. 0, or an error number. */
static int stream_open(struct pipe_stream *stream, const char *command, struct mode mode)
{
	int ends[2];
	int error;

	if (pipe2(ends, O_CLOEXEC) != 0) {
		return errno;
	}
	stream->fd = mode.is_reading ? ends[0] : ends[1];
	stream->file = fdopen(stream->fd, mode.is_reading ? "r" : "w");
	if (stream->file == NULL) {
		error = errno;
		(void)close(ends[0]);
		(void)close(ends[1]);
		return error;
	}
	(void)pthread_mutex_lock(&streams.lock);
	error = stream_spawn(stream, command, mode.is_reading ? ends[1] : ends[0], mode.is_reading ? STDOUT_FILENO : STDIN_FILENO);
	if (error == 0) {
		stream_add(stream);
	}
	(void)pthread_mutex_unlock(&streams.lock);
	(void)close(mode.is_reading ? ends[1] : ends[0]);
	if (error != 0) {
		(void)KMEM_NEXT(fclose)(stream->file);
	} else if (!mode.is_closed_on_exec) {
		(void)fcntl(stream->fd, F_SETFD, 0);
	}
	return error;
}

EXPORT FILE *popen(const char *command, const char *text)
{
	const int saved = errno;
	struct pipe_stream *stream;
	struct mode mode;
	int error;

	if (!mode_parse(&mode, text)) {
		errno = EINVAL;
		return NULL;
	}
	stream = malloc(sizeof(*stream));
	if (stream == NULL) {
		return NULL;
	}
	error = stream_open(stream, command, mode);
	if (error != 0) {
		free(stream);
		errno = error;
		return NULL;
	}
	errno = saved;
	return stream->file;
}

/* The record of a pipe stream, taken out of the list; NULL for other streams. */
static struct pipe_stream *stream_remove(const FILE *file)
{
	struct pipe_stream *found = NULL;

	if (!atomic_load(&streams.is_used)) {
		return NULL;
	}
	(void)pthread_mutex_lock(&streams.lock);
	for (struct pipe_stream **at = &streams.first; *at != NULL; at = &(*at)->next) {
		if ((*at)->file == file) {
			found = *at;
			*at = found->next;
			break;
		}
	}
	(void)pthread_mutex_unlock(&streams.lock);
	return found;
}

/* The status of the child, or -1. */
static int stream_close(struct pipe_stream *stream)
{
	const pid_t pid = stream->pid;
	int status;

	(void)KMEM_NEXT(fclose)(stream->file);
	free(stream);
	return wait_uncancelled(pid, &status) == pid ? status : -1;
}

EXPORT int pclose(FILE *file)
{
	struct pipe_stream *stream = stream_remove(file);

	return stream != NULL ? stream_close(stream) : KMEM_NEXT(pclose)(file);
}

EXPORT int fclose(FILE *file)
{
	struct pipe_stream *stream = stream_remove(file);

	return stream != NULL ? stream_close(stream) : KMEM_NEXT(fclose)(file);
}
