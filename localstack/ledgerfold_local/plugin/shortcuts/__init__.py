"""Short cuts between the parts of LocalStack.

LocalStack is one Python process, and one thread of it runs at a time. When a rule sends an event to a queue, or a
mapping polls a queue and invokes a function, LocalStack signs a request and sends it to itself; the same process then
parses, routes and answers it, and parses the answer. Two thirds of its work are such requests. Each module here
replaces one kind of them with a call of the same provider method. The caller's code, its retries and its errors stay
as they are, and a function sees no difference.

`repairs/` is for defects of LocalStack. A short cut changes no result.
"""

from __future__ import annotations

from localstack.runtime import hooks

from ledgerfold_local.switches import shortcuts_are_on


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
