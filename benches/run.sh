#!/bin/sh
# Every figure of docs/benchmarks.md, measured here and now: `just bench`, or the names of some parts.
# Parts: serve ports orchestration audit pdf import memory results million search threat fleet sockets soak. Ratios are taken within one run; scans go to loopback only.
set -eu
cd "$(dirname "$0")/.."
parts=${*:-serve ports orchestration audit pdf import memory results million search threat fleet sockets soak}
target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
missed=0

part() {
    echo
    echo "## $1 ($(date -u +%Y-%m-%dT%H:%MZ), load $(cut -d' ' -f1-3 /proc/loadavg))"
    shift
    "$@" || missed=1
}

echo "$(git rev-parse --short HEAD), $(nproc) cores of $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(uname -sr)"
for name in $parts; do
    case $name in
    serve)
        cargo build --quiet --release --locked -p app
        part serve python3 benches/idle.py "$target/release/tyrian"
        ;;
    ports) part ports cargo bench --quiet -p scanner --bench ports ;;
    orchestration) part orchestration cargo bench --quiet -p scans --bench orchestration ;;
    audit) part audit cargo bench --quiet -p audit --bench append ;;
    pdf) part pdf crates/reports/benches/pdf.sh 500 ;;
    import) part import cargo bench --quiet -p importers --bench import ;;
    results)
        cargo bench --quiet -p results --bench import --no-run
        part results taskset -c 0 cargo bench --quiet -p results --bench import
        ;;
    million) part million cargo bench --quiet -p results --bench million ;;
    search) part search cargo bench --quiet -p search --bench million ;;
    memory) part memory cargo bench --quiet -p importers --bench memory ;;
    threat) part threat cargo bench --quiet -p threat --bench engine ;;
    fleet)
        cargo build --quiet --release --locked -p app
        part fleet python3 benches/fleet.py "$target/release/tyrian"
        ;;
    sockets)
        cargo build --quiet --release --locked -p app
        # As many as descriptors allow, held by several processes: TYRIAN_SOCKETS="100000 5".
        # shellcheck disable=SC2086
        part sockets python3 benches/sockets.py "$target/release/tyrian" ${TYRIAN_SOCKETS:-10000 2}
        ;;
    soak)
        cargo build --quiet --release --locked -p app
        # The goal is 5,000 phones for 30 minutes: TYRIAN_SOAK="5000 30 socket".
        # shellcheck disable=SC2086
        part soak python3 benches/fleet.py "$target/release/tyrian" soak ${TYRIAN_SOAK:-500 12}
        ;;
    *)
        echo "no part is called $name" >&2
        exit 2
        ;;
    esac
done
exit "$missed"
