/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration of the report: where it goes, in which form, and when.
 *
 * Whoever asks for one of its properties (threads, a signal, an interval) asks for the report as well: it goes to standard error then,
 * unless something says where. KMEM_STATS=0 is the last word: none.
 */
#include "kernel/config.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "host/env.h"
#include "host/file.h"
#include "host/log.h"

#define STDERR 2
#define DESCRIPTOR_PREFIX "fd:"
#define DESCRIPTORS_MAX (1UL << 20) /* more than any limit of open files that hosts have */
#define JSON_SUFFIX ".json"

static int fail(char *error, size_t error_size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int fail(char *error, size_t error_size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)kmem_vformat(error, error_size, format, args);
	va_end(args);
	return -EINVAL;
}

static bool ends_in(const char *text, const char *suffix)
{
	size_t length = strlen(text);
	size_t suffix_length = strlen(suffix);

	return length > suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

/* The number in front of a character, or of the end where that is '\0': behind it, NULL where there is none. */
static const char *number_before(const char *text, char end, size_t *number)
{
	size_t length = strcspn(text, "@:");
	char digits[24];

	if (text[length] != end || length >= sizeof(digits)) {
		return NULL;
	}
	memcpy(digits, text, length);
	digits[length] = '\0';
	if (strspn(digits, "0123456789") != length || kmem_size_parse(digits, number) != 0) {
		return NULL;
	}
	return text + length + (end != '\0' ? 1 : 0);
}

/*
 * "fd:N", or "fd:N@DEVICE:INODE" as kmem-run writes it for the programs that a program starts: their descriptor N may be another file,
 * or none.
 */
static int descriptor_apply(struct kmem_settings *settings, const char *name, const char *text, char *error, size_t error_size)
{
	const char *rest = text + strlen(DESCRIPTOR_PREFIX);
	const bool has_identity = strchr(rest, '@') != NULL;
	size_t fd = 0;
	size_t device = 0;
	size_t inode = 0;

	rest = number_before(rest, has_identity ? '@' : '\0', &fd);
	if (rest != NULL && has_identity) {
		rest = number_before(rest, ':', &device);
		rest = rest != NULL ? number_before(rest, '\0', &inode) : NULL;
	}
	if (rest == NULL || fd >= DESCRIPTORS_MAX) {
		return fail(error, error_size, "%s: \"%s\" is no descriptor such as fd:3; a file of that name is ./%s", name, text, text);
	}
	settings->stats_fd = (int)fd;
	settings->stats_fd_identity = (struct kmem_host_file_identity){.device = device, .inode = inode};
	(void)kmem_format(settings->stats_path_text, sizeof(settings->stats_path_text), DESCRIPTOR_PREFIX "%zu", fd);
	return 0;
}

int kmem_config_stats_path_apply(struct kmem_settings *settings, const char *name, const char *path, char *error, size_t error_size)
{
	settings->stats_path = settings->stats_path_text;
	settings->stats_fd = -1;
	settings->stats_fd_identity = (struct kmem_host_file_identity){.device = 0};
	settings->is_stats_json = ends_in(path, JSON_SUFFIX);
	if (strcmp(path, "-") == 0) {
		settings->stats_fd = STDERR;
		(void)kmem_format(settings->stats_path_text, sizeof(settings->stats_path_text), "-");
		return 0;
	}
	if (strncmp(path, DESCRIPTOR_PREFIX, strlen(DESCRIPTOR_PREFIX)) == 0) {
		return descriptor_apply(settings, name, path, error, error_size);
	}
	/* Absolute, since the program may change its directory before it is used for the last time. */
	if (kmem_host_path_absolute(path, settings->stats_path_text, sizeof(settings->stats_path_text)) != 0) {
		return fail(error, error_size, "%s: a path of %zu characters, %d are possible with its directory", name, strlen(path),
			    KMEM_CONFIG_PATH_SIZE - 1);
	}
	return 0;
}

static int format_apply(struct kmem_settings *settings, char *error, size_t error_size)
{
	const char *value = kmem_env_get("KMEM_STATS_FORMAT");

	if (value == NULL) {
		return 0;
	}
	if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0) {
		return fail(error, error_size, "KMEM_STATS_FORMAT=%s: must be json or text", value);
	}
	settings->is_stats_json = strcmp(value, "json") == 0;
	return 0;
}

