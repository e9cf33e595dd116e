#!/usr/bin/env bash
# veraPDF judges reports in every language, plain and large, as PDF/A-2a and as PDF/UA-1; poppler must read them.
set -euo pipefail
cd "$(dirname "$0")/../.."

cache=${TYRIAN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tyrian}
version=1.28.2
tools=$cache/verapdf-$version
if [ ! -e "$tools/installed" ]; then
  mkdir -p "$tools"
  cat > "$tools/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>tyrian</groupId><artifactId>judge</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>org.verapdf.apps</groupId><artifactId>greenfield-apps</artifactId><version>$version</version>
  </dependency></dependencies>
</project>
POM
  (cd "$tools" && mvn --quiet --batch-mode -Dstyle.color=never dependency:copy-dependencies -DoutputDirectory=lib)
  touch "$tools/installed"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/tyrian-judge-XXXXXX")
trap 'rm -rf "$work"' EXIT
cargo build --locked --quiet --workspace --example sample
sample=${CARGO_TARGET_DIR:-target}/debug/examples/sample
for language in en pt-BR es; do
  for findings in 0 24; do
    "$sample" pdf "$language" "$findings" "$work/$language-$findings.pdf"
    pdftotext "$work/$language-$findings.pdf" "$work/text"
    grep -q TLP:AMBER "$work/text"
  done
done

passed=0
failed=0
for flavour in 2a ua1; do
  while read -r verdict file rest; do
    if [ "$verdict" = PASS ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "$verdict $(basename "$file") $rest" >&2; fi
  done < <(java -cp "$tools/lib/*" org.verapdf.apps.GreenfieldCliWrapper --flavour "$flavour" --format text "$work"/*.pdf 2>/dev/null || true)
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -eq 12 ]
