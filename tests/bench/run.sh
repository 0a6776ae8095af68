#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The benchmarks: sh tests/bench/run.sh [--quick] [option of the programs]... [letter]...
#
#   a  fault cycle, beside floors and other pagers        e  memory of the library's own
#   b  resident access, beside plain memory               f  start-up
#   c  mapping, beside mmap()                             g  whole programs under kmem-run
#   d  region allocator
#
# All of them if none is named. Builds in build/release, a release build, prints one table, and writes the same to build/benchmark.json,
# with what is to be known of the machine. --quick takes half a minute, all of it a quarter of an hour. --threads=1,2,4,8 measures (a) with
# more threads; --cpu-time counts processor time, for a machine that has other things to do.
#
# As root, (a) makes a zram device and a memory cgroup for the kernel's swap, and removes them again.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$top"

build=build/release
json=build/benchmark.json
options=
letters=
for argument; do
	case $argument in
	[a-g])
		letters="$letters $argument"
		;;
	--*)
		options="$options $argument"
		;;
	*)
		echo "run.sh: $argument: no option, and no letter from a to g" >&2
		exit 2
		;;
	esac
done

program_of() {
	case $1 in
	a) echo fault ;;
	b) echo resident ;;
	c) echo map ;;
	d) echo region ;;
	e) echo memory ;;
	f) echo start ;;
	g) echo programs ;;
	esac
}

# The text behind a colon in a line of a file in /proc, as a JSON string.
proc_text() {
	sed -n "s/^$2[[:space:]]*: *//p" "$1" | head -n 1 | sed 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$/"/'
}

engine=$(mktemp)
results=$(mktemp)
trap 'rm -f "$engine" "$results"' EXIT INT TERM

if [ ! -f $build/build.ninja ]; then
	meson setup $build --buildtype=release -Ddebug_level=0
fi
meson compile -C $build >"$results" || {
	cat "$results" >&2
	exit 1
}
: >"$results"

# What "auto" comes to here, from the report of a program that boots.
KMEM_STATS="$engine" KMEM_STATS_FORMAT=json $build/tests/bench/start_kmem boot
chosen=$(sed -n 's/.*"engine": *"\([^"]*\)".*/\1/p' "$engine" | head -n 1)

for letter in ${letters:-a b c d e f g}; do
	# shellcheck disable=SC2086 # options are words
	BENCH_JSON="$results" $build/tests/bench/bench_"$(program_of "$letter")" $options
done

{
	printf '{"date": "%s", "kernel": "%s", "machine": "%s", ' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(uname -r)" "$(uname -m)"
	printf '"processors": %s, "processor": %s, ' "$(nproc)" "$(proc_text /proc/cpuinfo 'model name' | grep . || echo '""')"
	printf '"memory": %s, "engine": "%s", "options": "%s",\n' "$(proc_text /proc/meminfo MemTotal)" "$chosen" "${options# }"
	echo ' "results": ['
	sed '$!s/$/,/; s/^/  /' "$results"
	echo ' ]}'
} >$json
printf '\nauto is the engine %s here; written to %s\n' "$chosen" $json
