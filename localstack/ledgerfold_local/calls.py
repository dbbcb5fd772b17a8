"""A call that works. `up` prints it, so that a user can send the first request at once."""

from __future__ import annotations

import json
import shlex
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ledgerfold_local.examples import Created, Example, examples, filled
from ledgerfold_local.files import read_json


def ready_call(stack: dict[str, Any], project: Path, token: str | None) -> str:
    """A sentence, and a call of the first context with curl."""
    name, context = next(iter(stack["contexts"].items()))
    roles = ", ".join(example_roles(project, [name])) or "none"
    caller = f" as a caller of the tenant default (roles: {roles}); the token holds for a day" if token else ""
    words = curl(context["api"], first_example(project, name), token)
    return f"\nCall {name}{caller}:\n\n{shlex.join(words)}\n"


def example_roles(project: Path, contexts: Iterable[str]) -> list[str]:
    """The roles that the OpenAPI documents of these contexts name for their examples."""
    found: set[str] = set()
    for document in (document for context in contexts for document in documents(project, context)):
        schemes = document.get("components", {}).get("securitySchemes", {})
        found.update(schemes.get("bearer", {}).get("x-example-roles", []))
    return sorted(found)


def first_example(project: Path, context: str) -> Example | None:
    """The first example of the context's OpenAPI document that needs no resource, best a command."""
    known = (example for document in documents(project, context) for example in examples(document))
    usable = [example for example in known if "{" not in example.path]
    return min(usable, key=lambda example: example.order, default=None)


def documents(project: Path, context: str) -> Iterator[dict[str, Any]]:
    for path in (project / "functions" / context / "openapi.json", project / "openapi.json"):
        document = read_json(path)
        if document and "paths" in document:
            yield document


def curl(api: str, example: Example | None, token: str | None) -> list[str]:
    words = ["curl", "--include"]
    if token:
        words += ["--header", f"Authorization: Bearer {token}"]
    if example is None:
        return [*words, api]
    if example.method == "POST":
        words += ["--header", "Content-Type: application/json", "--header", f"Idempotency-Key: {uuid.uuid4()}"]
        words += ["--data", json.dumps(example.body or {})]
    return [*words, api + filled(example, Created())]
