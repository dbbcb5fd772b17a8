"""Hooks for Schemathesis, so that it also generates requests that the service must accept.

- Only the service can issue tokens and cursors. We register two devices at one site, send readings, and take them from
  the answers.
- The end of a range must not be before its beginning, which the OpenAPI document cannot express. Valid requests are
  changed to such a range.
"""

from __future__ import annotations

import time
import uuid

import schemathesis
from hypothesis import strategies
from schemathesis import Case, HookContext
from stack import Service

SITE = f"contract-{uuid.uuid4()}"
METRIC = "temperature"
DEVICES = Service("devices", "operator")
DEVICES.register()


def register() -> str:
    """Registers a device, and returns its id."""
    _, registered = DEVICES.ask("POST", "/devices", {"model": "contract", "site": SITE})
    return registered["id"]


def send(device: str) -> str:
    """Sends three readings, and returns the consistency token."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    readings = [{"seq": seq, "at": at, "metric": METRIC, "value": seq / 2} for seq in (1, 2, 4)]
    headers, _ = DEVICES.ask("POST", f"/devices/{device}/readings", {"epoch": 1, "readings": readings})
    return headers["Consistency-Token"]


DEVICE = register()
OTHER = register()
TOKEN = send(DEVICE)


def cursor_of(path: str) -> str:
    """The cursor of a list's second page, which may take a moment until it is projected."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        _, page = DEVICES.ask("GET", path)
        if page.get("nextCursor"):
            return page["nextCursor"]
    raise SystemExit(f"{path} had no second page within a minute.")


# For each list: its parameters and a cursor.
CURSORS = {
    "/devices/{id}/timeline": (
        {"id": DEVICE},
        {"metric": METRIC},
        cursor_of(f"/devices/{DEVICE}/timeline?metric={METRIC}&limit=1"),
    ),
    "/sites/{site}/devices": ({"site": SITE}, {}, cursor_of(f"/sites/{SITE}/devices?limit=1")),
}
schemathesis.openapi.format("consistency-token", strategies.sampled_from([TOKEN]))
schemathesis.openapi.format("cursor", strategies.sampled_from([cursor for *_, cursor in CURSORS.values()]))


@schemathesis.hook
def map_case(context: HookContext, case: Case) -> Case:
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return case
    if "cursor" in case.query:
        parameters, query, cursor = CURSORS[case.path]
        case.path_parameters.update(parameters)
        case.query = {"limit": case.query.get("limit", 1), **query, "cursor": cursor}
    if {"from", "to"} <= case.query.keys():
        case.query |= {"from": "2026-11-28", "to": "2026-11-29T12:00:00Z"}
    if "Consistency-Token" in case.headers:
        case.headers["Consistency-Token"] = TOKEN
    return case
