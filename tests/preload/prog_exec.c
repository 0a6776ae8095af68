/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exec family with everything it is given in a heap larger than RAM, in children of fork() and vfork().
 *
 * The program runs itself with --show first: it then tells its arguments and what it finds of the environment.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "prog.h"

#define BALLAST (4UL * 1024 * 1024)
#define ARGUMENTS 400

static unsigned char *ballast;
static char *self;
static char *directory;

static void push_out(void)
{
	(void)walk_over(ballast, BALLAST);
}

/* What the next program tells. */
static int show(int argc, char **argv)
{
	const char *mine = getenv("PROG_EXEC");
	unsigned int total = 5381;

	for (int i = 0; i < argc; i++) {
		for (const char *at = argv[i]; *at != '\0'; at++) {
			total = total * 33 + (unsigned char)*at;
		}
	}
	SAY("  %d arguments %s\n", argc, argc > 2 ? argv[2] : "");
	if (argc > 3 && strcmp(argv[2], "sum") == 0) {
		SAY("  sum %08x\n", total);
	}
	SAY("  PROG_EXEC=%s\n", mine != NULL ? mine : "(none)");
	masks_tell();
	return 40;
}

static void reap(pid_t pid)
{
	int status = -1;

	if (pid < 0) {
		abort();
	}
	(void)waitpid(pid, &status, 0);
	SAY("  status %#x\n", (unsigned int)status);
}

/* In a child, what follows, and its error if it comes back. */
#define CHILD(what, how, call)                                                                                         \
	do {                                                                                                           \
		pid_t child;                                                                                           \
                                                                                                                       \
		SAY("%s %s\n", #how, what);                                                                            \
		push_out();                                                                                            \
		child = how();                                                                                         \
		if (child == 0) {                                                                                      \
			(void)(call);                                                                                  \
			SAY("  %s\n", strerrorname_np(errno));                                                         \
			_exit(1);                                                                                      \
		}                                                                                                      \
		reap(child);                                                                                           \
	} while (0)

#define CHILDREN(what, call)                                                                                           \
	CHILD(what, fork, call);                                                                                       \
	CHILD(what, vfork, call)

static char **vector(const char *first, const char *second, const char *third)
{
	char **argv = get(PAGE + 4 * sizeof(*argv));

	argv[0] = text("%s", first, 0);
	argv[1] = text("%s", second, 0);
	argv[2] = text("%s", third, 0);
	argv[3] = NULL;
	return argv;
}

static void file_put(const char *path, const char *contents, mode_t mode)
{
	const int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);

	if (fd < 0 || write(fd, contents, strlen(contents)) != (ssize_t)strlen(contents) || fchmod(fd, mode) != 0) {
		abort();
	}
	(void)close(fd);
}

static void family(void)
{
	char **argv = vector("name", "--show", "argument");
	char **envp = get(PAGE);
	const int fd = open(self, O_RDONLY | O_CLOEXEC);

	envp[0] = text("PROG_EXEC=%s%d", "given", 1);
	envp[1] = NULL;
	CHILDREN("execve", execve(self, argv, envp));
	CHILDREN("execv", execv(self, argv));
	CHILDREN("execvp", execvp(self, argv));
	CHILDREN("execl", execl(self, "name", "--show", argv[2], (char *)NULL));
	CHILDREN("execle", execle(self, argv[0], argv[1], argv[2], argv[0], (char *)NULL, envp));
	CHILDREN("execlp", execlp(self, argv[0], argv[1], (char *)NULL));
	CHILDREN("fexecve", fexecve(fd, argv, envp));
	CHILDREN("execveat", execveat(AT_FDCWD, self, argv, envp, 0));
	CHILDREN("SYS_execve", syscall(SYS_execve, self, argv, envp));
	(void)setenv("PROG_EXEC", "set", 1);
	CHILDREN("execv after setenv", execv(self, argv));
	envp[0] = NULL;
	CHILDREN("execvpe", execvpe(self, argv, envp));
	(void)close(fd);
}

static void many(void)
{
	char **argv = get((ARGUMENTS + 1) * sizeof(*argv));

	argv[0] = text("%s", "name", 0);
	argv[1] = text("%s", "--show", 0);
	argv[2] = text("%s", "sum", 0);
	for (int i = 3; i < ARGUMENTS; i++) {
		argv[i] = text("argument %s %d", "number", i);
	}
	argv[ARGUMENTS] = NULL;
	CHILDREN("many arguments", execv(self, argv));
	for (int i = 0; i < ARGUMENTS; i++) {
		free(argv[i]);
	}
	free(argv);
}

