/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports: when they are written, and where.
 *
 * Theory of operation. The process that booted writes a report when it shuts down, ends, or dies of a fatal error, and, where the
 * settings say so, at a signal and at an interval. Preloaded programs are many: every process of theirs writes its own, also the children
 * of a fork, which count anew; one in a file has the process's id in its name. The first report of a program replaces what is at the
 * path, the others are appended, so that a process that becomes another program by exec begins anew.
 *
 * Reports on a descriptor. An ordinary program owns its descriptors: it may close standard error before the report at exit (the
 * C library's users that look after their output do), or open another file in its place, which no report may end up in. So a preloaded
 * process keeps a descriptor of its own for what standard error, or fd:N, was at the start. Children of a fork would keep a pipe open
 * that a daemon means to leave: they give it up, and write where the descriptor still is what it was.
 *
 * Locks. The report lock is held over a whole report, outside all others, with signals blocked: no handler, and so no jump out of one,
 * comes in between. Whoever holds the kernel's locks, or is in a report, writes none: both are faults of libkmem itself.
 */
#include "kernel/report.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "host/clock.h"
#include "host/descriptor.h"
#include "host/file.h"
#include "host/helper.h"
#include "host/lock.h"
#include "host/log.h"
#include "host/process.h"
#include "host/signals.h"
#include "host/thread.h"
#include "kernel/kernel.h"
#include "kernel/stats.h"
#include "kernel/thread.h"

#define STDERR 2

/* What the kernel says of a program's name, with its NUL. */
#define NAME_SIZE 16

static struct {
	struct kmem_lock lock; /* outside all others */

	/* constant after init, but in the child of a fork */
	int kept;                                /* second descriptor of stats_fd; -1: none */
	int kept_error;                          /* of standard error, for what goes wrong */
	struct kmem_host_file_identity identity; /* of stats_fd, at the start */
	struct sigaction former;                 /* of stats_signal */
	bool is_path_plain; /* no process id in it: a device or a pipe */
	bool is_absent;     /* the descriptor was not there at the start, or another file: there are no reports */

	/* guarded by the lock */
	uint64_t start_ns;
	_Atomic bool is_ended; /* the last report has been written */
	bool is_begun;    /* a report has been written to the path */
	bool is_told;     /* that reports cannot be written */
} state = {.kept = -1, .kept_error = -1};

static bool interval_tick(void);
static struct kmem_helper interval = {.tick = interval_tick};

/* ---- where ---- */

/* Append to a text of `size` bytes; longer ones are cut. */
static size_t put(char *text, size_t size, size_t used, const char *piece, size_t length)
{
	if (length > size - 1 - used) {
		length = size - 1 - used;
	}
	memcpy(text + used, piece, length);
	text[used + length] = '\0';
	return used + length;
}

/* Where the extension of a path begins, or its end. */
static const char *extension(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	const char *dot = strrchr(name, '.');

	return dot != NULL && dot != name ? dot : path + strlen(path);
}

/* The path of this process's reports: %p is its id, and where that is missing but needed it comes before the extension. */
static void path_make(char *path, size_t size)
{
	const char *given = kmem_kernel.settings.stats_path;
	const char *mark;
	char pid[16];
	int pid_length = kmem_format(pid, sizeof(pid), "%d", kmem_process_id());
	size_t used = 0;

	if (strstr(given, "%p") == NULL) {
		const char *end = kmem_kernel.is_preloaded && !state.is_path_plain ? extension(given) : given + strlen(given);

		used = put(path, size, used, given, (size_t)(end - given));
		if (kmem_kernel.is_preloaded && !state.is_path_plain) {
			used = put(path, size, used, ".", 1);
			used = put(path, size, used, pid, (size_t)pid_length);
		}
		(void)put(path, size, used, end, strlen(end));
		return;
	}
	while ((mark = strstr(given, "%p")) != NULL) {
		used = put(path, size, used, given, (size_t)(mark - given));
		used = put(path, size, used, pid, (size_t)pid_length);
		given = mark + strlen("%p");
	}
	(void)put(path, size, used, given, strlen(given));
}

static bool is_same(const struct kmem_host_file_identity *a, const struct kmem_host_file_identity *b)
{
	return a->device == b->device && a->inode == b->inode;
}

/* The descriptor to write to, which stays open: stats_fd as it was at the start. */
static int descriptor_get(void)
{
	const int fd = kmem_kernel.settings.stats_fd;
	struct kmem_host_file_identity now;
	int ret;

	if (!kmem_kernel.is_preloaded) {
		return fd;
	}
	if (state.kept >= 0) {
		return state.kept;
	}
	ret = kmem_host_file_identify(fd, &now);
	if (ret != 0) {
		return ret;
	}
	return is_same(&now, &state.identity) ? fd : -EBADF;
}

/* ---- writing ---- */

/* What an error means where a report goes. */
static const char *failure_text(int error)
{
	switch (error) {
	case ENXIO:
		return ", nobody reads this pipe";
	case EPIPE:
		return ", nobody reads this pipe any more";
	case EAGAIN:
		return ", whoever reads this pipe has stopped";
	default:
		return "";
	}
}

/* Once a process: where the report goes nowhere, the program must not suffer for it. */
static void failure_tell(const char *path, int error)
{
	struct kmem_out out = {.fd = state.kept_error >= 0 ? state.kept_error : STDERR};

	if (state.is_told) {
		return;
	}
	state.is_told = true;
	kmem_out(&out, "kmem: error: the report cannot be written to %.400s: %s%s\n", path, kmem_error_name(error), failure_text(error));
	(void)kmem_out_finish(&out);
}

static int print_to(int fd, const char *event)
{
	char program[NAME_SIZE];
	const struct kmem_report_head head = {
		.event = event,
		.program = program,
		.pid = kmem_process_id(),
		.elapsed_ns = kmem_clock_ns() - state.start_ns,
		.helper = kmem_helper_thread(&interval),
	};

	kmem_process_name(program, sizeof(program));
	return kmem_report_full_print(fd, kmem_kernel.settings.is_stats_json, kmem_kernel.settings.has_stats_threads, &head);
}

/* Report lock held. */
static void write_report(const char *event)
{
	char path[KMEM_CONFIG_PATH_SIZE];
	int fd;
	int ret;

	if (kmem_kernel.settings.stats_fd >= 0) {
		(void)kmem_format(path, sizeof(path), "%s", strcmp(kmem_kernel.settings.stats_path, "-") == 0 ? "standard error"
														 : kmem_kernel.settings.stats_path);
		fd = descriptor_get();
	} else {
		path_make(path, sizeof(path));
		fd = state.is_begun ? kmem_host_file_report_more(path) : kmem_host_file_report(path);
		state.is_begun = state.is_begun || fd >= 0;
	}
	ret = fd < 0 ? fd : print_to(fd, event);
	if (ret == -EPIPE) {
		kmem_signals_discard(SIGPIPE);
	}
	if (ret != 0) {
		failure_tell(path, -ret);
	}
	if (fd >= 0 && kmem_kernel.settings.stats_fd < 0) {
		kmem_host_file_close(fd);
	}
}

/* Whether this process writes reports: the child of a vfork(), whose memory this is, too, does not. */
static bool is_wanted(void)
{
	const int pid = kmem_process_id();

	return kmem_is_booted() && kmem_kernel.settings.stats_path != NULL && !state.is_absent && atomic_load(&kmem_kernel.pid) == pid &&
	       (kmem_kernel.is_preloaded || kmem_kernel.boot_pid == pid) && kmem_thread_self()->locks == 0 &&
	       !kmem_lock_is_held(&state.lock);
}

static void lock_acquire(kmem_sigmask *saved)
{
	kmem_signals_block(saved);
	kmem_lock_acquire_outer(&state.lock);
}

static void lock_release(const kmem_sigmask *saved)
{
	kmem_lock_release_outer(&state.lock);
	kmem_signals_restore(saved);
}

static void report(const char *event, bool is_last)
{
	kmem_sigmask saved;

	if (!is_wanted()) {
		return;
	}
	lock_acquire(&saved);
	if (!state.is_ended) {
		state.is_ended = is_last;
		write_report(event);
	}
	lock_release(&saved);
}

void kmem_report_exit(void)
{
	report("exit", true);
}

void kmem_report_fatal(void)
{
	report("fatal error", true);
}

/* ---- on a signal, and at an interval ---- */

static void signal_handle(int signo, siginfo_t *info, void *ucontext)
{
	const int saved = errno;

	(void)signo;
	(void)info;
	(void)ucontext;
	report("signal", false);
	errno = saved;
}

static bool interval_tick(void)
{
	report("interval", false);
	return kmem_is_booted() && !state.is_ended;
}

static int signal_start(void)
{
	struct sigaction action = {.sa_sigaction = signal_handle, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};

	memset(&action.sa_mask, 0xff, sizeof(action.sa_mask));
	return kmem_signals_action(kmem_kernel.settings.stats_signal, &action, &state.former);
}

/* In the child of a fork, whose parent's thread is not there. The child goes on without, if it must. */
static void interval_restart(void)
{
	if (is_wanted() && kmem_kernel.settings.stats_interval_ms != 0 && !state.is_ended) {
		(void)kmem_helper_start(&interval);
	}
}

static int interval_start(void)
{
	static bool is_registered;

	if (kmem_kernel.is_preloaded && !is_registered) {
		is_registered = true;
		kmem_process_at_fork(NULL, NULL, interval_restart);
	}
	interval.period_ms = kmem_kernel.settings.stats_interval_ms;
	return kmem_helper_start(&interval);
}

int kmem_report_start(void)
{
	int ret = 0;

	if (!is_wanted()) {
		return 0;
	}
	if (kmem_kernel.settings.stats_signal != 0) {
		ret = signal_start();
	}
	if (ret != 0) {
		kmem_log(KMEM_LOG_ERROR, "signal %d cannot be had for reports: %s", kmem_kernel.settings.stats_signal, kmem_error_name(-ret));
		return ret;
	}
	if (kmem_kernel.settings.stats_interval_ms != 0) {
		ret = interval_start();
	}
	if (ret != 0) {
		kmem_log(KMEM_LOG_ERROR, "no thread for reports every %u ms: %s", kmem_kernel.settings.stats_interval_ms, kmem_error_name(-ret));
	}
	return ret;
}

/* The signal becomes the program's again, unless it has taken it itself. */
static void signal_stop(void)
{
	const int signo = kmem_kernel.settings.stats_signal;
	struct sigaction present;

	if (kmem_signals_action(signo, NULL, &present) == 0 && present.sa_sigaction == signal_handle) {
		(void)kmem_signals_action(signo, &state.former, NULL);
	}
}

void kmem_report_shutdown(void)
{
	const bool is_ours = is_wanted();

	report("shutdown", true);
	if (is_ours && kmem_kernel.settings.stats_signal != 0) {
		signal_stop();
	}
	if (is_ours && kmem_kernel.settings.stats_interval_ms != 0) {
		kmem_helper_stop(&interval);
	}
}

/* ---- begin ---- */

static void kept_close(void)
{
	if (state.kept >= 0) {
		kmem_host_file_close(state.kept);
	}
	if (state.kept_error >= 0) {
		kmem_host_file_close(state.kept_error);
	}
	state.kept = -1;
	state.kept_error = -1;
}

/* A preloaded process, which may have been started by a program that has other uses for this descriptor. */
static void descriptor_init(const struct kmem_settings *settings)
{
	const struct kmem_host_file_identity any = {.device = 0};

	state.is_absent = kmem_host_file_identify(settings->stats_fd, &state.identity) != 0 ||
			  (!is_same(&settings->stats_fd_identity, &any) && !is_same(&settings->stats_fd_identity, &state.identity));
	if (!state.is_absent) {
		state.kept = kmem_descriptor_duplicate(settings->stats_fd);
	} else {
		kmem_log(KMEM_LOG_INFO, "no reports: descriptor %d is not what it was when kmem-run began", settings->stats_fd);
	}
}

void kmem_report_init(void)
{
	const struct kmem_settings *settings = &kmem_kernel.settings;

	state.start_ns = kmem_clock_ns();
	state.is_ended = false;
	state.is_begun = false;
	state.is_told = false;
	state.is_absent = false;
	if (!kmem_kernel.is_preloaded || settings->stats_path == NULL) {
		return;
	}
	if (settings->stats_fd >= 0) {
		descriptor_init(settings);
	} else {
		state.is_path_plain = kmem_host_file_is_special(settings->stats_path);
	}
	if (settings->stats_fd != STDERR) {
		state.kept_error = kmem_descriptor_duplicate(STDERR);
	}
}

void kmem_report_forked(void)
{
	/* A thread of the parent's may have held it. */
	state.lock = (struct kmem_lock){.word = 0};
	kmem_helper_forked(&interval);
	if (!kmem_kernel.is_preloaded) {
		return;
	}
	kept_close();
	state.start_ns = kmem_clock_ns();
	state.is_ended = false;
	state.is_begun = false;
	state.is_told = false;
	kmem_stats_reset();
	kmem_thread_ended_reset();
	if (kmem_report_source != NULL) {
		kmem_report_source->reset();
	}
}