static int threads_apply(struct kmem_settings *settings, char *error, size_t error_size)
{
	const char *value = kmem_env_get("KMEM_STATS_THREADS");

	if (value == NULL) {
		return 0;
	}
	if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0) {
		return fail(error, error_size, "KMEM_STATS_THREADS=%s: must be 0 or 1", value);
	}
	settings->has_stats_threads = value[0] == '1';
	return 0;
}

/* Signals that cannot be had, or that say that an instruction failed. */
static bool is_refused(int signo)
{
	static const int refused[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGSYS, SIGILL, SIGFPE, SIGTRAP, SIGABRT};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (signo == refused[i]) {
			return true;
		}
	}
	return signo >= __SIGRTMIN && signo < SIGRTMIN; /* the C library's own */
}

static int signal_apply(struct kmem_settings *settings, char *error, size_t error_size)
{
	const char *value = kmem_env_get("KMEM_STATS_SIGNAL");
	int signo;

	if (value == NULL) {
		return 0;
	}
	signo = kmem_signal_parse(value);
	if (signo < 0) {
		return fail(error, error_size, "KMEM_STATS_SIGNAL=%s: no signal such as USR2, RTMIN+1 or a number", value);
	}
	if (is_refused(signo)) {
		return fail(error, error_size, "KMEM_STATS_SIGNAL=%s: cannot be used for this; USR1 and USR2 can", value);
	}
	settings->stats_signal = signo;
	return 0;
}

static int interval_apply(struct kmem_settings *settings, char *error, size_t error_size)
{
	const char *value = kmem_env_get("KMEM_STATS_INTERVAL");
	unsigned int ms;

	if (value == NULL) {
		return 0;
	}
	switch (kmem_seconds_parse(value, &ms)) {
	case 0:
		settings->stats_interval_ms = ms;
		return ms != 0 ? 0 : fail(error, error_size, "KMEM_STATS_INTERVAL=%s: must be 0.001 seconds or more", value);
	case -ERANGE:
		return fail(error, error_size, "KMEM_STATS_INTERVAL=%s: more than %u seconds", value, ~0U / 1000);
	default:
		return fail(error, error_size, "KMEM_STATS_INTERVAL=%s: not a number of seconds such as 5 or 0.25", value);
	}
}

int kmem_config_stats_env_apply(struct kmem_settings *settings, char *error, size_t error_size)
{
	const char *value = kmem_env_get("KMEM_STATS");
	const bool is_refused_here = value != NULL && strcmp(value, "0") == 0;
	int ret = 0;

	if (value != NULL && !is_refused_here) {
		ret = kmem_config_stats_path_apply(settings, "KMEM_STATS", strcmp(value, "1") == 0 ? "-" : value, error, error_size);
	}
	ret = ret == 0 ? threads_apply(settings, error, error_size) : ret;
	ret = ret == 0 ? signal_apply(settings, error, error_size) : ret;
	ret = ret == 0 ? interval_apply(settings, error, error_size) : ret;
	if (ret == 0 && settings->stats_path == NULL &&
	    (settings->has_stats_threads || settings->stats_signal != 0 || settings->stats_interval_ms != 0)) {
		ret = kmem_config_stats_path_apply(settings, "KMEM_STATS", "-", error, error_size);
	}
	/* The form may be said of a report that the configuration asks for, too. */
	ret = ret == 0 ? format_apply(settings, error, error_size) : ret;
	if (is_refused_here) {
		settings->stats_path = NULL;
		settings->stats_fd = -1;
		settings->stats_signal = 0;
		settings->stats_interval_ms = 0;
	}
	if (settings->stats_path != NULL && (value != NULL || settings->stats_signal != 0 || settings->stats_interval_ms != 0)) {
		settings->stats = true;
		settings->timing = true;
	}
	return ret;
}
