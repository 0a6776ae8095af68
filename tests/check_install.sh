#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is installed is complete: programs build against it with nothing but pkg-config, with the shared library, with the
# static one, and without any shared library, and run: check_install.sh BUILD SOURCES COMPILER...
set -eu

build=$1
sources=$2
shift 2

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
sed -i "s|^prefix=|prefix=$work|" "$pc"

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

flags=$(pkg-config --cflags --libs kmem)
build_and_run shared "$@"
readelf -d "$work/shared.first" | grep -q 'NEEDED.*\[libkmem\.so\.0\]'

rm "$libdir"/libkmem.so*
flags=$(pkg-config --static --cflags --libs kmem)
build_and_run archive "$@"
build_and_run static "$@" -static
