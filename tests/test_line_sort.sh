#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# End-to-end test of the line_sort example: its result against LC_ALL=C sort, with every policy and store, and every
# error it promises to report: in one line, with a non-zero exit status, and with no output file left behind.
#
# usage: test_line_sort.sh [LINE_SORT]
#
# Prints a line for each case in the manner of TAP. Exit status: 0 if all cases passed, 1 if not, 77 if there is no
# program to test. Cases that cannot be had on this host are skipped one by one.

set -u
LC_ALL=C
export LC_ALL
unset KMEM_RAM KMEM_STORE KMEM_POLICY KMEM_ENGINE KMEM_STATS KMEM_VM_BASE KMEM_VM_SIZE KMEM_READAHEAD KMEM_LOG

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
line_sort=${1:-$here/../build/examples/line_sort}
if ! [ -x "$line_sort" ]; then
	echo "1..0 # SKIP no program $line_sort"
	exit 77
fi
case $line_sort in
/*) ;;
*) line_sort=$PWD/$line_sort ;;
esac

work=$(mktemp -d "${TMPDIR:-/tmp}/line_sort.XXXXXX") || exit 1
mounted=false
cleanup()
{
	if $mounted; then
		umount "$work/disk"
	fi
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
mkdir out disk

count=0
failures=0

# passed STATUS NAME: count and print a case.
passed()
{
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		failures=$((failures + 1))
		echo "not ok $count - $2"
		sed 's/^/# /' stderr
	fi
}

skipped()
{
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# sorts NAME EXPECTED ARGUMENT...: the program succeeds and out/sorted is EXPECTED, with nothing else beside it.
sorts()
{
	name=$1
	expected=$2
	shift 2
	rm -rf out/*
	"$line_sort" --output out/sorted "$@" 2>stderr
	status=$?
	[ $status -eq 0 ] && cmp -s "$expected" out/sorted && [ "$(ls -A out)" = sorted ]
	passed $? "$name"
}

# fails STATUS NAME ARGUMENT...: the program ends with STATUS and one line on standard error, and leaves no output.
fails()
{
	wanted=$1
	name=$2
	shift 2
	rm -rf out/*
	"$line_sort" --output out/sorted "$@" >stdout 2>stderr </dev/null
	status=$?
	[ $status -eq "$wanted" ] && [ "$(wc -l <stderr)" -eq 1 ] && [ -z "$(ls -A out)" ] && ! [ -s stdout ]
	passed $? "$name"
}

# Input: some MB of lines, with many equal ones, equal beginnings, empty ones, long ones, and every byte (the program's
# own file has them, NUL included).
awk 'BEGIN {
	seed = 1
	for (i = 0; i < 70000; i++) {
		seed = (seed * 16807) % 2147483647
		kind = seed % 8
		if (kind == 0)
			print ""
		else if (kind < 4)
			print "#define NAME_" seed % 1000 " " int(seed / 4096)
		else if (kind == 4)
			print substr("\t\t\t\t\t\t\t\t\t\t\t\t", 1, seed % 13) "x"
		else
			print seed " " i " " seed * 3
	}
}' >plain
{ cat "$line_sort"; echo; } >bytes
awk 'BEGIN { for (i = 0; i < 3000; i++) { line = line "long line " i " " } print line "b"; print line "a"; print line }' >long
cat plain bytes long >all
sort all >expected

for policy in clock lru nru; do
	for store in ram file file:pages; do
		sorts "equals sort, RAM 1M, policy $policy, store $store" expected \
			--ram 1M --policy $policy --store $store all
	done
done
sorts 'equals sort in the smallest RAM' expected --ram 128K all
sorts 'equals sort with RAM to spare' expected all
sorts 'several files are sorted as one' expected --ram 1M plain bytes long

printf 'b\0\n\nb\na\0b\na\0a\nb\0\0\na\na\0\nab\n\377\n\200\n\001\nabcdefgh\nabcdefg\nabcdefgh\0\nabcdefghi\nabcdefg\0\n' >special
sort special >special.expected
sorts 'NUL bytes, bytes above 127, lines about as long as a key' special.expected special
echo one >one
sorts 'one line' one one
sort long >long.expected
sorts 'one line longer than RAM' long.expected --ram 64K long
printf '\n\n\n' >newlines
sorts 'empty lines only' newlines newlines
printf 'z\na' >unfinished
printf 'a\nz\n' >finished
sorts '--add-newline finishes the last line' finished --add-newline unfinished
printf 'a\none\nz\n' >joined
sorts '--add-newline keeps the lines of two files apart' joined --add-newline unfinished one

"$line_sort" --ram 1M all >sorted 2>stderr &&
	cmp -s expected sorted && ! [ -s stderr ]
passed $? 'standard output, and silence on standard error'
"$line_sort" --ram 1M - <all >sorted 2>stderr &&
	cmp -s expected sorted
passed $? 'standard input, if it is a file'
"$line_sort" --ram 1M --stats all >sorted 2>stderr &&
	cmp -s expected sorted && [ "$(awk '/^page faults/ { print $3 }' stderr)" -gt 256 ] &&
	[ "$(awk '/^pages to store/ { print $4 }' stderr)" -gt 0 ] && grep -q '^time spent paging' stderr
passed $? '--stats shows that pages went out and came in'
KMEM_RAM=2M KMEM_POLICY=lru "$line_sort" --ram 1M --policy nru --stats all >sorted 2>stderr &&
	cmp -s expected sorted && grep -q '^RAM  *2\.0 MiB' stderr && grep -q '^engine, policy .* lru$' stderr
passed $? 'the environment overrides options'
"$line_sort" --help >sorted 2>stderr &&
	grep -q '^Usage: line_sort' sorted && ! [ -s stderr ]
passed $? '--help'

# The target.
rm -rf out/*
printf 'b\na\n' >out/target
chmod 640 out/target
ln -s target out/link
printf 'a\nb\n' >two.expected
"$line_sort" --output out/link out/target 2>stderr &&
	cmp -s two.expected out/target && [ -L out/link ] && [ -n "$(find out/target -perm 640)" ]
passed $? 'a file may be sorted onto itself, through a link, and keeps its permissions'
"$line_sort" --output out/target missing 2>stderr
[ $? -eq 1 ] && cmp -s two.expected out/target && [ -z "$(find out -name 'target.*')" ]
passed $? 'an error leaves an earlier output as it was'
rm -rf out/*

# Errors.
: >empty
mkdir directory
mkfifo fifo
fails 1 'a missing file' missing
fails 1 'a missing file among others' one missing
fails 1 'a directory' directory
fails 1 'a FIFO, without waiting for it' fifo
fails 1 'a file that cannot be read' /proc/self/mem
if [ "$(id -u)" -ne 0 ]; then
	cp one secret
	chmod 000 secret
	fails 1 'a file that may not be read' secret
else
	skipped 'a file that may not be read' 'root may read everything'
fi
fails 1 'an empty file' empty
fails 1 'an empty file among others' one empty
fails 1 'a file without a newline at its end' unfinished
fails 1 'a RAM of one page' --ram 4K all
fails 1 'a RAM too small to run in' --ram 32K all
fails 1 'an unknown policy' --policy none one
fails 1 'an unknown store' --store none one
fails 1 'a store that cannot be created' --store file:missing/pages one
fails 1 'a RAM store that is too small' --ram 256K --store ram:64 all
fails 1 'an output in a missing directory' --output missing/sorted one
fails 1 'an output that is a directory' --output directory one
fails 1 'a full output' --output /dev/full --ram 1M all
fails 2 'no file'
fails 2 'an unknown option' --none one
fails 2 'a size that is none' --ram much one
fails 2 'a size with something behind it' --ram 1MX one
fails 2 'an option without its argument' one --ram

# A full disk under the store, and under the output.
rm -rf out/*
(
	# A limit on file sizes: RAM and what is loaded before it bites fit, the pages of text do not.
	ulimit -f 4096
	exec "$line_sort" --output out/sorted --ram 1M --store file:pages all
) >stdout 2>stderr
[ $? -eq 1 ] && [ "$(wc -l <stderr)" -eq 1 ] && [ -z "$(ls -A out)" ]
passed $? 'a file store that meets a limit on file sizes'
if mount -t tmpfs -o size=1M line_sort disk 2>/dev/null; then
	mounted=true
	fails 1 'a full disk under the store' --ram 1M --store "file:$work/disk/pages" all
	[ -z "$(ls -A disk)" ]
	passed $? 'a full disk is free again afterwards'
	"$line_sort" --output disk/sorted --ram 1M all 2>stderr
	[ $? -eq 1 ] && [ "$(wc -l <stderr)" -eq 1 ] && [ -z "$(ls -A disk)" ]
	passed $? 'a full disk under the output'
else
	skipped 'a full disk under the store' 'cannot mount a small file system'
	skipped 'a full disk is free again afterwards' 'cannot mount a small file system'
	skipped 'a full disk under the output' 'cannot mount a small file system'
fi

# A signal in the middle: the temporary shows that the work has begun.
rm -rf out/*
cat all all all all >fourfold
"$line_sort" --output out/sorted --ram 256K fourfold 2>stderr &
pid=$!
tries=0
while [ -z "$(ls -A out)" ] && [ $tries -lt 500 ]; do
	sleep 0.01
	tries=$((tries + 1))
done
kill -TERM $pid 2>/dev/null
wait $pid
status=$?
{ [ $status -eq 143 ] && [ -z "$(ls -A out)" ]; } || { [ $status -eq 0 ] && [ "$(ls -A out)" = sorted ]; }
passed $? 'a signal leaves no temporary behind'

# A terminal, if something here can make one.
if script -qec true /dev/null >/dev/null 2>&1; then
	script -qec "'$line_sort' --ram 256K --output out/sorted fourfold" /dev/null >terminal 2>stderr </dev/null
	grep -q '%, .* page faults' terminal
	passed $? 'progress on a terminal'
else
	skipped 'progress on a terminal' 'no script program'
fi

echo "1..$count"
[ $failures -eq 0 ]
