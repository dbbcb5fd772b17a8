"""DynamoDB Local alone, for tests of an adapter. It runs in memory, on a free port, while one command runs."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import urllib.error
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn

from ledgerfold_local.emulators import LOOPBACK, REGION, endpoint, free_port
from ledgerfold_local.errors import CliError
from ledgerfold_local.processes import wait_until
from ledgerfold_local.reaper import Reaper

START_SECONDS = 30.0
JAVA_VARIABLES = ("LEDGERFOLD_DYNAMODB_HOME", "LEDGERFOLD_JAVA")


def run_with_dynamodb(command: Sequence[str], port: int | None) -> int:
    """Runs a command and returns its exit code. The command finds DynamoDB Local through environment variables."""
    port = port or free_port()
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w+b") as log:
        database = start(port, folder, log)
        reaper = Reaper()  # Ends the database if this process is killed.
        reaper.watch(database.pid)
        try:
            await_answer(database, port, log)
            return run(command, port)
        finally:
            reaper.close()
            database.wait()


def java_options(folder: str) -> list[str]:
    """Options that keep Java's files in a folder, because it ignores TMPDIR, and that suit a short run: only the fast
    compiler, and a garbage collector without extra threads."""
    return [f"-Djava.io.tmpdir={folder}", "-XX:-UsePerfData", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]


def start(port: int, folder: str, log: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        home, java = (os.environ[name] for name in JAVA_VARIABLES)
    except KeyError:
        raise CliError(
            "Start DynamoDB Local with the command `ledgerfold-local dynamodb`, which finds it and Java."
        ) from None
    return subprocess.Popen(
        [
            java,
            *java_options(folder),
            f"-Djava.library.path={home}/DynamoDBLocal_lib",
            "-jar",
            f"{home}/DynamoDBLocal.jar",
            "-inMemory",
            "-port",
            str(port),
        ],
        env={"PATH": os.environ.get("PATH", os.defpath), "DDB_LOCAL_TELEMETRY": "0"},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C must reach only the command. The database ends after it.
    )


def await_answer(database: subprocess.Popen[bytes], port: int, log: IO[bytes]) -> None:
    wait_until(lambda: database.poll() is not None or answers(port), START_SECONDS)
    if database.poll() is not None or not answers(port):
        log.seek(0)
        said = log.read().decode(errors="replace").strip().splitlines()
        raise CliError(f"DynamoDB Local did not start on port {port}: {said[-1] if said else 'no output'}")


def answers(port: int) -> bool:
    try:
        LOOPBACK.open(endpoint(port), timeout=2).close()
    except urllib.error.HTTPError:
        return True  # Even an error is an answer.
    except OSError:
        return False
    return True


def run(command: Sequence[str], port: int) -> int:
    environment = {
        **os.environ,
        "DYNAMODB_ENDPOINT": endpoint(port),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    # These variables are only for this program, and would change the behaviour of the command.
    for name in ("PYTHONPATH", "LEDGERFOLD_PROJECT", *JAVA_VARIABLES, "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        environment.pop(name, None)
    try:
        child = subprocess.Popen(command, env=environment)
    except OSError as error:
        raise CliError(f"{command[0]} cannot be run: {error.strerror}") from None

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        child.terminate()
        raise SystemExit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    while True:
        try:
            code = child.wait()
        except KeyboardInterrupt:
            continue  # The terminal has also sent it to the command, which decides how to react.
        return 128 - code if code < 0 else code
