#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Which eviction policy suits a program, and how much RAM does it want? Any program, as it is:
#
#   sh examples/preload/policies.sh [PROGRAM [ARGUMENT...]]
#
# Runs it (by default, a sort of some 100,000 lines) in RAM of several sizes with every policy, and prints how often it faulted and what went to
# the store. Its output is thrown away. kmem-run is taken from $RUN, or $PATH, or the build of tests/run.sh; $SIZES are the
# sizes.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
kmem_run=${RUN:-$(command -v kmem-run || echo "$top/build/gcc/lib/kmem-run")}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ $# -eq 0 ]; then
	seq 1 100000 | awk '{ printf "%d line %d\n", $1 * 7919 % 100003, $1 }' >"$work/input"
	set -- env LC_ALL=C sort -S 32M "$work/input"
fi

# The sum of a counter over the reports of all processes.
counter()
{
	cat "$work"/report.*.json | tr ',' '\n' | awk -F ': ' -v key="\"$1\"" '{ gsub(/[ {]/, "", $1) } $1 == key { sum += $2 } END { print sum + 0 }'
}

printf '%-8s %-8s %12s %14s %14s %10s\n' RAM policy faults 'pages read' 'pages written' 'paging ms'
for size in ${SIZES:-2M 4M 8M}; do
	for policy in clock lru nru; do
		rm -f "$work"/report.*.json
		"$kmem_run" --ram "$size" --policy "$policy" --stats="$work/report.json" -- "$@" >/dev/null
		printf '%-8s %-8s %12d %14d %14d %10d\n' "$size" "$policy" "$(counter pagefaults)" "$(counter store_reads)" \
			"$(counter store_writes)" $(($(counter paging_ns) / 1000000))
	done
done
