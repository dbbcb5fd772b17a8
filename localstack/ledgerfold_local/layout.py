"""The places of generated files, by default in the checkout's `target/local`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Layout:
    """The files of one cloud. Each running cloud needs its own folder."""

    home: Path

    @property
    def stack(self) -> Path:
        """The names and addresses of the stack, for tests and the demo. It exists while the cloud is running."""
        return self.home / "stack.json"

    @property
    def record(self) -> Path:
        """The process of the emulator, for `up` and `down`."""
        return self.home / "cloud.json"

    @property
    def lock(self) -> Path:
        return self.home / "cloud.lock"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def emulator_log(self) -> Path:
        return self.home / "emulator.log"

    @property
    def work(self) -> Path:
        """The emulator's own files. They are useless after its end."""
        return self.home / "run"
