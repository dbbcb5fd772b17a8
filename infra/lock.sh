#!/bin/sh
# Writes requirements.lock and build.lock again from their .in files. Pinned versions that still fit are kept.
# Needs `uv`. Arguments: the packages to upgrade, for example `--upgrade-package cfn-lint`; `--upgrade` upgrades everything.
set -eu
cd "$(dirname "$0")"
for name in requirements build; do
    uv pip compile "$name.in" --output-file "$name.lock" --universal --python-version 3.10 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-header --no-annotate --no-config --quiet "$@"
done
