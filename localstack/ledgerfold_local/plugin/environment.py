"""An execution environment of a function: its process from start to end, and the invocations in between.

All events of an environment (the runtime asks for work, answers, fails or exits) go into one queue. The thread that
starts or invokes the function reads this queue with a deadline. This keeps the order of events, and nothing can hang.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ledgerfold_local.function_log import FunctionLog, now
from ledgerfold_local.plugin import messages
from ledgerfold_local.plugin.messages import Fault
from ledgerfold_local.plugin.runtime_api import Invocation, RuntimeApi
from ledgerfold_local.plugin.sandbox import Sandbox
from ledgerfold_local.reaper import Reaper


@dataclass(frozen=True)
class Function:
    """The settings of a function that its environments need."""

    name: str
    version: str
    code: Path
    memory: int
    """In MB. It is reported but not enforced."""
    timeout: float


@dataclass(frozen=True)
class Result:
    payload: bytes
    failed: bool
    log: str


# The events of an environment:
@dataclass(frozen=True)
class Ready: ...


@dataclass(frozen=True)
class InitFailed:
    payload: bytes


@dataclass(frozen=True)
class Finished:
    payload: bytes
    failed: bool


@dataclass(frozen=True)
class Exited:
    code: int


class GoneError(Exception):
    """The process ended before it received the invocation."""


class Environment:
    """Starts with `initialise`, runs one invocation at a time with `invoke`, and ends with `stop` or after a fault."""

    def __init__(self, function: Function, log: FunctionLog, reaper: Reaper) -> None:
        self._function = function
        self._log = log
        self._reaper = reaper
        self._happened: queue.SimpleQueue[Ready | InitFailed | Finished | Exited] = queue.SimpleQueue()
        self._work: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._under_way: str | None = None
        self._api: RuntimeApi | None = None
        self._sandbox: Sandbox | None = None
        self.pid: int | None = None
        self.init_seconds = 0.0

    # ---- For the owner ---------------------------------------------------------------------------

    def initialise(self, variables_for: Callable[[str], dict[str, str]], seconds: float) -> Fault | None:
        """Starts the process and waits until it asks for work. `variables_for` receives the Runtime API's address."""
        started = time.monotonic()
        self._api = RuntimeApi(self)
        fault = self._spawn(variables_for(self._api.address)) or self._await_ready(started + seconds, seconds)
        self.init_seconds = time.monotonic() - started
        if self._sandbox:
            # The function printed before it asked for work, so these lines belong before the first invocation.
            self._sandbox.drain()
        if fault:
            self.stop()
        return fault

    def invoke(self, invocation: Invocation, seconds: float) -> tuple[bytes | Fault, bool]:
        """The function's answer and whether it is an error, or the fault that ended the environment."""
        if not self.is_alive():
            raise GoneError
        deadline = time.monotonic() + seconds
        self._under_way = invocation.request_id
        self._work.put(invocation)
        try:
            answer = self._await_result(deadline)
        finally:
            self._under_way = None
        if self._sandbox:
            self._sandbox.drain(whole=True)
        if isinstance(answer, Fault):
            self.stop()
            return answer, True
        return answer.payload, answer.failed

    def is_alive(self) -> bool:
        return self._sandbox is not None and self._sandbox.is_alive()

    def peak_memory(self) -> int | None:
        return self._sandbox.peak_memory() if self._sandbox else None

    def stop(self) -> None:
        """Ends the process group and the Runtime API. You can call it repeatedly, and during an invocation."""
        if self._sandbox:
            self._sandbox.kill()
        self._work.put(None)
        if self._api:
            self._api.close()
            self._api = None

    # ---- Steps -----------------------------------------------------------------------------------

    def _spawn(self, variables: dict[str, str]) -> Fault | None:
        bootstrap = self._function.code / "bootstrap"
        if not bootstrap.is_file():
            return messages.no_entrypoint("Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]")
        try:
            self._sandbox = Sandbox(
                [str(bootstrap)],
                self._function.code,
                variables,
                self._reaper,
                self._log.write,
                lambda code: self._happened.put(Exited(code)),
            )
        except OSError as error:
            reason = os.strerror(error.errno).lower() if error.errno else str(error)
            return messages.no_entrypoint(f"fork/exec /var/task/bootstrap: {reason}")
        self.pid = self._sandbox.pid
        return None

    def _await_ready(self, deadline: float, seconds: float) -> Fault | None:
        while True:
            match self._next_event(deadline):
                case Ready():
                    return None
                case InitFailed(payload):
                    return messages.reported_by_init(payload)
                case Exited(code):
                    return messages.exited(code)
                case None:
                    return messages.timed_out(seconds)

    def _await_result(self, deadline: float) -> Finished | Fault:
        while True:
            match self._next_event(deadline):
                case Finished() as finished:
                    return finished
                case Exited(code):
                    return messages.exited(code)
                case InitFailed(payload):
                    return messages.reported_by_init(payload)
                case None:
                    return messages.timed_out(self._function.timeout)
                case Ready():
                    pass  # The function asks for work after its previous answer.

    def _next_event(self, deadline: float) -> Ready | InitFailed | Finished | Exited | None:
        with contextlib.suppress(queue.Empty):
            return self._happened.get(timeout=max(0.0, deadline - time.monotonic()))
        return None

    # ---- For the Runtime API, on its threads -----------------------------------------------------

    def next_invocation(self) -> Invocation | None:
        self._happened.put(Ready())
        return self._work.get()

    def finished(self, request_id: str, body: bytes, failed: bool) -> bool:
        if request_id != self._under_way:
            return False
        self._under_way = None
        if len(body) > messages.MAX_RESPONSE_BYTES:
            self._happened.put(Finished(messages.response_too_large(len(body)), failed=True))
        else:
            self._happened.put(Finished(body, failed))
        return True

    def init_failed(self, body: bytes) -> None:
        self._happened.put(InitFailed(body))


