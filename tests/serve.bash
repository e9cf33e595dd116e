# Sourced by judges: a real `tyrian serve` on embedded storage in a folder of its own, with a first
# administrator. Everything ends with the judge.
# shellcheck shell=bash

cache=${TYRIAN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tyrian}
program=${TYRIAN_PROGRAM:-${CARGO_TARGET_DIR:-$cache/target}/debug/tyrian}
work=$(mktemp -d "${TMPDIR:-/tmp}/tyrian-judge-XXXXXX")
password='correct horse battery staple 47'
served=

end_serve() {
  [ -z "$served" ] || kill "$served" 2>/dev/null || true
  [ -z "$served" ] || wait "$served" 2>/dev/null || true
  rm -rf "$work"
}
trap end_serve EXIT

# A port of this judge's own range, when others run beside it.
unused_port() {
  local port
  while :; do
    port=$((${TYRIAN_PORTS:-13000} + RANDOM % 1000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}

# Starts the server without rate limits (a judge is faster than a person) and sets `base`.
start_serve() {
  local port management
  port=$(unused_port)
  management=$(unused_port)
  export TYRIAN__SERVER__LISTEN=127.0.0.1:$port TYRIAN__SERVER__MANAGEMENT=127.0.0.1:$management
  export TYRIAN__GATEWAY__RATE_PER_ADDRESS__BURST=1000000 TYRIAN__GATEWAY__RATE_PER_ADDRESS__PER_MINUTE=1000000
  export TYRIAN__GATEWAY__MAXIMUM_CONNECTIONS_PER_ADDRESS=15000
  export TYRIAN__GATEWAY__RATE_PER_USER__BURST=1000000 TYRIAN__GATEWAY__RATE_PER_USER__PER_MINUTE=1000000
  export TYRIAN__AUTH__ATTEMPTS_PER_MINUTE=1000
  # A judge does not wait for events that nobody causes.
  export TYRIAN__INTEGRATIONS__POLL_SECONDS=0
  base=http://127.0.0.1:$port
  (cd "$work" && exec setpriv --pdeathsig TERM -- "$program" serve --data "$work/data") >"$work/serve.log" 2>&1 &
  served=$!
  for _ in $(seq 300); do
    if curl -sf "http://127.0.0.1:$management/health/ready" >/dev/null; then return 0; fi
    kill -0 "$served" 2>/dev/null || break
    sleep 0.1
  done
  cat "$work/serve.log" >&2
  return 1
}

# Follows the first-run link as a browser without scripts would.
create_admin() {
  local link fields=() field
  link=$(grep -oE 'http[^ ]*/first-run\?token=[^ ]*' "$work/serve.log" | head -n 1)
  while read -r field; do fields+=(--data-urlencode "$field"); done < <(
    curl -sf -c "$work/cookies" "$link" | grep -oE '<input[^>]*type="hidden"[^>]*>' |
      sed -nE 's/.*name="([^"]*)".*value="([^"]*)".*/\1=\2/p'
  )
  curl -sf -o "$work/first-run.html" -b "$work/cookies" -c "$work/cookies" "${fields[@]}" \
    --data-urlencode organisation=Judges --data-urlencode username=judge \
    --data-urlencode email=judge@example.org --data-urlencode "password=$password" "$base/first-run"
}

# An access token for a user name.
access_token() {
  curl -sf -H 'Content-Type: application/json' -d "{\"username\":\"$1\",\"password\":\"$password\"}" "$base/api/v1/auth/login" |
    sed -nE 's/.*"access_token": *"([^"]*)".*/\1/p'
}
