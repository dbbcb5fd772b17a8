"""The two emulators: how each is started, and where it answers when it is ready."""

from __future__ import annotations

import json
import os
import socket
import sys
import urllib.request
from dataclasses import dataclass
from typing import Callable

from ledgerfold_local.layout import ROOT, Layout
from ledgerfold_local.switches import shortcuts_are_on
from ledgerfold_local.trouble import Trouble

REGION = "us-east-1"
HOST = "127.0.0.1"
# A proxy that the shell names is not for this machine's own addresses.
LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# LocalStack's setting for the port of DynamoDB Local.
TABLES_PORT = "DYNAMODB_LOCAL_PORT"
# Taken over from the shell, for debugging the emulator itself.
PASSED_ON = ("LS_LOG", "DEBUG", "LOG_LEVEL", "LEDGERFOLD_SHORTCUTS")


@dataclass(frozen=True)
class Emulator:
    name: str
    command: list[str]
    settings: Callable[[int, Layout], dict[str, str]]
    ready_path: str
    is_ready: Callable[[dict], bool]
    start_seconds: float

    def environment(self, port: int, layout: Layout) -> dict[str, str]:
        """Everything the emulator's process sees. Nothing of the shell's, whose AWS_ variables may mean a real account,
        and with folders of its own for everything that it would write elsewhere."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(layout.work / "home"),
            "TMPDIR": str(layout.work / "tmp"),
            "PYTHONUNBUFFERED": "1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            **self.settings(port, layout),
            **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
        }

    def answers(self, port: int, seconds: float = 2.0) -> bool:
        """Whether the emulator says that it is ready."""
        try:
            with LOOPBACK.open(f"{endpoint(port)}{self.ready_path}", timeout=seconds) as response:
                return self.is_ready(json.load(response))
        except (OSError, ValueError):
            return False


def endpoint(port: int) -> str:
    return f"http://{HOST}:{port}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def localstack_settings(port: int, layout: Layout) -> dict[str, str]:
    missing = [name for name in ("LEDGERFOLD_DYNAMODB_HOME", "LEDGERFOLD_JAVA") if name not in os.environ]
    if missing:
        raise Trouble("LocalStack is started through localstack/bootstrap.py, which finds Java and DynamoDB Local.")
    return {
        "GATEWAY_LISTEN": f"{HOST}:{port}",
        # In the URLs that it hands out. Its own name for this machine would have to be looked up on the internet.
        "LOCALSTACK_HOST": f"{HOST}:{port}",
        "SQS_ENDPOINT_STRATEGY": "path",
        "FILESYSTEM_ROOT": str(layout.work / "filesystem"),
        # This package beside its dist-info folder: this makes LocalStack find the plugins.
        "PYTHONPATH": str(ROOT / "localstack"),
        "LAMBDA_RUNTIME_EXECUTOR": "process",
        "LEDGERFOLD_FUNCTION_LOGS": str(layout.logs),
        # CloudFormation pauses before it asks again whether a resource is ready; `shortcuts/deployments.py` says how long.
        "CFN_NO_WAIT_ITERATIONS": "0",
        # Streams of DynamoDB Local itself instead of a mock of Kinesis.
        "PROVIDER_OVERRIDE_DYNAMODB": "v2",
        "PROVIDER_OVERRIDE_DYNAMODBSTREAMS": "v2",
        "DYNAMODB_IN_MEMORY": "1",
        # One database for all access keys, so that functions find their tables when they ask DynamoDB Local itself.
        "DYNAMODB_SHARE_DB": "1",
        # Chosen here, so that `stack.json` can name it.
        TABLES_PORT: str(free_port()),
        "LEDGERFOLD_DYNAMODB_HOME": os.environ["LEDGERFOLD_DYNAMODB_HOME"],
        "LEDGERFOLD_JAVA": os.environ["LEDGERFOLD_JAVA"],
        # Where LocalStack still sends requests to itself, it calls its gateway instead of using a socket.
        "IN_MEMORY_CLIENT": "1",
        # Without a line for every request; `LS_LOG=info make up` shows them.
        "LS_LOG": "warn",
        # The pause after a batch from a queue or a change stream. The next batch gathers in it: fewer, larger batches.
        "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.1",
        # The pause after a poll of an empty queue. The short cut's poll has already waited for a message.
        "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "0.01" if shortcuts_are_on() else "0.25",
        # Seconds of a minute in a rule's rate: people wait for payment deadlines and retries.
        "LEDGERFOLD_MINUTE": "10",
        # A metric for every poll of every queue costs more than all the rest.
        "SQS_DISABLE_CLOUDWATCH_METRICS": "1",
        # Nothing from, and nothing to, the internet; no DNS server on port 53.
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
    }


def ministack_settings(port: int, layout: Layout) -> dict[str, str]:
    return {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": REGION,
        "LAMBDA_EXECUTOR": "local",
        # Without it, functions look for the real AWS.
        "AWS_ENDPOINT_URL": endpoint(port),
        "S3_DATA_DIR": str(layout.work / "s3"),
        "STATE_DIR": str(layout.work / "state"),
        # Listeners on fixed ports, which two clouds would both want.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


EMULATORS = {
    "localstack": Emulator(
        name="localstack",
        command=[sys.executable, "-m", "localstack.runtime.main"],
        settings=localstack_settings,
        ready_path="/_localstack/init/ready",
        is_ready=lambda answer: bool(answer.get("completed")),
        start_seconds=120,
    ),
    "ministack": Emulator(
        name="ministack",
        command=[sys.executable, "-m", "ministack"],
        settings=ministack_settings,
        ready_path="/_ministack/health",
        is_ready=bool,
        start_seconds=60,
    ),
}
