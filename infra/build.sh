#!/usr/bin/env bash
# Builds the programs of contexts for Lambda into target/lambda/<context>/bootstrap, to which the templates refer. It
# works in the current folder. Set ARCH to arm64 (the default) or x86_64, and CONTEXT to build only some contexts.
set -euo pipefail
infra=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$infra/venv.sh"

case ${ARCH:-arm64} in
    arm64) option=--arm64 target=aarch64-unknown-linux-gnu ;;
    x86_64) option=--x86-64 target=x86_64-unknown-linux-gnu ;;
    *) fail "ARCH must be arm64 or x86_64, not $ARCH." ;;
esac
contexts=${CONTEXT:-$(contexts)}

command -v cargo >/dev/null || fail "cargo is missing: install Rust from https://rustup.rs."
[ -d "$(rustc --print target-libdir --target "$target")" ] ||
    fail "The Rust target for ARCH=${ARCH:-arm64} is missing: run rustup target add $target"

venv=target/infra/build-venv
mkdir -p target/infra
make_venv "$venv" "$infra/build.lock"

# With the environment on the path, cargo-lambda finds its Python, and through it zig. Its own optimizations would end
# a function at the first panic; the release profile is in .cargo/config.toml.
for context in $contexts; do
    PATH="$PWD/$venv/bin:$PATH" cargo lambda build --release "$option" --package "$context" --no-default-features \
        --disable-optimizations \
        --lambda-dir target/lambda
done
