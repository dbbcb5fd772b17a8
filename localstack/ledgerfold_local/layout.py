"""Where everything generated lies: in the checkout's `target/local`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Layout:
    """One cloud's files. Two clouds at a time need two folders."""

    home: Path

    @property
    def stack(self) -> Path:
        """For the product's tests and demo: where the API and everything else is. There while the cloud is up."""
        return self.home / "stack.json"

    @property
    def record(self) -> Path:
        """For `up` and `down`: which process the emulator is."""
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
        """The emulator's own files; of no use after its end."""
        return self.home / "run"
