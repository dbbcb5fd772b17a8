"""Tests that the output of MiniStack's functions is in files, above all the output of one that does not start."""

from __future__ import annotations

import subprocess
import sys
import unittest
from pathlib import Path

from ledgerfold_local import layout
from ledgerfold_local.setup.emulators import environment_of
from support import TestCase

# Invokes a function whose bootstrap is the second argument.
INVOKE = """
import io, pathlib, sys, zipfile
from ledgerfold_local.ministack_process import keep_output
keep_output(pathlib.Path(sys.argv[1]))
from ministack.core.lambda_runtime import ProvidedWorker
code = io.BytesIO()
with zipfile.ZipFile(code, "w") as archive:
    archive.writestr("bootstrap", sys.argv[2])
arn = "arn:aws:lambda:us-east-1:000000000000:function:relay"
worker = ProvidedWorker("relay", {"FunctionName": "relay", "FunctionArn": arn, "Timeout": 5}, code.getvalue())
try:
    print(worker.invoke({}, "id-1")["status"])
except RuntimeError:
    print("raised")
"""

# As much of MiniStack's worker as this test needs. It drops the output of a function that does not start.
FAKE_WORKER = """
import io, pathlib, queue, subprocess, tempfile, threading, zipfile
class ProvidedWorker:
    def __init__(self, func_name, config, code_zip):
        self.func_name, self.code_zip = func_name, code_zip
    def _pump_output(self, stream, log_queue):
        for line in iter(stream.readline, b""):
            log_queue.put(line)
        stream.close()
    def invoke(self, event, request_id, *, trace_id=None):
        program = pathlib.Path(tempfile.mkdtemp()) / "bootstrap"
        program.write_bytes(zipfile.ZipFile(io.BytesIO(self.code_zip)).read("bootstrap"))
        program.chmod(0o755)
        process = subprocess.Popen([program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        pump = threading.Thread(target=self._pump_output, args=(process.stdout, queue.Queue()))
        pump.start()
        pump.join()
        raise RuntimeError(f"bootstrap exited during init with code {process.wait()}: and its output")
"""


class MiniStackTest(TestCase):
    def lines(self, python: str, path: str) -> list[str]:
        bootstrap = "#!/bin/sh\necho EVENT_TABLE is missing >&2\nexit 3\n"
        logs = self.folder / "logs"
        environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": path, "TMPDIR": str(self.folder)}
        done = subprocess.run(
            [python, "-c", INVOKE, str(logs), bootstrap], env=environment, capture_output=True, text=True, timeout=60
        )
        self.assertIn("raised", done.stdout.splitlines(), done.stderr)
        return (logs / "relay.log").read_text().splitlines()

    def check(self, lines: list[str]) -> None:
        self.assertEqual(
            [line.split(" ", 2)[2].partition(": and")[0] for line in lines[:2]],
            ["START RequestId: id-1", "EVENT_TABLE is missing"],
        )
        self.assertRegex(lines[2], "id-1 bootstrap exited during init with code 3")
        self.assertRegex(lines[0], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [0-9a-f]{8} ")
        self.assertEqual(len({line.split(" ")[1] for line in lines}), 1, "all lines are of one environment")

    def test_the_output_of_a_function_that_does_not_start_is_in_its_file(self) -> None:
        for module in ("ministack/__init__.py", "ministack/core/__init__.py"):
            self.write(f"fake/{module}", "")
        self.write("fake/ministack/core/lambda_runtime.py", FAKE_WORKER)
        self.check(self.lines(sys.executable, f"{self.folder / 'fake'}:{layout.ISOLATED}"))

    def test_ministack_itself_behaves_as_the_fake(self) -> None:
        facts = environment_of("ministack").facts()
        if not facts or not Path(facts["python"]).exists():
            raise unittest.SkipTest("needs MiniStack's environment")
        self.check(self.lines(facts["python"], str(layout.ISOLATED)))
