#!/bin/sh
# CPU time of a report of 500 findings: this typesetter against WeasyPrint on the HTML form of the same report.
# Fails when ours needs more than a tenth. Usage: benches/pdf.sh [findings]
set -eu
cd "$(dirname "$0")/.."
findings=${1:-500}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tyrian
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo build --quiet --release -p reports --example sample
sample=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')/release/examples/sample
if [ ! -x "$cache/weasyprint/bin/weasyprint" ]; then
    python3 -m venv "$cache/weasyprint"
    "$cache/weasyprint/bin/pip" install --quiet 'weasyprint==70.*'
fi
"$sample" html en "$findings" "$work/report.html"
exec python3 benches/compare.py "$work" "$findings" "$sample" "$cache/weasyprint/bin/weasyprint"
