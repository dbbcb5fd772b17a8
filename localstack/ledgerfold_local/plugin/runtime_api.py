"""The Lambda Runtime API of one execution environment: `next`, `response`, `error` and `init/error`.

This module only handles HTTP. The environment handles the calls (`Calls`).
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

PREFIX = "/2018-06-01/runtime"
# How often a server checks whether it was closed. Rarely, because each environment has a server.
POLL_SECONDS = 5.0


@dataclass(frozen=True)
class Invocation:
    request_id: str
    payload: bytes
    function_arn: str
    trace_id: str
    deadline_ms: int
    """The end of the function's timeout, in milliseconds since 1970."""


class Calls(Protocol):
    """Handles the calls of a function to its Runtime API."""

    def next_invocation(self) -> Invocation | None:
        """Waits for work. Returns None when the environment ends."""

    def finished(self, request_id: str, body: bytes, failed: bool) -> bool:
        """Accepts a result. Returns False if this invocation is not running."""

    def init_failed(self, body: bytes) -> None: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignores errors. If a function exits during a call, the environment notices its exit."""


class RuntimeApi:
    """A server on a free port of the loopback interface."""

    def __init__(self, calls: Calls) -> None:
        self._server = Server(("127.0.0.1", 0), handler_for(calls))
        self.address = f"127.0.0.1:{self._server.server_port}"
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(POLL_SECONDS,), name="runtime-api", daemon=True).start()

    def close(self) -> None:
        """Closes the server in the background, because its check for the end takes up to POLL_SECONDS."""
        threading.Thread(target=self._close, daemon=True).start()

    def _close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def handler_for(calls: Calls) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # Sends header and body together.

        def do_GET(self) -> None:
            if self.path != f"{PREFIX}/invocation/next":
                return self._no_such_call()
            invocation = calls.next_invocation()
            if invocation is None:
                self.close_connection = True
                return None
            return self._reply(
                200,
                invocation.payload,
                {
                    "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                    "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                    "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
                    "Lambda-Runtime-Trace-Id": invocation.trace_id,
                },
            )

        def do_POST(self) -> None:
            body = self._body()
            if self.path == f"{PREFIX}/init/error":
                calls.init_failed(body)
                return self._reply(202, b'{"status":"OK"}')
            request_id, _, kind = self.path.removeprefix(f"{PREFIX}/invocation/").partition("/")
            if kind not in ("response", "error"):
                return self._no_such_call()
            if calls.finished(request_id, body, failed=kind == "error"):
                return self._reply(202, b'{"status":"OK"}')
            return self._problem(400, "InvalidRequestID", "Invalid request ID")

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            chunks = []
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass  # Skips trailers. A runtime that streams a response reports late errors in them.
            return b"".join(chunks)

        def _reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def _problem(self, status: int, kind: str, message: str) -> None:
            self._reply(status, json.dumps({"errorType": kind, "errorMessage": message}).encode())

        def _no_such_call(self) -> None:
            self._problem(404, "UnknownOperation", f"{self.command} {self.path} is not in the Runtime API")

        def log_message(self, format: str, *arguments: object) -> None:
            """Logs nothing, because the function's log has the relevant messages."""

    return Handler
