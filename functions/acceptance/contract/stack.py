"""The stack under test and its caller, for the hooks of all contexts."""

from __future__ import annotations

import json
import subprocess
import urllib.request
import uuid
from email.message import Message
from pathlib import Path

import schemathesis
from schemathesis import Case, HookContext

ROOT = Path(__file__).parents[3]
STACK = json.loads((ROOT / "target/local/stack.json").read_text())


class Service:
    """A deployed context with the token of a caller, if callers need one."""

    def __init__(self, context: str, role: str) -> None:
        self.api = STACK["contexts"][context]["api"]
        self.token = token(role)

    def ask(self, method: str, path: str, body: object = None) -> tuple[Message, dict]:
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())} if body else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        content = json.dumps(body).encode() if body else None
        request = urllib.request.Request(self.api + path, content, headers, method=method)
        # Ignores proxies of the environment, because the local cloud runs on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            return answer.headers, json.load(answer)

    def register(self) -> None:
        """Sends the token with every request, except with those that check that the service demands one."""
        caller_token = self.token

        @schemathesis.auth()
        class Caller:
            def get(self, case: Case, context: schemathesis.AuthContext) -> str | None:
                return caller_token

            def set(self, case: Case, data: str | None, context: schemathesis.AuthContext) -> None:
                if data:
                    case.headers["Authorization"] = f"Bearer {data}"

        @schemathesis.hook
        def before_load_schema(context: HookContext, raw_schema: dict) -> None:
            """Without authentication, requests without a token are not refused."""
            if caller_token is None:
                del raw_schema["security"]


def token(role: str) -> str | None:
    """A token with this role, if callers need one."""
    if "auth" not in STACK:
        return None
    program = subprocess.check_output([ROOT / "scripts/built.sh", "ledgerfold"], cwd=ROOT, text=True).strip()
    mint = [program, "token", "--sub", "contract", "--role", role]
    return subprocess.check_output(mint, cwd=ROOT, text=True).strip()
