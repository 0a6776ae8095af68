#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Turn Kconfig fragments, such as prj.conf, into the -D flags that libkmem's Zephyr headers read.
#
# usage: kconfig_flags.sh [-o FILE] CONF...
#
# CONFIG_X=y becomes -DCONFIG_X=1; CONFIG_X=n and "# CONFIG_X is not set" become nothing; numbers, hexadecimal numbers
# and strings stay what they are. Where an option is set more than once, in one file or in several, the last one
# counts. Dependencies between options are not resolved: the headers check those that matter to libkmem.
#
# Without -o the flags are printed in one line, for $(...):
#
#     flags=$(sh kconfig_flags.sh prj.conf) && cc $flags src/main.c $(pkg-config --cflags --libs kmem-zephyr)
#
# The shell splits that line at blanks and expands * ? [ in it, so strings with these are refused. With -o FILE the
# flags go to a response file, which gcc and clang read as @FILE, and strings may hold anything:
#
#     sh kconfig_flags.sh -o flags.rsp prj.conf && cc @flags.rsp src/main.c $(pkg-config --cflags --libs kmem-zephyr)
#
# Exit status: 0; 1 if a line is malformed, each named by file and line on standard error, and nothing is written;
# 2 for wrong usage.

set -eu

usage()
{
	echo "usage: kconfig_flags.sh [-o FILE] CONF..." >&2
	exit 2
}

output=
while getopts o: option; do
	case $option in
	o) output=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || usage

for conf; do
	if ! { [ -f "$conf" ] && [ -r "$conf" ]; }; then
		echo "kconfig_flags.sh: $conf: no such file, or not readable" >&2
		exit 1
	fi
	shift
	case $conf in
	/*) set -- "$@" "$conf" ;;
	*) set -- "$@" "./$conf" ;; # awk takes a name with = in it for an assignment
	esac
done

flags=$(LC_ALL=C awk -v to_file="${output:+1}" '
	function fail(why)
	{
		file = FILENAME
		sub(/^\.\//, "", file)
		printf "%s:%d: %s: %s\n", file, FNR, why, $0 | "cat >&2"
		failed = 1
	}

	# Kconfig knows \" and \\, and takes any other \c for c. What comes out is a literal of C.
	function literal(text,    result, i, c)
	{
		for (i = 1; i <= length(text); i++) {
			c = substr(text, i, 1)
			if (c == "\\" && i < length(text)) {
				c = substr(text, ++i, 1)
				c = c == "\"" || c == "\\" ? "\\" c : c
			}
			result = result c
		}
		return result
	}

	# As a word of a response file: blanks, quotes and backslashes get a backslash.
	function quoted(text,    result, i, c)
	{
		for (i = 1; i <= length(text); i++) {
			c = substr(text, i, 1)
			result = result (c ~ /[ \t"\\]/ || c == "\047" ? "\\" : "") c
		}
		return result
	}

	function set(name, value)
	{
		if (!(name in values)) {
			names[++count] = name
		}
		values[name] = value
	}

	{
		sub(/\r$/, "")
		sub(/[ \t]+$/, "")
	}
	/^# CONFIG_[A-Za-z0-9_]+ is not set$/ {
		set($2, "")
		next
	}
	/^[ \t]*(#|$)/ {
		next
	}
	!/^CONFIG_/ {
		fail("neither CONFIG_NAME=value nor a comment")
		next
	}
	!/^CONFIG_[A-Za-z0-9_]+=/ {
		fail("not CONFIG_NAME=value, with no blanks before =")
		next
	}
	{
		name = substr($0, 1, index($0, "=") - 1)
		value = substr($0, index($0, "=") + 1)
	}
	value == "y" {
		set(name, 1)
		next
	}
	value == "n" {
		set(name, "")
		next
	}
	value == "" {
		fail("no value")
		next
	}
	value == "m" {
		fail("Zephyr has no modules: y or n")
		next
	}
	value ~ /^-?[0-9]+$/ || value ~ /^0[xX][0-9a-fA-F]+$/ {
		set(name, value)
		next
	}
	value ~ /^"([^"\\]|\\.)*"$/ {
		if (!to_file && value ~ /[ \t*?[]/) {
			fail("a string with blanks or * ? [ needs -o FILE")
		}
		set(name, "\"" literal(substr(value, 2, length(value) - 2)) "\"")
		next
	}
	value ~ /^"/ {
		fail("a string that does not end with the line")
		next
	}
	{
		fail("neither y, n, a number, nor a string in double quotes")
	}
	END {
		if (failed) {
			close("cat >&2")
			exit 1
		}
		for (i = 1; i <= count; i++) {
			if (values[names[i]] != "") {
				flag = "-D" names[i] "=" values[names[i]]
				line = line (line == "" ? "" : " ") (to_file ? quoted(flag) : flag)
			}
		}
		print line
	}
' "$@")

if [ -n "$output" ]; then
	printf '%s\n' "$flags" >"$output"
else
	printf '%s\n' "$flags"
fi
