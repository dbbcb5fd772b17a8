"""Writes a function's lines directly into their log group, without a request for each invocation.

Metric filters of the log group do not see these lines. Only AWS needs metrics and alarms.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

LOG = logging.getLogger(__name__)
# Prevents two environments of a function from creating its log group concurrently.
GROUP_LOCK = threading.Lock()


def write_directly() -> None:
    from localstack.services.lambda_.invocation import logs
    from localstack.utils.aws.arns import extract_account_id_from_arn
    from moto.logs.models import logs_backends

    def run_log_loop(self: logs.LogHandler, *_arguments: Any, **_options: Any) -> None:
        groups = logs_backends[extract_account_id_from_arn(self.role_arn)][self.region]
        while (item := self.log_queue.get()) is not logs.QUEUE_SHUTDOWN:
            try:
                write(groups, item.log_group, item.log_stream, item.logs)
            except Exception as error:  # The function's log file still has the lines.
                LOG.warning("Lines for log group %s could not be written: %s", item.log_group, error)

    logs.LogHandler.run_log_loop = run_log_loop


def write(groups: Any, group: str, stream: str, text: str) -> None:
    """Writes the lines of an invocation, all with the time of its end. Creates the group and the stream if needed."""
    with GROUP_LOCK:
        groups.ensure_log_group(group)
        groups.ensure_log_stream(group, stream)
    now = int(time.time() * 1000)
    lines = [line for line in text.split("\n") if line]  # CloudWatch rejects empty lines.
    groups.put_log_events(group, stream, [{"timestamp": now, "message": f"{line}\n"} for line in lines])
