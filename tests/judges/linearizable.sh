#!/usr/bin/env bash
# Sixteen clients race for refresh tokens and nonces on three nodes that are killed and started again meanwhile; porcupine, a checker of other
# people, looks for one order in which each was redeemed once. Forged histories show that it would find what must not be.
# TYRIAN_OPERATIONS says how many operations, TYRIAN_SECONDS for how long at most; 10,000 and a minute when not given. TYRIAN_NODE is another
# build of the program to run as nodes; TYRIAN_HISTORY keeps the history.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/serve.bash
source tests/serve.bash
# shellcheck source=tests/nodes.bash
source tests/nodes.bash

operations=${TYRIAN_OPERATIONS:-10000}
seconds=${TYRIAN_SECONDS:-60}
grace=5
checker=$cache/linearizable
command -v go >/dev/null || { echo "go is missing: install Go 1.23 or newer, the checker is built with it" >&2; exit 1; }
(cd tests/judges/linearizable && go build -o "$checker" .)

killer=
nodes=()
end_all() {
  [ -z "$killer" ] || kill "$killer" 2>/dev/null || true
  end_nodes
}
trap end_all EXIT

# Kills a node at a time as a power cut would, and starts it again, until it is told to stop.
kill_nodes() {
  local number port management
  trap 'exit 0' TERM
  # Codes for the phones are made first, by somebody who does not try twice.
  until [ -e "$work/history.jsonl" ]; do sleep 0.2; done
  while :; do
    sleep "$((2 + RANDOM % 5)).$((RANDOM % 10))"
    number=$((RANDOM % 3))
    read -r port management <<<"${nodes[number]}"
    kill -9 "$(cat "$work/node-$number.pid")" 2>/dev/null || true
    echo "$number" >>"$work/kills"
    start_node "$number" "$port" "$management"
  done
}

export TYRIAN__LOG__LEVEL=error TYRIAN__DEVICES__GRACE_SECONDS=$grace TYRIAN__DEVICES__FAILURES=1000 TYRIAN__DEVICES__NONCE_SECONDS=300
start_stores
token=$(administrator)
urls=()
for number in 0 1 2; do
  port=$(unused_port)
  management=$(unused_port)
  start_node "$number" "$port" "$management"
  nodes[number]="$port $management"
  urls+=(--node "http://127.0.0.1:$port")
done

kill_nodes &
killer=$!
status=0
(cd "$work" && exec "$program" --token "$token" race "${urls[@]}" --operations "$operations" --seconds "$seconds" --clients 16 --grace $grace --seed "$RANDOM" \
  --history "$work/history.jsonl") || status=$?
kill "$killer" 2>/dev/null || true
wait "$killer" 2>/dev/null || true
killer=
[ "$status" = 0 ] || { tail -n 5 "$work"/node-*.log >&2; exit "$status"; }
[ -z "${TYRIAN_HISTORY:-}" ] || cp "$work/history.jsonl" "$TYRIAN_HISTORY"

kills=$(wc -l 2>/dev/null <"$work/kills" || echo 0)
echo "$kills nodes were killed and started again"
expect "nodes were killed meanwhile" [ "$kills" -ge 3 ]
expect "every token and nonce is redeemed once" "$checker" -grace ${grace}s "$work/history.jsonl"
for forgery in spent-twice two-successors after-the-end honest-refused skipped; do
  expect "a history with a forgery ($forgery) is refused" "$checker" -grace ${grace}s -forge $forgery "$work/history.jsonl"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
