"""Lambda's exact messages for failures, and its lines in a function's log."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass

# Lambda is written in Go and uses Go's names of signals.
SIGNALS = {
    signal.SIGHUP: "hangup",
    signal.SIGINT: "interrupt",
    signal.SIGQUIT: "quit",
    signal.SIGILL: "illegal instruction",
    signal.SIGTRAP: "trace/breakpoint trap",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGKILL: "killed",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGPIPE: "broken pipe",
    signal.SIGTERM: "terminated",
}
MAX_RESPONSE_BYTES = 6 * 1024 * 1024 + 100


@dataclass(frozen=True)
class Fault:
    """The reason why an environment ended. `text` follows "Error: " in the answer."""

    kind: str
    text: str
    payload: bytes | None = None
    """The function's own error report, which is passed on unchanged."""

    def answer(self, request_id: str) -> bytes:
        if self.payload is not None:
            return self.payload
        return json.dumps(
            {"errorType": self.kind, "errorMessage": f"RequestId: {request_id} Error: {self.text}"},
            separators=(",", ":"),
        ).encode()

    @property
    def is_timeout(self) -> bool:
        return self.kind == "Sandbox.Timedout"

    @property
    def status(self) -> str:
        return "timeout" if self.is_timeout else "error"


def exited(code: int) -> Fault:
    """The fault for an exit. A negative `code` is a signal, as in `subprocess`."""
    if code == 0:
        return Fault("Runtime.ExitError", "Runtime exited without providing a reason")
    reason = f"signal: {signal_name(-code)}" if code < 0 else f"exit status {code}"
    return Fault("Runtime.ExitError", f"Runtime exited with error: {reason}")


def signal_name(number: int) -> str:
    return SIGNALS.get(number, f"signal {number}")  # type: ignore[call-overload]


def timed_out(seconds: float) -> Fault:
    return Fault("Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds")


def no_entrypoint(reason: str) -> Fault:
    return Fault("Runtime.InvalidEntrypoint", reason)


def reported_by_init(payload: bytes) -> Fault:
    try:
        kind = str(json.loads(payload)["errorType"])
    except (ValueError, KeyError, TypeError):
        kind = "Runtime.Unknown"
    return Fault(kind, "", payload)


def response_too_large(size: int) -> bytes:
    limit = f"maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)"
    message = f"Response payload size ({size} bytes) exceeded {limit}."
    return json.dumps({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}).encode()


def start_line(request_id: str, version: str) -> str:
    return f"START RequestId: {request_id} Version: {version}"


def end_line(request_id: str) -> str:
    return f"END RequestId: {request_id}"


def init_report_line(seconds: float, phase: str, fault: Fault) -> str:
    parts = [f"INIT_REPORT Init Duration: {seconds * 1000:.2f} ms", f"Phase: {phase}", f"Status: {fault.status}"]
    return "\t".join(parts if fault.is_timeout else [*parts, f"Error Type: {fault.kind}"])


def report_line(
    request_id: str, seconds: float, init_seconds: float | None, memory: int, peak: int | None, fault: Fault | None
) -> str:
    """The REPORT line. `memory` is the configured size in MB, `peak` the used size in bytes."""
    milliseconds = seconds * 1000
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {milliseconds:.2f} ms",
        f"Billed Duration: {-int(-milliseconds // 1)} ms",
        f"Memory Size: {memory} MB",
    ]
    if peak is not None:
        parts.append(f"Max Memory Used: {-(-peak // (1024 * 1024))} MB")
    if init_seconds is not None:
        parts.append(f"Init Duration: {init_seconds * 1000:.2f} ms")
    if fault:
        parts.append(f"Status: {fault.status}")
        if not fault.is_timeout:
            parts.append(f"Error Type: {fault.kind}")
    return "\t".join(parts)
