#!/usr/bin/env bash
# Checks the service on the local cloud against its OpenAPI document. Schemathesis generates valid and invalid requests
# and checks every answer. SEED=n generates other requests. Each failure is shown with a curl command.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. infra/venv.sh

venv=target/contract/venv
make_venv "$venv" scripts/contract.lock

api=$(python3 -c "import json; print(json.load(open('target/local/stack.json'))['contexts']['orders']['api'])")
export PYTHONDONTWRITEBYTECODE=1 NO_PROXY=127.0.0.1 HYPOTHESIS_STORAGE_DIRECTORY=target/contract/hypothesis
"$venv/bin/schemathesis" --no-color run functions/orders/openapi.json --url "$api" --seed "${SEED:-1}"
