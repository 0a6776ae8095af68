#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The examples for unmodified programs: sh test_examples.sh KMEM_RUN DIRECTORY OVERRUN
set -eu

kmem_run=$(realpath "$1")
directory=$2
overrun=$(realpath "$3")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "test_examples.sh: $1" >&2
	cat "$work/out" "$work/err" >&2
	exit 1
}

# Less RAM, more faults; a row for each policy and size.
RUN=$kmem_run SIZES='2M 4M' sh "$directory/policies.sh" >"$work/out" 2>"$work/err" || fail "policies.sh failed"
awk 'NR > 1 { rows++; faults[$1] += $3 } END { exit !(rows == 6 && faults["2M"] > faults["4M"] && faults["4M"] > 0) }' "$work/out" ||
	fail "policies.sh: the figures make no sense"

# The bug goes unnoticed, and is found.
"$overrun" >"$work/out" 2>"$work/err" || fail "overrun failed by itself"
status=0
"$kmem_run" --guard "$overrun" >"$work/out" 2>"$work/err" || status=$?
[ $status -eq 139 ] || fail "overrun ended with $status under --guard"
grep -q 'end of a block of 32 bytes' "$work/err" || fail "overrun: the report does not say what was hit"
grep -q 'name_make' "$work/err" || fail "overrun: the report does not say where it was allocated"
