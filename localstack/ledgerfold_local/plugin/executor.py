"""The runtime executor `process` for LocalStack (LAMBDA_RUNTIME_EXECUTOR).

It runs a function's `bootstrap` as a child process, while LocalStack's own executor needs Docker. LocalStack creates
one executor per execution environment and uses it for one invocation at a time.
"""

from __future__ import annotations

import os
from pathlib import Path

from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from ledgerfold_local.function_log import FunctionLog
from ledgerfold_local.plugin.environment import Function, Slot
from ledgerfold_local.plugin.shortcuts.tables import table_variables
from ledgerfold_local.plugin.variables import function_variables
from ledgerfold_local.reaper import Reaper

LOOPBACK = "127.0.0.1"
REAPER = Reaper()


class ProcessExecutor(RuntimeExecutor):
    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id, function_version)
        self._slot: Slot | None = None

    def start(self, env_vars: dict[str, str]) -> None:
        configuration = self.function_version.config
        identity = self.function_version.id
        code = Path(configuration.code.get_unzipped_code_location())
        function = Function(
            identity.function_name, identity.qualifier, code, configuration.memory_size, configuration.timeout
        )
        configured = dict(configuration.environment or {})
        folder = os.environ.get("LEDGERFOLD_FUNCTION_LOGS")
        self._slot = Slot(
            function,
            lambda address: function_variables({**env_vars, **table_variables()}, configured, code, address),
            FunctionLog(Path(folder) if folder else None, function.name, self.id),
            REAPER,
        )
        self._slot.start()

    def stop(self) -> None:
        if self._slot:
            self._slot.stop()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        assert self._slot is not None, "LocalStack starts an executor before it invokes it"
        request_id = payload["invoke-id"]
        result = self._slot.invoke(
            request_id,
            payload["payload"].encode(),
            payload["invoked-function-arn"],
            payload["trace-id"],
        )
        return InvocationResult(request_id, result.payload, is_error=result.failed, logs=result.log)

    def get_logs(self) -> str:
        """Returns nothing. LocalStack calls it for invocations without lines, but each has at least START."""
        return ""

    def get_address(self) -> str:
        return LOOPBACK

    def get_endpoint_from_executor(self) -> str:
        """The host in the function's AWS_ENDPOINT_URL, which every AWS SDK uses."""
        return LOOPBACK

    def get_runtime_endpoint(self) -> str:
        """Returns nothing. Only the start program in LocalStack's containers needs it."""
        return ""

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Keeps the unpacked code, because the next version may run from the same folder.

        LocalStack removes the code itself when no version uses it.
        """


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    name = "process"

    def load(self, *args: object, **kwargs: object) -> type[RuntimeExecutor]:  # noqa: ARG002
        return ProcessExecutor
