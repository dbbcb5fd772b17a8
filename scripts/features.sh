#!/usr/bin/env bash
# Checks that serde_json has the same features in every build, so that all builds read and write JSON alike. Cargo
# combines the features that all packages of a build request, so a test build may have more than a deployed function.
set -euo pipefail

features() { cargo tree --quiet --edges "$1" --prefix none --format '{p} {f}' "${@:2}" |
  sed -n 's/^serde_json v[^ ]* \([^ ]*\).*/\1/p' | sort -u; }

of_all=$(features all --workspace)
packages=$(cargo metadata --no-deps --format-version 1 |
  python3 -c 'import json, sys; print(*(it["name"] for it in json.load(sys.stdin)["packages"]))')
for package in $packages; do
  own=$(features normal --package "$package")
  if [ -n "$own" ] && [ "$own" != "$of_all" ]; then
    printf 'serde_json is built with other features for %s than for the whole workspace:\n  %s\n  %s\n' \
      "$package" "$own" "$of_all" >&2
    exit 1
  fi
done
