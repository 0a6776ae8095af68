#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The filter of system calls as processes have it: one in a chain of them, inherited by programs without the library, not to be had.
#
#   sh test_filter.sh LIBRARY FORBID
#
# LIBRARY is libkmem-preload.so, FORBID runs a program where seccomp() fails.
set -u

library=$1
forbid=$2
failed=0

KMEM_RAM=4M
export KMEM_RAM

# fail WHAT GOT
fail() {
	echo "test_filter.sh: $1: $2" >&2
	failed=1
}

# field NAME, on standard input /proc/self/status
field() {
	awk -v "name=$1:" '$1 == name { print $2 }'
}

filters_before=$(field Seccomp_filters </proc/self/status)
filters_wanted=$((filters_before + 1))

got=$(LD_PRELOAD=$library cat /proc/self/status | field Seccomp_filters)
[ "$got" = "$filters_wanted" ] || fail "filters of a program" "$got, not $filters_wanted"

got=$(LD_PRELOAD=$library sh -c 'sh -c "cat /proc/self/status; true"; true' | field Seccomp_filters)
[ "$got" = "$filters_wanted" ] || fail "filters of a program's program's program" "$got, not $filters_wanted"

got=$(LD_PRELOAD=$library sh -c 'env -u LD_PRELOAD sh -c "sort /proc/self/status; true"; true' | field Seccomp_filters)
[ "$got" = "$filters_wanted" ] || fail "filters of a program without the library" "$got, not $filters_wanted"

got=$(LD_PRELOAD=$library sh -c "env -u LD_PRELOAD sh -c 'LD_PRELOAD=$library cat /proc/self/status; true'; true" | field Seccomp_filters)
[ "$got" = "$filters_wanted" ] || fail "filters of a program behind one without the library" "$got, not $filters_wanted"

# Without the filter a buffer from the heap may be absent: the shell itself reads to its stack, and its status needs no memory.
# shellcheck disable=SC2016 # the inner shell's variables
KMEM_SYSCALLS=off LD_PRELOAD=$library sh -c '
	while read -r name value; do
		[ "$name" != Seccomp_filters: ] || exit "$value"
	done </proc/self/status'
got=$?
[ "$got" = "$filters_before" ] || fail "filters with KMEM_SYSCALLS=off" "$got, not $filters_before"

# An inherited filter traps whether the program wants it or not.
got=$(LD_PRELOAD=$library sh -c 'KMEM_SYSCALLS=off sort --parallel=2 /proc/self/status; true' | field Seccomp_filters)
[ "$got" = "$filters_wanted" ] || fail "an inherited filter with KMEM_SYSCALLS=off" "$got, not $filters_wanted"

# Rights are given up only where there is no other way.
if [ "$(id -u)" = 0 ]; then
	got=$(LD_PRELOAD=$library cat /proc/self/status | field NoNewPrivs)
	wanted=$(field NoNewPrivs </proc/self/status)
	[ "$got" = "$wanted" ] || fail "no new privileges of root" "$got, not $wanted"
fi

# EPERM, EINVAL, ENOSYS
for error in 1 22 38; do
	said=$("$forbid" $error env LD_PRELOAD="$library" echo arrived 2>&1)
	status=$?
	[ $status -ne 77 ] || exit 77
	[ $status -eq 125 ] || fail "status where seccomp() fails with $error" $status
	case $said in
	*arrived*) fail "seccomp() fails with $error" "the program was started" ;;
	*seccomp*KMEM_SYSCALLS=off*) ;;
	*) fail "message where seccomp() fails with $error" "$said" ;;
	esac
	said=$("$forbid" $error env LD_PRELOAD="$library" KMEM_SYSCALLS=off echo arrived 2>&1)
	[ "$said" = arrived ] || fail "seccomp() fails with $error, KMEM_SYSCALLS=off" "$said"
done

exit $failed
