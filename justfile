# Every command a developer types. Each recipe is one plain command line: it also runs without just.

# Show the recipes.
default:
    @just --list

# Start everything in one process on embedded storage.
run *arguments:
    cargo run -p app -- serve {{arguments}}

# Format, lint and house rules: the fast half of the tests.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo test -p app --test rules

# Everything that continuous integration runs, on real servers.
test:
    ./test

# The same without the judges.
quick:
    ./test quick

# One crate's tests, on the servers the tests start themselves.
crate name:
    cargo test -p {{name}}

# Rewrite the generated files (OpenAPI, configuration and error reference, schema).
docs:
    cargo run -p app -- docs

# Every figure of docs/benchmarks.md, or only the named parts, measured here and now.
bench *parts:
    benches/run.sh {{parts}}

# Tokens and nonces on three nodes that are killed meanwhile, that many operations, judged by porcupine.
linearizable operations="100000":
    cargo build -p app
    TYRIAN_OPERATIONS={{operations}} TYRIAN_SECONDS=3600 tests/judges/linearizable.sh

# Stores and nodes that fail while so many phones hold lines and are locked and released.
failures phones="5000":
    cargo build -p app
    TYRIAN_PHONES={{phones}} TYRIAN_PAUSE=20 TYRIAN_EVERY=10 tests/judges/failures.sh

# Damaged input for what reads strangers' files, that many seconds for each target.
fuzz seconds *targets:
    fuzz/run.sh {{seconds}} {{targets}}

# Licences, sources, duplicates and advisories of dependencies (needs cargo-deny).
deny:
    cargo deny check

# The program as shipped.
release:
    cargo build --release --locked -p app
