#!/usr/bin/env bash
# All tests. The local cloud is up; a DynamoDB Local of its own is started here.
set -euo pipefail

# Nextest where it is there, for its speed; cargo's own runner does as well.
if cargo nextest --version >/dev/null 2>&1; then
  run() { cargo nextest run --no-fail-fast "$@"; }
else
  run() { cargo test --no-fail-fast "$@"; }
fi

say() { printf '\n── %s (after %d s)\n' "$*" "$SECONDS"; }

say the programs of operators
cargo build --quiet --workspace --bins

say examples in the documentation
cargo test --quiet --workspace --doc

say the local cloud\'s own tests
python3 localstack/bootstrap.py test

say everything that needs no server, and the adapters on DynamoDB Local
export -f run
python3 localstack/bootstrap.py dynamodb -- \
  bash -c 'run --workspace --features ledgerfold-dynamodb/dynamodb-local'

endpoint=$(python3 -c 'import json; print(json.load(open("target/local/stack.json"))["endpoint"])')

# LocalStack has a layer of its own before its DynamoDB. The second emulator is not held to these rules.
if [[ ${EMULATOR:-localstack} == localstack ]]; then
  say the rules of the log on the local cloud
  DYNAMODB_ENDPOINT=$endpoint run --workspace --features ledgerfold-dynamodb/dynamodb-local \
    --test dynamodb_local event_store::
fi

say orders end to end, and payloads, on the local cloud
AWS_ENDPOINT_URL=$endpoint run --workspace --test local-cloud \
  --features orders-acceptance/local-cloud,ledgerfold-s3/local-cloud
