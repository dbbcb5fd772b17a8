"""`try`: sends the examples of an OpenAPI document to the local cloud, and prints the answers.

Commands come first, creations before changes of what was created. Queries get the newest consistency token of their
resource, so they show the commands.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledgerfold_local.errors import CliError
from ledgerfold_local.files import read_json
from ledgerfold_local.layout import Layout

SECONDS = 30
MALFORMED = "has no OpenAPI document: run the program <context>-admin generate."
# A rule of the domain may refuse an example in the state that earlier examples left.
REFUSED = 409


@dataclass(frozen=True)
class Example:
    method: str
    path: str
    """With parameters in braces."""
    body: Any
    parameters: list[dict[str, Any]]

    @property
    def collection(self) -> str:
        """The part of the path before its first parameter: `/orders` for `/orders/{id}/pay`."""
        return self.path.split("/{")[0]

    @property
    def order(self) -> tuple[bool, int]:
        return self.method != "POST", self.path.count("{")


@dataclass
class Created:
    """The resources that the examples have created, by collection."""

    ids: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)


def examples(document: dict[str, Any]) -> Iterator[Example]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            parameters = [each for each in operation.get("parameters", []) if "in" in each]
            yield Example(method.upper(), path, content.get("example"), parameters)


def run(layout: Layout, document: Path, context: str | None) -> int:
    """Returns the exit code: 0 if every example was answered, or refused by a rule of the domain."""
    stack = read_json(layout.stack)
    if stack is None:
        raise CliError("No local cloud is running with a stack: run `up` first.")
    contexts = stack["contexts"]
    if context is None and len(contexts) > 1:
        raise CliError(f"Several contexts are deployed; choose one with --context: {', '.join(contexts)}.")
    name = context or next(iter(contexts))
    if name not in contexts:
        raise CliError(f"The context {name} is not deployed; these are: {', '.join(contexts)}.")
    content = read_json(document)
    if not isinstance(content, dict) or "paths" not in content:
        raise CliError(f"{document} {MALFORMED}")
    created, failed = Created(), 0
    for example in sorted(examples(content), key=lambda each: each.order):
        failed += not send(contexts[name]["api"], example, created, layout.caller())
    return 1 if failed else 0


def send(api: str, example: Example, created: Created, token: str | None = None) -> bool:
    path = filled(example, created)
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if example.method == "POST":
        headers |= {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    elif example.collection in created.tokens:
        headers["Consistency-Token"] = created.tokens[example.collection]
    body = None if example.body is None else json.dumps(example.body).encode()
    request = urllib.request.Request(api + path, data=body, headers=headers, method=example.method)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            status, text, answered = answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        status, text, answered = error.code, error.read().decode(), error.headers
    except OSError as error:
        raise CliError(f"{api} does not answer: {error}") from None
    print(f"{example.method} {path}{'' if body is None else ' ' + body.decode()}\n  {status} {text}")
    remember(example, text, answered.get("Consistency-Token"), created)
    return status < 400 or status == REFUSED


def remember(example: Example, text: str, token: str | None, created: Created) -> None:
    if example.method != "POST" or token is None:
        return
    created.tokens[example.collection] = token
    if "{" not in example.path:
        created.ids[example.collection] = json.loads(text)["id"]


def filled(example: Example, created: Created) -> str:
    """The path and the query of an example, with its parameters. The first parameter names the created resource."""
    path, query = example.path, {}
    for parameter in example.parameters:
        value = parameter.get("example")
        if parameter["in"] == "query" and value is not None:
            query[parameter["name"]] = value
        if parameter["in"] == "path":
            place = f"{{{parameter['name']}}}"
            is_first = path.index(place) == path.find("{")
            known = created.ids.get(example.collection) if is_first and "{" in path else None
            path = path.replace(place, urllib.parse.quote(str(known or value or "example"), safe=""))
    return path + (f"?{urllib.parse.urlencode(query)}" if query else "")
