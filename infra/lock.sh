#!/bin/sh
# Updates requirements.lock, checkov.lock and build.lock from their .in files. Pinned versions that still fit stay. You need `uv`.
# To upgrade one package, pass for example `--upgrade-package cfn-lint`; to upgrade all, pass `--upgrade`.
set -eu
cd "$(dirname "$0")"
for name in requirements checkov build; do
    uv pip compile "$name.in" --output-file "$name.lock" --universal --python-version 3.10 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-header --no-annotate --no-config --quiet "$@"
done
