#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Only lib/host calls the host: no object of the rooms above it names a system call, a signal, thread or urcu primitive
# or the C library's heap and streams: check_layers.sh ARCHIVE...
# (That a room calls nothing above it is the linker's affair: tests/layer.c.)
set -eu

calls='mmap|mmap64|munmap|mremap|mprotect|madvise|memfd_create|ftruncate|ftruncate64|fallocate|fallocate64|open|open64|openat'
calls="$calls|close|read|write|pread|pread64|pwrite|pwrite64|syscall|ioctl|sigaction|signal|sigprocmask|sigaltstack|raise|kill"
calls="$calls|abort|dlsym|pthread_[a-z_]*|urcu_[a-z_]*|rcu_[a-z_]*|malloc|calloc|realloc|free|f?printf|puts|fputs|getenv"

failed=0
for archive; do
	if nm -u --format=posix "$archive" | grep -E "^($calls) U"; then
		echo "$archive calls the host directly"
		failed=1
	fi
done
exit "$failed"
