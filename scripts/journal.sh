#!/usr/bin/env bash
# Lets another program check a journal that banking exported: scripts/journal.sh beancount|hledger FILE
#
# It exits with 0 if every transaction is balanced and every asserted balance is right. Beancount is installed from
# journal.lock. Hledger must be installed (Debian: apt-get install hledger).
set -euo pipefail
file=$(realpath "$2")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. infra/venv.sh

case $1 in
  beancount)
    venv=target/journal/venv
    make_venv "$venv" scripts/journal.lock
    "$venv/bin/bean-check" --no-cache "$file"
    ;;
  hledger)
    # Each account and each currency must be declared, and every transaction balance without a conversion.
    hledger --file "$file" check accounts commodities balancednoautoconversion
    ;;
  *)
    fail "Unknown format $1: beancount or hledger."
    ;;
esac
