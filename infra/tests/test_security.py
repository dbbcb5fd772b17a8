"""Tests which reports of Checkov are errors."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from security import faults


def check(comment: str = "") -> dict:
    result = {"result": "SKIPPED", "suppress_comment": comment}
    names = {"resource": "AWS::SQS::Queue.Queue", "check_id": "CKV_AWS_27", "check_name": "Is encrypted"}
    return {**names, "check_result": result}


def report(passed: int = 1, parsing_errors: int = 0, **results: list[dict]) -> dict:
    return {"summary": {"passed": passed, "parsing_errors": parsing_errors}, "results": results}


class Security(unittest.TestCase):
    def test_passed_checks_and_reasoned_skips_are_no_errors(self) -> None:
        self.assertEqual(faults(report(skipped_checks=[check("SQS's own key encrypts it.")])), [])

    def test_a_failed_check_is_an_error(self) -> None:
        self.assertEqual(faults(report(failed_checks=[check()])), ["AWS::SQS::Queue.Queue: CKV_AWS_27 Is encrypted"])

    def test_a_skip_needs_a_reason(self) -> None:
        for comment in ("", "  ", "No comment provided"):
            [fault] = faults(report(skipped_checks=[check(comment)]))
            self.assertIn("skipped without a reason", fault)

    def test_a_template_that_was_not_judged_is_an_error(self) -> None:
        for unread in (report(passed=0), report(parsing_errors=1), {"passed": 0, "failed": 0}):
            self.assertEqual(faults(unread), ["no resource was judged"])


if __name__ == "__main__":
    unittest.main()
