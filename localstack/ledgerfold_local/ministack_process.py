"""Runs MiniStack 1.5.33, and writes the output of its functions to files.

MiniStack writes the output of an invocation to CloudWatch Logs after the invocation. It drops the output of a function
that fails during its start, which is the output that you need most. This module passes each line on as it is read.
"""

from __future__ import annotations

import functools
import os
import queue
import uuid
from pathlib import Path
from typing import IO, Any

from ledgerfold_local.function_log import LogFile


def keep_output(folder: Path) -> None:
    from ministack.core.lambda_runtime import ProvidedWorker

    @functools.cache
    def log_of(function: str) -> LogFile:
        return LogFile(folder, function)

    pump_output, invoke = ProvidedWorker._pump_output, ProvidedWorker.invoke

    def pump_to_file(self: Any, stream: IO[bytes], log_queue: queue.Queue) -> None:
        pump_output(self, Copied(stream, log_of(self.func_name), environment_id(self)), log_queue)

    def invoke_and_report(self: Any, event: Any, request_id: str, **options: Any) -> dict[str, Any]:
        def write(line: str) -> None:
            log_of(self.func_name).write(environment_id(self), line)

        write(f"START RequestId: {request_id}")
        try:
            outcome = invoke(self, event, request_id, **options)
        except Exception as error:  # The function has not started. MiniStack answers with this error.
            write(f"{request_id} {first_line(error)}")
            raise
        if outcome["status"] == "error":
            write(f"{request_id} {first_line(outcome.get('error'))}")
        write(f"END RequestId: {request_id}")
        return outcome

    ProvidedWorker._pump_output, ProvidedWorker.invoke = pump_to_file, invoke_and_report


def environment_id(worker: Any) -> str:
    """An id of MiniStack's worker, which is one execution environment."""
    return worker.__dict__.setdefault("environment_id", uuid.uuid4().hex)


def first_line(error: object) -> str:
    """The message without the output that MiniStack appends to it."""
    return next(iter(str(error).splitlines()), "failed without a message")


class Copied:
    """The output of a process, whose lines also go to a file."""

    def __init__(self, stream: IO[bytes], log: LogFile, environment_id: str) -> None:
        self._stream = stream
        self._log = log
        self._environment_id = environment_id

    def readline(self) -> bytes:
        line = self._stream.readline()
        if line:
            self._log.write(self._environment_id, line.rstrip(b"\r\n").decode(errors="replace"))
        return line

    def close(self) -> None:
        self._stream.close()


if __name__ == "__main__":
    keep_output(Path(os.environ.pop("LEDGERFOLD_FUNCTION_LOGS")))
    del os.environ["PYTHONPATH"]  # MiniStack passes its variables on to the functions.
    from ministack.app import main

    main()
