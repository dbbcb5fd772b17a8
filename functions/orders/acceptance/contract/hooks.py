"""Hooks for Schemathesis, so that it also generates requests that the service must accept.

- Only the service can issue tokens and cursors. We place two orders and take them from the answers.
- Some rules connect two parameters or two fields, which the OpenAPI document cannot express. Valid requests are
  changed to follow them; requests that are meant to be invalid stay unchanged.
"""

from __future__ import annotations

import datetime
import uuid

import schemathesis
from hypothesis import strategies
from schemathesis import Case, HookContext
from stack import Service

CUSTOMER = f"contract-{uuid.uuid4()}"
DAYS = datetime.timedelta(days=365)
ORDERS = Service("orders", "staff")
ORDERS.register()


def place() -> tuple[str, str]:
    """Places an order, and returns its id and the consistency token."""
    price = {"amount": 450, "currency": "EUR"}
    items = [{"sku": "tea", "quantity": 1, "unitPrice": price}]
    headers, placed = ORDERS.ask("POST", "/orders", {"customerId": CUSTOMER, "items": items})
    return placed["id"], headers["Consistency-Token"]


ORDER, TOKEN = place()
ORDERS.ask("POST", f"/orders/{ORDER}/pay", {"paymentReference": "contract", "amount": {"amount": 450, "currency": "EUR"}})
OTHER, OTHER_TOKEN = place()


def cursors() -> dict[str, tuple[str, str, str]]:
    """For each list: its path parameter, the value of that parameter, and a cursor."""
    _, events = ORDERS.ask("GET", f"/orders/{ORDER}/events?limit=1")
    # Waits until both orders are in the list, which happens after they are projected.
    deadline = datetime.datetime.now() + datetime.timedelta(minutes=1)
    while datetime.datetime.now() < deadline:
        _, orders = ORDERS.ask("GET", f"/customers/{CUSTOMER}/orders?limit=1")
        if orders["nextCursor"]:
            return {
                "/orders/{id}/events": ("id", ORDER, events["nextCursor"]),
                "/customers/{customerId}/orders": ("customerId", CUSTOMER, orders["nextCursor"]),
            }
    raise SystemExit("Two placed orders did not appear in their customer's list within a minute.")


CURSORS = cursors()
schemathesis.openapi.format("consistency-token", strategies.sampled_from([TOKEN, OTHER_TOKEN]))
schemathesis.openapi.format("cursor", strategies.sampled_from([cursor for _, _, cursor in CURSORS.values()]))


@schemathesis.hook
def map_case(context: HookContext, case: Case) -> Case:
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return case
    if case.path in CURSORS and "cursor" in case.query:
        parameter, owner, cursor = CURSORS[case.path]
        case.path_parameters[parameter] = owner
        case.query["cursor"] = cursor
    if "Consistency-Token" in case.headers:
        case.headers["Consistency-Token"] = TOKEN
    if {"version", "at"} <= case.query.keys():
        del case.query["at"]
    if {"from", "to"} <= case.query.keys():
        case.query["to"] = within_a_year(case.query["from"], case.query["to"])
    if case.path == "/orders" and case.method == "POST":
        one_currency(case.body)
    return case


def within_a_year(first: str, last: str) -> str:
    span = datetime.date.fromisoformat(last) - datetime.date.fromisoformat(first)
    return last if datetime.timedelta() <= span <= DAYS else first


def one_currency(order: dict) -> None:
    for item in order["items"]:
        item["unitPrice"]["currency"] = order["items"][0]["unitPrice"]["currency"]
