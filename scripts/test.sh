#!/usr/bin/env bash
# All tests. The local cloud is up; a DynamoDB Local of its own is started here, and a second cloud.
set -euo pipefail

say() { printf '\n── %s (after %d s)\n' "$*" "$SECONDS"; }
cloud() { python3 localstack/bootstrap.py "$@"; }
of_stack() { python3 -c "import json; print(json.load(open('$1'))['$2'])"; }

# Nextest where it is there, for its speed; cargo's own runner does as well.
if cargo nextest --version >/dev/null 2>&1; then
  run() { cargo nextest run --no-fail-fast "$@"; }
else
  run() { cargo test --no-fail-fast "$@"; }
fi
export -f run

features=ledgerfold-dynamodb/dynamodb-local,ledgerfold-s3/local-cloud,orders-acceptance/local-cloud
emulator=${EMULATOR:-localstack}
endpoint=$(of_stack target/local/stack.json endpoint)
second=target/local/second

# Two of the tests that need a cloud for themselves then run at a time.
second_cloud() {
  cloud up --emulator "$emulator" --home "$second" --port $((${endpoint##*:} + 1)) \
    --functions target/local/functions
}

# Runs a step beside others; `finish` waits for it and shows what it has printed.
beside() { "$@" >"target/local/$1.log" 2>&1 & }
finish() { wait "$2" || failed=1; cat "target/local/$1.log"; [ -z "${failed:-}" ]; }

say programs and tests are built
cargo build --quiet --workspace --bins
cargo test --quiet --no-run --workspace --features "$features"

say the second cloud starts, and the examples in the documentation run
trap 'cloud down --home "$second" >/dev/null' EXIT
beside second_cloud; starting=$!
cargo test --quiet --workspace --doc
finish second_cloud $starting

say the local cloud\'s own tests, and the rules of the log on the local cloud
own_tests() { cloud test; }
beside own_tests; testing=$!
# LocalStack has a layer of its own before its DynamoDB. The second emulator is not held to these rules.
if [[ $emulator == localstack ]]; then
  DYNAMODB_ENDPOINT=$endpoint run --workspace --features "$features" --test dynamodb_local event_store::
fi
finish own_tests $testing

say everything else: without a server, on DynamoDB Local, and end to end on the local clouds
export AWS_ENDPOINT_URL=$endpoint LEDGERFOLD_SECOND_STACK=$PWD/$second/stack.json
cloud dynamodb -- bash -c "run --workspace --features $features"
# The second emulator is a REST API of its own mind, with answers that no document describes.
if [[ $emulator == localstack ]]; then
  say the service is held to its OpenAPI document
  scripts/contract.sh
fi
say all tests have passed
