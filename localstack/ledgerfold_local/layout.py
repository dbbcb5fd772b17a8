"""The places of generated files, by default in the project's `target/local`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

# The only folder of this package on the emulators' path, as its `ledgerfold_local` explains.
ISOLATED = Path(__file__).resolve().parent / "isolated"


def project() -> Path:
    """The root of the project, which `bootstrap.py` has found."""
    return Path(os.environ.get("LEDGERFOLD_PROJECT") or Path.cwd())


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
    def issuer(self) -> Path:
        """The local issuer with its key. It stays when the cloud ends."""
        return self.home / "issuer.json"

    @property
    def token(self) -> Path:
        """A token of the local issuer, which holds for a day. It does not exist if everybody is let in."""
        return self.home / "token"

    def caller(self) -> str | None:
        """The token of a caller, if there is one."""
        return self.token.read_text().strip() if self.token.exists() else None

    @property
    def lock(self) -> Path:
        return self.home / "cloud.lock"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def emulator_log(self) -> Path:
        return self.home / "emulator.log"

    def packages(self, stack: str) -> Path:
        """The packages of the functions of one stack."""
        return self.home / "packages" / stack

    @property
    def work(self) -> Path:
        """The emulator's own files. They are useless after its end."""
        return self.home / "run"
