#!/usr/bin/env bash
# Checks the template with cfn-lint and its serverless rules, `sam validate --lint`, and the tests of its invariants.
# Every warning is a failure. You need no AWS account, and a network only to install the tools.
set -euo pipefail
infra=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$infra/venv.sh"

venv="$infra/../target/infra/venv"
make_venv "$venv" "$infra/requirements.lock"
cd "$infra"

"$venv/bin/cfn-lint" --append-rules cfn_lint_serverless.rules --template template.yaml
# sam requires a region, although it calls nothing.
AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-us-east-1} SAM_CLI_TELEMETRY=0 \
    "$venv/bin/sam" validate --lint --template-file template.yaml
PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" -m unittest discover --start-directory tests
