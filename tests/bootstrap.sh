#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Have the named Debian packages installed: sh tests/bootstrap.sh PACKAGE...
# Installs what is missing as root; else prints the command that does, and fails.
set -eu

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "bootstrap: not Debian; these are needed under whatever name they have here: $*" >&2
	exit 0
fi

missing=
for package in "$@"; do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
	echo "bootstrap: packages are missing; install them as root:" >&2
	echo "  apt-get update && apt-get install -y --no-install-recommends$missing" >&2
	exit 1
fi

export DEBIAN_FRONTEND=noninteractive
echo "bootstrap: installing$missing"
apt-get -q -o DPkg::Lock::Timeout=120 update
# shellcheck disable=SC2086 # one word a package
apt-get -q -o DPkg::Lock::Timeout=120 install -y --no-install-recommends $missing
