#!/usr/bin/env bash
# Checks for missing programs first, because later errors are harder to understand.
set -euo pipefail

need() { command -v "$1" >/dev/null 2>&1 || { echo "$1 is missing: $2" >&2; exit 1; }; }

need cargo "install Rust 1.95 or newer from https://rustup.rs."
need cc "install a C compiler and linker, for example gcc (Debian: apt-get install gcc)."
need python3 "install Python 3.10 or newer (Debian: apt-get install python3 python3-venv)."

have=$(rustc --version | awk '{ print $2 }')
least=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
[ "$(printf '%s\n%s\n' "$least" "$have" | sort -V | head -n 1)" = "$least" ] ||
  { echo "Rust $have is too old: update to $least or newer (rustup update)." >&2; exit 1; }
