#!/usr/bin/env bash
# Builds the functions for Lambda into target/lambda/<binary>/bootstrap, which the template refers to.
# Set ARCH to arm64 (the default) or x86_64.
set -euo pipefail
infra=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$infra/venv.sh"
root=$(dirname "$infra")

case ${ARCH:-arm64} in
    arm64) option=--arm64 target=aarch64-unknown-linux-gnu ;;
    x86_64) option=--x86-64 target=x86_64-unknown-linux-gnu ;;
    *) fail "ARCH must be arm64 or x86_64, not $ARCH." ;;
esac

command -v cargo >/dev/null || fail "cargo is missing: install Rust from https://rustup.rs."
[ -d "$(rustc --print target-libdir --target "$target")" ] ||
    fail "The Rust target for ARCH=${ARCH:-arm64} is missing: run rustup target add $target"

venv="$root/target/infra/build-venv"
make_venv "$venv" "$infra/build.lock"

# With the environment on the path, cargo-lambda finds its Python, and through it zig.
cd "$root"
PATH="$venv/bin:$PATH" cargo lambda build --release "$option" --package orders --no-default-features --lambda-dir "$root/target/lambda"
