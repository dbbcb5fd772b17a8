#!/bin/sh
# Updates every lock from its .in file. Pinned versions that still fit stay. You need `uv`.
# To upgrade one package, pass for example `--upgrade-package boto3`; to upgrade all, pass `--upgrade`.
set -eu
cd "$(dirname "$0")"

lock() { # path without suffix, lowest Python version, more options
    path=$1 python=$2
    shift 2
    uv pip compile "$path.in" --output-file "$path.lock" --universal --python-version "$python" \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet "$@"
}

lock ledgerfold_local/locks/localstack 3.13 "$@" # only for 3.13, as explained in pyproject.toml
lock ledgerfold_local/locks/ministack 3.10 --no-config "$@"
lock ../scripts/contract 3.10 --no-config "$@"
lock ../scripts/parquet 3.10 --no-config "$@"
lock ../scripts/fhir 3.10 --no-config "$@"
lock ledgerfold_local/locks/tools 3.9 --no-config "$@"
lock ledgerfold_local/locks/uv 3.9 --no-config "$@"
