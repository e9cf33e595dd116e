#!/usr/bin/env bash
# The OpenTelemetry collector receives our traces over OTLP: the request and the job it caused arrive under one
# correlation id, and nothing is refused.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/serve.bash
source tests/serve.bash

version=v0.132.0
tools=$cache/otel-collector-$version
if [ ! -x "$tools/collector" ]; then
  command -v go >/dev/null || { echo "go is missing: install Go 1.24 or newer, the collector is built with it" >&2; exit 1; }
  mkdir -p "$tools"
  cat >"$tools/builder.yaml" <<YAML
dist: { name: collector, output_path: $tools/source }
receivers: [{ gomod: go.opentelemetry.io/collector/receiver/otlpreceiver $version }]
exporters: [{ gomod: go.opentelemetry.io/collector/exporter/debugexporter $version }]
YAML
  GOBIN=$tools go install "go.opentelemetry.io/collector/cmd/builder@$version"
  "$tools/builder" --config "$tools/builder.yaml" >"$tools/build.log" 2>&1 || { cat "$tools/build.log" >&2; exit 1; }
  mv "$tools/source/collector" "$tools/collector"
fi

port=$(unused_port)
cat >"$work/collector.yaml" <<YAML
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:$port" } } } }
exporters: { debug: { verbosity: detailed } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [debug] } }
YAML
setpriv --pdeathsig TERM -- "$tools/collector" --config "$work/collector.yaml" >"$work/collector.log" 2>&1 &
collector=$!
trap 'kill "$collector" 2>/dev/null || true; end_serve' EXIT
for _ in $(seq 100); do
  grep -q 'Everything is ready' "$work/collector.log" && break
  sleep 0.1
done

export TYRIAN__TRACES__ENDPOINT=http://127.0.0.1:$port/v1/traces
start_serve
create_admin
token=$(access_token judge)
correlation=judge-traces-$RANDOM
line='{"template-id":"t","info":{"name":"T","severity":"low"},"type":"http","host":"http://a","matched-at":"http://a/"}'
curl -sSf -o /dev/null -H "Authorization: Bearer $token" -H "X-Request-Id: $correlation" -H 'Content-Type: application/octet-stream' \
  --data-binary "$line" "$base/api/v1/imports?format=nuclei&filename=t.jsonl"
curl -sSf -o /dev/null -H "Authorization: Bearer $token" -H "X-Request-Id: $correlation" -H 'Content-Type: application/json' \
  -d '{"title":"Traces"}' "$base/api/v1/reports"
# What is left is sent when the server ends; the job had its second by then.
for _ in $(seq 100); do
  curl -sSf -H "Authorization: Bearer $token" "$base/api/v1/reports" | grep -q '"state": *"ready"' && break
  sleep 0.1
done
kill "$served"
wait "$served" || true
served=

passed=0
failed=0
expect() {
  if [ "$2" -ge "$3" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$1: $2, at least $3 expected" >&2
  fi
}
spans() { awk -v name="$1" '/^Span #/ { here = 0 } $1 == "Name" { here = ($3 == name) } here' "$work/collector.log"; }
expect 'spans of requests with the correlation id' "$(spans request | grep -c "correlation_id: Str($correlation)")" 2
expect 'spans of jobs with the correlation id' "$(spans job | grep -c "correlation_id: Str($correlation)")" 1
expect 'resources named tyrian' "$(grep -c 'service.name: Str(tyrian)' "$work/collector.log")" 1
expect 'batches without a complaint' "$((1 - $(grep -ciE '^[0-9T:.Z+-]+\s+(warn|error)' "$work/collector.log" || true)))" 1
[ "$failed" = 0 ] || tail -n 60 "$work/collector.log" >&2
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
