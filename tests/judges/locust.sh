#!/usr/bin/env bash
# Locust sends the load of the platform's documents (POST /api/targets, POST /api/scans) at the running server; one
# failed request fails the judge.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/serve.bash
source tests/serve.bash

version=2.47.0
tools=$cache/locust-$version
if [ ! -e "$tools/installed" ]; then
  rm -rf "$tools"
  python3 -m venv "$tools"
  "$tools/bin/pip" install -q "locust==$version"
  touch "$tools/installed"
fi

start_serve
create_admin
token=$(access_token judge)
# Whatever is scanned is the server itself; an authorisation without a target covers all targets inside its rules.
curl -sf -o /dev/null -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
  -d "{\"rules\":[{\"kind\":\"host\",\"value\":\"127.0.0.1\"}],\"valid_until\":\"$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)\",\"granted_by\":\"Judge\",\"evidence\":\"the server under test\"}" \
  "$base/api/authorizations"
export TYRIAN_USER=judge TYRIAN_PASSWORD=$password TYRIAN_TARGET=$base/
if "$tools/bin/locust" -f tests/load/locustfile.py --headless --users 10 --spawn-rate 5 --run-time 20s --host "$base" \
  --only-summary --exit-code-on-error 1; then
  echo "1 passed, 0 failed"
else
  tail -n 20 "$work/serve.log" >&2
  echo "0 passed, 1 failed"
  exit 1
fi
