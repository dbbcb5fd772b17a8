"""LocalStack writes metrics for each invocation, with two more requests and a database file.

Nothing reads them here, because only AWS evaluates alarms, and they reduce the throughput considerably.
"""

from __future__ import annotations


def skip_invocation_metrics() -> None:
    from localstack.services.lambda_.invocation import version_manager

    def record_nothing(**_kwargs: str) -> None:
        pass

    version_manager.record_cw_metric_invocation = record_nothing
    version_manager.record_cw_metric_error = record_nothing
