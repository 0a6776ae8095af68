#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The library exports what its map says, the map is in alphabetical order, and it has every function that a public
# header declares: check_symbols.sh LIBRARY MAP INCLUDE COMPILER... -- HEADER...
set -eu
export LC_ALL=C

library=$1
map=$2
include=$3
shift 3
compiler=
while [ "$1" != -- ]; do
	compiler="$compiler $1"
	shift
done
shift

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

nm -D --defined-only "$library" | awk '{ print $3 }' | sort >"$work/exported"
sed -n 's/^\t\([A-Za-z_][A-Za-z0-9_]*\);$/\1/p' "$map" >"$work/mapped"

failed=0
sort -c "$work/mapped" || failed=1
if ! diff "$work/mapped" "$work/exported"; then
	echo "< in $map only, > exported by $library only"
	failed=1
fi

# Only GCC lists the declarations of a translation unit.
for header; do
	printf '#include <%s>\n' "$header"
done >"$work/all.c"
# shellcheck disable=SC2086 # a compiler may be several words
if $compiler -aux-info "$work/declarations" -fsyntax-only -I "$include" "$work/all.c" 2>/dev/null; then
	sed -n "s|^/\* $include/.*:NC \*/ extern [^(]*[ *]\([a-z_][a-z0-9_]*\) (.*|\1|p" "$work/declarations" |
		sort -u >"$work/declared"
	[ -s "$work/declared" ] || failed=1
	if [ -n "$(comm -23 "$work/declared" "$work/mapped")" ]; then
		echo "declared by a public header, but not in $map:"
		comm -23 "$work/declared" "$work/mapped"
		failed=1
	fi
fi
exit "$failed"
