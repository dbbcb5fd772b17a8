"""Every invocation of a function also writes metrics, through two more requests and a database file.

Nothing reads them here, as alarms are for AWS, and they cost a good part of the throughput.
"""

from __future__ import annotations


def spare_invocation_metrics() -> None:
    from localstack.services.lambda_.invocation import version_manager

    def record_nothing(**_kwargs: str) -> None:
        pass

    version_manager.record_cw_metric_invocation = record_nothing
    version_manager.record_cw_metric_error = record_nothing
