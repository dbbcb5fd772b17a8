"""The environment variables that a function sees: Lambda's and its own, nothing of the shell that started it all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# As in Lambda's `provided` runtimes. LD_LIBRARY_PATH is left out: this machine's loader knows its own libraries better.
FIXED = {
    "LANG": "en_US.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "TZ": ":UTC",
}
KEPT = ("_HANDLER", "TZ")


def function_variables(
    given: Mapping[str, object], configured: Mapping[str, str], task_root: Path, runtime_api: str
) -> dict[str, str]:
    """Chooses from the variables that LocalStack has `given`. Some are for its own start program in a container."""
    lambdas = {name: str(value) for name, value in given.items() if name.startswith("AWS_") or name in KEPT}
    return {
        **FIXED,
        **lambdas,
        "LAMBDA_TASK_ROOT": str(task_root),
        **configured,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
    }
