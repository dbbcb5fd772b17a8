"""Short cuts between the parts of LocalStack.

LocalStack is one Python process, and only one of its threads runs at a time. When a rule sends an event to a queue, or
a mapping polls a queue and invokes a function, LocalStack signs a request and sends it to itself. The same process then
parses, routes and answers the request, and parses the answer. Such requests are two thirds of its work. Each module
here replaces one kind of them with a direct call of the same provider method. The caller's code, retries and errors
stay the same, and functions see no difference.

A short cut never changes a result. Fixes for defects of LocalStack are in `repairs/`.
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
    alarms.disable_evaluation()
    clock.shorten_minutes()
    deployments.poll_often()
    deployments.sign_addresses_with_one_client()
    deployments.read_regions_once()
    memory.collect_rarely()
