#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The system calls that the compiler's headers know, as initializers: {"read", 0}, and so on.
#
#   sh call_numbers.sh COMPILER [ARGUMENT...]
set -eu

echo '#include <asm/unistd.h>' |
	"$@" -E -dM -x c - |
	awk '$1 == "#define" && $2 ~ /^__NR_/ && $3 ~ /^[0-9]+$/ { printf "\t{\"%s\", %d},\n", substr($2, 6), $3 }'
