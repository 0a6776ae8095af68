/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_spawn(), system() and popen() in a program whose heap is larger than RAM: vectors, paths, file actions, environment and
 * streams lie in it.
 *
 * The program runs itself with --show first: it then tells its arguments, and what its attributes and file actions have made of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wordexp.h>

#include "prog.h"

#define BALLAST (4UL * 1024 * 1024)
#define THREADS 4
#define SPAWNS 75 /* of each thread */

static unsigned char *ballast;
static char *self;
static char *directory;

static void push_out(void)
{
	(void)walk_over(ballast, BALLAST);
}

/* What the child tells: descriptors 3 to 19, too. */
static int show(int argc, char **argv)
{
	const char *mine = getenv("PROG_SPAWN");
	char path[4096] = "";
	struct stat status;

	SAY("  %d arguments %s\n  PROG_SPAWN=%s\n", argc, argc > 2 ? argv[2] : "", mine != NULL ? mine : "(none)");
	masks_tell();
	SAY("  leader %d %d, policy %d\n", getpgrp() == getpid(), getsid(0) == getpid(), sched_getscheduler(0));
	SAY("  in %s\n", getcwd(path, sizeof(path)) != NULL ? strrchr(path, '/') : "");
	SAY("  open:");
	for (int fd = 3; fd < 20; fd++) {
		if (fstat(fd, &status) == 0) {
			SAY(" %d:%ld", fd, (long)lseek(fd, 0, SEEK_END));
		}
	}
	SAY("\n");
	return 41;
}

static void reap(int error, pid_t pid)
{
	int status = -1;

	if (error != 0) {
		SAY("  %s\n", strerrorname_np(error));
		return;
	}
	(void)waitpid(pid, &status, 0);
	SAY("  status %#x\n", (unsigned int)status);
}

static char **vector(const char *first, const char *second, const char *third)
{
	char **argv = get(PAGE);

	argv[0] = text("%s", first, 0);
	argv[1] = text("%s", second, 0);
	argv[2] = text("%s", third, 0);
	argv[3] = NULL;
	return argv;
}

static void spawn(const char *what, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes)
{
	char **argv = vector("name", "--show", "argument");
	pid_t pid = 0;
	int error;

	SAY("%s\n", what);
	push_out();
	error = posix_spawn(&pid, self, actions, attributes, argv, environ);
	reap(error, pid);
}

static void actions(void)
{
	posix_spawn_file_actions_t *list = get(sizeof(*list));
	char *file = text("%s/file", directory, 0);
	char *none = text("%s/none", directory, 0);
	const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)posix_spawn_file_actions_init(list);
	(void)posix_spawn_file_actions_addopen(list, 10, file, O_CREAT | O_RDWR | O_TRUNC, 0644);
	(void)posix_spawn_file_actions_adddup2(list, 10, 11);
	(void)posix_spawn_file_actions_adddup2(list, 10, 12);
	(void)posix_spawn_file_actions_adddup2(list, fd, fd);
	(void)posix_spawn_file_actions_addclose(list, 11);
	(void)posix_spawn_file_actions_addclose(list, 17);
	(void)posix_spawn_file_actions_addchdir_np(list, directory);
	push_out();
	spawn("file actions", list, NULL);
	(void)posix_spawn_file_actions_addclosefrom_np(list, 11);
	(void)posix_spawn_file_actions_addchdir_np(list, "/");
	spawn("closefrom", list, NULL);
	(void)posix_spawn_file_actions_addfchdir_np(list, fd);
	spawn("a directory that is closed", list, NULL);
	(void)posix_spawn_file_actions_destroy(list);
	(void)posix_spawn_file_actions_init(list);
	(void)posix_spawn_file_actions_addfchdir_np(list, fd);
	spawn("fchdir", list, NULL);
	(void)posix_spawn_file_actions_addopen(list, 10, none, O_RDONLY, 0);
	spawn("a file that is not there", list, NULL);
	(void)posix_spawn_file_actions_destroy(list);
	(void)posix_spawn_file_actions_init(list);
	(void)posix_spawn_file_actions_adddup2(list, 18, 19);
	spawn("a descriptor that is not open", list, NULL);
	(void)posix_spawn_file_actions_destroy(list);
	(void)posix_spawn_file_actions_init(list);
	(void)posix_spawn_file_actions_addtcsetpgrp_np(list, fd);
	spawn("no terminal", list, NULL);
	(void)posix_spawn_file_actions_destroy(list);
	(void)close(fd);
	(void)unlink(file);
	free(list);
}

static void on_signal(int signo)
{
	(void)signo;
}

