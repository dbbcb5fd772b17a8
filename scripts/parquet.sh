#!/usr/bin/env bash
# Reads a Parquet file with another program, for tests: scripts/parquet.sh duckdb|pyarrow FILE
#
# It prints a JSON object for each row. Both programs are installed from parquet.lock.
set -euo pipefail
file=$(realpath "$2")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. infra/venv.sh

venv=target/parquet/venv
make_venv "$venv" scripts/parquet.lock
"$venv/bin/python" scripts/parquet.py "$1" "$file"