class Slot:
    """Runs the invocations of one LocalStack environment, and replaces the environment after a fault, as Lambda does.

    Like Lambda, a new environment initialises for at most 10 seconds. If that fails, no caller gets an error yet: the
    first invocation initialises again, within the function's own timeout, and only its failure reaches the caller. The
    same applies to the first invocation after a crash or a timeout.
    """

    INIT_SECONDS = 10.0

    def __init__(
        self,
        function: Function,
        variables_for: Callable[[str], dict[str, str]],
        log: FunctionLog,
        reaper: Reaper,
        init_seconds: float = INIT_SECONDS,
    ) -> None:
        self._function = function
        self._variables_for = variables_for
        self._log = log
        self._reaper = reaper
        self._init_seconds = init_seconds
        self._environment: Environment | None = None
        self._fresh_init: float | None = None
        self._stopped = False

    def start(self) -> None:
        self._initialise(self._init_seconds, "init")

    def stop(self) -> None:
        self._stopped = True
        if self._environment:
            self._environment.stop()
        self._log.close()

    @property
    def pid(self) -> int | None:
        return self._environment.pid if self._environment else None

    def invoke(self, request_id: str, payload: bytes, function_arn: str, trace_id: str) -> Result:
        started = time.monotonic()
        wall = time.time()
        self._log.write(messages.start_line(request_id, self._function.version))
        invocation = Invocation(
            request_id, payload, function_arn, trace_id, int((wall + self._function.timeout) * 1000)
        )
        answer, failed = self._run(invocation, started + self._function.timeout)
        fault = answer if isinstance(answer, Fault) else None
        self._report(request_id, time.monotonic() - started, fault)
        return Result(fault.answer(request_id) if fault else answer, failed, self._log.take())

    def _run(self, invocation: Invocation, deadline: float) -> tuple[bytes | Fault, bool]:
        while not self._stopped:
            if self._environment is None or not self._environment.is_alive():
                fault = self._initialise(deadline - time.monotonic(), "invoke")
                if fault:
                    return fault, True
            try:
                return self._environment.invoke(invocation, deadline - time.monotonic())
            except GoneError:
                continue
        return messages.exited(-signal.SIGKILL), True  # The result of a stop during an invocation.

    def _initialise(self, seconds: float, phase: str) -> Fault | None:
        if self._environment:
            self._environment.stop()
        self._environment = Environment(self._function, self._log, self._reaper)
        fault = self._environment.initialise(self._variables_for, seconds)
        self._fresh_init = self._environment.init_seconds
        if self._stopped:
            # A stop of LocalStack or of the function happened during the start and did not reach this environment.
            self._environment.stop()
        if fault:
            self._log.write(messages.init_report_line(self._environment.init_seconds, phase, fault))
            self._environment = None
            self._fresh_init = None
        return messages.timed_out(self._function.timeout) if fault and fault.is_timeout else fault

    def _report(self, request_id: str, seconds: float, fault: Fault | None) -> None:
        if fault and fault.is_timeout:
            self._log.write(f"{now()} {request_id} {fault.text}")
        elif fault and fault.payload is None:
            self._log.write(f"RequestId: {request_id} Error: {fault.text}")
        self._log.write(messages.end_line(request_id))
        peak = self._environment.peak_memory() if self._environment else None
        self._log.write(messages.report_line(request_id, seconds, self._fresh_init, self._function.memory, peak, fault))
        self._fresh_init = None
