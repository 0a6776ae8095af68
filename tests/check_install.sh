#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is installed is complete: programs build against it with nothing but pkg-config, with the shared library, with the
# static one, and without any shared library, and run: check_install.sh BUILD SOURCES ZEPHYR COMPILER... ZEPHYR is the folder of
# examples that are Zephyr programs.
set -eu

build=$1
sources=$2
zephyr=$3
shift 3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

DESTDIR=$work meson install -C "$build" --no-rebuild --quiet
pc=$(find "$work" -name kmem.pc)
[ -n "$pc" ] || {
	echo "kmem.pc is not installed"
	exit 1
}
libdir=$(dirname "$(dirname "$pc")")
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH

# The prefix is where it was installed to, not where it would have been.
sed -i "s|^prefix=|prefix=$work|" "$pc" "$(dirname "$pc")"/kmem-zephyr*.pc

[ -n "$(pkg-config --modversion kmem)" ]

# build_and_run NAME OPTIONS: every source against what is installed.
build_and_run() {
	name=$1
	shift
	for source in $sources; do
		program=$work/$name.$(basename "$source" .c)
		# shellcheck disable=SC2086 # flags are words
		"$@" -std=gnu11 "$source" -o "$program" $flags -pthread
		LD_LIBRARY_PATH=$libdir "$program" >"$program.out"
	done
}

more=

# A suite of ztest's, configured by its prj.conf: suite NAME OPTIONS...
suite() {
	program=$work/$1.suite
	shift
	sh "$zephyr/kconfig_flags.sh" -o "$work/options" "$zephyr/paging_suite/prj.conf"
	# shellcheck disable=SC2086 # flags are words
	"$@" "@$work/options" $more "$zephyr/paging_suite/src/main.c" -o "$program" $flags
	LD_LIBRARY_PATH=$libdir "$program" >"$program.out" 2>&1 || {
		cat "$program.out"
		exit 1
	}
	tail -n 1 "$program.out" | grep -q '^[1-9][0-9]* passed, 0 failed, 0 skipped$'
}

flags=$(pkg-config --cflags --libs kmem)
build_and_run shared "$@"
readelf -d "$work/shared.first" | grep -q 'NEEDED.*\[libkmem\.so\.0\]'

flags=$(pkg-config --cflags --libs kmem-zephyr)
suite shared "$@"
readelf -h "$work/shared.suite" | grep -q 'Type: *EXEC'
flags=$(pkg-config --cflags --libs kmem-zephyr-pie)
suite pie "$@" -fPIE -pie
readelf -h "$work/pie.suite" | grep -q 'Type: *DYN'
KMEM_CFLAGS=$(pkg-config --cflags kmem-zephyr) KMEM_LIBS=$(pkg-config --libs kmem-zephyr) LD_LIBRARY_PATH=$libdir \
	sh "$zephyr/eviction_race/run.sh" >"$work/race.out"
[ "$(grep -cE '^(LRU  *2848  *2592  *256|CLOCK  *3312  *2856  *456|segmented LRU  *2464  *2400  *64)$' "$work/race.out")" -eq 3 ] || {
	cat "$work/race.out"
	exit 1
}

rm "$libdir"/libkmem.so*
flags=$(pkg-config --static --cflags --libs kmem)
build_and_run archive "$@"
build_and_run static "$@" -static
flags=$(pkg-config --static --cflags --libs kmem-zephyr)
suite archive "$@"
# The C library makes such a program larger than the suite's RAM.
more='-UCONFIG_SRAM_SIZE -DCONFIG_SRAM_SIZE=4096'
suite static "$@" -static
flags=$(pkg-config --static --cflags --libs kmem-zephyr-pie)
suite static-pie "$@" -fPIE -static-pie
