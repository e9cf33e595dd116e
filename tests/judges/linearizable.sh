#!/usr/bin/env bash
# Sixteen clients race for refresh tokens and nonces on three nodes that are killed and started again meanwhile; porcupine, a checker of other
# people, looks for one order in which each was redeemed once. Forged histories show that it would find what must not be.
# TYRIAN_OPERATIONS says how many operations, TYRIAN_SECONDS for how long at most; 10,000 and a minute when not given. TYRIAN_NODE is another
# build of the program to run as nodes; TYRIAN_HISTORY keeps the history.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/serve.bash
source tests/serve.bash

operations=${TYRIAN_OPERATIONS:-10000}
seconds=${TYRIAN_SECONDS:-60}
node=${TYRIAN_NODE:-$program}
grace=5
checker=$cache/linearizable
command -v go >/dev/null || { echo "go is missing: install Go 1.23 or newer, the checker is built with it" >&2; exit 1; }
(cd tests/judges/linearizable && go build -o "$checker" .)

children=()
killer=
nodes=()
end_all() {
  local pid number
  [ -z "$killer" ] || kill "$killer" 2>/dev/null || true
  for pid in "${children[@]}"; do kill "$pid" 2>/dev/null || true; done
  for number in 0 1 2; do kill -9 "$(cat "$work/node-$number.pid" 2>/dev/null)" 2>/dev/null || true; done
  for pid in "${children[@]}"; do wait "$pid" 2>/dev/null || true; done
  end_serve
}
trap end_all EXIT

start_stores() {
  local binaries port redis as=()
  binaries=$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -n 1)
  port=$(unused_port)
  redis=$(unused_port)
  chmod 755 "$work"
  mkdir "$work/postgres"
  if [ "$(id -u)" = 0 ]; then
    as=(--reuid postgres --regid postgres --clear-groups)
    chown postgres: "$work/postgres"
  fi
  setpriv "${as[@]}" -- "$binaries/initdb" --pgdata "$work/postgres" --username=tyrian --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
    --no-sync >"$work/initdb.log" 2>&1
  # Nodes die here, stores do not: what they hold need not be flushed.
  setpriv --pdeathsig INT "${as[@]}" -- "$binaries/postgres" -D "$work/postgres" -p "$port" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c max_connections=200 -c fsync=off -c synchronous_commit=off >"$work/postgres.log" 2>&1 &
  children+=($!)
  setpriv --pdeathsig TERM -- redis-server --bind 127.0.0.1 --port "$redis" --save '' --appendonly no --dir "$work" >"$work/redis.log" 2>&1 &
  children+=($!)
  for _ in $(seq 300); do
    if "$binaries/pg_isready" -q -h 127.0.0.1 -p "$port" && redis-cli -p "$redis" ping >/dev/null 2>&1; then break; fi
    sleep 0.1
  done
  export TYRIAN__BACKENDS__DB=postgres://tyrian@127.0.0.1:$port/postgres
  export TYRIAN__BACKENDS__HOT=redis://127.0.0.1:$redis TYRIAN__BACKENDS__BUS=redis://127.0.0.1:$redis
  # Keys sign tokens on all nodes alike: they are shared too.
  export TYRIAN__BACKENDS__KEYS=file:$work/keys TYRIAN__BACKENDS__BLOBS=file:$work/blobs
}

# Starts a node and waits until it is ready; again when the one before still holds its sockets.
start_node() {
  local number=$1 port=$2 management=$3
  for _ in $(seq 20); do
    (
      cd "$work"
      exec setpriv --pdeathsig KILL -- "$node" serve --data "$work/node-$number" --role gateway,auth,devices \
        --listen "127.0.0.1:$port" --management "127.0.0.1:$management"
    ) >>"$work/node-$number.log" 2>&1 &
    echo $! >"$work/node-$number.pid"
    # It is killed on purpose: the shell need not say so.
    disown
    for _ in $(seq 600); do
      if curl -sf "http://127.0.0.1:$management/health/ready" >/dev/null; then return 0; fi
      kill -0 "$(cat "$work/node-$number.pid")" 2>/dev/null || break
      sleep 0.1
    done
  done
  tail -n 20 "$work/node-$number.log" >&2
  return 1
}

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

export TYRIAN__GATEWAY__RATE_PER_ADDRESS__BURST=1000000 TYRIAN__GATEWAY__RATE_PER_ADDRESS__PER_MINUTE=1000000
export TYRIAN__GATEWAY__RATE_PER_USER__BURST=1000000 TYRIAN__GATEWAY__RATE_PER_USER__PER_MINUTE=1000000
export TYRIAN__LOG__LEVEL=error TYRIAN__DEVICES__SOFTWARE_KEYS=true TYRIAN__DEVICES__GRACE_SECONDS=$grace TYRIAN__DEVICES__FAILURES=1000
export TYRIAN__DEVICES__REQUESTS_PER_MINUTE=60000 TYRIAN__DEVICES__NONCE_SECONDS=300
start_stores
(cd "$work" && "$program" user create judge --email judge@example.org --role admin <<<"$password" >user.log 2>&1)
token=$(cd "$work" && "$program" --json user token judge --name race 2>>user.log | sed -nE 's/.*"(token|secret)": *"([^"]*)".*/\2/p' | head -n 1)
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

passed=0
failed=0
expect() {
  local what=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $what" >&2
  fi
}
kills=$(wc -l 2>/dev/null <"$work/kills" || echo 0)
echo "$kills nodes were killed and started again"
expect "nodes were killed meanwhile" [ "$kills" -ge 3 ]
expect "every token and nonce is redeemed once" "$checker" -grace ${grace}s "$work/history.jsonl"
for forgery in spent-twice two-successors after-the-end honest-refused skipped; do
  expect "a history with a forgery ($forgery) is refused" "$checker" -grace ${grace}s -forge $forgery "$work/history.jsonl"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
