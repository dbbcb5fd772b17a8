#!/usr/bin/env bash
# Deploys the platform and the contexts whose programs `make build` has built, and prints the outputs of their stacks.
# It works in the current folder, which has the templates in infra/. Variables:
#   STAGE       name of the environment; `dev` by default, as in the Makefile
#   CONTEXT     the contexts to deploy; by default all that have a template
#   ARCH        the architecture that you built for: arm64 (default) or x86_64
#   REGION      AWS region; by default the one in your AWS configuration
#   BUCKET      bucket for the packages; sam uses its own bucket by default
#   PARAMETERS  further parameters of the templates, for example "LogRetention=90 ApiRateLimit=100". A template gets
#               those that it has.
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/venv.sh"

stage=${STAGE:-dev}
arch=${ARCH:-arm64}
platform=ledgerfold-$stage
[ -n "${REGION:-}" ] && export AWS_REGION=$REGION AWS_DEFAULT_REGION=$REGION
[ -f infra/platform.yaml ] || fail "infra/platform.yaml is missing: run <context>-admin generate in the folder of your project."
contexts=${CONTEXT:-$(contexts)}

# A function that was built for another architecture would deploy and then fail to start, so we check its ELF header.
case $arch in
    arm64) machine=b700 ;;
    x86_64) machine=3e00 ;;
    *) fail "ARCH must be arm64 or x86_64, not $arch." ;;
esac
for context in $contexts; do
    [ -f "infra/$context.yaml" ] || fail "There is no template infra/$context.yaml: CONTEXT must name contexts of this project."
    bootstrap=target/lambda/$context/bootstrap
    [ -f "$bootstrap" ] || fail "$context is not built: run make build ARCH=$arch"
    [ "$(od -An -j18 -N2 -tx1 "$bootstrap" | tr -d ' ')" = "$machine" ] ||
        fail "$context was built for another architecture: run make build ARCH=$arch"
done

has() { command -v "$1" >/dev/null && "$1" --version >/dev/null 2>&1; }
has sam || has aws || fail "Install the SAM CLI (sam) or the AWS CLI (aws)."
if has aws; then
    aws sts get-caller-identity >/dev/null 2>&1 ||
        fail "Your AWS credentials are missing or invalid: run aws configure, or set AWS_PROFILE."
    [ -n "${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region)}}" ] || fail "No region: set REGION=eu-central-1, for example."
fi

# CloudFormation keeps the parameters of a stack, so only a new one needs this.
for context in $contexts; do
    if has aws && grep -q '^  Authentication:$' "infra/$context.yaml" && [[ " ${PARAMETERS:-}" != *" Authentication="* ]] &&
        ! aws cloudformation describe-stacks --stack-name "$platform-$context" >/dev/null 2>&1; then
        fail "Say who may call $context, for example with PARAMETERS=Authentication=none: docs/deploying.md has all choices."
    fi
done

# Prints those of the given parameters that a template declares.
of_template() {
    local template=$1 parameter
    shift
    for parameter in "$@"; do
        if grep -q "^  ${parameter%%=*}:\$" "$template"; then echo "$parameter"; fi
    done
}

# deploy TEMPLATE STACK TAG
deploy() {
    local template=$1 stack=$2 parameters common
    # shellcheck disable=SC2086  # PARAMETERS is a list of words.
    mapfile -t parameters < <(of_template "$template" "Stage=$stage" "Platform=$platform" "Architecture=$arch" ${PARAMETERS:-})
    common=(
        --stack-name "$stack"
        --capabilities CAPABILITY_IAM
        --no-fail-on-empty-changeset
        --tags "ledgerfold:stage=$stage" "ledgerfold:context=$3"
        --parameter-overrides "${parameters[@]}"
    )
    if has sam; then
        export SAM_CLI_TELEMETRY=0
        if [ -n "${BUCKET:-}" ]; then bucket=(--s3-bucket "$BUCKET"); else bucket=(--resolve-s3); fi
        sam deploy --template-file "$template" --no-confirm-changeset "${bucket[@]}" "${common[@]}"
        sam list stack-outputs --stack-name "$stack" --output json
    else
        [ -n "${BUCKET:-}" ] || fail "The AWS CLI needs a bucket for the packages: set BUCKET=<name>."
        packaged=target/infra/packaged.yaml
        mkdir -p target/infra
        aws cloudformation package --template-file "$template" --s3-bucket "$BUCKET" --output-template-file "$packaged" >/dev/null
        aws cloudformation deploy --template-file "$packaged" --s3-bucket "$BUCKET" "${common[@]}"
        aws cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].Outputs[].[OutputKey, OutputValue]' --output table
    fi
}

deploy infra/platform.yaml "$platform" platform
for context in $contexts; do deploy "infra/$context.yaml" "$platform-$context" "$context"; done
