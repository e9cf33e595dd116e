#!/usr/bin/env bash
# The library `cvss` of PyPI scores the same random vectors of all four versions: every score, severity and canonical text agrees.
set -euo pipefail
cd "$(dirname "$0")/../.."

cache=${TYRIAN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tyrian}
program=${TYRIAN_PROGRAM:-${CARGO_TARGET_DIR:-$cache/target}/debug/tyrian}
version=3.6
tools=$cache/cvss-$version
if [ ! -e "$tools/installed" ]; then
  rm -rf "$tools"
  python3 -m venv "$tools"
  "$tools/bin/pip" install -q "cvss==$version"
  touch "$tools/installed"
fi
"$tools/bin/python" tests/cvss/compare.py "$program" "${TYRIAN_CVSS_VECTORS:-5000}" "${TYRIAN_CVSS_SEED:-$RANDOM}"
