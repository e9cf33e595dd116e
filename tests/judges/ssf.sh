#!/usr/bin/env bash
# joserfc, a library of other people, is the receiver of security events: it reads our keys where discovery says they are, fetches the event tokens of a
# lock, a release and kill switches, and verifies each as RFC 8417 and SSF 1.0 want them. Tokens that were tampered with it refuses.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/serve.bash
source tests/serve.bash

version=1.6.5
tools=$cache/joserfc-$version
if [ ! -e "$tools/installed" ]; then
  rm -rf "$tools"
  python3 -m venv "$tools"
  "$tools/bin/pip" install -q "joserfc==$version"
  touch "$tools/installed"
fi

export TYRIAN__DEVICES__SOFTWARE_KEYS=true
start_serve
create_admin
token=$(access_token judge)
"$program" --server "$base" --token "$token" simulate --devices 1 --seconds 1 --every 0.5 >"$work/simulate.log" 2>&1 || { cat "$work/simulate.log" >&2; exit 1; }
TOKEN=$token PASSWORD=$password "$tools/bin/python" tests/ssf/receiver.py "$base"
