#!/usr/bin/env bash
# Runs all tests. The local cloud must be running. This script also starts a DynamoDB Local and two more clouds.
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

features=ledgerfold-dynamodb/dynamodb-local,ledgerfold-kms/dynamodb-local,ledgerfold-s3/local-cloud
features+=,banking/beancount,banking/parquet,patients/fhir
features+=,ledgerfold-transparency-aws/local-cloud
features+=,orders-acceptance/local-cloud,banking-acceptance/local-cloud
features+=,devices-acceptance/local-cloud,patients-acceptance/local-cloud
# Beancount and the library for FHIR are installed by their tests. Hledger is no package of Python, so it has to be there.
! command -v hledger >/dev/null 2>&1 || features+=,banking/hledger
emulator=${EMULATOR:-localstack}
endpoint=$(of_stack target/local/stack.json endpoint)
clouds=target/local/clouds

contexts=()
for context in ${CONTEXT:-}; do contexts+=(--context "$context"); done

# With them, three of the tests that need a whole cloud can run at once.
more_clouds() {
  local number=0
  for name in second-cloud third-cloud; do
    cloud up --emulator "$emulator" --home "$clouds/$name" --port $((${endpoint##*:} + ++number)) \
      --functions target/local/functions ${contexts[@]+"${contexts[@]}"}
  done
}
no_more_clouds() {
  for name in second-cloud third-cloud; do cloud down --home "$clouds/$name" >/dev/null; done
}

# Runs a step in the background. `finish` waits for it and shows its output.
in_background() { "$@" >"target/local/$1.log" 2>&1 & }
finish() {
  local outcome=0
  wait "$2" || outcome=$?
  cat "target/local/$1.log"
  return $outcome
}

# The last lines of the output name every part that failed.
failures=()
failed() { failures+=("$*"); }

say build programs and tests
cargo build --quiet --workspace --bins
cargo test --quiet --no-run --workspace --features "$features"

say start two more clouds, and test the local cloud itself
trap no_more_clouds EXIT
own_tests() { cloud test; }
in_background more_clouds; starting=$!
in_background own_tests; testing=$!
finish more_clouds $starting

say run all other tests: without a server, on DynamoDB Local, and end to end on the local clouds
# Most end-to-end tests wait. Meanwhile these two have the processor.
examples() { cargo test --quiet --workspace --doc; }
# LocalStack has its own layer in front of DynamoDB Local. These tests do not apply to MiniStack.
event_store_on_localstack() {
  [[ $emulator != localstack ]] ||
    DYNAMODB_ENDPOINT=$endpoint run --workspace --features "$features" --test dynamodb_local event_store::
}
in_background examples; compiling=$!
in_background event_store_on_localstack; storing=$!
export AWS_ENDPOINT_URL=$endpoint LEDGERFOLD_CLOUDS=$PWD/$clouds
cloud dynamodb -- bash -c "run --workspace --features $features" || failed the tests of the workspace
finish own_tests $testing || failed the tests of the local cloud itself
finish examples $compiling || failed "the examples in the documentation: $(grep -- '--- FAILED' target/local/examples.log || true)"
finish event_store_on_localstack $storing || failed the event store on LocalStack

say run the commands of the documents
# MiniStack cannot move messages back from a dead-letter queue.
[[ $emulator != localstack ]] || scripts/documents.py || failed the commands of the documents
if [ ${#failures[@]} -gt 0 ]; then
  say failed
  printf '%s\n' "${failures[@]}"
  exit 1
fi
say all tests have passed
