#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The same workload under four eviction algorithms: NRU and LRU as Zephyr has them, libkmem's CLOCK, and the custom
# one in segmented_lru.c. Prints a table of their page faults and evictions.
#
# usage: run.sh, from any directory
#
# Compiles with $CC, cc by default, and what pkg-config says of kmem-zephyr; or, where KMEM_LIBS is set, with
# KMEM_CFLAGS and KMEM_LIBS. Exit status: 0; 1 if something does not compile or run.

set -eu

# What every build has: 512 KiB of RAM, and a store for all pages there are.
config='-DCONFIG_DEMAND_PAGING=1 -DCONFIG_DEMAND_MAPPING=1 -DCONFIG_DEMAND_PAGING_STATS=1 -DCONFIG_ASSERT=1
	-DCONFIG_SRAM_SIZE=512 -DCONFIG_KERNEL_VM_SIZE=0x1000000 -DCONFIG_BACKING_STORE_RAM_PAGES=512
	-DCONFIG_EVICTION_NRU_PERIOD=20'

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
compiler=${CC:-cc}

if [ -n "${KMEM_LIBS:-}" ]; then
	cflags=${KMEM_CFLAGS:-}
	libs=$KMEM_LIBS
elif pkg-config --exists kmem-zephyr 2>/dev/null; then
	cflags=$(pkg-config --cflags kmem-zephyr)
	libs=$(pkg-config --libs kmem-zephyr)
else
	echo "run.sh: pkg-config does not find kmem-zephyr; set PKG_CONFIG_PATH, or KMEM_CFLAGS and KMEM_LIBS" >&2
	exit 1
fi
unset KMEM_CFLAGS KMEM_LIBS KMEM_POLICY KMEM_RAM KMEM_STORE # the last three would change the race

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# race NAME OPTIONS SOURCES...: build and run the workload, and print its row of the table.
race()
{
	name=$1
	options=$2
	shift 2
	# Flags are several words.
	# shellcheck disable=SC2086
	$compiler -O2 $config $options $cflags "$here/workload.c" "$@" $libs -o "$work/workload"
	"$work/workload" >"$work/result" || {
		cat "$work/result"
		echo "run.sh: the workload failed under $name" >&2
		return 1
	}
	read -r faults _ _ clean _ _ dirty _ <"$work/result"
	printf '%-16s %11s %16s %16s\n' "$name" "$faults" "$clean" "$dirty"
}

printf '%-16s %11s %16s %16s\n' algorithm 'page faults' 'clean evictions' 'dirty evictions'
race NRU -DCONFIG_EVICTION_NRU=1
race LRU -DCONFIG_EVICTION_LRU=1
race CLOCK -DCONFIG_EVICTION_CLOCK=1
race 'segmented LRU' '-DCONFIG_EVICTION_CUSTOM=1 -DCONFIG_EVICTION_TRACKING=1' "$here/segmented_lru.c"
