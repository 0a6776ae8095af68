/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing the result, so that it is there whole or not at all.
 *
 * The bytes go to a temporary file beside the target, which is given the target's name at the very end. Until then the
 * temporary is removed whenever the program ends: output_abandon() is called by die(), by the handler of fatal errors of
 * the library, and by the handler of the signals with which users end programs; a store's file goes with it. What cannot be replaced (standard
 * output, a FIFO, a device) is written to directly, once sorting has succeeded.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "line_sort.h"

static const int ending_signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
#define ENDING_SIGNAL_COUNT (sizeof(ending_signals) / sizeof(ending_signals[0]))

static struct {
	const char *path; /* as the user calls it, for messages */
	int fd;
	size_t used; /* bytes in the bounce buffer */
	char target[PATH_MAX];
	char temporary[PATH_MAX];
	volatile sig_atomic_t has_temporary; /* the file called temporary is ours, and is there */
	const char *store_file; /* NULL: none */
} output;

static char bounce[BOUNCE_SIZE];

void output_store_file(const char *path)
{
	output.store_file = path;
}

void output_abandon(void)
{
	if (output.store_file != NULL) {
		unlink(output.store_file);
	}
	if (output.has_temporary) {
		output.has_temporary = 0;
		unlink(output.temporary);
	}
}

static void signal_handle(int signo)
{
	output_abandon();
	raise(signo); /* SA_RESETHAND: ends the program when the handler returns */
}

/* Clean up when the user ends the program; leave alone what is ignored (nohup). */
static void signals_catch(void)
{
	struct sigaction action = {.sa_handler = signal_handle, .sa_flags = (int)SA_RESETHAND};
	struct sigaction old;

	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < ENDING_SIGNAL_COUNT; i++) {
		if (sigaction(ending_signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
			sigaction(ending_signals[i], &action, NULL);
		}
	}
	/* A limit on file sizes shall be an error of write(), here and in the store. */
	signal(SIGXFSZ, SIG_IGN);
}

/* Create the temporary, with no signal between its creation and the note of it. Returns 0 or -errno. */
static int temporary_create(void)
{
	sigset_t ending, saved;
	int error = 0;

	sigemptyset(&ending);
	for (size_t i = 0; i < ENDING_SIGNAL_COUNT; i++) {
		sigaddset(&ending, ending_signals[i]);
	}
	sigprocmask(SIG_BLOCK, &ending, &saved);
	output.fd = mkstemp(output.temporary);
	if (output.fd >= 0) {
		output.has_temporary = 1;
	} else {
		error = -errno;
	}
	sigprocmask(SIG_SETMASK, &saved, NULL);
	return error;
}

/* The permissions that the target has, or that a new file gets. */
static mode_t target_mode(const struct stat *status)
{
	mode_t mask;

	if (status != NULL) {
		return status->st_mode & 0777;
	}
	mask = umask(0);
	umask(mask);
	return 0666 & ~mask;
}

/* Write beside a target that is a file (status), or not there yet (NULL). */
static void target_open(const struct stat *status)
{
	int length;
	int error;

	if (status == NULL) {
		length = snprintf(output.target, sizeof(output.target), "%s", output.path);
		if (length < 0 || (size_t)length >= sizeof(output.target)) {
			die("%s: %s", output.path, strerror(ENAMETOOLONG));
		}
	} else if (realpath(output.path, output.target) == NULL) { /* a symbolic link shall stay one */
		die("%s: %s", output.path, strerror(errno));
	}
	length = snprintf(output.temporary, sizeof(output.temporary), "%s.XXXXXX", output.target);
	if (length < 0 || (size_t)length >= sizeof(output.temporary)) {
		die("%s: %s", output.path, strerror(ENAMETOOLONG));
	}
	error = temporary_create();
	if (error != 0) {
		die("%s: cannot create a file beside it: %s", output.path, strerror(-error));
	}
	if (fchmod(output.fd, target_mode(status)) != 0) {
		die("%s: %s", output.path, strerror(errno));
	}
}

void output_open(const char *path)
{
	struct stat status;

	signals_catch();
	output.path = path == NULL ? "standard output" : path;
	if (path == NULL) {
		output.fd = STDOUT_FILENO;
		return;
	}
	if (stat(path, &status) != 0) {
		if (errno != ENOENT) {
			die("%s: %s", path, strerror(errno));
		}
		target_open(NULL);
	} else if (S_ISDIR(status.st_mode)) {
		die("%s: is a directory", path);
	} else if (S_ISREG(status.st_mode)) {
		target_open(&status);
	} else {
		output.fd = open(path, O_WRONLY | O_CLOEXEC);
		if (output.fd < 0) {
			die("%s: %s", path, strerror(errno));
		}
	}
}

static void bounce_flush(void)
{
	size_t done = 0;

	while (done < output.used) {
		ssize_t put = write(output.fd, bounce + done, output.used - done);

		if (put >= 0) {
			done += (size_t)put;
		} else if (errno != EINTR) {
			die("%s: %s", output.path, strerror(errno));
		}
	}
	output.used = 0;
}

/* Write bytes that may lie in paged memory. */
void output_write(const char *bytes, size_t size)
{
	while (size > 0) {
		size_t room = sizeof(bounce) - output.used;
		size_t part = size < room ? size : room;

		memcpy(bounce + output.used, bytes, part);
		output.used += part;
		bytes += part;
		size -= part;
		if (output.used == sizeof(bounce)) {
			bounce_flush();
		}
	}
}

/* Everything is written: make it the target. */
void output_commit(void)
{
	bounce_flush();
	if (close(output.fd) != 0) {
		die("%s: %s", output.path, strerror(errno));
	}
	if (output.has_temporary && rename(output.temporary, output.target) != 0) {
		die("%s: %s", output.path, strerror(errno));
	}
	output.has_temporary = 0;
}
