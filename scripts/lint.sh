#!/usr/bin/env bash
# Everything that can be said of the code without running it.
set -euo pipefail

say() { printf '\n── %s (after %d s)\n' "$*" "$SECONDS"; }

say formatting
cargo fmt --all --check
cargo fmt --manifest-path benches/Cargo.toml --check # a workspace of its own, built by `make bench` alone

say clippy
cargo clippy --quiet --workspace --all-targets --all-features -- --deny warnings

say documentation
RUSTDOCFLAGS="--deny warnings" cargo doc --quiet --workspace --no-deps

say layers of core
scripts/layers.py

say plain text
scripts/prose.py

say features of JSON
scripts/features.sh

say licences, bans and sources
# Built from its source once, as registries carry no binary of it. Its advisories need a database
# from the network and are for machines that have one: target/tools/bin/cargo-deny check advisories
deny=target/tools/bin/cargo-deny
version=0.20.2
# It runs for seconds, so an optimised build of it would not pay.
[ "$("$deny" --version 2>/dev/null)" = "cargo-deny $version" ] ||
  CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
  cargo install --quiet --locked "cargo-deny@$version" --no-default-features \
    --root target/tools --target-dir target/tools/build
"$deny" --log-level error check bans licenses sources

say the template
infra/check.sh
