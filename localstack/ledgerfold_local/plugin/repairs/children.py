"""LocalStack starts DynamoDB Local in a session of its own, so it would survive a killed LocalStack."""

from __future__ import annotations

import subprocess
from typing import Any


def end_with_localstack() -> None:
    from localstack.utils import run as commands

    from ledgerfold_local.plugin.executor import REAPER

    run = commands.run
    run_to_the_end = commands.ShellCommandThread.do_run_cmd

    def run_and_watch(*arguments: Any, **options: Any) -> Any:
        started = run(*arguments, **options)
        if isinstance(started, subprocess.Popen):
            REAPER.watch(started.pid)  # The leader of a session also leads a process group with this id.
        return started

    def run_to_the_end_and_forget(self: commands.ShellCommandThread) -> None:
        run_to_the_end(self)
        if self.process:
            REAPER.forget(self.process.pid)

    commands.run = run_and_watch
    commands.ShellCommandThread.do_run_cmd = run_to_the_end_and_forget
