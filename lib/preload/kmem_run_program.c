/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kmem-run: the program that is to be run: where it is, and whether a library can be loaded before it.
 *
 * What the dynamic linker would ignore in silence, the program would be started without emulated RAM. So everything is looked at before
 * anything is started: the file, and, where it is a script, what interprets it, and what interprets that.
 */
#include "preload/kmem_run.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

/* As the host kernel has it. */
#define SCRIPTS_MAX 5

#define PATH_DEFAULT "/bin:/usr/bin"

/* The dynamic linker of the GNU C library for this machine; where it lies differs. */
#define LINKER "ld-linux-x86-64.so.2"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* ---- finding ---- */

static bool is_runnable(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* Along PATH: what can be run, or else what is there, or else nothing. */
static bool path_search(const char *name, char *path, size_t path_size)
{
	const char *list = getenv("PATH");
	bool is_there = false;

	for (list = list != NULL ? list : PATH_DEFAULT;; list++) {
		size_t length = strcspn(list, ":");
		char candidate[PATH_MAX];
		struct stat status;

		if ((size_t)snprintf(candidate, sizeof(candidate), "%.*s%s%s", (int)length, list, length > 0 ? "/" : "./", name) <
			    sizeof(candidate) &&
		    stat(candidate, &status) == 0 && !S_ISDIR(status.st_mode)) {
			bool can_run = is_runnable(candidate);

			if (can_run || !is_there) {
				(void)snprintf(path, path_size, "%s", candidate);
				is_there = true;
			}
			if (can_run) {
				return true;
			}
		}
		list += length;
		if (*list == '\0') {
			return is_there;
		}
	}
}

/* An optional argument of an option that was given as a word of its own, and so is taken for the program. */
static const char *option_hint(const char *name)
{
	const char *guard = getenv("KMEM_GUARD");

	if (guard == NULL || guard[0] == '\0') {
		return "";
	}
	if (strcmp(name, "before") == 0) {
		return "; did you mean --guard=before?";
	}
	return strcmp(name, "after") == 0 ? "; did you mean --guard=after?" : "";
}

static enum kmem_run_status program_find(const char *name, char *path, size_t path_size)
{
	if (name[0] == '\0') {
		kmem_run_say("the program's name is empty");
		return KMEM_RUN_NOT_FOUND;
	}
	if (strchr(name, '/') != NULL) {
		if ((size_t)snprintf(path, path_size, "%s", name) >= path_size) {
			kmem_run_say("%.60s...: the name has %zu characters, %zu are possible", name, strlen(name), path_size - 1);
			return KMEM_RUN_NOT_FOUND;
		}
		return KMEM_RUN_OK;
	}
	if (!path_search(name, path, path_size)) {
		kmem_run_say("%s: not found in PATH; give its path, or look at the spelling%s", name, option_hint(name));
		return KMEM_RUN_NOT_FOUND;
	}
	return KMEM_RUN_OK;
}

/* ---- judging ---- */

/* Whether the host kernel gives the program other rights than ours, so that the dynamic linker takes no library from us. */
static bool gains_rights(const char *path, const struct stat *status, const char **how)
{
	struct statvfs file_system;

	/* Where neither counts, they are bits like others. */
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 || (statvfs(path, &file_system) == 0 && (file_system.f_flag & ST_NOSUID) != 0)) {
		return false;
	}
	if ((status->st_mode & S_ISUID) != 0 && status->st_uid != getuid()) {
		*how = "set-user-id";
		return true;
	}
	if ((status->st_mode & S_ISGID) != 0 && (status->st_mode & S_IXGRP) != 0 && status->st_gid != getgid()) {
		*how = "set-group-id";
		return true;
	}
	*how = "has file capabilities";
	return getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0;
}

static enum kmem_run_status dynamic_check(const char *path, const struct kmem_run_file *file)
{
	if (file->needs_libkmem) {
		kmem_run_say("%s: links libkmem itself, and has its own emulated RAM; run it without kmem-run", path);
		return KMEM_RUN_CANNOT_INVOKE;
	}
	if (file->needs_sanitizer) {
		kmem_run_say("%s: built with a sanitizer, which has a heap of its own; build it without -fsanitize", path);
		return KMEM_RUN_CANNOT_INVOKE;
	}
	if (strcmp(base_name(file->interpreter), LINKER) != 0) {
		kmem_run_say("%s: its dynamic linker is %s, not the GNU C library's %s; build it for the GNU C library", path,
			     file->interpreter, LINKER);
		return KMEM_RUN_CANNOT_INVOKE;
	}
	if (access(file->interpreter, X_OK) != 0) {
		kmem_run_say("%s: its dynamic linker %s is missing; install the C library that it is made for", path, file->interpreter);
		return KMEM_RUN_CANNOT_INVOKE;
	}
	return KMEM_RUN_OK;
}

static enum kmem_run_status kind_check(const char *path, const struct kmem_run_file *file)
{
	switch (file->kind) {
	case KMEM_RUN_UNREADABLE:
		kmem_run_say("%s: cannot be read to see whether it can be run so (%s); make it readable", path, strerror(errno));
		return KMEM_RUN_CANNOT_INVOKE;
	case KMEM_RUN_FOREIGN:
		kmem_run_say("%s: neither an ELF program nor a script that begins with #!; run what interprets it, such as sh %s", path, path);
		return KMEM_RUN_CANNOT_INVOKE;
	case KMEM_RUN_OTHER_CPU:
		kmem_run_say("%s: a 32-bit program, or one for another machine; only x86-64 can be run so: build it for that", path);
		return KMEM_RUN_CANNOT_INVOKE;
	case KMEM_RUN_BROKEN:
		kmem_run_say("%s: a damaged ELF file, or none that is a program", path);
		return KMEM_RUN_CANNOT_INVOKE;
	case KMEM_RUN_STATIC:
		/* That loads what it is given as any program of its own. */
		if (strcmp(base_name(path), LINKER) == 0) {
			return KMEM_RUN_OK;
		}
		kmem_run_say("%s: statically linked: LD_PRELOAD does not reach it; link it dynamically, without -static", path);
		return KMEM_RUN_CANNOT_INVOKE;
	default:
		return dynamic_check(path, file);
	}
}

