#!/usr/bin/env bash
# buf reads the contract; grpcurl and grpc-health-probe call the real server with certificates made for this run: health, reflection, a stream, a token
# bound to the certificate; and nobody without a good certificate gets past the handshake.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/serve.bash
source tests/serve.bash

curl_version=v1.9.3
probe_version=v0.4.41
tools=$cache/grpc-judge-$curl_version-$probe_version
if [ ! -x "$tools/grpc-health-probe" ]; then
  command -v go >/dev/null || { echo "go is missing: install Go 1.24 or newer, grpcurl and grpc-health-probe are built with it" >&2; exit 1; }
  mkdir -p "$tools"
  GOBIN=$tools go install "github.com/fullstorydev/grpcurl/cmd/grpcurl@$curl_version"
  GOBIN=$tools go install "github.com/grpc-ecosystem/grpc-health-probe@$probe_version"
fi

certificates=$work/certificates
mkdir "$certificates"
authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
    -keyout "$certificates/$1.key" -out "$certificates/$1.pem" 2>/dev/null
}
# Signs a certificate: name, authority, extended key usage, further words for openssl.
signed() {
  local name=$1 by=$2 usage=$3
  shift 3
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
    -keyout "$certificates/$name.key" -out "$certificates/$name.csr" 2>/dev/null
  openssl x509 -req -in "$certificates/$name.csr" -CA "$certificates/$by.pem" -CAkey "$certificates/$by.key" -CAcreateserial \
    -extfile <(printf 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=%s\n' "$usage") "$@" -out "$certificates/$name.pem" 2>/dev/null
}
authority ours
authority theirs
signed server ours serverAuth -days 2
signed phone ours clientAuth -days 2
signed other ours clientAuth -days 2
signed foreign theirs clientAuth -days 2
signed wrong-use ours serverAuth -days 2
signed expired ours clientAuth -days -1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=alone -addext extendedKeyUsage=clientAuth \
  -keyout "$certificates/alone.key" -out "$certificates/alone.pem" 2>/dev/null

port=$(unused_port)
export TYRIAN__DEVICES__SOFTWARE_KEYS=true TYRIAN__DEVICES__GRPC__LISTEN=127.0.0.1:$port TYRIAN__DEVICES__GRPC__REFLECTION=true
export TYRIAN__DEVICES__GRPC__CERTIFICATE=$certificates/server.pem TYRIAN__DEVICES__GRPC__KEY=$certificates/server.key
export TYRIAN__DEVICES__GRPC__AUTHORITIES=$certificates/ours.pem
start_serve
create_admin
operator=$(access_token judge)
stream=/tyrian.v1.DeviceService/Stream
bind=/tyrian.v1.DeviceService/BindCertificate
mapfile -t phone < <(node tests/grpc/phone.js "$base/api/v1" "$operator" "127.0.0.1:$port" $stream $bind)

passed=0
failed=0
# Counts a command that must succeed (yes) or fail (no), and a text its output must hold.
expect() {
  local name=$1 wanted=$2 text=$3 outcome=yes
  shift 3
  "$@" >"$work/out" 2>&1 || outcome=no
  if [ $outcome = "$wanted" ] && { [ -z "$text" ] || grep -q -- "$text" "$work/out"; }; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$name: expected $wanted and \`$text\`, got $outcome:" >&2
    tail -n 20 "$work/out" >&2
  fi
}
probe() { timeout 20 "$tools/grpc-health-probe" -addr "127.0.0.1:$port" -connect-timeout 3s -rpc-timeout 3s "$@"; }
# The same with a certificate to show.
probe_as() {
  local name=$1
  shift
  probe -tls -tls-ca-cert "$certificates/ours.pem" -tls-client-cert "$certificates/$name.pem" -tls-client-key "$certificates/$name.key" "$@"
}
call_as() {
  local name=$1
  shift
  timeout 20 "$tools/grpcurl" -cacert "$certificates/ours.pem" -cert "$certificates/$name.pem" -key "$certificates/$name.key" -max-time 5 "$@"
}

expect 'the server is healthy' yes SERVING probe_as phone
expect 'the service is healthy' yes SERVING probe_as phone -service tyrian.v1.DeviceService
for refused in foreign wrong-use expired alone; do
  expect "the certificate $refused" no '' probe_as "$refused"
done
expect 'no certificate' no '' probe -tls -tls-ca-cert "$certificates/ours.pem"
expect 'no TLS' no '' probe
expect 'what can be called' yes tyrian.v1.DeviceService call_as phone "127.0.0.1:$port" list
expect 'how it is called' yes 'rpc Stream ( stream .tyrian.v1.StreamRequest )' call_as phone "127.0.0.1:$port" describe tyrian.v1.DeviceService
expect 'nobody without a token' no 'Unauthenticated' call_as phone -d '{}' "127.0.0.1:$port" tyrian.v1.DeviceService/BindCertificate

said='{"number":1,"readings":{"accelerometer":{"t":["1000","10000"],"x":[0.1,"NaN"],"y":[0,0],"z":[9.8,9.8]}}} {"number":2,"challenge":{}}'
proven=(-H "authorization: DPoP ${phone[0]}" -H "dpop: ${phone[1]}")
expect 'a stream' yes '"received": "2"' call_as phone -d "$said" "${proven[@]}" "127.0.0.1:$port" tyrian.v1.DeviceService/Stream
cp "$work/out" "$work/stream"
expect 'its first word' yes '"welcome"' cat "$work/stream"
expect 'readings without a number are counted' yes '"refused": "1"' cat "$work/stream"
expect 'a nonce to attest' yes '"challenge"' cat "$work/stream"
expect 'a proof counts once' no 'this DPoP proof was used before' call_as phone -d "$said" "${proven[@]}" "127.0.0.1:$port" tyrian.v1.DeviceService/Stream
expect 'a token for the certificate' yes accessToken \
  call_as phone -d '{}' -H "authorization: DPoP ${phone[0]}" -H "dpop: ${phone[2]}" "127.0.0.1:$port" tyrian.v1.DeviceService/BindCertificate
bound=$(sed -nE 's/.*"accessToken": *"([^"]*)".*/\1/p' "$work/out")
expect 'a stream with it' yes '"received": "2"' call_as phone -d "$said" -H "authorization: Bearer $bound" "127.0.0.1:$port" tyrian.v1.DeviceService/Stream
expect 'it is nothing with another certificate' no 'Unauthenticated' \
  call_as other -d "$said" -H "authorization: Bearer $bound" "127.0.0.1:$port" tyrian.v1.DeviceService/Stream
expect 'compressed' yes '"received": "2"' call_as phone -d "$said" -H "authorization: Bearer $bound" -H 'grpc-accept-encoding: gzip' \
  "127.0.0.1:$port" tyrian.v1.DeviceService/Stream
expect 'the contract in the eyes of buf' yes '' npx --yes @bufbuild/buf@1.75.0 lint proto
kill -0 "$served" || { echo "the server did not survive" >&2; failed=$((failed + 1)); }
[ "$failed" = 0 ] || tail -n 30 "$work/serve.log" >&2
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
