#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# kmem-run, from its options to what is left when the program has ended: each bad input ends in a message that says what to do, with the
# status that belongs to it, and the program is not started; exit status, signals and streams pass through; reports are where they
# should be, whole, and one of each process.
#
# usage: test_run.sh KMEM_RUN LIBRARY LIBDIR PROG_RUN PROG_RUN_STATIC PROG_RUN_LIBKMEM
#
# Prints a line for each case in the manner of TAP. Exit status: 0 if all cases passed.

set -u
LC_ALL=C
export LC_ALL
unset LD_PRELOAD
for name in $(env | sed -n 's/^\(KMEM_[A-Z_]*\)=.*/\1/p'); do
	unset "$name"
done

self=$(realpath "$0")
run=$(realpath "$1")
library=$(realpath "$2")
libdir=$3
prog=$(realpath "$4")
static=$(realpath "$5")
linked=$(realpath "$6")

work=$(mktemp -d "${TMPDIR:-/tmp}/kmem-run.XXXXXX") || exit 1
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1

cases=0
failures=0

# result TEXT: of the last condition, in $?.
result()
{
	if [ $? -eq 0 ]; then
		outcome=ok
	else
		outcome='not ok'
		failures=$((failures + 1))
		sed 's/^/# /' out err 2>/dev/null | cut -c 1-300 | head -n 20
	fi
	cases=$((cases + 1))
	echo "$outcome $cases - $1"
}

# kmem ARGUMENT...: run kmem-run; $status, and what it printed in out and err.
kmem()
{
	timeout -k 5 60 env PATH="${search:-$PATH}" "$run" "$@" >out 2>err </dev/null
	status=$?
}

# refused STATUS TEXT ARGUMENT...: ends with that status and one message that has the text in it, and starts nothing.
refused()
{
	wanted=$1
	text=$2
	shift 2
	kmem "$@"
	[ "$status" -eq "$wanted" ] && [ ! -s out ] && grep -q '^kmem-run: ' err && grep -qF -e "$text" err
	result "refused with $wanted: $text"
}

# json FILE...: every line is an object.
json()
{
	for file; do
		[ -s "$file" ] || return 1
		if command -v jq >/dev/null 2>&1; then
			jq -e 'type == "object"' "$file" >/dev/null || return 1
		else
			! grep -qv '^{"version": 1, .*}$' "$file" || return 1
		fi
	done
}

# member NAME FILE: the numbers of a member of the objects themselves, one a line.
member()
{
	sed -n 's/"threads": .*//; s/.*[{ ]"'"$1"'": "*\([a-z0-9 ]*\).*/\1/p' "$2"
}

# ---- bad input ----

refused 125 'no program given'
refused 125 'see kmem-run --help' --nonsense "$prog" exit 0
refused 125 'KMEM_RAM=much' --ram much "$prog" exit 0
refused 125 'must be more than 0' --ram 0 "$prog" exit 0
refused 125 '--ram 1K: too small; the least is 16K' --ram 1K "$prog" exit 0
refused 125 '--ram 20001: not a multiple of 4096' --ram 20001 "$prog" exit 0
refused 125 'larger than the VM range' --ram 90T "$prog" exit 0
refused 125 'the argument is empty' --ram= "$prog" exit 0
refused 125 '--vm-size 2T: too large; the greatest is 1T' --vm-size 2T "$prog" exit 0
refused 125 '--vm-size 1000001: not a multiple of 4096' --vm-size 1000001 "$prog" exit 0
refused 125 'known: clock, lru, nru' --policy best "$prog" exit 0
refused 125 'known: file, ram' --store tape "$prog" exit 0
refused 125 'store' --store ram:0 "$prog" exit 0
refused 125 'no file can be made in' --store "file:$work/absent/pages" "$prog" exit 0
refused 125 'known: auto, guard, mmap, uffd' --engine steam "$prog" exit 0
refused 125 'KMEM_READAHEAD' --readahead 33 "$prog" exit 0
refused 125 'KMEM_CLEANER' --cleaner some "$prog" exit 0
refused 125 'KMEM_MMAP_MIN' --mmap-min few "$prog" exit 0
refused 125 'KMEM_SYSCALLS' --syscalls=maybe "$prog" exit 0
refused 125 'KMEM_GUARD' --guard=around "$prog" exit 0
refused 125 'give --guard' --sample 3 "$prog" exit 0
refused 125 'KMEM_GUARD_SAMPLE' --guard --sample 0 "$prog" exit 0
refused 125 'no file can be made in' --stats="$work/absent/report" "$prog" exit 0
refused 125 'a directory' --stats="$work" "$prog" exit 0
refused 125 'not open' --stats=fd:77 "$prog" exit 0
refused 125 './fd:x' --stats=fd:x "$prog" exit 0
refused 125 'cannot be used' --stats-signal KILL "$prog" exit 0
refused 125 'no signal such as' --stats-signal NONE "$prog" exit 0
refused 125 'KMEM_STATS_INTERVAL' --stats-interval 0 "$prog" exit 0
refused 125 'not a number of seconds' --stats-interval 1h "$prog" exit 0
export KMEM_RAM=3
refused 125 'too small' "$prog" exit 0
unset KMEM_RAM

