#!/usr/bin/env bash
# Judges the template: cfn-lint with the serverless rules, `sam validate --lint`, and the tests of its invariants.
# Needs no account and, once its tools are installed, no network. Any warning is a failure.
set -euo pipefail
infra=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$infra/venv.sh"

venv="$infra/../target/infra/venv"
make_venv "$venv" "$infra/requirements.lock"
cd "$infra"

"$venv/bin/cfn-lint" --append-rules cfn_lint_serverless.rules --template template.yaml
# Without a region sam asks for one, though it calls nothing.
AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-us-east-1} SAM_CLI_TELEMETRY=0 \
    "$venv/bin/sam" validate --lint --template-file template.yaml
PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" -m unittest discover --start-directory tests
