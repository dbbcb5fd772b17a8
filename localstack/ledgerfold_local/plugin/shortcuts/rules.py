"""Lets rules of a bus put matching events into queues without the gateway, and compiles their patterns once."""

from __future__ import annotations

import functools
from typing import Any

from ledgerfold_local.plugin.shortcuts.queues import QueueClient


def deliver_to_queues_directly() -> None:
    from localstack.services.events.target import SqsTargetSender, TargetSenderFactory

    class QueueTargetSender(SqsTargetSender):
        def _initialize_client(self) -> Any:
            if self.target.get("RoleArn"):
                return super()._initialize_client()
            return QueueClient(self.account_id, self.region)

    TargetSenderFactory.register_target_sender("sqs", QueueTargetSender)


def compile_patterns_once() -> None:
    """Caches compiled patterns. LocalStack keeps a pattern as text, and parses and validates it for every event."""
    from localstack.utils import event_matcher

    compiler = event_matcher._event_pattern_compiler
    compile_text = functools.lru_cache(maxsize=512)(compiler.compile_event_pattern)
    compile_any = compiler.compile_event_pattern

    def compile_event_pattern(event_pattern: str | dict) -> dict:
        return compile_text(event_pattern) if isinstance(event_pattern, str) else compile_any(event_pattern)

    compiler.compile_event_pattern = compile_event_pattern
