#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run a program as it is and in emulated RAM, and compare what it prints and how it ends.
#
#   sh compare.sh LIBRARY [VARIABLE=VALUE...] -- PROGRAM [ARGUMENT...]
#
# LIBRARY is libkmem-preload.so; the variables (KMEM_RAM, KMEM_STORE, ...) are for the second run. Standard output must be the same to the
# byte, and so must the exit status; standard error is shown. Standard input is empty.
set -u

library=$1
shift
settings=
while [ "$1" != -- ]; do
	settings="$settings $1"
	shift
done
shift

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

"$@" </dev/null >"$work/plain" 2>"$work/plain.err"
plain=$?
if [ $plain -eq 126 ] || [ $plain -eq 127 ]; then
	echo "compare.sh: $1 cannot be run" >&2
	exit 1
fi
# shellcheck disable=SC2086 # one word a variable
env $settings LD_PRELOAD="$library" "$@" </dev/null >"$work/paged" 2>"$work/paged.err"
paged=$?

sed 's/^/plain: /' "$work/plain.err" >&2
sed 's/^/paged: /' "$work/paged.err" >&2
if [ $plain -ne $paged ]; then
	echo "compare.sh: exit status $plain as it is, $paged in emulated RAM" >&2
	exit 1
fi
if ! cmp "$work/plain" "$work/paged"; then
	diff "$work/plain" "$work/paged" | head -n 40 >&2
	exit 1
fi
