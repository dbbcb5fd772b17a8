"""Judges the templates with Checkov. Every failed check is an error, and so is a skipped check without a reason.

Checkov itself also succeeds if it cannot read a template, or finds no resource in it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

INFRA = Path(__file__).resolve().parent
NO_REASON = ("", "No comment provided")


def report(checkov: str, template: str) -> dict:
    words = ["--framework", "cloudformation", "--file", template, "--config-file", "checkov.yml"]
    # Without `--skip-download` it asks its maker for texts about the checks.
    words += ["--skip-download", "--compact", "--output", "json", "--soft-fail"]
    environment = {**os.environ, "LOG_LEVEL": "ERROR"}
    done = subprocess.run([checkov, *words], cwd=INFRA, capture_output=True, text=True, check=False, env=environment)
    try:
        return json.loads(done.stdout)
    except ValueError:
        sys.exit(f"Checkov did not judge {template}:\n{done.stdout}{done.stderr}")


def faults(found: dict) -> list[str]:
    """The reasons why a template must not stay as it is."""
    summary, results = found.get("summary", found), found.get("results", {})
    wrong = [
        f"{check['resource']}: {check['check_id']} {check['check_name']}" for check in results.get("failed_checks", [])
    ]
    wrong += [
        f"{check['resource']}: {check['check_id']} is skipped without a reason"
        for check in results.get("skipped_checks", [])
        if check["check_result"].get("suppress_comment", "").strip() in NO_REASON
    ]
    if summary.get("parsing_errors") or not summary.get("passed"):
        wrong.append("no resource was judged")
    return wrong


def main(checkov: str, templates: list[str]) -> int:
    failed = False
    for template in templates:
        found = report(checkov, template)
        wrong = faults(found)
        failed = failed or bool(wrong)
        summary = found.get("summary", found)
        passed, skipped = (summary.get(key, 0) for key in ("passed", "skipped"))
        print(f"{template}: {passed} checks passed, {skipped} skipped")
        for line in wrong:
            print(f"{template}: {line}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
