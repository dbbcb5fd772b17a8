"""Takes the programs that Cargo has built for the functions of the local cloud."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from ledgerfold_local.errors import CliError


def take(project: Path, names: list[str], functions: Path) -> None:
    """Copies each program into a folder of its own, as Lambda expects. Symbols are two thirds of a program, so they stay
    behind if `strip` is installed."""
    built = target_directory(project) / "debug"
    for name in names:
        program = built / name
        if not program.is_file():
            raise CliError(f"Cargo has not built {program}: run `cargo build`, or name it in --build.")
        folder = functions / name
        folder.mkdir(parents=True, exist_ok=True)
        new = folder / "bootstrap.new"
        strip = shutil.which("strip")
        if not strip or subprocess.run([strip, "-o", new, program], capture_output=True).returncode != 0:
            shutil.copy2(program, new)
        new.replace(folder / "bootstrap")


def target_directory(project: Path) -> Path:
    """Cargo's target directory. CARGO_TARGET_DIR or a configuration file may move it."""
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    try:
        answer = subprocess.run(command, cwd=project, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise CliError(f"Cargo cannot read {project / 'Cargo.toml'}: {error}") from None
    return Path(json.loads(answer)["target_directory"])
