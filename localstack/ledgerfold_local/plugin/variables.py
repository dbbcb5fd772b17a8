"""The environment variables of a function: Lambda's and its own, but none of the shell's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# As in Lambda's `provided` runtimes, except LD_LIBRARY_PATH, which would hide this machine's own libraries.
FIXED = {
    "LANG": "en_US.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "TZ": ":UTC",
}
KEPT = ("_HANDLER", "TZ")


def function_variables(
    given: Mapping[str, object], configured: Mapping[str, str], task_root: Path, runtime_api: str
) -> dict[str, str]:
    """Builds the variables. Of those that LocalStack has `given`, some are only for its containers and are left out."""
    lambdas = {name: str(value) for name, value in given.items() if name.startswith("AWS_") or name in KEPT}
    return {
        **FIXED,
        **lambdas,
        "LAMBDA_TASK_ROOT": str(task_root),
        **configured,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
    }
