"""`up`, `down` and `status`, for one emulator with the stacks of a project."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ledgerfold_local import issuer
from ledgerfold_local.calls import example_roles, ready_call
from ledgerfold_local.emulators import EMULATORS, HOST, TABLES_PORT, Emulator, endpoint
from ledgerfold_local.errors import CliError
from ledgerfold_local.files import read_json, write_json
from ledgerfold_local.freshness import stale
from ledgerfold_local.layout import Layout
from ledgerfold_local.processes import ProcessId, end_session, wait_until
from ledgerfold_local.stack import PLATFORM, UNFINISHED, Deployed, describe, describe_context, stack_name

if TYPE_CHECKING:
    from ledgerfold_local.deployment import Deployment

LOG_LINES = 15


@dataclass(frozen=True)
class Record:
    """The emulator that `up` has started. Other commands read it from a file."""

    emulator: str
    port: int
    pid: int
    started: str
    tables_port: int = 0
    """Port of the emulator's DynamoDB, if it is a separate process."""
    stacks: dict[str, Deployed] = field(default_factory=dict)
    """The stacks, by the name of the context or `platform`."""
    authentication: str = ""
    """How the contexts know their callers."""

    @property
    def process(self) -> ProcessId:
        return ProcessId(self.pid, self.started)

    @classmethod
    def read(cls, layout: Layout) -> Record | None:
        content = read_json(layout.record) or {}
        with contextlib.suppress(TypeError, AttributeError, KeyError):
            stacks = {name: Deployed(**stack) for name, stack in content.pop("stacks").items()}
            return cls(**content, stacks=stacks)
        return None

    def write(self, layout: Layout) -> None:
        write_json(layout.record, asdict(self))


@dataclass(frozen=True)
class Wanted:
    emulator: Emulator
    port: int
    infra: Path
    functions: Path
    contexts: tuple[str, ...] = ()
    """The contexts to deploy, or none for all."""
    parameters: dict[str, str] = field(default_factory=dict)
    """Parameters of the templates, in addition to those of every local stack."""
    project: Path = Path()
    is_built: bool = False
    """Whether this command has built the functions."""

    @property
    def authentication(self) -> str:
        return self.parameters.get("Authentication", "token")

    @property
    def has_local_issuer(self) -> bool:
        """Whether functions accept tokens of the local issuer."""
        return self.authentication == "token" and self.parameters.keys().isdisjoint(issuer.TRUST)


class Steps:
    """Prints one line per step, with the seconds since the start of the command."""

    def __init__(self) -> None:
        self._began = float(os.environ.get("LEDGERFOLD_BEGAN") or time.time())

    def say(self, step: str) -> None:
        print(f"[{time.time() - self._began:6.1f} s] {step}", flush=True)


def up(wanted: Wanted, layout: Layout) -> None:
    steps = Steps()
    with locked(layout):
        deployment = prepare(wanted, layout)
        deployment.pack()  # Before the slow start of the emulator, because missing functions are found here.
        if not wanted.is_built:
            for warning in stale(deployment.programs(), wanted.project):
                steps.say(warning)
        threading.Thread(target=deployment.connect, name="connect").start()
        record = emulator_for(wanted, deployment, layout, steps)
        deploy(wanted, deployment, record, layout, steps)


def start_early(wanted: Wanted, layout: Layout) -> None:
    """Starts the emulator, while the functions are still being built."""
    with locked(layout):
        emulator_for(wanted, prepare(wanted, layout), layout, Steps())


def down(layout: Layout) -> None:
    record = Record.read(layout)
    layout.stack.unlink(missing_ok=True)
    if record is None:
        print("No local cloud is running.")
        return
    steps = Steps()
    was_up = record.process.is_alive()
    end_session(record.process)
    forget(layout)
    steps.say(f"{record.emulator} stopped" if was_up else f"{record.emulator} had already stopped")


