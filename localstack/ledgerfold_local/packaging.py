"""A folder as a deployment package: the same bytes for the same content, so that a hash tells of a change."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ledgerfold_local.trouble import Trouble

# The earliest time that the format has. Times and owners of the files on disk would make every build another package.
EPOCH = (1980, 1, 1, 0, 0, 0)
FILE = 0o100755


@dataclass(frozen=True)
class Package:
    path: Path
    digest: str

    @property
    def key(self) -> str:
        return f"{self.digest}.zip"

    @property
    def lambdas_digest(self) -> str:
        """As Lambda shows it in CodeSha256."""
        return base64.b64encode(bytes.fromhex(self.digest)).decode()


def function_folder(code_uri: str, functions: Path) -> Path:
    """The local build of a template's CodeUri has the same last name: `../target/lambda/orders-query/`."""
    folder = functions / Path(code_uri).name
    if not (folder / "bootstrap").is_file():
        raise Trouble(
            f"There is no {folder / 'bootstrap'}, which the template's CodeUri {code_uri} asks for: build first."
        )
    return folder


def pack(folder: Path, into: Path) -> Package:
    """Writes the package. Not compressed, as it only travels to this same machine."""
    into.mkdir(parents=True, exist_ok=True)
    path = into / f"{folder.name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), EPOCH)
            entry.create_system = 3  # Unix, whose modes follow.
            entry.external_attr = FILE << 16
            archive.writestr(entry, file.read_bytes())
    return Package(path, digest_of(path))


def digest_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