static enum kmem_run_status file_check(const char *path, unsigned int depth);

/* What `#!/usr/bin/env X` runs: X, behind options and assignments. "" where that cannot be told. */
static void env_target(const char *argument, char *name, size_t size)
{
	size_t length;

	name[0] = '\0';
	if (strncmp(argument, "-S", 2) == 0) {
		argument += 2;
	}
	for (;;) {
		argument += strspn(argument, " \t");
		length = strcspn(argument, " \t");
		if (argument[0] == '-' || length == 0) {
			return;
		}
		if (memchr(argument, '=', length) == NULL) {
			break;
		}
		argument += length;
	}
	(void)snprintf(name, size, "%.*s", (int)length, argument);
}

static enum kmem_run_status script_check(const char *path, const struct kmem_run_file *file, unsigned int depth)
{
	char name[KMEM_RUN_TEXT_SIZE] = "";
	char target[PATH_MAX];
	enum kmem_run_status status;

	if (file->interpreter[0] == '\0') {
		kmem_run_say("%s: no interpreter behind #!", path);
		return KMEM_RUN_CANNOT_INVOKE;
	}
	/* The CR is a part of the name of what interprets it; an argument's is the interpreter's to judge. */
	if (file->ends_in_cr && (file->argument[0] == '\0' || strcmp(base_name(file->interpreter), "env") == 0)) {
		kmem_run_say("%s: a script whose first line ends in CR LF; have it end in LF alone, as by sed -i 's/\\r$//' %s", path, path);
		return KMEM_RUN_CANNOT_INVOKE;
	}
	if (depth == SCRIPTS_MAX) {
		kmem_run_say("%s: more than %d scripts that interpret each other", path, SCRIPTS_MAX);
		return KMEM_RUN_CANNOT_INVOKE;
	}
	status = file_check(file->interpreter, depth + 1);
	if (status == KMEM_RUN_OK && strcmp(base_name(file->interpreter), "env") == 0) {
		env_target(file->argument, name, sizeof(name));
	}
	if (name[0] != '\0') {
		status = program_find(name, target, sizeof(target));
		status = status == KMEM_RUN_OK ? file_check(target, depth + 1) : status;
	}
	if (status != KMEM_RUN_OK) {
		kmem_run_say("%s: a script, which %s%s%s is to interpret", path, file->interpreter, file->argument[0] != '\0' ? " " : "",
			     file->argument);
		return KMEM_RUN_CANNOT_INVOKE;
	}
	return KMEM_RUN_OK;
}

static enum kmem_run_status file_check(const char *path, unsigned int depth)
{
	struct kmem_run_file file;
	struct stat status;
	const char *how;

	if (stat(path, &status) != 0) {
		kmem_run_say("%s: %s", path, errno == ENOENT ? "no such file; look at the path" : strerror(errno));
		return errno == ENOENT || errno == ENOTDIR ? KMEM_RUN_NOT_FOUND : KMEM_RUN_CANNOT_INVOKE;
	}
	if (S_ISDIR(status.st_mode)) {
		kmem_run_say("%s: a directory; give the path of a program", path);
		return KMEM_RUN_CANNOT_INVOKE;
	}
	if (!S_ISREG(status.st_mode)) {
		kmem_run_say("%s: no regular file; give the path of a program", path);
		return KMEM_RUN_CANNOT_INVOKE;
	}
	if (access(path, X_OK) != 0) {
		kmem_run_say("%s: not executable (%s); chmod +x makes it so, if it is a program", path, strerror(errno));
		return KMEM_RUN_CANNOT_INVOKE;
	}
	errno = 0;
	kmem_run_file_read(path, &file);
	/* The host kernel takes no rights from scripts. */
	if (file.kind == KMEM_RUN_SCRIPT) {
		return script_check(path, &file, depth);
	}
	if (gains_rights(path, &status, &how)) {
		kmem_run_say("%s: %s: the dynamic linker ignores LD_PRELOAD for it; run it as the user that it would become, or a copy of it",
			     path, how);
		return KMEM_RUN_CANNOT_INVOKE;
	}
	return kind_check(path, &file);
}

enum kmem_run_status kmem_run_program_check(const char *name, char *path, size_t path_size)
{
	enum kmem_run_status status = program_find(name, path, path_size);

	return status == KMEM_RUN_OK ? file_check(path, 0) : status;
}

bool kmem_run_library_check(const char *path)
{
	struct kmem_run_file file;

	if (strpbrk(path, " :") != NULL) {
		kmem_run_say("%s: a library whose path has a blank or a colon in it cannot be preloaded; put it elsewhere", path);
		return false;
	}
	errno = 0;
	kmem_run_file_read(path, &file);
	if (file.kind == KMEM_RUN_UNREADABLE) {
		kmem_run_say("%s: the library cannot be read: %s", path, strerror(errno));
		return false;
	}
	if (file.kind != KMEM_RUN_STATIC || !file.is_library) {
		kmem_run_say("%s: not a shared library for x86-64; give the path of " KMEM_RUN_LIBRARY, path);
		return false;
	}
	if (!file.is_preload_library) {
		kmem_run_say("%s: another library, which emulates nothing; give the path of " KMEM_RUN_LIBRARY, path);
		return false;
	}
	return true;
}
