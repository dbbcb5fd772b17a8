#!/usr/bin/env bash
# Runs all tests. The local cloud must be running. This script also starts a DynamoDB Local and three more clouds.
set -euo pipefail

say() { printf '\n── %s (after %d s)\n' "$*" "$SECONDS"; }
cloud() { python3 localstack/bootstrap.py "$@"; }
of_stack() { python3 -c "import json; print(json.load(open('$1'))['$2'])"; }

# Uses nextest if it is installed, because it is faster than cargo's own runner.
if cargo nextest --version >/dev/null 2>&1; then
  run() { cargo nextest run --no-fail-fast "$@"; }
else
  run() { cargo test --no-fail-fast "$@"; }
fi
export -f run

features=ledgerfold-dynamodb/dynamodb-local,ledgerfold-s3/local-cloud,orders-acceptance/local-cloud
emulator=${EMULATOR:-localstack}
endpoint=$(of_stack target/local/stack.json endpoint)
clouds=target/local/clouds

# With them, four of the tests that need a whole cloud can run at once.
more_clouds() {
  local number=0
  for name in second-cloud third-cloud fourth-cloud; do
    cloud up --emulator "$emulator" --home "$clouds/$name" --port $((${endpoint##*:} + ++number)) \
      --functions target/local/functions
  done
}
no_more_clouds() {
  for name in second-cloud third-cloud fourth-cloud; do cloud down --home "$clouds/$name" >/dev/null; done
}

# Runs a step in the background. `finish` waits for it and shows its output.
beside() { "$@" >"target/local/$1.log" 2>&1 & }
finish() { wait "$2" || failed=1; cat "target/local/$1.log"; [ -z "${failed:-}" ]; }

say build programs and tests
cargo build --quiet --workspace --bins
cargo test --quiet --no-run --workspace --features "$features"

say start three more clouds, and run the examples in the documentation
trap no_more_clouds EXIT
beside more_clouds; starting=$!
cargo test --quiet --workspace --doc
finish more_clouds $starting

say test the local cloud itself, and the event store on the local cloud
own_tests() { cloud test; }
beside own_tests; testing=$!
# LocalStack has its own layer in front of DynamoDB Local. These tests do not apply to MiniStack.
if [[ $emulator == localstack ]]; then
  DYNAMODB_ENDPOINT=$endpoint run --workspace --features "$features" --test dynamodb_local event_store::
fi
finish own_tests $testing

say run all other tests: without a server, on DynamoDB Local, and end to end on the local clouds
export AWS_ENDPOINT_URL=$endpoint LEDGERFOLD_CLOUDS=$PWD/$clouds
cloud dynamodb -- bash -c "run --workspace --features $features"
say all tests have passed