refused 125 'No such file' --preload "$work/absent.so" "$prog" exit 0
refused 125 'not a shared library' --preload "$self" "$prog" exit 0
refused 125 'not a shared library' --preload "$prog" "$prog" exit 0
refused 125 'another library' --preload "$(ldd "$library" | sed -n 's/.* => \(.*libm\.so\.6\) .*/\1/p')" "$prog" exit 0
cp "$library" renamed.so
kmem --preload "$work/renamed.so" "$prog" exit 5
[ $status -eq 5 ]
result 'the library under another name'
mkdir 'a b' && cp "$library" 'a b/'
refused 125 'blank or a colon' --preload "a b/$(basename "$library")" "$prog" exit 0
mkdir alone && cp "$run" alone/
given=$run
run=$work/alone/kmem-run
kmem "$prog" exit 0
# Unless there is one where it would have been installed.
if [ $status -ne 0 ]; then
	refused 125 'is neither beside' "$prog" exit 0
	refused 125 'install libkmem' "$prog" exit 0
fi
export KMEM_PRELOAD="$work/absent.so"
refused 125 "KMEM_PRELOAD $work/absent.so: No such file" "$prog" exit 0
unset KMEM_PRELOAD
run=$given

refused 127 'not found in PATH' no-such-program-anywhere
refused 127 'name is empty' ''
mkdir nothing
search=$work/nothing:/usr/bin:/bin
refused 127 'did you mean --guard=before?' --guard before "$prog" exit 0
refused 127 'did you mean --guard=after?' --guard after "$prog" exit 0
search=
refused 127 'no such file' ./absent
refused 127 'Not a directory' "$self/absent"
refused 126 'a directory' "$work"
cp "$prog" plain && chmod a-x plain
refused 126 'not executable' ./plain exit 0
search=$work
refused 126 'not executable' plain exit 0
search=
refused 126 'statically linked' "$static" exit 0
refused 126 'links libkmem itself' "$linked" exit 0
printf 'echo started\n' >text && chmod +x text
refused 126 'neither an ELF program nor a script' ./text
: >empty && chmod +x empty
refused 126 'neither an ELF program nor a script' ./empty
{ printf '\177ELF\001\001\001' && head -c 200 /dev/zero; } >elf32 && chmod +x elf32
refused 126 '32-bit' ./elf32
{ head -c 18 "$prog" && printf '\267' && tail -c +20 "$prog"; } >aarch64 && chmod +x aarch64
refused 126 'another machine' ./aarch64
head -c 100 "$prog" >damaged && chmod +x damaged
refused 126 'damaged' ./damaged
sed 's#/ld-linux-x86-64\.so\.2#/ld-musl-x86-64.so.12#' "$prog" >musl && chmod +x musl
refused 126 'GNU C library' ./musl exit 0
sed 's#/lib64/ld-linux#/libXX/ld-linux#' "$prog" >lost && chmod +x lost
refused 126 'is missing' ./lost exit 0

printf '#!%s\n' "$static" >script && chmod +x script
refused 126 'statically linked' ./script exit 0
printf '#!/usr/bin/env %s\n' "$static" >script
refused 126 'statically linked' ./script exit 0
printf '#!%s\n' "$work/absent" >script
refused 126 "a script, which $work/absent is to" ./script
printf '#!/bin/sh\r\necho started\r\n' >script
refused 126 'CR LF' ./script
printf '#!/usr/bin/env sh\r\necho started\r\n' >script
refused 126 'CR LF' ./script
! grep -q "$(printf '\r')" err
result 'and no CR is printed'
printf '#!\n' >script
refused 126 'no interpreter' ./script
printf '#!%s\n' "$work/script" >script
refused 126 'interpret each other' ./script

