"""The build of the functions, which runs beside the set-up."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from ledgerfold_local.setup.programs import SetupError, say


class Build:
    """The build of the functions. It runs beside the set-up: it needs the processor, the set-up mostly the network."""

    def __init__(self, command: str, project: Path) -> None:
        self._began = time.monotonic()
        say(f"building: {command}")
        try:
            # A session of its own lets `abandon` end every compiler.
            self._process = subprocess.Popen(
                shlex.split(command), cwd=project, stdin=subprocess.DEVNULL, start_new_session=True
            )
        except OSError as error:
            raise SetupError(f"{command} cannot be run: {error.strerror}") from None

    def finish(self) -> None:
        was_first = self._process.poll() is not None
        if self._process.wait() != 0:
            raise SetupError("The build failed.")
        say("built during the set-up" if was_first else f"built in {time.monotonic() - self._began:.1f} s")

    def abandon(self) -> None:
        """Ends the build and all processes that it has started."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait()


def without_build(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """The command after `--build`, and the other arguments."""
    rest = list(arguments)
    for position, argument in enumerate(rest):
        if argument == "--":
            break
        if argument == "--build" and position + 1 < len(rest):
            command = rest[position + 1]
            del rest[position : position + 2]
            return command, rest
        if argument.startswith("--build="):
            del rest[position]
            return argument.partition("=")[2], rest
    return None, rest
