"""Runs other programs, and reports steps and failures."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path


class SetupError(Exception):
    """An error with a sentence for the user."""


# The start of the command. The programs that it starts count from the same time.
BEGAN = float(os.environ.setdefault("LEDGERFOLD_BEGAN", str(time.time())))


def say(step: str) -> None:
    print(f"[{time.time() - BEGAN:6.1f} s] {step}", flush=True)


def tools() -> Path:
    """The folder of everything that the set-up fetches. All projects of a user share it."""
    if chosen := os.environ.get("LEDGERFOLD_TOOLS"):
        return Path(chosen).resolve()
    caches = os.environ.get("XDG_CACHE_HOME", "")
    # The specification of XDG_CACHE_HOME says to ignore a relative path.
    folder = Path(caches) if Path(caches).is_absolute() else Path.home() / ".cache"
    return folder / "ledgerfold"


def answer(command: Sequence[str], seconds: float = 20) -> str | None:
    """The output of a program, or None if it is missing, fails or hangs. A pyenv shim may do any of these."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None


def run(purpose: str, command: Sequence[str], cwd: Path | None = None, path: str | None = None) -> str:
    """Runs a step of the set-up and writes its output to a log. If it fails, the error shows the last relevant line."""
    log = tools() / "setup.log"
    environment = {**os.environ, "PATH": path} if path else None
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    try:
        done = subprocess.run(command, cwd=cwd, env=environment, **pipes)
    except OSError as error:
        raise SetupError(f"{purpose} failed: {error}") from None
    output = done.stdout.decode(errors="replace")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as file:
        file.write(f"$ {' '.join(map(str, command))}\n{output}\n")
    if done.returncode != 0:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        relevant = [line for line in lines if "error" in line.lower()] or lines or ["no output"]
        raise SetupError(f"{purpose} failed: {relevant[-1]} (full output: {log})")
    return output
