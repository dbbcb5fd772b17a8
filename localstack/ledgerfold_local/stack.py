"""`stack.json`: the names and addresses of the deployed stack, for tests, the demo and operators."""

from __future__ import annotations

import re
from typing import Any

from ledgerfold_local.emulators import REGION, endpoint
from ledgerfold_local.errors import CliError


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


def describe(
    emulator: str, port: int, context: str, stack_name: str, outputs: dict[str, str], logs: str
) -> dict[str, Any]:
    """Builds the content of `stack.json` from the names of outputs, so that a new projection needs no change here."""
    missing = [name for name in ("BusName", "ArchiveName", "ApiId", "ApiStage", "EventTable") if name not in outputs]
    if missing:
        raise CliError(f"stack.json needs outputs that the template does not have: {', '.join(missing)}.")
    tables = by_suffix(outputs, "Table")
    event_table = tables.pop("event")
    # The audit of the bus is neither a projection nor a process: it only reads events that are replayed for it.
    queues, dead_letters = by_suffix(outputs, "Queue"), by_suffix(outputs, "DeadLetters")
    dead_letters.pop("audit", None)
    audit = {"queue": queues.pop("audit", None), "rule": outputs.get("AuditRuleArn")}
    return {
        "endpoint": endpoint(port),
        "region": REGION,
        "bus": outputs["BusName"],
        "archive": outputs["ArchiveName"],
        "contexts": {
            context: {
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
                "settings": by_suffix(outputs, "Setting"),
                "stack": stack_name,
                "outputs": outputs,
            }
        },
        "emulator": emulator,
        "logs": logs,
    }
