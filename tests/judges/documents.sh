#!/usr/bin/env bash
# `jsonschema` of PyPI holds what every command prints with --json against docs/cli.schema.json, and no command is left out.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/serve.bash
source tests/serve.bash

version=4.26.0
tools=$cache/jsonschema-$version
if [ ! -e "$tools/installed" ]; then
  rm -rf "$tools"
  python3 -m venv "$tools"
  "$tools/bin/pip" install -q "jsonschema==$version"
  touch "$tools/installed"
fi

export TYRIAN__DEVICES__SOFTWARE_KEYS=true
start_serve
create_admin
TOKEN=$(access_token judge) PASSWORD=$password "$tools/bin/python" tests/documents/commands.py "$program" "$base" "$work"
