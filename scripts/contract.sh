#!/usr/bin/env bash
# Checks contexts on the local cloud against their OpenAPI documents, by default orders. Schemathesis generates valid and
# invalid requests and checks every answer. SEED=n generates other requests. Each failure is shown with a curl command.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. infra/venv.sh

venv=target/contract/venv
make_venv "$venv" scripts/contract.lock

export PYTHONDONTWRITEBYTECODE=1 NO_PROXY=127.0.0.1 HYPOTHESIS_STORAGE_DIRECTORY=target/contract/hypothesis
for context in "${@:-orders}"; do
  api=$(python3 -c "import json; print(json.load(open('target/local/stack.json'))['contexts']['$context']['api'])")
  hooks=functions/$context/acceptance/contract
  PYTHONPATH=functions/acceptance/contract SCHEMATHESIS_HOOKS=$hooks/hooks.py \
    "$venv/bin/schemathesis" --no-color run "functions/$context/openapi.json" --url "$api" --seed "${SEED:-1}"
done
