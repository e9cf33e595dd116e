#!/usr/bin/env bash
# The Autobahn test suite speaks every corner of RFC 6455 with the framing all our WebSockets use. Compression (cases 12 and 13) is not
# offered. The suite runs on Python 2.7 alone; PYTHON2 names one where `python2.7` is none.
set -euo pipefail
cd "$(dirname "$0")/../.."

# shellcheck source=tests/serve.bash
source tests/serve.bash

version=25.10.1
tools=$cache/autobahn-$version
python=${PYTHON2:-}
for candidate in python2.7 "$HOME"/.pyenv/versions/2.7.*/bin/python; do
  [ -n "$python" ] || { "$candidate" -c 'import sys; sys.exit(sys.version_info[0] != 2)' 2>/dev/null && python=$candidate; } || true
done
[ -n "$python" ] || { echo "python2.7 is missing: the Autobahn test suite runs on nothing newer; name one with PYTHON2" >&2; exit 1; }
if [ ! -e "$tools/installed" ]; then
  rm -rf "$tools"
  "$python" -m pip install -q --disable-pip-version-check --target "$tools/site" "autobahntestsuite==$version"
  touch "$tools/installed"
fi
target=${CARGO_TARGET_DIR:-$cache/target}
CARGO_TARGET_DIR=$target cargo build --locked --quiet --workspace --example echo

port=$(unused_port)
setpriv --pdeathsig TERM -- "$target/debug/examples/echo" "127.0.0.1:$port" &
served=$!
for _ in $(seq 100); do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  sleep 0.1
done

cat >"$work/spec.json" <<JSON
{ "outdir": "$work/reports", "servers": [{ "agent": "tyrian", "url": "ws://127.0.0.1:$port" }],
  "cases": ["*"], "exclude-cases": ["12.*", "13.*"], "exclude-agent-cases": {} }
JSON
(
  cd "$work"
  # The suite's own folder must be a site, or its namespace packages are not found.
  "$python" -c "import site, sys; site.addsitedir('$tools/site'); sys.path.insert(0, '$tools/site')
sys.argv = ['wstest', '-m', 'fuzzingclient', '-s', 'spec.json']
from autobahntestsuite.wstest import run
run()" >"$work/wstest.log" 2>&1
) || { tail -n 30 "$work/wstest.log" >&2; exit 1; }

python3 - "$work/reports/index.json" <<'PYTHON'
import json
import sys

good = {"OK", "NON-STRICT", "INFORMATIONAL"}
cases = json.load(open(sys.argv[1]))["tyrian"]
bad = {name: case for name, case in cases.items() if case["behavior"] not in good or case["behaviorClose"] not in good}
for name, case in bad.items():
    print(f"case {name}: {case['behavior']}, close {case['behaviorClose']}", file=sys.stderr)
print(f"{len(cases) - len(bad)} passed, {len(bad)} failed")
sys.exit(bool(bad) or len(cases) < 300)
PYTHON
