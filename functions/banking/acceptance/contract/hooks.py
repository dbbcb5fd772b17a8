"""Hooks for Schemathesis, so that it also generates requests that the service must accept.

- Only the service can issue tokens and cursors. We open two accounts of one owner and take them from the answers.
- A transfer and a capture need two different accounts, which the OpenAPI document cannot express. Valid requests are
  changed to name two; requests that are meant to be invalid stay unchanged.
"""

from __future__ import annotations

import time
import uuid

import schemathesis
from hypothesis import strategies
from schemathesis import Case, HookContext
from stack import Service

OWNER = f"contract-{uuid.uuid4()}"
BANKING = Service("banking", "manager")
BANKING.register()
EUROS = {"amount": 100_000_000, "currency": "EUR"}
LITTLE = {"amount": 10, "currency": "EUR"}


def open_account() -> tuple[str, str]:
    """Opens an account with money, and returns its id and the consistency token."""
    _, opened = BANKING.ask("POST", "/accounts", {"ownerId": OWNER, "currency": "EUR"})
    account = opened["id"]
    headers, _ = BANKING.ask("POST", f"/accounts/{account}/deposit", {"amount": EUROS, "reference": "contract"})
    return account, headers["Consistency-Token"]


def hold(account: str) -> None:
    body = {"amount": LITTLE, "reference": "contract", "expiresIn": 86_400}
    BANKING.ask("POST", f"/accounts/{account}/holds", body)


ACCOUNT, TOKEN = open_account()
OTHER, OTHER_TOKEN = open_account()
MONTH = time.strftime("%Y-%m", time.gmtime())
BANKING.ask("POST", "/transfers", {"from": ACCOUNT, "to": OTHER, "amount": LITTLE, "reference": "contract"})
hold(ACCOUNT)
hold(ACCOUNT)


def cursor_of(path: str) -> str:
    """The cursor of a list's second page, which may take a moment until it is projected."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        _, page = BANKING.ask("GET", f"{path}?limit=1")
        if page.get("nextCursor"):
            return page["nextCursor"]
    raise SystemExit(f"{path} had no second page within a minute.")


# For each list: its path parameters and a cursor.
CURSORS = {
    "/accounts/{id}/entries": ({"id": ACCOUNT}, cursor_of(f"/accounts/{ACCOUNT}/entries")),
    "/accounts/{id}/statements/{month}": (
        {"id": ACCOUNT, "month": MONTH},
        cursor_of(f"/accounts/{ACCOUNT}/statements/{MONTH}"),
    ),
    "/accounts/{id}/holds": ({"id": ACCOUNT}, cursor_of(f"/accounts/{ACCOUNT}/holds")),
    "/owners/{ownerId}/accounts": ({"ownerId": OWNER}, cursor_of(f"/owners/{OWNER}/accounts")),
}
schemathesis.openapi.format("consistency-token", strategies.sampled_from([TOKEN, OTHER_TOKEN]))
schemathesis.openapi.format("cursor", strategies.sampled_from([cursor for _, cursor in CURSORS.values()]))


@schemathesis.hook
def map_case(context: HookContext, case: Case) -> Case:
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return case
    if "cursor" in case.query:
        if case.path in CURSORS:
            parameters, cursor = CURSORS[case.path]
            case.path_parameters.update(parameters)
            case.query["cursor"] = cursor
        else:
            del case.query["cursor"]
    if "Consistency-Token" in case.headers:
        case.headers["Consistency-Token"] = TOKEN
    if {"version", "at"} <= case.query.keys():
        del case.query["at"]
    if case.path == "/transfers" and case.method == "POST":
        case.body |= {"from": ACCOUNT, "to": OTHER}
    if case.path.endswith("/capture"):
        case.body["to"] = ACCOUNT if case.path_parameters["id"] == OTHER else OTHER
    return case