def status(layout: Layout) -> int:
    """Prints the state of the cloud. Returns the exit code: 0 if it is ready with its stack."""
    record = Record.read(layout)
    if record is None or not record.process.is_alive():
        print("No local cloud is running.")
        return 1
    ready = EMULATORS[record.emulator].answers(record.port)
    print(f"{record.emulator} on port {record.port}, process {record.pid}: {'ready' if ready else 'not answering'}")
    print(f"stack: {layout.stack if layout.stack.exists() else 'not deployed'}")
    return 0 if ready and layout.stack.exists() else 1


# ---- The emulator's process ----------------------------------------------------------------------


def emulator_for(wanted: Wanted, deployment: Deployment, layout: Layout, steps: Steps) -> Record:
    """Returns a running emulator that can be updated to the wanted stacks."""
    record = running_or_new(wanted, layout, steps)
    obstacle = deployment.obstacle(record.stacks)
    if obstacle is None and record.stacks and record.authentication != wanted.authentication:
        # `stack.json` describes the callers of all contexts, so they must not differ.
        obstacle = f"Authentication is {wanted.authentication} now"
    if obstacle is None:
        return record
    lost = [name for name in record.stacks if name not in deployment.stacks]
    also = f", which removes {', '.join(lost)}: repeat `up` without --context to deploy all" if lost else ""
    steps.say(f"{obstacle}; restarting the emulator{also}")
    end_session(record.process)
    return start(wanted, layout, steps)


def running_or_new(wanted: Wanted, layout: Layout, steps: Steps) -> Record:
    record = Record.read(layout)
    if record and record.process.is_alive():
        if (record.emulator, record.port) != (wanted.emulator.name, wanted.port):
            raise CliError(f"{record.emulator} is already running on port {record.port}: run `down` to stop it.")
        # After an interrupted `up`, the emulator may still be starting.
        seconds = wanted.emulator.start_seconds
        wait_until(lambda: wanted.emulator.answers(wanted.port) or not record.process.is_alive(), seconds, every=0.2)
        if record.process.is_alive() and wanted.emulator.answers(wanted.port):
            steps.say(f"{record.emulator} is already running on port {record.port}")
            return record
        steps.say(f"{record.emulator} does not answer; restarting it")
    if record:
        end_session(record.process)
    return start(wanted, layout, steps)


