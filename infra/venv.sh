# Functions for other scripts. Most of them create virtual environments from a lock file, and again when the lock changes.

# Prints one sentence and exits.
fail() {
    echo "$1" >&2
    exit 1
}

# Prints the contexts of the project in the current folder: all templates except those that contexts share.
contexts() {
    (cd infra && ls ./*.yaml) | sed 's|^\./||; s|\.yaml$||' | grep -vx -e platform -e key
}

# Prints the first Python on the path or in pyenv's folder that runs and is new enough. A pyenv shim may fail to run.
find_python() {
    local candidate
    for candidate in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11 python3.10 \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3; do
        if "$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.10 or newer with the venv module was not found: install it, or set PYTHON to its path."
}

# make_venv FOLDER LOCK: writes the stamp last, so that the next run repeats an interrupted set-up.
make_venv() {
    local folder=$1 lock=$2 python
    cmp -s "$lock" "$folder/stamp" && return
    python=$(find_python)
    echo "Setting up $(basename "$folder") from $(basename "$lock") ..." >&2
    rm -rf "$folder"
    "$python" -m venv "$folder"
    # The lock lists all dependencies. Without --no-deps, older versions of pip fail on extras.
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$lock"
    cp "$lock" "$folder/stamp"
}
