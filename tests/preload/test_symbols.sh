#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What leaves libkmem-preload.so is what its version map lists, in order, and nothing else: sh test_symbols.sh LIBRARY MAP
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C

sed -n 's/^\t\([A-Za-z_0-9]*\);$/\1/p' "$2" >"$work/listed"
sort -c -u "$work/listed" || {
	echo "test_symbols.sh: $2 is not in alphabetical order" >&2
	exit 1
}
nm -D --defined-only "$1" | awk '{ sub(/@.*/, "", $3); print $3 }' | sort >"$work/exported"
diff "$work/listed" "$work/exported" || {
	echo "test_symbols.sh: < listed in $2, > exported by $1" >&2
	exit 1
}
