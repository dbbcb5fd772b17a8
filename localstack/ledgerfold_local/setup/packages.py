"""Virtual environments with exactly the packages of a lock."""

from __future__ import annotations

from pathlib import Path

from ledgerfold_local.setup.programs import run

LOCKS = Path(__file__).resolve().parents[1] / "locks"


def make_venv(python: str, folder: Path, lock: Path) -> Path:
    """Creates a virtual environment with exactly the packages of a lock. pip checks the hash of each file."""
    run("Creating a virtual environment", [python, "-m", "venv", str(folder)])
    made = folder / "bin" / "python"
    pip = [str(made), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    # The lock lists all dependencies. Without --no-deps, pip would resolve them again.
    run(f"Installing {lock.stem} from PyPI", [*pip, "--no-deps", "--require-hashes", "--requirement", str(lock)])
    return made
