"""Sets up the requirements of the local cloud, then hands over to `python -m ledgerfold_local`.

    ledgerfold-local COMMAND [--project DIR] [--emulator localstack|ministack] ...   (also: setup)
    ledgerfold-local up --build "COMMAND ..."    # builds the functions during the set-up

Runs before anything is installed, so it uses only the standard library and works with Python 3.10 or newer. The set-up
fetches each piece once for all projects of a user. The commands `down`, `status` and `logs` set nothing up.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ledgerfold_local.layout import ISOLATED
from ledgerfold_local.setup.build import Build, without_build
from ledgerfold_local.setup.dynamodb import set_up_dynamodb
from ledgerfold_local.setup.emulators import EMULATORS, set_up_emulator
from ledgerfold_local.setup.programs import SetupError

# The platform's template marks the root of a project.
MARK = Path("infra/platform.yaml")

WITH_SETUP = ("up", "start", "dynamodb", "test", "setup")


def option(name: str, arguments: Sequence[str]) -> str | None:
    """The value of an option, or None. Words after `--` belong to another program."""
    value = None
    for position, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == name and position + 1 < len(arguments):
            value = arguments[position + 1]
        elif argument.startswith(f"{name}="):
            value = argument.partition("=")[2]
    return value


def emulator_in(arguments: Sequence[str]) -> str:
    """The emulator in the arguments, in EMULATOR, or by default LocalStack."""
    named = option("--emulator", arguments) or os.environ.get("EMULATOR") or EMULATORS[0]
    if named not in EMULATORS:
        raise SetupError(f"EMULATOR must be {' or '.join(EMULATORS)}, not {named}.")
    return named


def project_in(arguments: Sequence[str], default: Path | None) -> Path:
    """The project's root: the one in the arguments, or the nearest folder with a platform's template, or the default."""
    if named := option("--project", arguments):
        if not Path(named).is_dir():
            raise SetupError(f"The project {named} is not a folder.")
        return Path(named).resolve()
    here = Path.cwd()
    nearest = (folder for folder in (here, *here.parents) if (folder / MARK).is_file())
    return next(nearest, default or here)


def prepare(command: str, emulator: str, environment: dict[str, str]) -> str:
    """Sets up the requirements of a command, and returns the Python to run it with."""
    if command not in WITH_SETUP:
        return sys.executable  # The other commands, and the explanation of a mistake, need only the standard library.
    if command == "dynamodb" or emulator == "localstack":
        facts = set_up_dynamodb()
        environment.update(LEDGERFOLD_DYNAMODB_HOME=facts["home"], LEDGERFOLD_JAVA=facts["java"])
    return sys.executable if command == "dynamodb" else set_up_emulator(emulator)


def build_and_prepare(
    command: str, emulator: str, arguments: Sequence[str], building: str | None, environment: dict[str, str]
) -> str:
    """Like `prepare`, but with a build command it also starts the emulator while the build runs."""
    if building is None:
        return prepare(command, emulator, environment)
    for number in (signal.SIGTERM, signal.SIGHUP):  # So that the build ends with this process.
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    build = Build(building, Path(environment["LEDGERFOLD_PROJECT"]))
    try:
        python = prepare(command, emulator, environment)
        started = subprocess.run([python, "-m", "ledgerfold_local", "start", *arguments[1:]], env=environment)
        if started.returncode != 0:
            raise SetupError("The emulator did not start.")
        build.finish()
    finally:
        build.abandon()
    environment["LEDGERFOLD_BUILT"] = "1"
    return python


def main(words: Sequence[str] | None = None, project: Path | None = None, tests: Path | None = None) -> int:
    """Runs a command. This repository's own entry passes its root as the project, and the folder of the tests."""
    building, arguments = without_build(sys.argv[1:] if words is None else words)
    command = arguments[0] if arguments else "--help"
    environment = {**os.environ, "PYTHONPATH": str(ISOLATED)}
    environment.pop("LEDGERFOLD_BUILT", None)
    try:
        environment["LEDGERFOLD_PROJECT"] = str(project_in(arguments, project))
        environment["EMULATOR"] = emulator = emulator_in(arguments)
        python = build_and_prepare(command, emulator, arguments, building, environment)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. The next run repeats this step.", file=sys.stderr)
        return 130
    if command == "setup":
        return 0
    if command == "test" and tests:
        rest = ["-m", "unittest", "discover", "--start-directory", str(tests), *arguments[1:]]
    else:
        rest = ["-m", "ledgerfold_local", *(arguments or ["--help"])]
    return os.execve(python, [python, *rest], environment)
