#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every benchmark runs, prints a table, and writes what can be read as JSON: sh test_bench.sh PROGRAM...
# In quick mode, a round each; the figures are of no concern, since the machine may be busy.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM

for program; do
	name=$(basename "$program")
	BENCH_JSON=$folder/$name.json "$program" --quick --rounds=1 >"$folder/$name.txt"
	if ! grep -q '^([a-g]) ' "$folder/$name.txt"; then
		echo "test_bench.sh: $name prints no table" >&2
		exit 1
	fi
	if ! grep -q '"subject": ' "$folder/$name.json" || grep -qv '^{"part": "[a-g]", "subject": ".*}$' "$folder/$name.json"; then
		echo "test_bench.sh: $name writes no results, or something else" >&2
		exit 1
	fi
done
