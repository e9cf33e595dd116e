"""Receives security events by polling and judges their tokens with joserfc.

Usage: receiver.py BASE        with TOKEN (an access token) and PASSWORD (its owner's) in the environment
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
SSF = "https://schemas.openid.net/secevent/ssf/event-type/"
# A lock and its release, two kill switches, and the verification that was asked for.
EXPECTED = sorted([
    ("session-revoked", "device"), ("device-compliance-change", "device"), ("risk-level-change", "device"),
    ("device-compliance-change", "device"), ("risk-level-change", "device"),
    ("session-revoked", "device"), ("session-revoked", "tenant"), ("verification", "stream"),
])

base = sys.argv[1]
counts = {True: 0, False: 0}


def expect(what, holds, shown=None):
    counts[bool(holds)] += 1
    if not holds:
        print(f"FAILED: {what}: {shown}", file=sys.stderr)


def ask(method, path, body=None, is_open=False):
    headers = {"content-type": "application/json"}
    if not is_open:
        headers["authorization"] = f"Bearer {os.environ['TOKEN']}"
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(base + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.loads(response.read() or "null")
    except urllib.error.HTTPError as problem:
        sys.exit(f"{method} {path}: {problem.code} {problem.read().decode()}")


def about(subject):
    """What an event is about, by the form of its subject."""
    if subject.get("format") == "opaque":
        return "stream"
    return "device" if "device" in subject else "tenant"


def cause(api, phone):
    """Has events happen."""
    ask("POST", f"{api}/devices/{phone}/lock", {"reason": "lost", "quarantine": True})
    ask("POST", f"{api}/devices/{phone}/unlock", {"reason": "found"})
    for order in ({"scope": "device", "device_id": phone, "reason": "this one"}, {"scope": "tenant", "reason": "outbreak"}):
        switch = ask("POST", f"{api}/devices/switches", order)["id"]
        ask("POST", f"{api}/devices/switches/{switch}/confirm", {"password": os.environ["PASSWORD"]})
        ask("POST", f"{api}/devices/switches/{switch}/release", {"reason": "over"})


def tokens(path):
    """All tokens that wait, once they are as many as are expected."""
    for _ in range(150):
        sets = ask("POST", path, {"returnImmediately": True, "maxEvents": 100})["sets"]
        if len(sets) >= len(EXPECTED):
            break
        time.sleep(0.2)
    # Whatever comes beyond them would come now.
    time.sleep(1)
    return ask("POST", path, {"returnImmediately": True, "maxEvents": 100})["sets"]


def refuses(token, keys):
    try:
        jwt.decode(token, keys, algorithms=["RS256"], registry=JWSRegistry(algorithms=["RS256"], strict_check_header=False))
    except (JoseError, ValueError):
        return True
    return False


def main():
    api = "/api/v1"
    discovered = ask("GET", "/.well-known/ssf-configuration", is_open=True)
    expect("the issuer is where it was discovered", discovered["issuer"] == base, discovered)
    published = ask("GET", discovered["jwks_uri"].removeprefix(base), is_open=True)
    private = {"d", "p", "q", "dp", "dq", "qi", "k"}
    expect("nothing private is published", all(private.isdisjoint(key) for key in published["keys"]), published)
    expect("keys say what they are for", all(key["kty"] == "RSA" and key["use"] == "sig" and key["kid"] for key in published["keys"]), published)
    keys = KeySet.import_key_set(published)

    stream = ask("POST", discovered["configuration_endpoint"].removeprefix(base), {"delivery": {"method": "urn:ietf:rfc:8936"}})
    phone = ask("GET", f"{api}/devices")["items"][0]["device"]["id"]
    cause(api, phone)
    ask("POST", discovered["verification_endpoint"].removeprefix(base), {"stream_id": stream["stream_id"], "state": "are you there"})
    path = stream["delivery"]["endpoint_url"].removeprefix(base)
    sets = tokens(path)

    told = []
    for jti, text in sets.items():
        token = jwt.decode(text, keys, algorithms=["RS256"], registry=JWSRegistry(algorithms=["RS256"], strict_check_header=False))
        header, claims = token.header, token.claims
        jwt.JWTClaimsRegistry(iss={"essential": True, "value": base}, aud={"essential": True, "value": stream["aud"]},
                              jti={"essential": True, "value": jti}, iat={"essential": True}).validate(claims)
        expect("its type is that of event tokens", header["typ"] == "secevent+jwt" and header["kid"], header)
        expect("it says neither `sub` nor `exp`", {"sub", "exp"}.isdisjoint(claims), claims)
        expect("it is one event", len(claims["events"]) == 1, claims)
        (event, said), = claims["events"].items()
        told.append((event.removeprefix(CAEP).removeprefix(SSF), about(claims["sub_id"])))
        if event.startswith(CAEP):
            expect("it says when and why", isinstance(said["event_timestamp"], int) and said["reason_admin"]["en"] and said["initiating_entity"] == "admin", said)
        else:
            expect("the question comes back", said.get("state") == "are you there", said)
        start, payload, signature = text.split(".")
        other = "A" if signature[10] != "A" else "B"
        expect("another signature is refused", refuses(f"{start}.{payload}.{signature[:10]}{other}{signature[11:]}", keys))
        expect("no signature is refused", refuses(f"{start}.{payload}.", keys))
    expect("everything that happened is told, once", sorted(told) == EXPECTED, sorted(told))
    left = ask("POST", path, {"returnImmediately": True, "ack": list(sets)})["sets"]
    expect("what was acknowledged does not come again", left == {}, left)
    print(f"{counts[True]} passed, {counts[False]} failed")
    sys.exit(1 if counts[False] else 0)


main()
