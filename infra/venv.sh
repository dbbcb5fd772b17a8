# Sourced by check.sh and build.sh: virtual environments from a lock, made once and again when the lock changes.

# One sentence for the person at the terminal, and the end.
fail() {
    echo "$1" >&2
    exit 1
}

# The first Python on the path, or in pyenv's folder, that answers and is new enough. A shim may do neither.
find_python() {
    local candidate
    for candidate in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11 python3.10 \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3; do
        if "$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    fail "No Python from 3.10 on was found, with its venv module; set PYTHON to one."
}

# make_venv FOLDER LOCK: the stamp is written last, so that a set-up which was interrupted is made again.
make_venv() {
    local folder=$1 lock=$2 python
    cmp -s "$lock" "$folder/stamp" && return
    python=$(find_python)
    echo "Setting up $(basename "$folder") from $(basename "$lock") ..." >&2
    rm -rf "$folder"
    "$python" -m venv "$folder"
    # The lock is complete; older versions of pip trip over extras if they look for dependencies themselves.
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$lock"
    cp "$lock" "$folder/stamp"
}
