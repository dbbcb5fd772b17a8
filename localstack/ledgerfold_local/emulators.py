"""The two emulators, with their commands, settings and health checks."""

from __future__ import annotations

import json
import os
import socket
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

from ledgerfold_local.errors import CliError
from ledgerfold_local.layout import ISOLATED, Layout
from ledgerfold_local.switches import shortcuts_are_on

REGION = "us-east-1"
HOST = "127.0.0.1"
# Ignores proxies of the shell, because the emulator runs on this machine.
LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# LocalStack's setting for the port of DynamoDB Local.
TABLES_PORT = "DYNAMODB_LOCAL_PORT"
# Variables that the emulator inherits from the shell, for debugging it.
INHERITED = ("LS_LOG", "DEBUG", "LOG_LEVEL", "LEDGERFOLD_SHORTCUTS")


@dataclass(frozen=True)
class Emulator:
    name: str
    command: list[str]
    settings: Callable[[int, Layout], dict[str, str]]
    ready_path: str
    is_ready: Callable[[dict], bool]
    start_seconds: float

    def environment(self, port: int, layout: Layout) -> dict[str, str]:
        """All environment variables of the emulator. It inherits almost nothing from the shell, whose AWS_ variables
        may name a real account, and it writes only to folders of its own."""
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
            **{name: os.environ[name] for name in INHERITED if name in os.environ},
        }

    def answers(self, port: int, seconds: float = 2.0) -> bool:
        """Whether the emulator reports that it is ready."""
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
        raise CliError("Start LocalStack with the command `ledgerfold-local up`, which finds Java and DynamoDB Local.")
    return {
        "GATEWAY_LISTEN": f"{HOST}:{port}",
        # The host in the URLs that it returns. LocalStack's default name needs a DNS lookup on the internet.
        "LOCALSTACK_HOST": f"{HOST}:{port}",
        "SQS_ENDPOINT_STRATEGY": "path",
        "FILESYSTEM_ROOT": str(layout.work / "filesystem"),
        # This folder also contains the metadata in which LocalStack finds the plugins.
        "PYTHONPATH": str(ISOLATED),
        "LAMBDA_RUNTIME_EXECUTOR": "process",
        "LEDGERFOLD_FUNCTION_LOGS": str(layout.logs),
        # Makes CloudFormation pause between its checks of a resource. `shortcuts/deployments.py` sets the length.
        "CFN_NO_WAIT_ITERATIONS": "0",
        # Uses the streams of DynamoDB Local instead of a mock of Kinesis.
        "PROVIDER_OVERRIDE_DYNAMODB": "v2",
        "PROVIDER_OVERRIDE_DYNAMODBSTREAMS": "v2",
        "DYNAMODB_IN_MEMORY": "1",
        # One database for all access keys, so that functions find their tables in DynamoDB Local directly.
        "DYNAMODB_SHARE_DB": "1",
        # We choose the port, so that `stack.json` can contain it.
        TABLES_PORT: str(free_port()),
        "LEDGERFOLD_DYNAMODB_HOME": os.environ["LEDGERFOLD_DYNAMODB_HOME"],
        "LEDGERFOLD_JAVA": os.environ["LEDGERFOLD_JAVA"],
        # LocalStack's remaining requests to itself call its gateway directly instead of through a socket.
        "IN_MEMORY_CLIENT": "1",
        # Logs no line for each request. `LS_LOG=info make up` does.
        "LS_LOG": "warn",
        # The pause after a batch from a queue or a change stream. A longer pause gives fewer and larger batches.
        "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.1",
        # The pause after a poll of an empty queue. With short cuts, the poll itself has already waited for a message.
        "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "0.01" if shortcuts_are_on() else "0.25",
        # Seconds in a minute of a rule's rate. Short, because tests and users wait for deadlines and retries.
        "LEDGERFOLD_MINUTE": "10",
        # Metrics for every poll of every queue cost more than all other work.
        "SQS_DISABLE_CLOUDWATCH_METRICS": "1",
        # No traffic from or to the internet, and no DNS server on port 53.
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
    }


def ministack_settings(port: int, layout: Layout) -> dict[str, str]:
    return {
        "PYTHONPATH": str(ISOLATED),
        "LEDGERFOLD_FUNCTION_LOGS": str(layout.logs),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": REGION,
        "LAMBDA_EXECUTOR": "local",
        # Otherwise functions would call the real AWS.
        "AWS_ENDPOINT_URL": endpoint(port),
        "S3_DATA_DIR": str(layout.work / "s3"),
        "STATE_DIR": str(layout.work / "state"),
        # These listen on fixed ports, so two clouds could not run together.
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
        command=[sys.executable, "-m", "ledgerfold_local.ministack_process"],
        settings=ministack_settings,
        ready_path="/_ministack/health",
        is_ready=bool,
        start_seconds=60,
    ),
}
