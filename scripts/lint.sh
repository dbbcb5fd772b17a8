#!/usr/bin/env bash
# Runs all static checks of the code.
set -euo pipefail

say() { printf '\n── %s (after %d s)\n' "$*" "$SECONDS"; }

say formatting
cargo fmt --all --check
cargo fmt --manifest-path benches/Cargo.toml --check # a separate workspace, which only `make bench` builds

say clippy
cargo clippy --quiet --workspace --all-targets --all-features -- --deny warnings

say documentation
RUSTDOCFLAGS="--deny warnings" cargo doc --quiet --workspace --no-deps

say layers of core
scripts/layers.py

say boundaries of AWS and of the emulator
scripts/boundaries.py

say guards of the invariants
scripts/guards.py

say hashes of commits
scripts/commit_hashes.py
scripts/transparency_log.py

say links of the documents
scripts/links.py

say blocks of the documents
scripts/documents.py --check

say plain text
scripts/prose.py

say features of JSON
scripts/features.sh

say licences, bans and sources
# We build cargo-deny from source once, because registries have no binary of it. Its advisories need a database from
# GitHub. With access to it, run target/tools/bin/cargo-deny check advisories
deny=target/tools/bin/cargo-deny
version=0.20.2
# It runs for seconds, so an optimised build would take longer than it saves.
[ "$("$deny" --version 2>/dev/null)" = "cargo-deny $version" ] ||
  CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
  cargo install --quiet --locked "cargo-deny@$version" --no-default-features \
    --root target/tools --target-dir target/tools/build
"$deny" --log-level error check bans licenses sources

say packages of the library
cargo publish --quiet --workspace --dry-run --no-verify --allow-dirty

say the templates
infra/check.sh
