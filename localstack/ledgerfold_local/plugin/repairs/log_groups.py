"""LocalStack writes to `/aws/lambda/<function>` even if the function's LoggingConfig names another log group."""

from __future__ import annotations


def honour_logging_config() -> None:
    from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment

    default_group = ExecutionEnvironment.get_log_group_name

    def get_log_group_name(self: ExecutionEnvironment) -> str:
        configured = self.function_version.config.logging_config.get("LogGroup")
        return configured or default_group(self)

    ExecutionEnvironment.get_log_group_name = get_log_group_name
