"""Alarms are kept and described, and never evaluated: nothing here feeds a metric to them.

LocalStack evaluated each when it was made and every few minutes from then on, with three requests. A context has fifty.
"""

from __future__ import annotations


def evaluate_none() -> None:
    from localstack.services.cloudwatch.alarm_scheduler import AlarmScheduler

    def schedule_nothing(_self: AlarmScheduler, alarm_arn: str) -> None:
        pass

    AlarmScheduler.schedule_metric_alarm = schedule_nothing
