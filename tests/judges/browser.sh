#!/usr/bin/env bash
# Headless Chromium walks the whole story through the console in English and Portuguese, and the door in Spanish:
# axe finds nothing on any page, in light and dark; nothing overflows a phone; the console stays silent.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/serve.bash
source tests/serve.bash

# Installed once per lock file, outside of the repository.
tools=$cache/npm/browser-$(sha256sum tests/browser/package-lock.json | cut -c1-16)
if [ ! -e "$tools/installed" ]; then
  mkdir -p "$tools"
  cp tests/browser/package.json tests/browser/package-lock.json "$tools/"
  (cd "$tools" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --ignore-scripts)
  touch "$tools/installed"
fi
# Modules are resolved from where they lie.
cp tests/browser/*.js tests/browser/*.py "$tools/"

start_serve
link=$(grep -oE 'http[^ ]*/first-run\?token=[^ ]*' "$work/serve.log" | head -n 1)
export TYRIAN_BASE=$base TYRIAN_LINK=$link TYRIAN_PASSWORD=$password
export TYRIAN_DATABASE=$work/data/tyrian.db
export TYRIAN_SCREENSHOTS=${TYRIAN_SCREENSHOTS:-$work/screenshots}
mkdir -p "$TYRIAN_SCREENSHOTS" "$work/chromium"
status=0
TMPDIR=$work/chromium timeout --kill-after=10 1500 node "$tools/story.js" || status=$?
if ! kill -0 "$served" 2>/dev/null || [ $status -ne 0 ]; then tail -n 30 "$work/serve.log" >&2; fi
exit $status