def start(wanted: Wanted, layout: Layout, steps: Steps) -> Record:
    forget(layout)
    require_free(wanted.port)
    for folder in ("home", "tmp"):
        (layout.work / folder).mkdir(parents=True)
    shutil.rmtree(layout.logs, ignore_errors=True)
    layout.logs.mkdir(parents=True)
    began = time.monotonic()
    environment = wanted.emulator.environment(wanted.port, layout)
    with layout.emulator_log.open("wb") as log, delayed_interrupts():
        process = subprocess.Popen(
            wanted.emulator.command,
            cwd=layout.work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        identity = ProcessId.of(process.pid)
        record = Record(
            wanted.emulator.name,
            wanted.port,
            process.pid,
            identity.started if identity else "",
            tables_port=int(environment.get(TABLES_PORT, 0)),
        )
        record.write(layout)
    steps.say(f"starting {wanted.emulator.name} on port {wanted.port}")
    seconds = wanted.emulator.start_seconds
    wait_until(lambda: process.poll() is not None or wanted.emulator.answers(wanted.port), seconds, every=0.1)
    if process.poll() is not None:
        last = last_lines(layout.emulator_log)
        forget(layout)
        raise CliError(f"{wanted.emulator.name} exited during its start. The end of {layout.emulator_log}:\n{last}")
    if not wanted.emulator.answers(wanted.port):
        last = last_lines(layout.emulator_log)
        end_session(record.process)
        raise CliError(f"{wanted.emulator.name} was not ready after {seconds:.0f} seconds. Its last output:\n{last}")
    steps.say(f"{wanted.emulator.name} ready after {time.monotonic() - began:.1f} s")
    return record


def require_free(port: int) -> None:
    # A killed process may hold its sockets for a moment, until its last thread has ended.
    if not wait_until(lambda: is_free(port), 2.0):
        raise CliError(f"Another program uses port {port}: choose another one with --port (with make: PORT=...)")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise CliError(
                f"Port {port} needs root permissions: choose one above 1023 with --port (with make: PORT=...)"
            ) from None
        except OSError:
            return False
    return True


@contextlib.contextmanager
def delayed_interrupts() -> Iterator[None]:
    """Delays Ctrl-C. Between the start of the emulator and the writing of its record, it would leave a process that no
    command can find. We do not block the signal, because the new process would inherit that."""
    caught: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda number, _frame: caught.append(number)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        for number in caught:
            signal.raise_signal(number)


def forget(layout: Layout) -> None:
    """Removes the files of an emulator that has ended. Its logs stay until the next start."""
    for file in (layout.stack, layout.token, layout.record):
        file.unlink(missing_ok=True)
    shutil.rmtree(layout.work, ignore_errors=True)


def last_lines(path: Path) -> str:
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return "\n".join(f"  {line}" for line in lines[-LOG_LINES:]) or "  (no output)"


@contextlib.contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Prevents two concurrent `up`, which would start two emulators. The lock ends with the process that holds it."""
    layout.home.mkdir(parents=True, exist_ok=True)
    with layout.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CliError("Another `up` is running in this folder.") from None
        yield


# ---- The stack -----------------------------------------------------------------------------------


def prepare(wanted: Wanted, layout: Layout) -> Deployment:
    # Imported here, because `down`, `status` and `logs` must work without installed packages.
    from ledgerfold_local.deployment import Deployment
    from ledgerfold_local.infra import Infra

    templates = Infra(wanted.infra)
    contexts = templates.contexts(wanted.contexts)
    trusted = {"Authentication": wanted.authentication}
    if wanted.has_local_issuer:
        trusted = issuer.parameters(issuer.local_issuer(layout.issuer))
    return Deployment(
        wanted.emulator, wanted.port, templates, wanted.functions, contexts, wanted.parameters, layout, trusted
    )


def deploy(wanted: Wanted, deployment: Deployment, record: Record, layout: Layout, steps: Steps) -> None:
    """Deploys the wanted stacks and leaves others as they are."""

    def keep(name: str, stack: Deployed) -> None:
        nonlocal record
        stacks = {**record.stacks, name: stack}
        record = dataclasses.replace(record, stacks=stacks, authentication=wanted.authentication)
        record.write(layout)

    if outdated := deployment.outdated(record.stacks):
        layout.stack.unlink(missing_ok=True)
        steps.say(f"deploying {', '.join(outdated)} from {os.path.relpath(wanted.infra)}")
        deployment.deploy(record.stacks, keep, steps.say)
    else:
        steps.say(f"already deployed: {', '.join(deployment.stacks)}")
    contexts = [name for name in record.stacks if name != PLATFORM and record.stacks[name].shape != UNFINISHED]
    if left := [name for name in contexts if name not in deployment.stacks]:
        steps.say(f"left as deployed before: {', '.join(left)} (`down` removes everything)")
    description = describe(wanted.emulator.name, wanted.port, deployment.outputs(PLATFORM), str(layout.logs))
    if record.tables_port:
        description["tablesEndpoint"] = endpoint(record.tables_port)
    layout.token.unlink(missing_ok=True)
    if wanted.has_local_issuer:
        description["auth"] = known = issuer.local_issuer(layout.issuer)
        layout.token.write_text(issuer.token(known, example_roles(wanted.project, contexts)) + "\n")
    for name in sorted(contexts):
        entry = describe_context(name, wanted.port, stack_name(name), deployment.outputs(name))
        description["contexts"][name] = entry
        steps.say(f"up: {name} at {entry['api']}")
    write_json(layout.stack, description)
    steps.say(f"names and addresses: {os.path.relpath(layout.stack)}")
    if "auth" in description or wanted.authentication == "none":
        print(ready_call(description, wanted.project, layout.caller()))
