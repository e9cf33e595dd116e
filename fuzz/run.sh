#!/bin/sh
# Feeds damaged input to what reads strangers' files: `fuzz/run.sh SECONDS [TARGET...]`, that long for each target.
# Needs cargo-fuzz (`cargo install cargo-fuzz`). A crash leaves its input in fuzz/artifacts and ends the run.
set -eu
cd "$(dirname "$0")"
seconds=${1:?seconds for each target}
shift
data=${TYRIAN_TESTDATA:-../../shared/data}/importers
# Sanitizers are not stable in the compiler; the toolchain is the same as everywhere else.
export RUSTC_BOOTSTRAP=1
cargo=$(rustup which cargo 2>/dev/null || command -v cargo)
PATH=$(dirname "$cargo"):$PATH
[ $# -gt 0 ] || set -- nmap sarif nuclei sslscan sniff audit_export android_key app_attest token
for target in "$@"; do
    corpus=corpus/$target
    mkdir -p "$corpus"
    case $target in
    audit_export) features="--features audit" ;;
    *) features= ;;
    esac
    # Real files are where damage starts from.
    if [ -d "$data/$target" ]; then
        find "$data/$target" -type f -size -12k ! -name expected.json -exec cp -u {} "$corpus" \;
        find ../crates/importers/tests/fixtures -name "$target*" -size -12k -exec cp -u {} "$corpus" \;
    fi
    case $target in
    android_key)
        find "$data/../attestation/android" -name '*.pem' -exec cp -u {} "$corpus" \;
        # Damage to base64 seldom reaches the extension: the target certificate as DER too.
        for chain in "$corpus"/*.pem; do
            openssl x509 -in "$chain" -outform DER -out "${chain%.pem}.der" 2>/dev/null || true
        done
        ;;
    app_attest)
        sed -n 's/.*"\(attestation\|assertion\)": "\([^"]*\)".*/\2/p' "$data/../attestation/apple/app_attest_vectors.json" |
            split -l 1 - "$corpus/vector-" || true
        ;;
    token)
        find "$data/../jose_cookbook" -name '*.json' -exec sed -n 's/.*"compact": "\([^"]*\)".*/\1/p' {} + | split -l 1 - "$corpus/token-" || true
        ;;
    esac
    dictionary=
    [ ! -f "dictionaries/$target.dict" ] || dictionary="-dict=dictionaries/$target.dict"
    # shellcheck disable=SC2086
    cargo fuzz run --fuzz-dir . $features "$target" "$corpus" -- \
        -max_total_time="$seconds" -max_len=12288 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 $dictionary
done
