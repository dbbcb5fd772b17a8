"""The deployed stacks, and `stack.json`: their names and addresses, for tests, the demo and operators."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ledgerfold_local.emulators import REGION, endpoint
from ledgerfold_local.errors import CliError

PLATFORM = "platform"
STAGE = "local"
UNFINISHED = "unfinished"


@dataclass(frozen=True)
class Deployed:
    """The record of a stack."""

    shape: str
    """`StackDeployment.shape`, or UNFINISHED during a deployment."""
    digest: str = ""


Stacks = Mapping[str, Deployed]
"""The deployed stacks, by the name of the context or `platform`."""


def stack_name(name: str) -> str:
    """The name of the platform's or a context's stack."""
    return f"ledgerfold-{STAGE}" if name == PLATFORM else f"ledgerfold-{STAGE}-{name}"


def kebab(name: str) -> str:
    """Turns the name of an output, for example `OrderView`, into the name of a projection, `order-view`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def by_suffix(outputs: dict[str, str], suffix: str, prefix: str = "") -> dict[str, str]:
    """The outputs whose names end with a suffix, by the rest of the name."""
    return {
        f"{prefix}{kebab(name.removesuffix(suffix))}": value
        for name, value in outputs.items()
        if name.endswith(suffix) and name != suffix
    }


def describe(emulator: str, port: int, platform: dict[str, str], logs: str) -> dict[str, Any]:
    """Builds the content of `stack.json` without its contexts."""
    require(platform, ("BusName", "ArchiveName"), "platform")
    return {
        "endpoint": endpoint(port),
        "region": REGION,
        "bus": platform["BusName"],
        "archive": platform["ArchiveName"],
        "contexts": {},
        "emulator": emulator,
        "logs": logs,
    }


def describe_context(name: str, port: int, stack_name: str, outputs: dict[str, str]) -> dict[str, Any]:
    """Builds the entry of a context from the names of outputs, so that a new projection needs no change here."""
    require(outputs, ("ApiId", "ApiStage", "EventTable"), name)
    tables = by_suffix(outputs, "Table")
    event_table = tables.pop("event")
    # The audit of the bus is neither a projection nor a process: it only reads events that are replayed for it.
    queues, dead_letters = by_suffix(outputs, "Queue"), by_suffix(outputs, "DeadLetters")
    dead_letters.pop("audit", None)
    audit = {"queue": queues.pop("audit", None), "rule": outputs.get("AuditRuleArn")}
    return {
        # The output ApiUrl is an address on AWS.
        "api": f"{endpoint(port)}/_aws/execute-api/{outputs['ApiId']}/{outputs['ApiStage']}",
        "eventTable": event_table,
        "apiKey": outputs.get("ApiKey"),
        "readTables": tables,
        "functions": {
            **by_suffix(outputs, "Function"),
            **by_suffix(outputs, "Projector", prefix="projector-"),
        },
        "queues": queues,
        "deadLetters": dead_letters,
        "rules": by_suffix(outputs, "Rule"),
        "audit": audit,
        "projectionStates": outputs.get("ProjectionStates"),
        "deadlines": outputs.get("Deadlines"),
        "export": {
            "bucket": outputs.get("ExportBucket"),
            "progress": outputs.get("ExportProgress"),
            "minutes": outputs.get("ExportMinutes"),
        },
        "settings": by_suffix(outputs, "Setting"),
        "stack": stack_name,
        "outputs": outputs,
    }


def require(outputs: dict[str, str], names: tuple[str, ...], template: str) -> None:
    missing = [name for name in names if name not in outputs]
    if missing:
        raise CliError(f"stack.json needs outputs that {template}.yaml does not have: {', '.join(missing)}.")
