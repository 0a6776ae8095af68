#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The library exports what its map says, the map is in alphabetical order, it has every function that a header of <kmem/...>
# declares, and it or the archive has every one of <zephyr/...>: check_symbols.sh LIBRARY MAP ARCHIVE INCLUDE COMPILER... --
# HEADER...
set -eu
export LC_ALL=C

library=$1
map=$2
archive=$3
include=$4
shift 4
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

nm "$archive" | awk 'NF == 3 && $2 ~ /[TWDBRV]/ { print $3 }' | sort -u >"$work/archived"
sort -u "$work/exported" "$work/archived" >"$work/linkable"

# declared DIRECTORY: functions that its headers declare without defining them. Only GCC lists the declarations of a unit.
declared() {
	sed -n "s|^/\* $include/$1/.*:NC \*/ extern [^(]*[ *]\([a-z_][a-z0-9_]*\) (.*|\1|p" "$work/declarations" | sort -u
}

# missing FILE LIST TEXT: names of the file that are not in the list.
missing() {
	if [ ! -s "$1" ] || [ -n "$(comm -23 "$1" "$2")" ]; then
		echo "declared by a public header, but not in $3:"
		comm -23 "$1" "$2"
		failed=1
	fi
}

for header; do
	printf '#include <%s>\n' "$header"
done >"$work/all.c"
# shellcheck disable=SC2086 # a compiler may be several words
if $compiler -aux-info "$work/declarations" -fsyntax-only -I "$include" -I "$include/zephyr_private" "$work/all.c" 2>/dev/null; then
	declared kmem >"$work/declared"
	missing "$work/declared" "$work/mapped" "$map"
	# What a program defines itself.
	declared zephyr | grep -Ev '^(k_mem_paging_(eviction|backing_store)_|sys_mm_is_)' >"$work/declared"
	missing "$work/declared" "$work/linkable" "$library or $archive"
fi
exit "$failed"
