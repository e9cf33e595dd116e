#!/bin/sh
# Feeds damaged input to what reads strangers' files: `fuzz/run.sh SECONDS [TARGET...]`, that long for each target.
# A target is one of targets/ or the id of a format (as `tyrian import --format` takes it).
# Needs cargo-fuzz (`cargo install cargo-fuzz`). A crash leaves its input in fuzz/artifacts and ends the run.
set -eu
cd "$(dirname "$0")"
seconds=${1:?seconds for each target}
shift
data=${TYRIAN_TESTDATA:-../../shared/data}/importers
# Coverage counters are not stable in the compiler; the toolchain is the same as everywhere else.
export RUSTC_BOOTSTRAP=1
cargo=$(rustup which cargo 2>/dev/null || command -v cargo)
PATH=$(dirname "$cargo"):$PATH
[ $# -gt 0 ] || set -- nmap sarif nuclei sslscan sniff mapping audit_export android_key app_attest token \
    testssl tenable openvas nexpose nikto sslyze qualys qualys_hacker_guardian qualys_infrascan_webgui qualys_vmdr qualys_webapp \
    zap burp burp_api burp_dastardly burp_graphql burp_suite_dast acunetix wapiti semgrep semgrep_pro bandit gitleaks checkov sonarqube \
    trivy trivy_operator anchore_grype osv_scanner dependency_track cyclonedx npm_audit npm_audit_7_plus pip_audit cargo_audit \
    snyk snyk_issue_api aws_prowler aws_prowler_v3plus prowler tyrian \
    anchore_engine asff brakeman checkmarx clair dependency_check detect_secrets dockle generic gitlab gosec hadolint \
    jfrogxray kubebench mend mobsf retirejs stackhawk trufflehog twistlock yarn_audit
for target in "$@"; do
    corpus=corpus/$target
    mkdir -p "$corpus"
    binary=$target
    features=
    case $target in
    audit_export) features="--features audit" ;;
    *)
        if [ ! -f "targets/$target.rs" ]; then
            binary=format
            FUZZ_FORMAT=$target
            export FUZZ_FORMAT
        fi
        ;;
    esac
    # Real files are where damage starts from.
    if [ -d "$data/$target" ]; then
        find "$data/$target" -type f -size -12k ! -name expected.json -exec cp -u {} "$corpus" \;
    fi
    find ../crates/importers/tests/fixtures -name "$(echo "$target" | cut -d_ -f1)*" -size -12k -exec cp -u {} "$corpus" \;
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
    # Our code has no unsafe part that an address sanitizer could catch, and without one ten times as many inputs are tried.
    # shellcheck disable=SC2086
    cargo fuzz run --fuzz-dir . --sanitizer none $features "$binary" "$corpus" -- \
        -max_total_time="$seconds" -max_len=12288 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 $dictionary
done
