#!/usr/bin/env bash
# Holds the service on the local cloud to its OpenAPI document: Schemathesis makes requests of it, valid and invalid
# ones, and checks every answer. SEED=n makes other requests; a failure is shown as a curl command.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. infra/venv.sh

venv=target/contract/venv
make_venv "$venv" localstack/locks/contract.lock

api=$(python3 -c "import json; print(json.load(open('target/local/stack.json'))['contexts']['orders']['api'])")
export PYTHONDONTWRITEBYTECODE=1 NO_PROXY=127.0.0.1 HYPOTHESIS_STORAGE_DIRECTORY=target/contract/hypothesis
"$venv/bin/schemathesis" --no-color run functions/orders/openapi.json --url "$api" --seed "${SEED:-1}"
