#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Guard mode: mistakes with blocks of the heap stop where they are made, or at the release, with a report that names block and functions.
#
#   sh test_guard.sh LIBRARY PROGRAM
#
# LIBRARY is libkmem-preload.so, PROGRAM is prog_guard.
set -u

library=$1
program=$2
segv=$((128 + 11))
abrt=$((128 + 6))
failed=0

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
ulimit -c 0

fail() {
	echo "test_guard.sh: $1" >&2
	sed 's/^/    /' "$work/out" "$work/err" >&2
	failed=1
}

# run SETTINGS WHAT STATUS: the program under the library, and how it should end.
run() {
	settings=$1
	what=$2
	# shellcheck disable=SC2086 # one word a variable
	env $settings KMEM_RAM=2M LD_PRELOAD="$library" "$program" "$what" </dev/null >"$work/out" 2>"$work/err"
	status=$?
	if [ $status -ne "$3" ]; then
		fail "$what, $settings: exit status $status, not $3"
	fi
}

# reports PATTERN...: standard error has these lines, in this order, others between them.
reports() {
	for pattern; do
		echo "$pattern"
	done >"$work/patterns"
	if ! awk -v patterns="$work/patterns" '
		BEGIN { at = 0; count = 0; while ((getline line < patterns) > 0) wanted[count++] = line }
		at < count && $0 ~ wanted[at] { at++ }
		END { if (at < count) { print "missing: " wanted[at] > "/dev/stderr"; exit 1 } }
	' "$work/err"; then
		fail "$what, $settings: the report"
	fi
}

# prints TEXT: standard output is this.
prints() {
	if [ "$(cat "$work/out")" != "$1" ]; then
		fail "$what, $settings: standard output is not '$1'"
	fi
}

after=KMEM_GUARD=after
before=KMEM_GUARD=before


run $after overrun $segv
reports 'guard: write to 0x[0-9a-f]*, right behind the end of a block of 32 bytes at 0x' 'accessed by thread [0-9]+ at:' \
	'#0 0x[0-9a-f]+ block_write[+]0x[0-9a-f]+ [(].*prog_guard[+]0x[0-9a-f]+[)]' 'allocated by thread [0-9]+ at:' '#0 .* block_make[+]'
run $after overrun_far $segv
reports 'guard: read of 0x[0-9a-f]*, 11 bytes behind the end of a block of 5000 bytes' 'accessed by' '#0 .* block_read[+]' 'allocated by' \
	'#0 .* block_make[+]'
run $before underrun $segv
reports 'guard: write to 0x[0-9a-f]*, 3 bytes before the start of a block of 29 bytes' 'accessed by' '#0 .* block_write[+]' 'allocated by' \
	'#0 .* block_make[+]'
