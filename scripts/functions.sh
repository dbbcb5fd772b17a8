#!/usr/bin/env bash
# Builds the given functions for the local cloud, each into a folder with a `bootstrap` as Lambda expects.
#
# It uses the profile of the tests, without optimisation or debug information, so that the AWS SDK is compiled once.
# infra/build.sh builds the functions for AWS.
set -euo pipefail

# Builds these binaries with the features of the whole workspace, like the tests. With --package, Cargo would choose
# other features and compile the AWS SDK again.
cargo build --quiet --workspace --bin orders-demo "${@/#/--bin=}"

for function in "$@"; do
  folder=target/local/functions/$function
  mkdir -p "$folder"
  # Symbols are two thirds of a binary. An unchanged binary keeps its file, so that `up` does not update the function.
  strip -o "$folder/bootstrap.new" "target/debug/$function" 2>/dev/null ||
    cp "target/debug/$function" "$folder/bootstrap.new"
  cmp -s "$folder/bootstrap.new" "$folder/bootstrap" && rm "$folder/bootstrap.new" ||
    mv "$folder/bootstrap.new" "$folder/bootstrap"
done
