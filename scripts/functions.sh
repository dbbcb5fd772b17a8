#!/usr/bin/env bash
# Builds the given functions for the local cloud, each into a folder with a `bootstrap` as Lambda expects. Also builds
# the programs of each context: the one of its operators, and its demo.
#
# It uses the profile of the tests, without optimisation or debug information, so that the AWS SDK is compiled once.
# infra/build.sh builds the functions for AWS.
set -euo pipefail

programs=("${@/#/--bin=}")
admins=("${programs[@]/%/-admin}")
demos=("${programs[@]/%/-demo}")

# Builds these binaries with the features of the whole workspace, like the tests. With --package, Cargo would choose
# other features and compile the AWS SDK again.
cargo build --quiet --workspace "${programs[@]}" "${admins[@]}" "${demos[@]}"

# The programs and the templates of contexts must come from the same declaration.
for context in "$@"; do
  "$(scripts/built.sh "$context-admin")" generate --check || {
    echo "The declaration of $context has changed. Run: cargo run -p $context-admin -- generate" >&2
    exit 1
  }
done

for function in "$@"; do
  program=$(scripts/built.sh "$function")
  folder=target/local/functions/$function
  mkdir -p "$folder"
  # Symbols are two thirds of a binary.
  strip -o "$folder/bootstrap.new" "$program" 2>/dev/null || cp "$program" "$folder/bootstrap.new"
  mv "$folder/bootstrap.new" "$folder/bootstrap"
done
