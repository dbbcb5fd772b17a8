#!/usr/bin/env bash
# Builds the functions named for the local cloud, and lays each out as Lambda has it.
#
# The build is the tests' own, without optimisation or debug information: the AWS SDK is compiled
# once. infra/build.sh builds the functions for AWS.
set -euo pipefail

# Only the functions of the demo, but in the whole workspace, as the tests build it: another choice of
# packages is another choice of features, and the AWS SDK would be compiled again.
cargo build --quiet --workspace --bin orders-demo "${@/#/--bin=}"

for function in "$@"; do
  folder=target/local/functions/$function
  mkdir -p "$folder"
  # Symbols are two thirds of a binary, and a new file is only worth uploading when it differs.
  strip -o "$folder/bootstrap.new" "target/debug/$function" 2>/dev/null ||
    cp "target/debug/$function" "$folder/bootstrap.new"
  cmp -s "$folder/bootstrap.new" "$folder/bootstrap" && rm "$folder/bootstrap.new" ||
    mv "$folder/bootstrap.new" "$folder/bootstrap"
done