for mode in $after $before; do
	run $mode use_released_read $segv
	reports 'guard: read of 0x[0-9a-f]*, 7 bytes into a block of 40 bytes at 0x[0-9a-f]* that was released' 'accessed by' \
		'#0 .* block_read[+]' 'allocated by' '#0 .* block_make[+]' 'released by' '#0 .* block_drop[+]'
	run $mode use_released_write $segv
	reports 'guard: write to 0x[0-9a-f]*, 9000 bytes into a block of 10000 bytes at 0x[0-9a-f]* that was released' 'accessed by' \
		'#0 .* block_write[+]' 'allocated by' '#0 .* block_make[+]' 'released by' '#0 .* block_drop[+]'
	run $mode use_released_late $segv
	reports 'guard: read of 0x[0-9a-f]*, 39 bytes into a block of 40 bytes at 0x[0-9a-f]* that was released'
	run $mode use_nothing $segv
	reports 'guard: write to 0x[0-9a-f]*, at the start of a block of 0 bytes'
	run $mode release_twice $abrt
	reports 'guard: release of 0x[0-9a-f]*, at the start of a block of 24 bytes at 0x[0-9a-f]* that was released' 'called by' '#0 .* block_drop[+]' \
		'allocated by' '#0 .* block_make[+]' 'released by' '#0 .* block_drop[+]'
	run $mode release_inside $abrt
	reports 'guard: release of 0x[0-9a-f]*, 8 bytes into a block of 24 bytes' 'called by' '#0 .* block_drop[+]' 'allocated by' \
		'#0 .* block_make[+]'
	run $mode resize_released $abrt
	reports 'guard: realloc.* of 0x[0-9a-f]*, at the start of a block of 24 bytes at 0x[0-9a-f]* that was released' 'allocated by' '#0 .* block_make[+]' \
		'released by' '#0 .* block_drop[+]'
	run $mode slack_behind $abrt
	reports 'guard: write to 0x[0-9a-f]*, 1 byte behind the end of a block of 29 bytes .* found at its release: the byte is 0x78' \
		'allocated by' '#0 .* block_make[+]' 'released by' '#0 .* block_drop[+]'
	run $mode slack_kept 3
	reports 'guard: write to 0x[0-9a-f]*, 1 byte behind the end of a block of 29 bytes .* found at exit: the byte is 0x78' \
		'allocated by' '#0 .* block_make[+]' 'found at exit' 'guard: 2 more blocks were written to outside their bytes'
	run $mode slack_resize $abrt
	reports 'guard: write to 0x[0-9a-f]*, right behind the end of a block of 29 bytes .* found at its release' \
		'allocated by' '#0 .* block_make[+]' 'released by'
	run $mode threads $segv
	reports 'guard: read of 0x[0-9a-f]*, 1 byte into a block of 64 bytes' 'accessed by' '#0 .* block_read[+]' 'allocated by' \
		'#0 .* block_make[+]' 'released by' '#0 .* block_drop[+]' 'drop_in_thread|[?]'
	run $mode forked 0
	prints 'child: signal 11'
	reports 'guard: write to 0x[0-9a-f]*, at the start of a block of 48 bytes .* that was released' 'accessed by' '#0 .* block_write[+]' \
		'allocated by' '#0 .* block_make[+]' 'released by' '#0 .* block_drop[+]'
	run $mode forks 0
	prints '0 failures'
	run $mode exact 0
	prints "29
28 moves"
	run $mode tables 0
	prints done
	run $mode clean 0
	prints done
done
run $after slack_before $abrt
reports 'guard: write to 0x[0-9a-f]*, 1 byte before the start of a block of 32 bytes .* found at its release' 'allocated by' \
	'#0 .* block_make[+]' 'released by' '#0 .* block_drop[+]'
run $after call 0
prints "16
-1 EFAULT"
reports 'guard: write to 0x[0-9a-f]*, right behind the end of a block of 32 bytes at 0x[0-9a-f]*, by the system call read' 'called by' \
	'#0 .* read[+]' '#1 .*prog_guard[+]' 'allocated by' '#0 .* block_make[+]'
run $after calls 0
prints "16
300000
42
-1 EFAULT
-1 EFAULT
32
32
-1 EFAULT"
reports 'guard: write to 0x[0-9a-f]*, right behind the end of a block of 32 bytes at 0x[0-9a-f]*, by the system call read' \
	'guard: write to 0x[0-9a-f]*, right behind the end of a block of 300000 bytes at 0x[0-9a-f]*, by the system call read' \
	'guard: write to 0x[0-9a-f]*, right behind the end of a block of 32 bytes at 0x[0-9a-f]*, by the system call readv' \
	'guard: read of 0x[0-9a-f]*, right behind the end of a block of 32 bytes at 0x[0-9a-f]*, by the system call open' \
	'guard: read of 0x[0-9a-f]*, right behind the end of a block of 32 bytes at 0x[0-9a-f]*, by the system call write' \
	'guard: read of 0x[0-9a-f]*, 1 byte into a block of 32 bytes at 0x[0-9a-f]* that was released, by the system call write' \
	'released by' '#0 .* block_drop[+]'
if [ "$(grep -c 'by the system call' "$work/err")" -ne 6 ]; then
	fail "$what, $settings: the number of reports"
fi
run $after handler 0
prints "caught
caught
caught
done"
reports 'right behind the end of a block of 32 bytes' '#0 .* block_read[+]' '#0 .* block_make[+]' 'right behind the end of' \
	'right behind the end of'
run "$after KMEM_VM_SIZE=64M KMEM_LOG=info" many 0
prints done
reports 'info: guard: no room for a block of [0-9]+ bytes beside [0-9]+ pages in use: the ordinary heap serves'
run "$after KMEM_GUARD_SAMPLE=10" sampled $segv
reports 'guard: read of 0x[0-9a-f]*, right behind the end of a block of 32 bytes'
run "$after KMEM_GUARD_SAMPLE=100000" sampled 0
run "$after KMEM_GUARD_SAMPLE=7" clean 0
prints done

exit $failed
