#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How a program is started in emulated RAM, or is not: settings that make no sense, and surroundings that leave little room.
#
#   sh test_start.sh LIBRARY PROGRAM
#
# LIBRARY is libkmem-preload.so; PROGRAM is prog_heap, any program that prints something and uses its heap.
set -u

library=$1
program=$2
failed=0

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

fail() {
	echo "test_start.sh: $1" >&2
	sed 's/^/    /' "$work/err" >&2
	failed=1
}

# refused PATTERN SETTING...: status 125, a message that has the pattern, and nothing of the program's.
refused() {
	pattern=$1
	shift
	env "$@" LD_PRELOAD="$library" "$program" >"$work/out" 2>"$work/err"
	status=$?
	[ $status -eq 125 ] || fail "$*: status $status, must be 125"
	[ ! -s "$work/out" ] || fail "$*: the program was started"
	grep -q "^kmem: error: .*$pattern" "$work/err" || fail "$*: no message with \"$pattern\""
	grep -q 'the program is not started' "$work/err" || fail "$*: it is not said that the program is not started"
}

# started SETTING...: the program runs as it does without.
started() {
	env "$@" LD_PRELOAD="$library" "$program" >"$work/out" 2>"$work/err"
	status=$?
	[ $status -eq 0 ] || fail "$*: status $status"
	cmp -s "$work/plain" "$work/out" || fail "$*: other output than without the library"
}

"$program" >"$work/plain" || exit 1

refused 'KMEM_RAM=lots: not a number' KMEM_RAM=lots
refused 'KMEM_RAM=0: must be more than 0' KMEM_RAM=0
refused '0x3e8 is not a multiple of the page size, 4096' KMEM_RAM=1000
refused 'larger than the VM range of 68719476736 bytes' KMEM_RAM=100G
refused 'must leave 4 frames of 4096' KMEM_RAM=4096
refused 'KMEM_VM_BASE=0x400000000: .* is not in \[0x200000000000, 0x210000000000)' KMEM_VM_BASE=0x400000000
refused 'KMEM_VM_BASE=here: not a number' KMEM_VM_BASE=here
refused 'KMEM_VM_SIZE=2T: .* do not end at 0x210000000000' KMEM_VM_SIZE=2T
refused 'KMEM_VM_SIZE=8G: .* do not end at' KMEM_VM_BASE=0x20ffc0000000 KMEM_VM_SIZE=8G
refused 'KMEM_VM_SIZE=99999999999999999999: more than' KMEM_VM_SIZE=99999999999999999999
refused 'KMEM_MMAP_MIN=0: must be at least 1' KMEM_MMAP_MIN=0
refused 'KMEM_MMAP_MIN=some: not a number' KMEM_MMAP_MIN=some
refused 'KMEM_SYSCALLS=perhaps: must be on or off' KMEM_SYSCALLS=perhaps
refused 'KMEM_GUARD=within: must be after, before or off' KMEM_GUARD=within
refused 'KMEM_GUARD_SAMPLE=0: must be at least 1' KMEM_GUARD=after KMEM_GUARD_SAMPLE=0
refused 'KMEM_GUARD_SAMPLE=few: not a number' KMEM_GUARD_SAMPLE=few
refused 'unknown policy "best"; known: clock, lru, nru' KMEM_POLICY=best
refused 'KMEM_STORE: ' KMEM_STORE=tape
refused 'KMEM_STORE: ' KMEM_STORE=ram:0
refused "$work/absent/store" "KMEM_STORE=file:$work/absent/store"
refused 'engine "steam"' KMEM_ENGINE=steam

# Valgrind's own reader gives up on what clang says of the library for debuggers.
if command -v valgrind >/dev/null && ! readelf -p .comment "$library" | grep -q clang; then
	plain=$program
	program=$work/program
	printf '#!/bin/sh\nexec valgrind -q --trace-children=yes "%s"\n' "$plain" >"$program" && chmod +x "$program" || exit 1
	refused 'Valgrind replaces the heap' KMEM_RAM=2M
	program=$plain
fi

started KMEM_RAM=2M
started KMEM_RAM=2M KMEM_VM_SIZE=1G
started KMEM_RAM=2M KMEM_VM_BASE=0x204000000000 KMEM_VM_SIZE=16G
started KMEM_RAM=2M KMEM_MMAP_MIN=4096
started KMEM_RAM=2M KMEM_MMAP_MIN=1T
started KMEM_RAM=2M KMEM_GUARD=off

# Every process has a file of its own, which is gone at the end.
started KMEM_RAM=2M "KMEM_STORE=file:$work/store"
ls "$work"/store* >"$work/err" 2>/dev/null && fail 'a store stays behind'

# The store's directory is lost, as by chroot() or setuid(): a child has its store all the same.
mkdir "$work/lost"
env KMEM_RAM=2M "KMEM_STORE=file:$work/lost" LD_PRELOAD="$library" sh -c 'rmdir "$1" || exit 1; (text=child; echo "$text $((6 * 7))"); exit 3' \
	sh "$work/lost" >"$work/out" 2>"$work/err"
status=$?
[ $status -eq 3 ] && [ "$(cat "$work/out")" = 'child 42' ] || fail "a store without its directory: status $status, $(cat "$work/out")"

# Little address space: a smaller VM, and with next to none, a message.
(
	ulimit -v 8388608
	started KMEM_RAM=2M KMEM_LOG=info
	grep -q 'VM of [0-9]* bytes in place of 68719476736' "$work/err" || fail 'no line tells of the smaller VM'
	refused 'cannot be reserved' KMEM_RAM=2M KMEM_VM_SIZE=32G
	ulimit -v 524288
	refused 'ulimit -v' KMEM_RAM=2M
	exit $failed
) || failed=1

# RAM and store are files: a soft limit on those is the program's alone, a hard one is the library's too.
(
	ulimit -S -f 64
	ulimit -S -n 16
	started KMEM_RAM=2M
	started KMEM_RAM=2M KMEM_STORE=file
	ulimit -f 64
	refused 'ulimit -f' KMEM_RAM=2M
	exit $failed
) || failed=1

exit $failed
