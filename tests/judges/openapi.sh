#!/usr/bin/env bash
# Spectral judges docs/openapi.json by its own rules and by OWASP's; a warning is a failure.
set -euo pipefail
cd "$(dirname "$0")/../.."

document=docs/openapi.json
[ -e $document ] || { echo "$document does not exist: run cargo run -p app -- docs" >&2; exit 1; }

# Installed once per lock file, outside of the repository.
cache=${TYRIAN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tyrian}
tools=$cache/openapi-judge-$(sha256sum tests/openapi/package-lock.json | cut -c1-16)
if [ ! -e "$tools/installed" ]; then
  mkdir -p "$tools"
  cp tests/openapi/package.json tests/openapi/package-lock.json "$tools/"
  (cd "$tools" && npm ci --no-audit --no-fund --ignore-scripts)
  touch "$tools/installed"
fi

# The ruleset is resolved from its own folder, so it lies beside what it extends.
cp tests/openapi/ruleset.yaml "$tools/ruleset.yaml"
"$tools/node_modules/.bin/spectral" lint --ruleset "$tools/ruleset.yaml" --fail-severity=warn --format=stylish "$document"
