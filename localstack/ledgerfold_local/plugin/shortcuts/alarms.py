"""LocalStack keeps and describes alarms, and does not evaluate them: there are no metrics here.

By itself it evaluates each alarm at its creation and every few minutes, with three requests. A context has fifty.
"""

from __future__ import annotations


def evaluate_none() -> None:
    from localstack.services.cloudwatch.alarm_scheduler import AlarmScheduler

    def schedule_nothing(_self: AlarmScheduler, alarm_arn: str) -> None:
        pass

    AlarmScheduler.schedule_metric_alarm = schedule_nothing
