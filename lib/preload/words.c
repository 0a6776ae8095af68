/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wordexp(), wrapped where there are commands to substitute: the C library's own would reach its posix_spawn(), whose child
 * does not survive a page that is out.
 *
 * Each command is run here, over our posix_spawn(), and its output put into a variable of the environment; the C library then expands
 * the text with a reference to that variable in the command's place, which splits and matches fields as it does for a command's output. The
 * variables are gone when it returns. As the C library's, this changes nothing else, and is not for programs whose threads
 * change the environment meanwhile. A command in the word of ${name-word} is run whether the word is needed or not.
 *
 * Everything here is memory of the program's heap. No locks.
 */
#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wordexp.h>

#include "host/log.h"
#include "preload/next.h"

#define EXPORT __attribute__((visibility("default")))

/* Variables are called this, and a number. */
#define VARIABLE "KMEM_WORDEXP_"
#define VARIABLE_MAX (sizeof(VARIABLE) + 10)

/* Text that grows. Ends in a NUL where it is not NULL. */
struct text {
	char *bytes;
	size_t length, size;
};

struct expansion {
	struct text text;      /* what is left for the C library */
	struct text *outputs;  /* of the commands */
	unsigned int count;
	int flags;
};

static bool text_add(struct text *text, const char *bytes, size_t length)
{
	if (text->size - text->length <= length) {
		const size_t size = 2 * text->size + length + 1;
		char *grown = realloc(text->bytes, size);

		if (grown == NULL) {
			return false;
		}
		text->bytes = grown;
		text->size = size;
	}
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	text->bytes[text->length] = '\0';
	return true;
}

/* Running a command. */

static int command_start(pid_t *pid, const char *option, const char *command, int output, int flags)
{
	const char *vector[] = {"sh", option, command, NULL};
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);

	if (error != 0) {
		return error;
	}
	error = output >= 0 ? posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) :
			      posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, _PATH_DEVNULL, O_WRONLY, 0);
	if (error == 0 && (flags & WRDE_SHOWERR) == 0) {
		error = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, _PATH_DEVNULL, O_WRONLY, 0);
	}
	if (error == 0) {
		error = posix_spawn(pid, _PATH_BSHELL, &actions, NULL, (char *const *)(uintptr_t)vector, environ);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return error;
}

static int command_wait(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) == -1 && errno == EINTR) {
	}
	return status;
}

/* All that there is to read; false if there is no memory for it. */
static bool output_read(struct text *output, int fd)
{
	bool is_complete = true;
	char buffer[512];
	ssize_t ret;

	for (;;) {
		ret = read(fd, buffer, sizeof(buffer));
		if (ret > 0) {
			is_complete = text_add(output, buffer, (size_t)ret) && is_complete;
		} else if (ret == 0 || errno != EINTR) {
			return is_complete;
		}
	}
}

/* Whether the shell understands a command. */
static bool command_is_valid(const char *command)
{
	pid_t pid;

	return command_start(&pid, "-nc", command, -1, 0) == 0 && command_wait(pid) == 0;
}

/* 0 or WRDE_*. */
static int command_run(struct text *output, const char *command, int flags)
{
	bool is_complete;
	int ends[2];
	pid_t pid;
	int error;
	int status;

	if (!text_add(output, "", 0) || pipe2(ends, O_CLOEXEC) != 0) {
		return WRDE_NOSPACE;
	}
	error = command_start(&pid, "-c", command, ends[1], flags);
	(void)close(ends[1]);
	is_complete = error == 0 && output_read(output, ends[0]);
	(void)close(ends[0]);
	status = error == 0 ? command_wait(pid) : 0;
	if (!is_complete) {
		return WRDE_NOSPACE;
	}
	if (output->length == 0 && status != 0 && !command_is_valid(command)) {
		return WRDE_SYNTAX;
	}
	while (output->length > 0 && output->bytes[output->length - 1] == '\n') {
		output->bytes[--output->length] = '\0';
	}
	return 0;
}

/* Finding the commands. */

/* Behind the end of a quotation that begins at `at`; the end of the text if it is not closed. */
static const char *quotation_end(const char *at)
{
	const char quote = *at++;

	while (*at != '\0' && *at != quote) {
		at += quote == '"' && at[0] == '\\' && at[1] != '\0' ? 2 : 1;
	}
	return *at == '\0' ? at : at + 1;
}

/* The closing bracket of a command that begins at `at`, or NULL. */
static const char *command_end(const char *at)
{
	unsigned int depth = 0;

	while (*at != '\0') {
		if (*at == '\'' || *at == '"') {
			at = quotation_end(at);
			continue;
		}
		if (*at == ')' && depth-- == 0) {
			return at;
		}
		depth += *at == '(' ? 1 : 0;
		at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
	}
	return NULL;
}

