#!/usr/bin/env bash
# Measures Ledgerfold, the bare table and the peers on a separate DynamoDB Local, and writes the tables of COMPARE.md.
# BENCH_QUICK=1 does a short run and only prints the results.
set -euo pipefail

# The benchmarks are a separate workspace, so that other builds need not compile the peers.
cargo build --release --manifest-path benches/Cargo.toml --target-dir target
python3 localstack/bootstrap.py dynamodb -- target/release/ledgerfold-benches
