#!/usr/bin/env bash
# Builds the functions as for AWS, checks their size, and measures how fast they start. A full run updates COMPARE.md.
set -euo pipefail

began=$SECONDS
cargo build --quiet --release --package orders --package ledgerfold-coldstart --no-default-features
echo "The release build took $((SECONDS - began)) s."
release=$(dirname "$(dirname "$(scripts/built.sh orders)")")/release
scripts/size.py "$release/orders"
RUNS=${RUNS:-50} python3 localstack/bootstrap.py dynamodb -- "$release/coldstart"