static void attributes(void)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	const struct sigaction handle = {.sa_handler = on_signal};
	const struct sigaction normal = {.sa_handler = SIG_DFL};
	posix_spawnattr_t *attr = get(sizeof(*attr));
	struct sched_param parameter = {.sched_priority = 0};
	sigset_t set;
	sigset_t old;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGSEGV);
	(void)sigaddset(&set, SIGSYS);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_SETMASK, &set, &old);
	(void)sigaction(SIGBUS, &ignore, NULL);
	(void)sigaction(SIGSEGV, &handle, NULL);
	(void)sigaction(SIGUSR2, &ignore, NULL);
	(void)sigaction(SIGHUP, &handle, NULL);
	spawn("signals", NULL, NULL);
	(void)posix_spawnattr_init(attr);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGBUS);
	(void)sigaddset(&set, SIGUSR2);
	(void)posix_spawnattr_setsigdefault(attr, &set);
	(void)sigaddset(&set, SIGTERM);
	(void)posix_spawnattr_setsigmask(attr, &set);
	(void)posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF);
	spawn("default actions", NULL, attr);
	(void)posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK);
	spawn("a mask", NULL, attr);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	(void)sigaction(SIGBUS, &normal, NULL);
	(void)sigaction(SIGSEGV, &normal, NULL);
	(void)sigaction(SIGUSR2, &normal, NULL);
	(void)sigaction(SIGHUP, &normal, NULL);
	(void)posix_spawnattr_setpgroup(attr, 0);
	(void)posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP);
	spawn("a group", NULL, attr);
	(void)posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_RESETIDS);
	spawn("a session", NULL, attr);
	(void)posix_spawnattr_setschedpolicy(attr, SCHED_BATCH);
	(void)posix_spawnattr_setschedparam(attr, &parameter);
	(void)posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSCHEDULER);
	spawn("a scheduler", NULL, attr);
	(void)posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSCHEDPARAM);
	spawn("its parameter", NULL, attr);
	(void)posix_spawnattr_destroy(attr);
	free(attr);
}

static void programs(void)
{
	char **argv = vector("sh", "-c", "echo \"  $0 $1 in a shell\"; exit 3");
	char **envp = get(PAGE);
	char *script = text("%s/script", directory, 0);
	pid_t pid;
	int error;
	int fd;

	SAY("posix_spawnp\n");
	push_out();
	error = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	reap(error, pid);
	SAY("not found\n");
	push_out();
	reap(posix_spawnp(&pid, text("%s", "prog_spawn_none", 0), NULL, NULL, argv, environ), 0);
	reap(posix_spawnp(&pid, text("%s", "", 0), NULL, NULL, argv, environ), 0);
	reap(posix_spawn(&pid, text("%s/none", directory, 0), NULL, NULL, argv, environ), 0);
	SAY("a script without a line of its interpreter\n");
	fd = open(script, O_CREAT | O_WRONLY, 0755);
	if (fd < 0 || write(fd, "exit 4\n", 7) != 7) {
		abort();
	}
	(void)close(fd);
	reap(posix_spawnp(&pid, script, NULL, NULL, argv, environ), 0);
	(void)unlink(script);
	/* Without the library, if there was one. */
	SAY("an environment of its own\n");
	envp[0] = text("PROG_SPAWN=%s", "own", 0);
	envp[1] = NULL;
	argv = vector("name", "--show", "argument");
	push_out();
	error = posix_spawn(&pid, self, NULL, NULL, argv, envp);
	reap(error, pid);
	SAY("a large environment\n");
	for (int i = 0; i < 300; i++) {
		char *name = text("PROG_SPAWN_%s%d", "", i);

		(void)setenv(name, text("%s %d", "value", i), 1);
		free(name);
	}
	(void)setenv("PROG_SPAWN", "set", 1);
	spawn("spawned", NULL, NULL);
	for (int i = 0; i < 300; i++) {
		(void)unsetenv(text("PROG_SPAWN_%s%d", "", i));
	}
}

/* system() and popen() */

static void systems(void)
{
	struct sigaction action;

	push_out();
	SAY("system: %d\n", system(NULL));
	push_out();
	SAY("system: %#x\n", (unsigned int)system(text("echo \"  %s\"; exit %d", "shell", 9)));
	push_out();
	SAY("system: %#x\n", (unsigned int)system(text("kill -%s $$; %d", "KILL", 1)));
	SAY("system: %#x\n", (unsigned int)system(text("%s/none 2>/dev/null", directory, 0)));
	(void)sigaction(SIGINT, NULL, &action);
	SAY("system: SIGINT is %s\n", action.sa_handler == SIG_DFL ? "default" : "changed");
}

