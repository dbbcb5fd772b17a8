"""Short cuts between the parts of LocalStack, which otherwise talk to each other through HTTP clients and its gateway.

LocalStack is one Python process, and one thread of it runs at a time. A rule that sends an event to a queue, a mapping
that polls a queue or invokes a function: each was a signed request that the same process then parsed, routed, answered
and parsed again. That was two thirds of all its work. Each module here replaces one such request by a call of the same
provider method, and keeps the caller's code, its retries and its errors as they are. A function notices nothing.
"""

from __future__ import annotations

from localstack.runtime import hooks

from ledgerfold_local.plugin.shortcuts.switch import shortcuts_are_on


@hooks.on_infra_start()
def take_shortcuts() -> None:
    if not shortcuts_are_on():
        return
    from ledgerfold_local.plugin.shortcuts import (
        alarms,
        clock,
        deployments,
        function_logs,
        invocations,
        mappings,
        memory,
        rules,
    )

    rules.deliver_to_queues_directly()
    rules.compile_patterns_once()
    mappings.poll_directly()
    invocations.invoke_directly()
    function_logs.write_directly()
    alarms.evaluate_none()
    clock.shorten_minutes()
    deployments.look_often()
    deployments.sign_addresses_with_one_client()
    deployments.read_regions_once()
    memory.collect_seldom()
