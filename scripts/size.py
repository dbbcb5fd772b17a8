#!/usr/bin/env python3
"""Compares the size of a function's program, and the number of its crates, with the limits in
benches/coldstart/limits.json.

Both decide how fast a function starts and how much its maintainers have to watch. If one has to grow, change the limit in
the same commit, and say why.
"""

import json
import subprocess
import sys
from pathlib import Path

LIMITS = Path("benches/coldstart/limits.json")


def crates(package):
    """The packages that a function is built from, with their versions."""
    tree = ["cargo", "tree", "--package", package, "--no-default-features", "--edges", "normal", "--prefix", "none"]
    lines = subprocess.run(tree, check=True, capture_output=True, text=True).stdout.splitlines()
    return {line.removesuffix(" (*)") for line in lines if line}


def main(program):
    limits = json.loads(LIMITS.read_text())
    found = {"bytes": program.stat().st_size, "crates": len(crates(program.name))}
    exceeded = 0
    for subject, limit in limits[program.name].items():
        print(f"{program.name}: {found[subject]:,} {subject}, at most {limit:,}")
        exceeded += found[subject] > limit
    if exceeded:
        sys.exit(f"A limit of {LIMITS} is exceeded. If it has to grow, change it in the same commit, and say why.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
