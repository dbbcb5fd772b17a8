"""The templates of a project: one for the platform, and one for each bounded context beside it."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledgerfold_local import template
from ledgerfold_local.errors import CliError
from ledgerfold_local.stack import PLATFORM, STAGE, stack_name

# The templates that contexts share. The local cloud encrypts nothing, so it needs no key.
SHARED = (PLATFORM, "key")
ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Infra:
    """The folder with the templates."""

    folder: Path

    def contexts(self, named: Sequence[str] = ()) -> list[str]:
        """The named contexts, or all of them. A context has the name of its file."""
        if not self.file(PLATFORM).is_file():
            raise CliError(
                f"{self.file(PLATFORM)} does not exist: run this in a project that has templates, "
                "or name one with --project or --infra."
            )
        known = sorted(path.stem for path in self.folder.glob("*.yaml") if path.stem not in SHARED)
        if not known:
            raise CliError(f"{self.folder} contains no context: it needs a template beside platform.yaml.")
        if unknown := sorted(set(named) - set(known)):
            raise CliError(f"No context is named {', '.join(unknown)}. {self.folder} contains {', '.join(known)}.")
        return sorted(set(named)) or known

    def file(self, name: str) -> Path:
        return self.folder / f"{name}.yaml"

    def load(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The templates by name."""
        return {name: template.load(self.file(name)) for name in names}


def local_parameters(
    templates: dict[str, dict[str, Any]], asked: dict[str, str], issuer: dict[str, str]
) -> dict[str, str]:
    """The parameters of the local stacks, with those of the local issuer, unless other ones are requested. At least one
    template must declare each requested parameter."""
    machine = platform.machine().lower()
    if machine not in ARCHITECTURES:
        raise CliError(f"Lambda does not support functions for {machine}.")
    # The platform's stack has the same name in every local cloud.
    known = {name for document in templates.values() for name in template.parameters(document)} - {"Platform"}
    if unknown := sorted(asked.keys() - known):
        raise CliError(
            f"No template has a parameter named {', '.join(unknown)}. The parameters are {', '.join(sorted(known))}."
        )
    return {
        "Platform": stack_name(PLATFORM),
        "Stage": STAGE,
        "Architecture": ARCHITECTURES[machine],
        # SQS delivers the messages of a killed projector again after six times this value.
        "ProjectorTimeout": "5",
        # Short, because a developer waits for the retry after a fix.
        "RetryEvery": "1 minute",
        # Short, because a developer waits for the certificate of an erasure.
        "KeyCacheSeconds": "2",
        **issuer,
        **asked,
    }
