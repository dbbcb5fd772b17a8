#!/usr/bin/env bash
# Checks the templates with cfn-lint and its serverless rules, with `sam validate --lint`, and with Checkov. Every warning
# is a failure. Then tests the deployment. You need no AWS account, and a network only to install the tools. The rules of the templates
# are checked by the generator (ledgerfold/infra).
set -euo pipefail
infra=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$infra/venv.sh"

venv="$infra/../target/infra/venv"
make_venv "$venv" "$infra/requirements.lock"
# Checkov needs an older boto3 than the SAM CLI.
checkov_venv="$infra/../target/infra/checkov-venv"
make_venv "$checkov_venv" "$infra/checkov.lock"
cd "$infra"

"$venv/bin/cfn-lint" --append-rules cfn_lint_serverless.rules --template ./*.yaml
for template in *.yaml; do
    # sam requires a region, although it calls nothing.
    AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-us-east-1} SAM_CLI_TELEMETRY=0 \
        "$venv/bin/sam" validate --lint --template-file "$template"
done
"$venv/bin/python" security.py "$checkov_venv/bin/checkov" ./*.yaml
PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" -m unittest discover --start-directory tests
