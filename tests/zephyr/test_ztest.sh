#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What programs of ztest print, and what status they end with: test_ztest.sh PROGRAM..., the programs ztest_NAME of this
# folder. Checks of programs that are not given are left out.
set -u

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out=$work/out
err=$work/err
failed=0
unset ZTEST_TIMEOUT

program() {
	for p in $programs; do
		case $p in
		*/ztest_"$1") echo "$p" ;;
		esac
	done
}

complain() {
	echo "FAILED: $what: $*"
	failed=1
}

# Run a program: run STATUS NAME ARGUMENT...
run() {
	want=$1
	name=$2
	shift 2
	what="ztest_$name $*"
	path=$(program "$name")
	timeout 60 "$path" "$@" >"$out" 2>"$err"
	got=$?
	[ "$got" = "$want" ] || {
		complain "status $got, not $want"
		cat "$out" "$err"
	}
}

# As many lines of the output as said match a pattern, or at least one.
lines() {
	count=$(grep -c -e "$1" "$out")
	if [ $# -gt 1 ]; then
		[ "$count" = "$2" ] || complain "$count lines match '$1', not $2"
	else
		[ "$count" != 0 ] || complain "no line matches '$1'"
	fi
}

last() {
	[ "$(tail -n 1 "$out")" = "$1" ] || complain "the last line is '$(tail -n 1 "$out")', not '$1'"
}

# These lines come in this order: patterns.
order() {
	from=0
	for pattern; do
		at=$(grep -n -e "$pattern" "$out" | cut -d : -f 1 | while read -r n; do
			[ "$n" -gt "$from" ] && echo "$n" && break
		done)
		[ -n "$at" ] || {
			complain "'$pattern' does not come behind line $from"
			return
		}
		from=$at
	done
}

error() {
	grep -q -e "$1" "$err" || complain "no error says '$1'"
}

programs=$*

if [ -n "$(program pass)" ]; then
	run 0 pass
	last '11 passed, 0 failed, 0 skipped'
	order '^Running TESTSUITE checks$' '^START - test_all_checks_hold$' \
		'^ PASS - test_all_checks_hold in 0\.[0-9]* seconds$' '^START - test_operands' '^TESTSUITE checks succeeded$' \
		'^Running TESTSUITE fixtures$' 'START - test_a$' 'START - test_b$' 'START - test_c$' 'START - test_d$' \
		'^Running TESTSUITE ways$' '^Running TESTSUITE zebra$' '^PROJECT EXECUTION SUCCESSFUL$'
	lines 'TESTSUITE never' 0
	lines 'FAIL' 0

	run 0 pass -list
	[ "$(head -n 1 "$out")" = checks::test_all_checks_hold ] || complain 'the list begins with another test'
	[ "$(tail -n 1 "$out")" = zebra::test_runs_last ] || complain 'the list ends with another test'
	lines '::' 12

	run 0 pass -test=checks::test_all_checks_hold
	last '1 passed, 0 failed, 0 skipped'
	run 0 pass '-test=checks::*,ways::test_pass_here' --test=ways::test_end_the_thread
	last '4 passed, 0 failed, 0 skipped'
	run 0 pass '-test=checks::*' -list
	lines '::' 2
	run 1 pass '-test=never::*'
	last '0 passed, 0 failed, 0 skipped'
	lines 'no test has run'

	run 2 pass -test=checks::test_x
	error 'checks::test_x'
	run 2 pass '-test=nothing::*'
	error 'nothing::\*'
	run 2 pass -test=checks
	run 2 pass -test=
	run 2 pass -tests
	error '-tests'
	run 2 pass checks
	run 2 pass -timeout=soon
	error 'soon'
	run 2 pass -timeout=-1
	run 2 pass -junit=
	run 2 pass -junit=/nonexistent/junit.xml
	error '/nonexistent/junit.xml'
	run 0 pass -h
	lines 'usage: '
	run 0 pass --help
	lines '-timeout=SECONDS'

	ZTEST_TIMEOUT=later run 2 pass
	error 'ZTEST_TIMEOUT.*later'
	ZTEST_TIMEOUT=0 run 0 pass
fi

if [ -n "$(program results)" ]; then
	tap=$work/tap
	junit=$work/junit.xml
	run 1 results "-tap=$tap" "-junit=$junit"
	last '5 passed, 13 failed, 4 skipped'
	lines '^PROJECT EXECUTION FAILED$' 1
	lines 'not reached' 0
	lines '^goes on$' 1
	lines '^after$' 7
	lines '^ FAIL - test_assert in ' 2
	lines '^ FAIL - test_expect in ' 1
	lines '^ FAIL - test_expect_then_pass in ' 1
	lines '^ SKIP - test_assume in ' 1
	lines '^ SKIP - test_skip in ' 2
	lines '^ PASS - test_fails in ' 1
	lines '^ FAIL - test_passes in ' 1
	lines '^ PASS - test_skips in ' 1
	lines '^ PASS - test_pass in ' 2
	lines '^    .*ztest_results.c:[0-9]*: .*1 + 1 is not equal to 3$' 1
	lines '^    the message, 18446744073709551615 < "x" & 7%$' 1
	order '^    .*ztest_results.c:[0-9]*: .*false' '^    no fixture$' '^ FAIL - test_1' '^ FAIL - test_2' \
		'^TESTSUITE setup_fails failed$' '^ SKIP - test_1' '^TESTSUITE setup_skips skipped$' '^ PASS - test_1' \
		'^TESTSUITE teardown_fails failed$'

	out=$tap
	what="$what, TAP"
	[ "$(head -n 1 "$tap")" = 'TAP version 13' ] || complain 'no version'
	last 1..22
	lines '^ok ' 9
	lines '^not ok ' 13
	lines '^ok [0-9]* - others::test_skip # SKIP$' 1
	lines '^not ok [0-9]* - teardown_fails::(suite)$' 1
	lines '^  message: ".*18446744073709551615 < \\"x\\" & 7%"$' 1
	out=$junit
	what="ztest_results, JUnit"
	lines '^<testsuites tests="22" failures="13" errors="0" skipped="4" ' 1
	lines '<testsuite name="others" tests="4" failures="2" errors="0" skipped="1" ' 1
	lines '<testcase ' 22
	lines '<failure message=' 13
	lines '<skipped' 4
	lines '18446744073709551615 &lt; &quot;x&quot; &amp; 7%' 1
	if command -v xmllint >/dev/null; then
		xmllint --noout "$junit" || complain 'no XML'
	fi
	out=$work/out

	run 1 results -tap '-test=results::*'
	[ "$(head -n 1 "$out")" = 'TAP version 13' ] || complain 'no version'
	last '# 1 passed, 4 failed, 2 skipped'
	lines '^1\.\.7$' 1
	lines '^ok 7 - results::test_skip # SKIP$' 1
fi

if [ -n "$(program limit)" ]; then
	run 1 limit -timeout=1 '-test=aborted::*'
	last '1 passed, 2 failed, 0 skipped'
	lines '^aborted::test_1_sleeps timed out after 1 seconds$' 1
	lines '^ FAIL - test_2_is_busy in [1-9]' 1
	lines '^ PASS - test_3_is_quick' 1

	ZTEST_TIMEOUT=1 run 1 limit '-test=stuck::*' "-tap=$work/tap" "-junit=$work/junit.xml"
	last '1 passed, 1 failed, 0 skipped'
	lines 'ended early: stuck::test_2_has_interrupts_locked timed out after 1 seconds'
	lines 'test_3_is_not_reached' 0
	grep -q '^Bail out! ' "$work/tap" || complain 'TAP has no bail out'
	grep -q 'failures="1"' "$work/junit.xml" || complain 'JUnit has no failure'

	run 1 limit -timeout=1 '-test=slow::*'
	last '0 passed, 1 failed, 0 skipped'
	lines 'setup() of suite slow took more than 1 seconds'

	run 1 limit '-test=gone::*'
	last '0 passed, 1 failed, 0 skipped'
	lines 'the process ended itself'
fi

if [ -n "$(program own_main)" ]; then
	KMEM_SEED=1 run 0 own_main
	last '2 passed, 0 failed, 0 skipped'
	lines '^ztest: shuffled; KMEM_SEED=1 ' 1
	lines '^Running TESTSUITE parameter$' 3
	lines '^ PASS - test_1' 7
fi

if [ -n "$(program none)" ]; then
	run 1 none
	last '0 passed, 0 failed, 0 skipped'
	lines 'no test has run' 1
	lines '^PROJECT EXECUTION FAILED$' 1
fi

if [ -n "$(program broken)" ]; then
	run 1 broken
	last '1 passed, 0 failed, 0 skipped'
	lines '^test_main$' 1
	lines 'not_there::test_1 belongs to a suite that is not defined' 1
	lines '^PROJECT EXECUTION FAILED$' 1
fi

if [ -n "$(program cxx)" ]; then
	run 0 cxx
	last '4 passed, 0 failed, 0 skipped'
fi

if [ -n "$(program user)" ]; then
	run 0 user
	last '2 passed, 0 failed, 0 skipped'
fi

if [ -n "$(program hooks)" ]; then
	run 0 hooks '-test=hooks::*'
	last '4 passed, 0 failed, 0 skipped'
	lines '^reason 0, 0 asserts$' 2
	lines '^reason 3, 0 asserts$' 1
	lines '^reason -1, 1 asserts$' 1
	for test in access assert; do
		what="ztest_hooks unannounced::test_$test"
		if "$(program hooks)" "-test=unannounced::test_$test" >"$out" 2>"$err"; then
			complain 'status 0'
		fi
		lines "^START - test_$test\$" 1
		lines 'was not announced$'
		lines 'not reached' 0
	done
fi

if [ -n "$(program handler)" ]; then
	run 1 handler
	last '4 passed, 2 failed, 2 skipped'
	lines 'not reached' 0
	lines '^ FAIL - test_assert' 1
	lines '^ PASS - test_pass_again' 1
	lines '^ SKIP - test_skip' 1
	lines '^TESTSUITE handler_in_setup skipped$' 1
	lines '^ PASS - test_announced' 1
	lines '^ FAIL - test_unannounced' 1
	lines 'a fatal error ended the test' 1
fi

exit "$failed"
