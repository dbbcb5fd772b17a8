#!/usr/bin/env bash
# Deploys the functions that `make build` has built, and prints the outputs of the stack. Variables:
#   STAGE       name of the environment; `dev` by default, as in the Makefile
#   ARCH        the architecture that you built for: arm64 (default) or x86_64
#   REGION      AWS region; by default the one in your AWS configuration
#   BUCKET      bucket for the packages; sam uses its own bucket by default
#   PARAMETERS  further parameters of the template, for example "LogRetention=90 ApiRateLimit=100"
set -euo pipefail
infra=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$infra/venv.sh"
root=$(dirname "$infra")

stage=${STAGE:-dev}
arch=${ARCH:-arm64}
stack=ledgerfold-$stage
[ -n "${REGION:-}" ] && export AWS_REGION=$REGION AWS_DEFAULT_REGION=$REGION

# A function that was built for another architecture would deploy and then fail to start, so we check its ELF header.
case $arch in
    arm64) machine=b700 ;;
    x86_64) machine=3e00 ;;
    *) fail "ARCH must be arm64 or x86_64, not $arch." ;;
esac
# The template names the folder of every function, so this loop covers them all.
grep -o 'target/lambda/[a-z0-9-]*' "$infra/template.yaml" | sort -u | while read -r folder; do
    function=$(basename "$folder")
    bootstrap=$root/$folder/bootstrap
    [ -f "$bootstrap" ] || fail "$function is not built: run make build ARCH=$arch"
    [ "$(od -An -j18 -N2 -tx1 "$bootstrap" | tr -d ' ')" = "$machine" ] ||
        fail "$function was built for another architecture: run make build ARCH=$arch"
done

has() { command -v "$1" >/dev/null && "$1" --version >/dev/null 2>&1; }
has sam || has aws || fail "Install the SAM CLI (sam) or the AWS CLI (aws)."
if has aws; then
    aws sts get-caller-identity >/dev/null 2>&1 ||
        fail "Your AWS credentials are missing or invalid: run aws configure, or set AWS_PROFILE."
    [ -n "${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region)}}" ] || fail "No region: set REGION=eu-central-1, for example."
fi

common=(
    --stack-name "$stack"
    --capabilities CAPABILITY_IAM
    --no-fail-on-empty-changeset
    --tags "ledgerfold:stage=$stage" ledgerfold:context=orders
    # shellcheck disable=SC2206  # PARAMETERS is a list of words.
    --parameter-overrides "Stage=$stage" "Architecture=$arch" ${PARAMETERS:-}
)
if has sam; then
    export SAM_CLI_TELEMETRY=0
    if [ -n "${BUCKET:-}" ]; then bucket=(--s3-bucket "$BUCKET"); else bucket=(--resolve-s3); fi
    sam deploy --template-file "$infra/template.yaml" --no-confirm-changeset "${bucket[@]}" "${common[@]}"
    sam list stack-outputs --stack-name "$stack" --output json
else
    [ -n "${BUCKET:-}" ] || fail "The AWS CLI needs a bucket for the packages: set BUCKET=<name>."
    packaged=$root/target/infra/packaged.yaml
    mkdir -p "$(dirname "$packaged")"
    aws cloudformation package --template-file "$infra/template.yaml" --s3-bucket "$BUCKET" --output-template-file "$packaged" >/dev/null
    aws cloudformation deploy --template-file "$packaged" --s3-bucket "$BUCKET" "${common[@]}"
    aws cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].Outputs[].[OutputKey, OutputValue]' --output table
fi
