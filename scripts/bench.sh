#!/usr/bin/env bash
# Ledgerfold, the bare table and the peers side by side, on a DynamoDB Local of their own; writes the
# tables of COMPARE.md. BENCH_QUICK=1: a short run, printed only.
set -euo pipefail

# A workspace of its own: nobody else has to build the peers.
cargo build --release --manifest-path benches/Cargo.toml --target-dir target
python3 localstack/bootstrap.py dynamodb -- target/release/ledgerfold-benches
