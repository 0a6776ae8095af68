#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each header compiles alone and may be included twice: check_headers.sh INCLUDE c99|c11|c17|c++17 COMPILER... -- HEADER...
set -eu

include=$1
standard=$2
shift 2
case $standard in
c++*) language=c++ ;;
*) language=c ;;
esac

compiler=
while [ "$1" != -- ]; do
	compiler="$compiler $1"
	shift
done
shift

failed=0
for header; do
	# shellcheck disable=SC2086 # a compiler may be several words
	printf '#include <%s>\n#include <%s>\n' "$header" "$header" |
		$compiler -x "$language" "-std=$standard" -pedantic -Wall -Wextra -Wundef -Wshadow -Werror -fsyntax-only \
			-I "$include" -I "$include/zephyr_private" - || {
		echo "$header does not compile alone as $standard"
		failed=1
	}
done
exit "$failed"
