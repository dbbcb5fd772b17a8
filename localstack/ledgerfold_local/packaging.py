"""Packages code folders in the format of each emulator, named by a hash of their content."""

from __future__ import annotations

import base64
import hashlib
import shutil
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ledgerfold_local.errors import CliError

BUCKET = "ledgerfold-packages"
PROGRAM = "bootstrap"
# LocalStack treats a key in this bucket as a local folder.
LOCALSTACK_FOLDERS = "hot-reload"
# The earliest time of the zip format. With real times, each build would give a different package.
EPOCH = (1980, 1, 1, 0, 0, 0)
FILE = 0o100755


@dataclass(frozen=True)
class Package:
    """A package of code for Lambda."""

    bucket: str
    key: str
    path: Path
    identity: str
    """The value that GetFunction returns for a function with this code."""

    @property
    def code_uri(self) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.key}


class Packages(Protocol):
    def pack(self, folder: Path) -> Package:
        """Writes the package of a folder."""

    def deliver(self, s3: Any, packages: Iterable[Package]) -> None:
        """Makes the packages available to Lambda."""

    def identity_of(self, function: dict[str, Any]) -> str:
        """The identity of a function's code, from the answer of GetFunction."""

    def clear(self, packages: Iterable[Package]) -> None:
        """Removes packages that no function uses."""


def function_folder(code_uri: str, functions: Path) -> Path:
    """The folder of a local build. It has the same name as the last part of CodeUri, for example `orders`."""
    folder = functions / Path(code_uri).name
    if not (folder / PROGRAM).is_file():
        raise CliError(
            f"{folder / PROGRAM} is missing, which the template needs for CodeUri {code_uri}: "
            "build it, or let `up` do it with --build."
        )
    return folder


def files_of(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


@dataclass(frozen=True)
class Folders:
    """Packages for LocalStack, which runs functions directly from a folder. To zip, upload, download and unpack 25 MB
    would take half a second for each function."""

    into: Path

    def pack(self, folder: Path) -> Package:
        digest = hashlib.sha256()
        for file in files_of(folder):
            digest.update(f"{file.relative_to(folder).as_posix()}\0{digest_of(file)}\0".encode())
        path = self.into.resolve() / digest.hexdigest()
        if not path.exists():
            half = path.with_suffix(".half")
            shutil.rmtree(half, ignore_errors=True)
            # No links: a build may write into its file, and the running functions would prevent or notice that.
            shutil.copytree(folder, half)
            half.rename(path)
        return Package(LOCALSTACK_FOLDERS, str(path), path, f"file://{path}")

    def deliver(self, s3: Any, packages: Iterable[Package]) -> None:
        """Does nothing: the folders are already on this machine."""

    def identity_of(self, function: dict[str, Any]) -> str:
        return function["Code"]["Location"]

    def clear(self, packages: Iterable[Package]) -> None:
        needed = {package.path for package in packages}
        for path in self.into.resolve().glob("*"):  # A stack without functions has no folder.
            if path.is_dir() and path not in needed:
                shutil.rmtree(path, ignore_errors=True)


@dataclass(frozen=True)
class Zips:
    """Packages for MiniStack, which reads them from a bucket like AWS."""

    into: Path

    def pack(self, folder: Path) -> Package:
        """Writes a zip file without compression, because it stays on this machine."""
        self.into.mkdir(parents=True, exist_ok=True)
        path = self.into / f"{folder.name}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for file in files_of(folder):
                entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), EPOCH)
                entry.create_system = 3  # Unix, so that the file mode below is used.
                entry.external_attr = FILE << 16
                archive.writestr(entry, file.read_bytes())
        digest = digest_of(path)
        # The format of CodeSha256 in Lambda.
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
        """Does nothing: the next package of a function overwrites its file."""


def digest_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
