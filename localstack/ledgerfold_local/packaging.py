"""A folder of code as each emulator takes it: named by a hash of its content, so that a name tells of a change."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ledgerfold_local.trouble import Trouble

BUCKET = "ledgerfold-packages"
# LocalStack takes a key of this bucket for a folder on its own machine.
LOCALSTACK_FOLDERS = "hot-reload"
# The earliest time that the format has. Times and owners of the files on disk would make every build another package.
EPOCH = (1980, 1, 1, 0, 0, 0)
FILE = 0o100755


@dataclass(frozen=True)
class Package:
    """Code that Lambda can be pointed at."""

    bucket: str
    key: str
    path: Path
    identity: str
    """The answer of GetFunction for a function with this code."""

    @property
    def code_uri(self) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.key}


class Packages(Protocol):
    def pack(self, folder: Path) -> Package:
        """Writes the package of a folder."""

    def deliver(self, s3: Any, packages: Iterable[Package]) -> None:
        """Brings packages to where Lambda looks for them."""

    def identity_of(self, function: dict[str, Any]) -> str:
        """Which code a function has, by the answer to GetFunction."""

    def clear(self, packages: Iterable[Package]) -> None:
        """Removes code that no function has any more."""


def function_folder(code_uri: str, functions: Path) -> Path:
    """The local build of a template's CodeUri has the same last name: `../target/lambda/orders-query/`."""
    folder = functions / Path(code_uri).name
    if not (folder / "bootstrap").is_file():
        raise Trouble(
            f"There is no {folder / 'bootstrap'}, which the template's CodeUri {code_uri} asks for: build first."
        )
    return folder


def files_of(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


@dataclass(frozen=True)
class Folders:
    """For LocalStack, whose functions run in the very folder. A package of 25 MB would be zipped, uploaded, stored,
    downloaded and unpacked, half a second for each function."""

    into: Path

    def pack(self, folder: Path) -> Package:
        digest = hashlib.sha256()
        for file in files_of(folder):
            digest.update(f"{file.relative_to(folder).as_posix()}\0{digest_of(file)}\0".encode())
        path = self.into.resolve() / digest.hexdigest()
        if not path.exists():
            half = path.with_suffix(".half")
            shutil.rmtree(half, ignore_errors=True)
            shutil.copytree(folder, half, copy_function=link_or_copy)
            half.rename(path)
        return Package(LOCALSTACK_FOLDERS, str(path), path, f"file://{path}")

    def deliver(self, s3: Any, packages: Iterable[Package]) -> None:
        """They are there."""

    def identity_of(self, function: dict[str, Any]) -> str:
        return function["Code"]["Location"]

    def clear(self, packages: Iterable[Package]) -> None:
        needed = {package.path for package in packages}
        for path in self.into.resolve().iterdir():
            if path.is_dir() and path not in needed:
                shutil.rmtree(path, ignore_errors=True)


def link_or_copy(source: str, target: str) -> None:
    """A build puts a new file in the place of the old one, and never writes into it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@dataclass(frozen=True)
class Zips:
    """For MiniStack: packages in a bucket, as on AWS."""

    into: Path

    def pack(self, folder: Path) -> Package:
        """Not compressed, as it only travels to this same machine."""
        self.into.mkdir(parents=True, exist_ok=True)
        path = self.into / f"{folder.name}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for file in files_of(folder):
                entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), EPOCH)
                entry.create_system = 3  # Unix, whose modes follow.
                entry.external_attr = FILE << 16
                archive.writestr(entry, file.read_bytes())
        digest = digest_of(path)
        # As Lambda shows it in CodeSha256.
        identity = base64.b64encode(bytes.fromhex(digest)).decode()
        return Package(BUCKET, f"{digest}.zip", path, identity)

    def deliver(self, s3: Any, packages: Iterable[Package]) -> None:
        there = {entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}
        for package in packages:
            if package.key not in there:
                s3.upload_file(str(package.path), BUCKET, package.key)

    def identity_of(self, function: dict[str, Any]) -> str:
        return function["Configuration"]["CodeSha256"]

    def clear(self, packages: Iterable[Package]) -> None:
        """Each function has one file, which the next package overwrites."""


def digest_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
