"""LocalStack stores and describes alarms but does not evaluate them, because there are no metrics here.

Without this short cut, it evaluates each alarm at its creation and every few minutes, with three requests. The template
has many alarms.
"""

from __future__ import annotations


def disable_evaluation() -> None:
    from localstack.services.cloudwatch.alarm_scheduler import AlarmScheduler

    def schedule_nothing(_self: AlarmScheduler, alarm_arn: str) -> None:
        pass

    AlarmScheduler.schedule_metric_alarm = schedule_nothing