/* A command between backquotes, in which some characters are escaped; the closing one, or NULL. */
static const char *backquoted(struct text *command, const char *at)
{
	while (*at != '\0' && *at != '`') {
		if (at[0] == '\\' && at[1] != '\0' && strchr("$`\\", at[1]) != NULL) {
			at++;
		}
		if (!text_add(command, at++, 1)) {
			return NULL;
		}
	}
	return *at == '`' ? at : NULL;
}

/* The text that stands for a command: a reference to its variable. */
static void reference(char *name, unsigned int number)
{
	(void)kmem_format(name, VARIABLE_MAX, VARIABLE "%u", number);
}

/* Run a command, keep what it puts out, and put a reference into the text. 0 or WRDE_*. */
static int substitute(struct expansion *expansion, const char *command)
{
	struct text *outputs = realloc(expansion->outputs, (expansion->count + 1) * sizeof(*outputs));
	char name[VARIABLE_MAX];
	int error;

	if (outputs == NULL) {
		return WRDE_NOSPACE;
	}
	expansion->outputs = outputs;
	outputs[expansion->count] = (struct text){.bytes = NULL};
	reference(name, expansion->count);
	error = command_run(&outputs[expansion->count++], command, expansion->flags);
	if (error == 0 && !(text_add(&expansion->text, "${", 2) && text_add(&expansion->text, name, strlen(name)) &&
			    text_add(&expansion->text, "}", 1))) {
		error = WRDE_NOSPACE;
	}
	return error;
}

/* A command at `*at`, which moves behind it. 0 or WRDE_*. */
static int command_expand(struct expansion *expansion, const char **at)
{
	struct text command = {.bytes = NULL};
	const char *end;
	int error = WRDE_SYNTAX;

	if (!text_add(&command, "", 0)) {
		return WRDE_NOSPACE;
	}
	if (**at == '`') {
		end = backquoted(&command, *at + 1);
	} else {
		end = command_end(*at + 2);
		if (end != NULL && !text_add(&command, *at + 2, (size_t)(end - *at - 2))) {
			end = NULL;
		}
	}
	if (end != NULL) {
		error = substitute(expansion, command.bytes);
		*at = end + 1;
	}
	free(command.bytes);
	return error;
}

static bool is_command(const char *at)
{
	return *at == '`' || (at[0] == '$' && at[1] == '(' && at[2] != '(');
}

/* The text with its commands replaced. 0 or WRDE_*. */
static int commands_expand(struct expansion *expansion, const char *at)
{
	bool is_quoted = false;

	while (*at != '\0') {
		const char *from = at;

		if (is_command(at)) {
			const int error = command_expand(expansion, &at);

			if (error != 0) {
				return error;
			}
			continue;
		}
		if (*at == '\'' && !is_quoted) {
			at = quotation_end(at);
		} else {
			is_quoted = is_quoted != (*at == '"');
			at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
		}
		if (!text_add(&expansion->text, from, (size_t)(at - from))) {
			return WRDE_NOSPACE;
		}
	}
	return 0;
}

/* Variables for the time of the C library's expansion. */

static bool variables_set(const struct expansion *expansion)
{
	char name[VARIABLE_MAX];

	for (unsigned int i = 0; i < expansion->count; i++) {
		reference(name, i);
		if (setenv(name, expansion->outputs[i].bytes, 1) != 0) {
			return false;
		}
	}
	return true;
}

static void variables_unset(const struct expansion *expansion)
{
	char name[VARIABLE_MAX];

	for (unsigned int i = 0; i < expansion->count; i++) {
		reference(name, i);
		(void)unsetenv(name);
		free(expansion->outputs[i].bytes);
	}
	free(expansion->outputs);
	free(expansion->text.bytes);
}

EXPORT int wordexp(const char *words, wordexp_t *result, int flags)
{
	struct expansion expansion = {.flags = flags};
	int error;

	if ((flags & WRDE_NOCMD) != 0 || (strchr(words, '`') == NULL && strstr(words, "$(") == NULL)) {
		return KMEM_NEXT(wordexp)(words, result, flags);
	}
	error = text_add(&expansion.text, "", 0) ? commands_expand(&expansion, words) : WRDE_NOSPACE;
	if (error == 0) {
		error = variables_set(&expansion) ? KMEM_NEXT(wordexp)(expansion.text.bytes, result, flags) : WRDE_NOSPACE;
	}
	variables_unset(&expansion);
	return error;
}
