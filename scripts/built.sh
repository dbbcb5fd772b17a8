#!/usr/bin/env bash
# Prints the path of a program that `cargo build` has built. Cargo's target directory may be elsewhere, because of
# CARGO_TARGET_DIR or of `build.target-dir` in a configuration file of Cargo.
set -euo pipefail

target=$(cargo metadata --no-deps --format-version 1 |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
echo "$target/debug/$1"
