#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything that must stay green: sh tests/run.sh [gcc|valgrind|clang|release|asan|tsan]...
#
# Installs what is missing (tests/bootstrap.sh), builds in build/NAME for each of these configurations, all of them by
# default, runs the suites that each can run, and ends with a line "N passed, N failed, N skipped", which counts test
# programs. Fails if one failed or a build did. An existing build is brought up to date.
#
# Configurations: gcc runs every suite; clang with every assertion, and release without any, all but the everyday programs in emulated
# RAM; valgrind runs gcc's programs again; the sanitizers leave out what measures the build instead of running the library. The engine is the
# best one, which is uffd on most hosts; guard where clang built the library, and mmap in the release.
set -u

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
cd "$top" || exit 1

passed=0
failed=0
skipped=0
failures=build/failures.log # what failed and what it printed; shown again at the end

# Configure build/$1 with the options behind it, from scratch where that is needed; then build.
build() {
	dir=build/$1
	shift
	if [ -f "$dir/build.ninja" ] && meson setup --reconfigure "$dir" "$@" >"$dir/setup.log" 2>&1; then
		:
	else
		rm -rf "$dir"
		meson setup "$dir" -Dwerror=true -Dtests=true -Dexamples=true "$@" || return 1
	fi
	meson compile -C "$dir"
}

# What did not pass, in a log of Meson's: one JSON object a line.
bad='"result": "(FAIL|TIMEOUT|ERROR|INTERRUPT|UNEXPECTEDPASS)"'

# Note that $1 failed in the present configuration.
fail() {
	failed=$((failed + 1))
	echo "failed: $configuration: $1" >>$failures
}

# Count the results in the log $1.
count() {
	passed=$((passed + $(grep -cE '"result": "(OK|EXPECTEDFAIL)"' "$1")))
	skipped=$((skipped + $(grep -c '"result": "SKIP"' "$1")))
	for test in $(grep -E "$bad" "$1" | sed 's/^{"name": "\([^"]*\)".*/\1/; s/ //g'); do
		fail "$test"
	done
	grep -E "$bad" "$1" | sed 's/, "env": .*//; s/\\n/\n/g' >>$failures
	return 0 # not the status of a grep that found nothing
}

# Run the tests of build/$1 in the setup $2, with the options behind them.
run() {
	dir=build/$1
	setup=$2
	log=$dir/meson-logs/testlog-$setup.json
	shift 2
	rm -f "$log"
	if ! meson test -C "$dir" --no-rebuild --print-errorlogs --setup "$setup" "$@"; then
		[ -f "$log" ] && grep -qE "$bad" "$log" || fail "meson test"
	fi
	[ ! -f "$log" ] || count "$log"
}

# The setup of the engine $2 for build/$1, or the best engine's where this host cannot run that one.
engine_of() {
	if build/$1/tests/probe_engine "$2" >&2; then
		echo "$2"
	else
		echo plain
	fi
}

run_configuration() {
	case $configuration in
	gcc)
		CC=gcc CXX=g++ build gcc -Ddebug_level=2 && run gcc plain
		;;
	valgrind)
		CC=gcc CXX=g++ build gcc -Ddebug_level=2 && run gcc valgrind
		;;
	clang)
		CC=clang CXX=clang++ build clang -Ddebug_level=3 && run clang "$(engine_of clang guard)" --no-suite programs
		;;
	release)
		CC=gcc CXX=g++ build release -Dbuildtype=release -Ddebug_level=0 &&
			run release "$(engine_of release mmap)" --no-suite programs
		;;
	asan)
		CC=gcc CXX=g++ build asan -Ddebug_level=2 -Db_sanitize=address,undefined &&
			run asan plain --no-suite compile
		;;
	tsan)
		# Nor is code with its calls fit to run at another address, as the suites of Zephyr's kind have it.
		CC=gcc CXX=g++ build tsan -Ddebug_level=2 -Db_sanitize=thread &&
			run tsan plain --no-suite compile --no-suite zephyr
		;;
	*)
		echo "run.sh: no configuration of this name: $configuration" >&2
		exit 2
		;;
	esac
}

# The second line is for programs that are run in emulated RAM.
sh tests/bootstrap.sh gcc g++ libc6-dev clang binutils meson ninja-build pkg-config liburcu-dev libjemalloc-dev check valgrind libc6-dbg \
	git perl python3 redis-server sqlite3 xz-utils || exit 1
mkdir -p build
: >$failures

[ $# -ne 0 ] || set -- gcc valgrind clang release asan tsan
for configuration; do
	printf '\n== %s\n' "$configuration"
	run_configuration || fail "build"
done

echo
cat $failures
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -ne 0 ]