if [ "$(id -u)" -eq 0 ]; then
	cp "$prog" setuid && chown 12345 setuid && chmod 4755 setuid
	cp "$prog" setgid && chgrp 12345 setgid && chmod 2755 setgid
	if ! ./setuid rights; then
		refused 126 'set-user-id' ./setuid exit 0
		refused 126 'set-group-id' ./setgid exit 0
	fi
fi
cp "$prog" own && chmod 4755 own
kmem ./own exit 3
[ $status -eq 3 ]
result 'a set-user-id program of our own is run'

kmem --help
[ $status -eq 0 ] && grep -q -e '--ram SIZE' out && [ "$(wc -l <out)" -lt 40 ] && [ "$(wc -L <out)" -lt 100 ]
result 'the help fits on a screen'
kmem --version
[ $status -eq 0 ] && grep -q '^kmem-run (libkmem) [0-9]' out
result 'the version'

# ---- what passes through ----

for number in 0 1 77 125 126 127 255; do
	kmem --ram 2M "$prog" exit $number
	[ $status -eq $number ] && [ ! -s out ] && [ ! -s err ]
	result "exit status $number"
done
kmem --ram 2M -- "$prog" exit 5
[ $status -eq 5 ]
result 'options end at --'
search=$work/absent:$work:$(dirname "$prog")
mkdir prog_run
kmem "$(basename "$prog")" exit 6
search=
[ $status -eq 6 ]
result 'the program is found in PATH'
printf '#!/bin/sh -e\necho started "$1"\nfalse\n' >script
kmem --ram 2M ./script again
[ $status -eq 1 ] && [ "$(cat out)" = 'started again' ]
result 'a script'
printf '#!/usr/bin/env sh\necho started "$1"\n' >script
kmem --ram 2M ./script again
[ $status -eq 0 ] && [ "$(cat out)" = 'started again' ]
result 'a script by env'
kmem sh -c 'echo "$LD_PRELOAD"'
[ "$(cat out)" = "$(realpath "$library")" ]
result 'the library is preloaded'
LD_PRELOAD=$library:libm.so.6 kmem sh -c 'echo "$LD_PRELOAD"'
[ "$(cat out)" = "$(realpath "$library"):libm.so.6" ]
result 'what is preloaded already stays'
kmem "$run" --ram 3M -- sh -c 'echo "$KMEM_RAM:$LD_PRELOAD"'
[ $status -eq 0 ] && [ "$(cat out)" = "3M:$(realpath "$library")" ]
result 'kmem-run of kmem-run'

seq 20000 >numbers
timeout 60 "$run" --ram 2M cat <numbers >out 2>err
cmp -s numbers out && [ ! -s err ]
result 'standard input and output'
timeout 60 "$run" --ram 2M sh -c 'echo to stderr >&2' >out 2>err
[ ! -s out ] && [ "$(cat err)" = 'to stderr' ]
result 'standard error'
timeout 60 "$run" --ram 2M sh -c 'cat <&3' 3<numbers >out 2>err
cmp -s numbers out
result 'other descriptors'

# HUP, KILL, USR1, SEGV, TERM
for signal in 1 9 10 11 15; do
	timeout 60 "$prog" kill $signal >out 2>err
	plain=$?
	kmem --ram 2M "$prog" kill $signal
	[ $plain -gt 128 ] && [ $status -eq $plain ]
	result "killed by signal $signal"
done
timeout 60 "$run" --ram 2M "$prog" wait >out 2>err &
pid=$!
while ! grep -q ready out; do
	sleep 0.05
done
kill "$pid" # timeout hands it on
wait "$pid"
[ $? -eq 143 ]
result 'SIGTERM from outside'
kmem --ram 2M --stats=wild.json "$prog" wild
[ $status -eq 139 ] && grep -q 'read-only page' err && json wild.*.json && [ "$(member event wild.*.json)" = 'fatal error' ]
result 'a bad access is explained, and reported'

mkdir -p installed/bin "installed/$libdir" && cp "$run" installed/bin && cp "$library" "installed/$libdir"
installed/bin/kmem-run --ram 2M sh -c 'echo "$LD_PRELOAD"' >out 2>err
[ "$(cat out)" = "$(realpath "installed/$libdir")/$(basename "$library")" ]
result 'an installation that was moved'
"$work/alone/kmem-run" --preload "$library" sh -c 'echo "$LD_PRELOAD"' >out 2>err
[ "$(cat out)" = "$(realpath "$library")" ]
result 'a library of choice'

# ---- reports ----

