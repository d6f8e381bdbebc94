# The daily commands. `just` lists them; without it, type what stands below a name.

# Lists the commands.
default:
    @just --list --unsorted

# Runs the quickstart on the emulator.
quickstart *arguments:
    cargo run --example quickstart -- {{ arguments }}

# Checks form and lints.
check:
    cargo fmt --all --check
    cargo clippy --locked --workspace --all-targets -- -D warnings

# Formats the source.
format:
    cargo fmt --all

# Runs the tests in Rust; arguments go to cargo, such as -p aks-acr-tests --test docs.
test *arguments:
    cargo test {{ arguments }}

# Runs all tests, in three languages.
test-all:
    tests/run

# Runs the tests of the Python package.
python:
    tests/python/run

# Runs the tests of the Node package.
node *arguments:
    tests/node/run {{ arguments }}

# Runs az, the SDKs, kubectl, a registry client, containerd and a node against the emulator.
peers *suite:
    tests/peers/run {{ suite }}

# Fuzzes each parser for some seconds.
fuzz seconds="60":
    tests/fuzz/run {{ seconds }}

# Writes the generated files.
bless $AKS_ACR_BLESS="1":
    cargo run -p aks-acr-surface
    cargo test -p aks-acr-tests --test promises the_page_of_rights
    cargo test -p aks-acr-tests --test cuts

# Builds the documentation of the crates.
docs:
    cargo doc --no-deps

# Downloads the public recordings of Azure into a folder.
fetch-recordings folder:
    tests/traffic/fetch {{ folder }}

# Runs what must pass before a change lands; needs the recordings.
gate *arguments:
    .ci/run {{ arguments }}
