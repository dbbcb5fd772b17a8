#!/bin/sh
# Updates every lock from its .in file. Pinned versions that still fit stay. You need `uv`.
# To upgrade one package, pass for example `--upgrade-package boto3`; to upgrade all, pass `--upgrade`.
set -eu
cd "$(dirname "$0")/.."

lock() { # name, lowest Python version, more options
    name=$1 python=$2
    shift 2
    uv pip compile "locks/$name.in" --output-file "locks/$name.lock" --universal --python-version "$python" \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet "$@"
}

lock localstack 3.13 "$@" # only for 3.13, as explained in pyproject.toml
lock ministack 3.10 --no-config "$@"
lock contract 3.10 --no-config "$@"
lock tools 3.9 --no-config "$@"
lock uv 3.9 --no-config "$@"
