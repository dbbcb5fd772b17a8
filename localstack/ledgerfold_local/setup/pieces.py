"""The pieces of the set-up. Each is a folder that one set-up creates and all projects of a user then share."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ledgerfold_local.setup.programs import SetupError, say, tools

Facts = dict[str, str]


def pins_of(*parts: Path | str) -> str:
    """A hash of the pins of a piece, which are contents of files or plain values."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        digest.update(b"\0")
    return digest.hexdigest()


class Piece:
    """A folder that is complete once it has a stamp, which is written last. The next set-up repeats an interrupted one.

    The folder's name contains a hash of the pins. Two projects with different pins therefore have two folders, and
    neither removes a piece with which the other's cloud is running.
    """

    def __init__(self, name: str, pins: str) -> None:
        self.name = name
        self.folder = tools() / f"{name}-{pins[:12]}"
        self.stamp = self.folder / "stamp.json"

    def facts(self) -> Facts | None:
        """The content of the stamp, or None if the piece must be created."""
        try:
            return json.loads(self.stamp.read_text())
        except (OSError, ValueError):
            return None

    def ensure(self, create: Callable[[Path], Facts], works: Callable[[Facts], bool] = lambda _: True) -> Facts:
        """The facts of the piece. `create` makes it if it is missing or does not work any more."""
        if (facts := self.facts()) is not None and works(facts):
            return facts
        with self._alone():
            # Another set-up may have created it in the meantime.
            if (facts := self.facts()) is not None and works(facts):
                return facts
            began = time.monotonic()
            self._clear()
            self._complete(facts := create(self.folder))
            say(f"{self.name} is set up after {time.monotonic() - began:.1f} s")
            return facts

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Waits for other set-ups of this piece, because two would delete each other's files."""
        path = self.folder.with_name(f"{self.folder.name}.lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.open("w")
        except OSError as error:
            raise SetupError(
                f"The folder {path.parent} for shared tools cannot be used ({error.strerror}): "
                "name another one with LEDGERFOLD_TOOLS."
            ) from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                say(f"waiting for another set-up of {self.name}")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _clear(self) -> None:
        """Removes an incomplete piece, its stamp first."""
        self.stamp.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def _complete(self, facts: Facts) -> None:
        half = self.stamp.with_suffix(".half")
        half.write_text(json.dumps(facts))
        half.replace(self.stamp)