static void searches(void)
{
	char *path = text("/nowhere:%s:/bin:/usr/bin", directory, 0);
	char *script = text("%s/prog_exec_script", directory, 0);
	char *plain = text("%s/prog_exec_plain", directory, 0);
	char **argv = vector("prog_exec_script", "one", "two");

	file_put(script, "echo \"  script $# $1 $2\"\nexit 5\n", 0755);
	file_put(plain, "echo never\n", 0644);
	(void)setenv("PATH", path, 1);
	CHILDREN("a script without a line of its interpreter", execvp(argv[0], argv));
	CHILDREN("the same by its path", execvp(script, argv));
	CHILDREN("the same without a search", execv(script, argv));
	CHILDREN("the same as a list", execlp(argv[0], "x", argv[1], (char *)NULL));
	CHILDREN("not allowed", execvp(text("%s", "prog_exec_plain", 0), argv));
	CHILDREN("not there", execvp(text("%s", "prog_exec_none", 0), argv));
	CHILDREN("nothing", execvp(text("%s", "", 0), argv));
	(void)unlink(script);
	file_put(script, "#! /bin/sh\necho \"  script $# $1 $2\"\nexit 6\n", 0755);
	CHILDREN("a script", execvp(argv[0], argv));
	(void)unlink(script);
	(void)unlink(plain);
}

static void errors(void)
{
	char **argv = vector("name", "--show", "argument");
	char **bad = vector("name", "--show", "argument");
	char *long_name = get(200000);
	char **large = get(201 * sizeof(*large));
	/* The compiler is not to see what it would refuse. */
	char *volatile nowhere = (char *)16;

	CHILDREN("ENOENT", execv(text("%s/none", directory, 0), argv));
	CHILDREN("EACCES", execv(directory, argv));
	CHILDREN("ENOTDIR", execv(text("%s/x", self, 0), argv));
	bad[1] = nowhere;
	CHILDREN("EFAULT in a vector", execv(self, bad));
	CHILDREN("EFAULT as a vector", execv(self, (char **)nowhere));
	CHILDREN("EFAULT as a path", execv(nowhere, argv));
	memset(long_name, 'x', 199999);
	long_name[199999] = '\0';
	bad[1] = long_name;
	CHILDREN("E2BIG by one", execv(self, bad));
	CHILDREN("ENAMETOOLONG", execv(long_name, argv));
	long_name[100000] = '\0';
	for (int i = 0; i < 200; i++) {
		large[i] = long_name;
	}
	large[200] = NULL;
	CHILDREN("E2BIG by all", execv(self, large));
	/* The process that failed goes on. */
	(void)execv(text("%s/none", directory, 0), argv);
	SAY("in place: %s\n", strerrorname_np(errno));
	free(long_name);
	free(large);
}

static void on_signal(int signo)
{
	(void)signo;
}

static void signals(void)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	const struct sigaction handle = {.sa_handler = on_signal};
	char **argv = vector("name", "--show", "argument");
	sigset_t mask;
	sigset_t old;

	(void)sigemptyset(&mask);
	(void)sigaddset(&mask, SIGSEGV);
	(void)sigaddset(&mask, SIGSYS);
	(void)sigaddset(&mask, SIGUSR1);
	(void)sigprocmask(SIG_SETMASK, &mask, &old);
	(void)sigaction(SIGBUS, &ignore, NULL);
	(void)sigaction(SIGSEGV, &handle, NULL);
	(void)sigaction(SIGUSR2, &ignore, NULL);
	CHILDREN("signals", execv(self, argv));
	CHILDREN("signals, ENOENT", execv(text("%s/none", directory, 0), argv));
	push_out();
	(void)execv(text("%s/none", directory, 0), argv);
	SAY("in place: %s\n", strerrorname_np(errno));
	push_out();
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
}

int main(int argc, char **argv)
{
	char template[] = "/tmp/prog_exec_XXXXXX";

	if (argc > 1 && strcmp(argv[1], "--show") == 0) {
		return show(argc, argv);
	}
	ballast = get(BALLAST);
	memset(ballast, 0, BALLAST);
	self = get(4096);
	if (realpath("/proc/self/exe", self) == NULL || mkdtemp(template) == NULL) {
		return 1;
	}
	directory = text("%s", template, 0);
	family();
	many();
	searches();
	errors();
	signals();
	(void)rmdir(directory);
	return 0;
}
