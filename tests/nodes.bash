# Sourced by judges after serve.bash: nodes that share PostgreSQL and Redis, all of them started here and ended with the judge.
# shellcheck shell=bash disable=SC2034,SC2154

node=${TYRIAN_NODE:-$program}
children=()
postgres=
postgres_binaries=
postgres_port=
redis=
redis_port=

# Ends stores and nodes; `serve.bash` takes care of the rest.
end_nodes() {
  local pid file
  for file in "$work"/node-*.pid; do
    [ ! -e "$file" ] || kill -9 "$(cat "$file")" 2>/dev/null || true
  done
  for pid in "${children[@]}"; do
    kill "$pid" 2>/dev/null || true
    # Who was stopped hears nothing else.
    kill -CONT "$pid" 2>/dev/null || true
  done
  for pid in "${children[@]}"; do wait "$pid" 2>/dev/null || true; done
  end_serve
}
trap end_nodes EXIT

# Runs PostgreSQL in the foreground as whoever may; words are for the program.
run_postgres() {
  local as=()
  [ "$(id -u)" != 0 ] || as=(--reuid postgres --regid postgres --clear-groups)
  exec setpriv --pdeathsig INT "${as[@]}" -- "$postgres_binaries/$1" "${@:2}"
}

start_postgres() {
  # Stores outlive what they hold here: nothing need be flushed.
  (run_postgres postgres -D "$work/postgres" -p "$postgres_port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c max_connections=200 -c fsync=off -c synchronous_commit=off) >>"$work/postgres.log" 2>&1 &
  postgres=$!
  children+=("$postgres")
}

# Starts a Redis server on a port; further words are for it. Its process is in `started`.
start_redis() {
  local port=$1
  shift
  setpriv --pdeathsig TERM -- redis-server --bind 127.0.0.1 --port "$port" --save '' --appendonly no --dir "$work" "$@" >>"$work/redis-$port.log" 2>&1 &
  started=$!
  children+=("$started")
}

start_stores() {
  postgres_binaries=$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -n 1)
  postgres_port=$(unused_port)
  redis_port=$(unused_port)
  chmod 755 "$work"
  mkdir "$work/postgres"
  [ "$(id -u)" != 0 ] || chown postgres: "$work/postgres"
  (run_postgres initdb --pgdata "$work/postgres" --username=tyrian --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync) >"$work/initdb.log" 2>&1
  start_postgres
  start_redis "$redis_port"
  redis=$started
  for _ in $(seq 300); do
    if "$postgres_binaries/pg_isready" -q -h 127.0.0.1 -p "$postgres_port" && redis-cli -p "$redis_port" ping >/dev/null 2>&1; then break; fi
    sleep 0.1
  done
  export TYRIAN__BACKENDS__DB=postgres://tyrian@127.0.0.1:$postgres_port/postgres
  export TYRIAN__BACKENDS__HOT=redis://127.0.0.1:$redis_port TYRIAN__BACKENDS__BUS=redis://127.0.0.1:$redis_port
  # Keys sign tokens on all nodes alike: they are shared too.
  export TYRIAN__BACKENDS__KEYS=file:$work/keys TYRIAN__BACKENDS__BLOBS=file:$work/blobs
  export TYRIAN__GATEWAY__RATE_PER_ADDRESS__BURST=1000000 TYRIAN__GATEWAY__RATE_PER_ADDRESS__PER_MINUTE=1000000
  export TYRIAN__GATEWAY__MAXIMUM_CONNECTIONS_PER_ADDRESS=15000
  export TYRIAN__GATEWAY__RATE_PER_USER__BURST=1000000 TYRIAN__GATEWAY__RATE_PER_USER__PER_MINUTE=1000000
  export TYRIAN__DEVICES__SOFTWARE_KEYS=true TYRIAN__DEVICES__REQUESTS_PER_MINUTE=60000
}

# Starts a node and waits until it is ready; again when the one before still holds its sockets.
start_node() {
  local number=$1 port=$2 management=$3
  for _ in $(seq 20); do
    (
      cd "$work" || exit
      exec setpriv --pdeathsig KILL -- "$node" serve --data "$work/node-$number" --role "${TYRIAN_ROLES:-gateway,auth,devices}" \
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

# An administrator's token; no node may hold the storage exclusively.
administrator() {
  (cd "$work" && "$program" user create judge --email judge@example.org --role admin <<<"$password" >user.log 2>&1)
  (cd "$work" && "$program" --json user token judge --name drill 2>>user.log) | sed -nE 's/.*"(token|secret)": *"([^"]*)".*/\2/p' | head -n 1
}

passed=0
failed=0
# Counts a command that must succeed.
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
