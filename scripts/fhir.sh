#!/usr/bin/env bash
# Lets a library for FHIR R4 check a bundle: scripts/fhir.sh FILE
#
# It exits with 0 if every resource of the bundle has the form of its type, and prints the types. The library is installed
# from fhir.lock.
set -euo pipefail
file=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. infra/venv.sh

venv=target/fhir/venv
mkdir -p target/fhir
make_venv "$venv" scripts/fhir.lock
"$venv/bin/python" scripts/fhir.py "$file"
