#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The demonstration: sort tens of megabytes of C headers in a quarter of the RAM that text and index need, with the pages
# that do not fit in a file, and compare the result with LC_ALL=C sort.
#
# usage: examples/demo.sh, from any directory
#
# Builds what is needed in build/demo/, installing packages if it must and may; a build that is there is brought up to
# date. KMEM_* environment variables take effect: KMEM_POLICY=nru examples/demo.sh. Exit status: 0 if the results are
# equal.

set -eu

size_min=$((30 << 20)) # bytes of text at least: what there is is repeated
size_max=$((40 << 20)) # and at most
line_entry=24          # bytes in the index for a line

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
demo=$top/build/demo
input=$demo/input.txt
sorted=$demo/sorted.txt
expected=$demo/expected.txt

step()
{
	echo
	echo "== $*"
}

# Configure build/demo/build, from scratch where what is there is of no use, and build line_sort and the library.
build()
{
	set -- -Dbuildtype=release -Ddebug_level=0 -Dtests=false -Dexamples=true
	if ! { [ -f "$demo/build/build.ninja" ] && meson setup --reconfigure "$demo/build" "$top" "$@" >"$demo/build.log"; }; then
		rm -rf "$demo/build"
		meson setup "$demo/build" "$top" "$@" >"$demo/build.log" || {
			cat "$demo/build.log"
			return 1
		}
	fi
	ninja -C "$demo/build"
}

# All headers of the system as one text; a last line without newline gets one.
headers()
{
	find -L /usr/include -type f -name '*.h' -print0 2>/dev/null | sort -z | xargs -0 awk 1
}

# Their first size_max bytes, in whole lines, as often as it takes to have size_min.
gather()
{
	headers | awk -v max=$size_max '(size += length($0) + 1) <= max' >"$input.part"
	[ -s "$input.part" ] || {
		echo "demo: there are no C headers in /usr/include" >&2
		return 1
	}
	: >"$input"
	while [ "$(wc -c <"$input")" -lt $size_min ]; do
		cat "$input.part" >>"$input"
	done
	rm -f "$input.part"
}

LC_ALL=C
export LC_ALL

step "building in $demo/build"
mkdir -p "$demo"
sh "$top/tests/bootstrap.sh" gcc libc6-dev meson ninja-build pkg-config liburcu-dev
build

step "gathering C headers in $input"
gather
text=$(wc -c <"$input")
lines=$(wc -l <"$input")
index=$((lines * line_entry))
ram=$(((text + index) / 4 >> 20)) # MiB, rounded down
echo "$((text >> 20)) MiB of text in $lines lines, $((index >> 20)) MiB of index: $ram MiB of RAM shall do"

step "line_sort --ram ${ram}M --store file --stats"
"$demo/build/examples/line_sort" --ram ${ram}M --store file --stats --output "$sorted" "$input"

step "LC_ALL=C sort"
sort "$input" >"$expected"
if ! cmp "$expected" "$sorted"; then
	echo "FAILED: the results differ"
	exit 1
fi
echo "SUCCESS: the results are equal, byte for byte"
rm -f "$expected" "$sorted"