static void pipes(void)
{
	/* The compiler is not to see which function closes which stream. */
	int (*volatile close_file)(FILE *) = fclose;
	int (*volatile close_pipe)(FILE *) = pclose;
	FILE *first;
	FILE *second;
	char line[100];
	int status;

	push_out();
	first = popen(text("echo %s %d; exit 5", "out of a pipe", 1), "r");
	push_out();
	SAY("popen: %s", first != NULL && fgets(line, sizeof(line), first) != NULL ? line : "nothing\n");
	SAY("pclose: %#x\n", (unsigned int)pclose(first));
	push_out();
	first = popen(text("read x; echo \"  read $x\"; %s", "exit 6", 0), "we");
	push_out();
	SAY("popen: %d\n", first != NULL && fputs("into a pipe\n", first) >= 0);
	SAY("pclose: %#x\n", (unsigned int)pclose(first));
	/* The second child does not hold the first one's pipe open: else the first would not end. */
	first = popen("cat >/dev/null", "w");
	second = popen("sleep 30 & cat >/dev/null; kill $!", "w");
	push_out();
	status = pclose(first);
	SAY("nested: %#x", (unsigned int)status);
	SAY(" %#x\n", (unsigned int)pclose(second));
	first = popen("exit 7", "r");
	SAY("fclose: %#x\n", (unsigned int)close_file(first));
	SAY("modes: %d %d %d\n", popen("true", "rw") == NULL, popen("true", "") == NULL, popen("true", "x") == NULL);
	first = fopen("/dev/null", "r");
	SAY("pclose of a file: %d\n", close_pipe(first));
	status = wait(NULL);
	SAY("children left: %d %s\n", status, strerrorname_np(errno));
}

static void words(void)
{
	static const char *const texts[] = {
		"one 'two three' \"four $PROG_SPAWN\" ~/x",
		"$((6 * 7)) ${NOTHING:-default}",
		"a$(echo b c)d \"$(echo b c)\" `echo e`",
		"$(exit 3)x",
		"$(echo 'a)b' \"$(echo '(')\")' $(no)' \"'$(echo in quotes)'\"",
		"$(( $(echo 6) * 7 )) `echo \\`echo nested\\``",
		"$(echo '*' '$PROG_SPAWN')",
		"$(unclosed",
		"$(if)",
		"bad | word",
	};

	(void)setenv("HOME", "/home", 1);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		wordexp_t *expansion = get(sizeof(*expansion));
		int ret;

		push_out();
		ret = wordexp(text("%s", texts[i], 0), expansion, 0);
		SAY("wordexp: %d", ret);
		for (size_t k = 0; ret == 0 && k < expansion->we_wordc; k++) {
			SAY(" <%s>", expansion->we_wordv[k]);
		}
		SAY("\n");
		if (ret == 0) {
			wordfree(expansion);
		}
		free(expansion);
	}
	SAY("wordexp: %d\n", wordexp("$(true)", &(wordexp_t){.we_wordc = 0}, WRDE_NOCMD));
}

/* Many at once. */

static _Atomic unsigned int ended[2];

static void *spawner(void *arg)
{
	const int number = (int)(intptr_t)arg;

	for (int i = 0; i < SPAWNS; i++) {
		char **argv = vector("sh", "-c", "exit $1");
		int status = 0;
		pid_t pid;

		argv[3] = text("%s%d", "", 0);
		argv[4] = text("%s%d", "", (number + i) % 100);
		argv[5] = NULL;
		for (size_t k = (size_t)number * PAGE; k < BALLAST; k += 7 * PAGE) {
			ballast[k]++;
		}
		if (posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ) == 0 && waitpid(pid, &status, 0) == pid) {
			atomic_fetch_add(&ended[status == ((number + i) % 100) << 8], 1);
		}
		for (size_t k = 0; k < 5; k++) {
			free(argv[k]);
		}
		free(argv);
	}
	return NULL;
}

static void crowd(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++) {
		(void)pthread_create(&threads[i], NULL, spawner, (void *)(intptr_t)i);
	}
	for (int i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i], NULL);
	}
	SAY("threads: %u right, %u wrong\n", ended[1], ended[0]);
}

static void *sleeper(void *unused)
{
	(void)unused;
	(void)system("exec sleep 30");
	return NULL;
}

static void cancelled(void)
{
	const struct timespec moment = {.tv_nsec = 100000000};
	struct sigaction action;
	pthread_t thread;
	void *result;

	(void)pthread_create(&thread, NULL, sleeper, NULL);
	(void)nanosleep(&moment, NULL);
	(void)pthread_cancel(thread);
	(void)pthread_join(thread, &result);
	(void)sigaction(SIGINT, NULL, &action);
	SAY("cancelled: %d, SIGINT is %s\n", result == PTHREAD_CANCELED, action.sa_handler == SIG_DFL ? "default" : "changed");
	SAY("children left: %d\n", wait(NULL));
}

int main(int argc, char **argv)
{
	char template[] = "/tmp/prog_spawn_XXXXXX";

	if (argc > 1 && strcmp(argv[1], "--show") == 0) {
		return show(argc, argv);
	}
	closefrom(STDERR_FILENO + 1);
	ballast = get(BALLAST);
	memset(ballast, 0, BALLAST);
	self = get(4096);
	if (realpath("/proc/self/exe", self) == NULL || mkdtemp(template) == NULL || chdir("/") != 0) {
		return 1;
	}
	/* Its own name is a random one, and told. */
	directory = text("%s/directory", template, 0);
	if (mkdir(directory, 0700) != 0) {
		return 1;
	}
	actions();
	attributes();
	programs();
	systems();
	pipes();
	words();
	crowd();
	cancelled();
	(void)rmdir(directory);
	(void)rmdir(template);
	return 0;
}
