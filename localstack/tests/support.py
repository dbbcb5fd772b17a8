"""Shared helpers of the tests."""

from __future__ import annotations

import importlib.util
import io
import os
import signal
import sys
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

HERE = Path(__file__).resolve().parent
RUNTIME = HERE / "fake_runtime.py"


def can_import(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # The module's parent does not exist.
        return False


# The plugins need LocalStack and its Python. In the root of this repository, any Python finds the folder `localstack`.
WITH_LOCALSTACK = can_import("localstack.runtime")
needs_localstack = unittest.skipUnless(WITH_LOCALSTACK, "needs LocalStack's environment")


class TestCase(unittest.TestCase):
    """A test with its own temporary folder."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        # Shells start background jobs with SIGINT ignored, and Python keeps that.
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def wait_for(self, condition: Callable[[], object], seconds: float = 5.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, "the condition was not met in time")
            time.sleep(0.01)

    def patch(self, patch: Any) -> Any:
        """Applies a patch until the end of the test."""
        self.addCleanup(patch.stop)
        return patch.start()


class SetupTestCase(TestCase):
    """A test of the set-up, with its own home and tools, and with no programs on the path."""

    def setUp(self) -> None:
        super().setUp()
        self.tools = self.folder / "tools"
        self.path = self.folder / "path"
        self.path.mkdir()
        environment = {
            "PATH": str(self.path),
            "HOME": str(self.folder / "home"),
            "LEDGERFOLD_TOOLS": str(self.tools),
        }
        self.patch(mock.patch.dict(os.environ, environment, clear=True))
        self.patch(mock.patch.object(sys, "executable", str(self.path / "this-python")))
        self.patch(mock.patch.object(sys, "stdout", io.StringIO()))  # The steps of the set-up.

    def program(self, name: str, text: str) -> str:
        return str(self.write(name, text, 0o755))


def is_running(pid: int) -> bool:
    from ledgerfold_local.processes import start_time

    return start_time(pid) is not None