kmem --ram 2M --readahead 0 --stats "$prog" touch 8
[ $status -eq 0 ] && [ ! -s out ] && grep -q '^kmem: report of prog_run, process [0-9]*, exit, after' err &&
	[ "$(sed -n 's/^page faults  *//p' err)" -ge 2048 ]
result 'a report on standard error'
kmem --ram 2M --stats=text "$prog" touch 8
[ ! -s err ] && [ "$(ls text*)" != text.txt ] && grep -q '^store, bytes written  *[1-9]' text.*
result 'a report in a file has the process in its name'
kmem --ram 2M --readahead 0 --stats=name.json "$prog" touch 8
set -- name.*.json
[ $# -eq 1 ] && json "$1" && [ "$1" = "name.$(member pid "$1").json" ] && [ "$(member pagefaults "$1")" -ge 2048 ] &&
	[ "$(member store_written_bytes "$1")" -ge 6291456 ] && [ "$(member resident_bytes "$1")" -le 2097152 ] &&
	[ "$(member paging_ns "$1")" -gt 0 ]
result 'JSON'
kmem --ram 2M --stats=%p.of.%p "$prog" touch 1
set -- *.of.*
[ $# -eq 1 ] && [ "${1%.of.*}" = "${1#*.of.}" ]
result 'the process where %p stands'
cd alone && kmem --ram 2M --stats=../elsewhere.json sh -c "cd /; $prog touch 1; true"
cd ..
set -- elsewhere.*.json
[ $# -eq 2 ] && json "$@"
result 'a relative path is that of kmem-run'
kmem --ram 2M --stats=- --stats-json "$prog" touch 1
json err
result 'JSON on standard error'
timeout 60 "$run" --ram 2M --stats=fd:5 --stats-json "$prog" touch 1 5>five 2>err
json five && [ ! -s err ]
result 'JSON on a descriptor'
timeout 60 "$run" --ram 2M --stats=fd:5 --stats-json sh -c "exec 5>mine; $prog touch 1; echo x >&5" 5>five 2>err
[ "$(member program five)" = sh ] && [ "$(cat mine)" = x ] && [ ! -s err ]
result 'a descriptor that is used for another file is left alone'
kmem --ram 2M --stats=pipe.json sh -c "seq 5000 | sort | tail -n 1; $prog touch 1; true"
set -- pipe.*.json
[ "$(cat out)" = 999 ] && [ $# -eq 5 ] && json "$@"
result 'a pipeline has a report of each process'
for how in exit _exit _Exit quick_exit; do
	kmem --ram 2M --stats=$how.json "$prog" $how 9
	set -- $how.*.json
	[ $status -eq 9 ] && [ $# -eq 1 ] && json "$1" && [ "$(member event "$1")" = exit ]
	result "one report at $how()"
done
kmem --ram 2M --stats=vfork.json "$prog" vfork 7
set -- vfork.*.json
[ $status -eq 7 ] && [ $# -eq 1 ] && [ "$1" = "vfork.$(cat out).json" ] && json "$1" && [ "$(wc -l <"$1")" -eq 1 ]
result 'no report of the child of a vfork'
kmem --ram 2M --readahead 0 --stats=fork.json "$prog" fork 8
set -- fork.*.json
[ $status -eq 8 ] && [ $# -eq 2 ] && json "$@" && {
	first=$(member pagefaults "$1")
	second=$(member pagefaults "$2")
	less=$first && [ "$second" -lt "$first" ] && less=$second
	[ "$less" -ge 1024 ] && [ "$less" -lt 3072 ] && [ $((first + second)) -ge 5120 ]
}
result 'the child of a fork counts anew'
kmem --ram 2M --stats=threads.json --stats-threads "$prog" threads 3
set -- threads.*.json
json "$1" && grep -q '"threads": \[{"tid": [0-9]*, .*}\], "threads_ended": {"count": 3, "pagefaults": [1-9]' "$1"
result 'threads'
kmem --ram 2M --stats-threads "$prog" threads 2
grep -q '^ended  *2  *[1-9]' err
result 'threads in the table'
kmem --ram 2M --stats=interval.json --stats-interval 0.1 "$prog" doze 800
set -- interval.*.json
[ $status -eq 0 ] && json "$1" && [ "$(grep -c '"event": "interval"' "$1")" -ge 3 ] &&
	[ "$(tail -n 1 "$1" | grep -c '"event": "exit"')" -eq 1 ]
result 'reports at an interval'
kmem --ram 2M --stats=last.json --stats-interval 0.1 "$prog" last
[ $status -eq 0 ] && json last.*.json
result 'reports at an interval do not keep the process alive'
"$run" --ram 2M --stats=signal.json --stats-signal USR2 "$prog" wait >out 2>err &
pid=$!
while ! grep -q ready out; do
	sleep 0.05
done
kill -USR2 "$pid"
while ! [ -s "signal.$pid.json" ]; do
	sleep 0.05
done
kill "$pid"
wait "$pid"
[ $? -eq 143 ] && json "signal.$pid.json" && [ "$(member event "signal.$pid.json")" = signal ]
result 'a report on a signal'
kmem --ram 2M --stats=calls.json "$prog" read "$self"
cmp -s out "$self" && [ "$(member trapped_calls calls.*.json)" -ge 1 ]
result 'trapped system calls are counted'
kmem --ram 16M --guard --stats=guard.json "$prog" touch 1
[ $status -eq 0 ] && json guard.*.json && [ "$(member guarded guard.*.json)" -ge 1 ] && [ "$(member guarded_released guard.*.json)" -ge 1 ]
result 'guarded allocations are counted'
kmem --ram 2M --stats "$prog" closed "$work/other"
[ $status -eq 0 ] && [ "$(cat other)" = mine ] && grep -q 'kmem: report' err
result 'standard error may be closed by the program'
timeout 60 "$run" --ram 2M --stats "$prog" exit 4 >out 2>&-
[ $? -eq 4 ] && [ ! -s out ]
result 'standard error may be closed from the start'
if mkfifo pipe; then
	kmem --ram 2M --stats=pipe --stats-interval 0.1 "$prog" doze 400
	[ $status -eq 0 ] && [ "$(grep -c 'the report cannot be written to .*pipe: ENXIO, nobody reads this pipe' err)" -eq 1 ]
	result 'a pipe that nobody reads is told once'
	timeout 60 cat pipe >read &
	kmem --ram 2M --stats=pipe sleep 0.5
	wait
	[ $status -eq 0 ] && [ ! -s err ] && grep -q '^kmem: report of sleep' read
	result 'a report through a named pipe'
	# The reader goes, and its end of the pipe with it, before there is a report.
	timeout 60 "$run" --ram 2M --stats=fd:5 sh -c 'sleep 0.5; exit 7' 5>pipe 2>err &
	pid=$!
	: <pipe
	wait $pid
	[ $? -eq 7 ] && grep -q 'EPIPE, nobody reads this pipe any more' err
	result 'a reader that has gone does not change the exit status'
fi
kmem --ram 2M --stats "$prog" exit 0
[ -z "$(sed -n 1p err)" ] && sed -n 2p err | grep -q '^kmem: report' && ! grep -q 'reading a page from the store$' err
result 'a blank line comes first, and histograms of nothing are left out'
kmem --ram 2M --readahead 0 --stats "$prog" touch 8
grep -q 'reading a page from the store$' err || grep -q 'writing a page to the store$' err
result 'the others are there'
if [ -c /dev/full ]; then
	kmem --ram 2M --stats=/dev/full --stats-interval 0.1 "$prog" doze 400
	[ $status -eq 0 ] && [ "$(grep -c 'the report cannot be written to /dev/full: ENOSPC' err)" -eq 1 ]
	result 'a report that cannot be written is told once'
fi

# ---- stores ----

kmem --ram 2M --store ram:64 "$prog" touch 8
[ $status -eq 139 ] && grep -q 'the backing store is full.*; give it more room: KMEM_STORE (--store) ram:PAGES, or file:DIRECTORY' err
result 'a store that is full says what to do'
mkdir pages
kmem --ram 2M --store file:pages sh -c "cd /; $prog touch 8; $prog touch 8"
[ $status -eq 0 ] && [ ! -s err ] && [ -z "$(ls -A pages)" ]
result 'a file store in a directory leaves nothing behind'
kmem --ram 2M --store file:pages/name sh -c "$prog touch 8; exec $prog fork 3"
[ $status -eq 3 ] && [ ! -s err ] && [ -z "$(ls -A pages)" ]
result 'nor does one with a name'
if [ "$(id -u)" -ne 0 ]; then
	chmod a-w pages
	refused 125 'no file can be made in' --store file:pages "$prog" exit 0
fi
TMPDIR=$work/absent refused 125 'no file can be made in' --store file "$prog" exit 0

echo "1..$cases"
[ $failures -eq 0 ]
