"""Fixes for defects of LocalStack 4.14.0 that affect the pipeline. Each has its own file, which explains the defect.

Version 4.14.0 is frozen, so LocalStack will not fix them. Each fix replaces as little as possible, and is applied while
LocalStack starts.
"""

from __future__ import annotations

import os

from localstack.runtime import hooks


@hooks.on_infra_start()
def apply_repairs() -> None:
    from ledgerfold_local.plugin.repairs import (
        children,
        dynamodb,
        gateway_responses,
        isolation,
        log_groups,
        metrics,
        positions,
        replay,
    )
    from ledgerfold_local.plugin.threads import join_finished_threads

    join_finished_threads()
    children.end_with_localstack()
    isolation.listen_on_configured_host()
    isolation.keep_s3_files_in_temporary_folder()
    metrics.skip_invocation_metrics()
    gateway_responses.import_responses()
    gateway_responses.apply_responses()
    replay.convert_event_times()
    replay.deliver_to_named_rules_only()
    log_groups.honour_logging_config()
    positions.keep_positions()
    if os.environ.get("LEDGERFOLD_DYNAMODB_HOME"):  # LocalStack's Docker image contains its own.
        dynamodb.use_bundled(os.environ["LEDGERFOLD_DYNAMODB_HOME"], os.environ["LEDGERFOLD_JAVA"])
        dynamodb.start_early()
