"""Defects of LocalStack 4.14.0 that the pipeline meets, each mended in a file of its own that says why.

4.14.0 is frozen, so nobody else will. A repair replaces as little as possible and is applied while LocalStack starts.
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

    children.end_with_localstack()
    isolation.listen_where_told()
    isolation.keep_files_in_own_folder()
    metrics.spare_invocation_metrics()
    gateway_responses.import_them()
    gateway_responses.apply_them()
    replay.keep_times_as_times()
    replay.reach_only_rules_that_are_named()
    log_groups.honour_logging_config()
    positions.keep_positions()
    if os.environ.get("LEDGERFOLD_DYNAMODB_HOME"):  # In Docker, LocalStack's image brings its own.
        dynamodb.use_bundled(os.environ["LEDGERFOLD_DYNAMODB_HOME"], os.environ["LEDGERFOLD_JAVA"])
        dynamodb.start_early()
