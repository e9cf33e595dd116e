#!/usr/bin/env bash
# Many phones hold lines to two nodes that share PostgreSQL and Redis, and somebody locks and releases phones all the while. Redis is paused, killed,
# and taken over by its replica; PostgreSQL restarts; a node is killed. Locked phones and revoked tokens are tried at every moment: nothing
# may be granted. Every command must have been carried out once, and everybody must be back after each failure.
# TYRIAN_PHONES says how many phones, TYRIAN_PAUSE the seconds between two failures; 120 and 8 when not given. TYRIAN_NODE is another build of the
# program to run as nodes; TYRIAN_REPORT keeps the report.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/serve.bash
source tests/serve.bash
# shellcheck source=tests/nodes.bash
source tests/nodes.bash

phones=${TYRIAN_PHONES:-120}
pause=${TYRIAN_PAUSE:-8}
# Failures and what they need to be got over, then time to hear of the last release.
seconds=$(((8 * pause + 60) * 4 / 3))
every=${TYRIAN_EVERY:-2}

export TYRIAN__LOG__LEVEL=error TYRIAN__GATEWAY__MAXIMUM_CONNECTIONS=15000
start_stores
token=$(administrator)
urls=()
nodes=()
for number in 0 1; do
  port=$(unused_port)
  management=$(unused_port)
  start_node $number "$port" "$management"
  nodes[number]="$port $management"
  urls+=("http://127.0.0.1:$port")
done

(cd "$work" && export TYRIAN__LOG__LEVEL=warn && exec "$program" --json --server "${urls[0]}" --token "$token" simulate --node "${urls[1]}" --line socket --devices "$phones" \
  --seconds "$seconds" --every "$every" --lock-every 0.4) >"$work/report.json" 2>"$work/simulate.log" &
fleet=$!
children+=("$fleet")

# Lines that are open on all nodes.
lines() {
  local entry management sum=0 count
  for entry in "${nodes[@]}"; do
    read -r _ management <<<"$entry"
    count=$(curl -sf -m 5 "http://127.0.0.1:$management/metrics" | sed -nE 's/^device_lines\{[^}]*\} ([0-9]+).*/\1/p' | paste -sd+ || true)
    sum=$((sum + ${count:-0}))
  done
  echo "$sum"
}

# Waits until nearly all phones have their lines: some are locked at any moment.
are_back() {
  local start=$SECONDS least=$((phones * 8 / 10))
  # Enrolling so many takes its time.
  while [ $((SECONDS - start)) -lt $((120 + phones / 15)) ]; do
    if [ "$(lines)" -ge "$least" ]; then
      echo "  $(lines) of $phones lines are open after $((SECONDS - start)) s"
      return 0
    fi
    kill -0 "$fleet" 2>/dev/null || return 1
    sleep 0.2
  done
  echo "  only $(lines) of $phones lines are open" >&2
  return 1
}

redis_answers() { timeout 2 redis-cli -p "$redis_port" ping >/dev/null 2>&1; }

expect "all phones open their lines" are_back
echo "Redis is paused"
kill -STOP "$redis"
sleep "$pause"
kill -CONT "$redis"
expect "they are back after Redis was paused" are_back

echo "Redis is killed and started again, empty"
kill -9 "$redis"
sleep 3
start_redis "$redis_port"
redis=$started
sleep "$pause"
expect "they are back after Redis lost everything" are_back

echo "Redis fails over to its replica"
replica_port=$(unused_port)
start_redis "$replica_port" --replicaof 127.0.0.1 "$redis_port"
replica=$started
for _ in $(seq 100); do
  if redis-cli -p "$replica_port" info replication 2>/dev/null | grep -q master_link_status:up; then break; fi
  sleep 0.1
done
kill -9 "$redis"
redis-cli -p "$replica_port" replicaof no one >/dev/null
# The replica takes over the address, as it does behind a floating one.
for _ in $(seq 100); do
  if redis-cli -p "$replica_port" config set port "$redis_port" 2>/dev/null | grep -q OK; then break; fi
  sleep 0.1
done
redis=$replica
expect "the replica serves" redis_answers
sleep "$pause"
expect "they are back after the fail-over" are_back

echo "PostgreSQL restarts"
kill -INT "$postgres"
wait "$postgres" 2>/dev/null || true
sleep 2
start_postgres
sleep "$pause"
expect "they are back after PostgreSQL restarted" are_back

echo "a node is killed"
read -r port management <<<"${nodes[1]}"
kill -9 "$(cat "$work/node-1.pid")"
sleep "$pause"
start_node 1 "$port" "$management"
expect "they are back after the node was killed" are_back

status=0
wait "$fleet" || status=$?
[ -z "${TYRIAN_REPORT:-}" ] || cp "$work/report.json" "$TYRIAN_REPORT"
number() { sed -nE "s/^ *\"$1\": ([0-9]+),?$/\1/p" "$work/report.json" | head -n 1; }
[ -s "$work/report.json" ] || cat "$work/simulate.log" >&2
echo "$(number locks) locks, $(number releases) releases, $(number repeated) orders repeated; $(number tries) tries of barred phones, $(number granted) granted;" \
  "$(number commands) commands, $(number unanswered) unanswered, $(number astray) phones astray"
expect "phones were locked and tried to be served" [ "$(number tries)" -gt 50 ]
expect "nothing was granted to a locked phone or for a revoked token" [ "$(number granted)" = 0 ]
expect "every command was carried out once" [ "$(number unanswered)$(number astray)" = 00 ]
expect "no honest phone was locked by itself" [ "$(number locked)" = 0 ]
[ "$status" = 0 ] || { echo "the fleet ended with $status" >&2; grep -v "^Tyrian" "$work/simulate.log" | tail -n 20 >&2; tail -n 3 "$work"/node-*.log >&2; }
expect "the fleet passed" [ "$status" = 0 ]
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
