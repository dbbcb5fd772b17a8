"""Tests `up` and `down` with a fake emulator of a few lines of Python."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import signal
import socket
import subprocess
import sys
import warnings
from pathlib import Path
from unittest import mock

from ledgerfold_local import cli, cloud, dynamodb
from ledgerfold_local.emulators import EMULATORS, Emulator
from ledgerfold_local.layout import Layout
from ledgerfold_local.errors import CliError
from support import TestCase, is_running

READY = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"ready": true}')
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
BROKEN = "import sys; sys.exit('component plugins are missing')"


class CloudTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        warnings.simplefilter("ignore", ResourceWarning)  # An emulator outlives the `up` that has started it.
        self.layout = Layout(self.folder / "local")
        self.port = dynamodb.free_port()
        self.said = io.StringIO()
        self.enterContext(contextlib.redirect_stdout(self.said))
        self.addCleanup(cloud.down, self.layout)

    def enterContext(self, context):  # noqa: N802 (unittest has it from Python 3.11 on)
        result = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return result

    def wanted(self, program: str = READY, name: str = "localstack", seconds: float = 10) -> cloud.Wanted:
        emulator = Emulator(
            name=name,
            command=[sys.executable, "-c", program],
            settings=lambda port, _layout: {"PORT": str(port)},
            ready_path="/",
            is_ready=lambda answer: answer["ready"],
            start_seconds=seconds,
        )
        self.enterContext(mock.patch.dict(EMULATORS, {name: emulator}))
        return cloud.Wanted(emulator, self.port, "orders", Path("template.yaml"), Path("functions"))

    def start(self, wanted: cloud.Wanted) -> cloud.Record:
        return cloud.running_or_new(wanted, self.layout, cloud.Steps())

    def test_up_starts_and_down_ends(self) -> None:
        record = self.start(self.wanted())
        self.assertTrue(is_running(record.pid))
        self.layout.stack.write_text("{}")
        self.assertEqual(cloud.status(self.layout), 0)
        cloud.down(self.layout)
        self.assertFalse(is_running(record.pid))
        self.assertFalse(self.layout.stack.exists())
        self.assertFalse(self.layout.work.exists())
        self.assertEqual(cloud.status(self.layout), 1)
        cloud.down(self.layout)
        self.assertIn("No local cloud is running.", self.said.getvalue())

    def test_a_running_emulator_is_reused(self) -> None:
        wanted = self.wanted()
        self.assertEqual(self.start(wanted), self.start(wanted))

    def test_an_error_names_a_running_emulator_with_another_name_or_port(self) -> None:
        wanted = self.wanted()
        self.start(wanted)
        other_port = cloud.Wanted(wanted.emulator, self.port + 1, "orders", wanted.template, wanted.functions)
        for other in (other_port, self.wanted(name="ministack")):
            with self.assertRaisesRegex(CliError, f"localstack is already running on port {self.port}"):
                self.start(other)

    def test_a_dead_emulator_is_started_again(self) -> None:
        wanted = self.wanted()
        first = self.start(wanted)
        os.kill(first.pid, signal.SIGKILL)
        os.waitpid(first.pid, 0)
        self.assertNotEqual(self.start(wanted).pid, first.pid)

    def test_a_start_that_fails_shows_the_last_lines(self) -> None:
        with self.assertRaisesRegex(CliError, "(?s)exited during its start.*component plugins are missing"):
            self.start(self.wanted(BROKEN))
        self.assertIsNone(cloud.Record.read(self.layout))

    def test_a_start_that_takes_too_long_is_ended(self) -> None:
        with self.assertRaisesRegex(CliError, "not ready after"):
            self.start(self.wanted("import time; time.sleep(60)", seconds=0.3))
        self.assertFalse(cloud.Record.read(self.layout).process.is_alive())

    def test_a_port_that_is_taken_is_named_with_the_way_out(self) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", self.port))
            other.listen()
            with self.assertRaisesRegex(CliError, f"port {self.port}: .*PORT="):
                self.start(self.wanted())

    def test_the_emulator_sees_nothing_of_the_shell(self) -> None:
        self.enterContext(mock.patch.dict(os.environ, {"AWS_PROFILE": "production", "AWS_ENDPOINT_URL": "elsewhere"}))
        environment = self.wanted().emulator.environment(self.port, self.layout)
        self.assertNotIn("AWS_PROFILE", environment)
        self.assertNotIn("AWS_ENDPOINT_URL", environment)
        self.assertTrue(environment["TMPDIR"].startswith(str(self.layout.home)))

    def test_a_stack_takes_new_code_but_no_other_template_and_none_after_a_failure(self) -> None:
        record = cloud.Record("localstack", 1, 2, "3")
        for shape, usable, can_update in [
            ("", False, True),  # Nothing is there yet.
            ("same", True, True),
            ("same", False, False),
            ("other", True, False),
            (cloud.UNFINISHED, True, False),
        ]:
            with self.subTest(shape=shape, usable=usable):
                deployment = mock.Mock(shape="same", is_usable=lambda usable=usable: usable)
                self.assertEqual(cloud.can_update(dataclasses.replace(record, shape=shape), deployment), can_update)

    def deployment(self, digest: str) -> mock.Mock:
        outputs = dict.fromkeys(("BusName", "ArchiveName", "ApiId", "ApiStage", "EventTable"), "x")
        return mock.Mock(shape="shape", digest=digest, stack="s", outputs=lambda: outputs, update_code=lambda: 2)

    def test_the_first_deployment_creates_the_next_updates_code_and_the_same_does_nothing(self) -> None:
        wanted, record = self.wanted(), cloud.Record("localstack", self.port, os.getpid(), "never")
        first = self.deployment("one")
        cloud.deploy(wanted, first, record, self.layout, cloud.Steps())
        first.create.assert_called_once()
        self.assertTrue(self.layout.stack.exists())
        second = self.deployment("two")
        for _ in range(2):
            cloud.deploy(wanted, second, cloud.Record.read(self.layout), self.layout, cloud.Steps())
        second.create.assert_not_called()
        self.assertEqual(self.said.getvalue().count("updated the code of 2 functions of s"), 1)

    def test_a_failed_deployment_leaves_no_stack_file_and_is_recorded(self) -> None:
        wanted, record = self.wanted(), cloud.Record("localstack", self.port, os.getpid(), "never")
        self.layout.home.mkdir(exist_ok=True)
        self.layout.stack.write_text("{}")
        failing = self.deployment("one")
        failing.create.side_effect = CliError("no")
        with self.assertRaises(CliError):
            cloud.deploy(wanted, failing, record, self.layout, cloud.Steps())
        self.assertFalse(self.layout.stack.exists())
        self.assertFalse(cloud.can_update(cloud.Record.read(self.layout), self.deployment("one")))

    def test_only_one_up_at_a_time(self) -> None:
        with cloud.locked(self.layout), self.assertRaisesRegex(CliError, "Another"), cloud.locked(self.layout):
            pass

    def test_an_interrupt_waits_until_the_process_is_on_record(self) -> None:
        steps = []
        with self.assertRaises(KeyboardInterrupt), cloud.delayed_interrupts():
            signal.raise_signal(signal.SIGINT)
            steps.append("recorded")
        self.assertEqual(steps, ["recorded"])

    def test_an_interrupt_during_a_start_leaves_no_unrecorded_process(self) -> None:
        def spawn_and_interrupt(*arguments: object, **options: object) -> subprocess.Popen:
            process = popen(*arguments, **options)
            signal.raise_signal(signal.SIGINT)
            return process

        popen = subprocess.Popen
        wanted = self.wanted()
        with mock.patch.object(cloud.subprocess, "Popen", spawn_and_interrupt), self.assertRaises(KeyboardInterrupt):
            self.start(wanted)
        self.assertTrue(cloud.Record.read(self.layout).process.is_alive())

    def test_a_damaged_record_is_ignored(self) -> None:
        for text in ("", "{", "[]", '{"pid": 1}'):
            self.layout.home.mkdir(exist_ok=True)
            self.layout.record.write_text(text)
            self.assertIsNone(cloud.Record.read(self.layout))

    def test_an_error_is_one_sentence(self) -> None:
        with contextlib.redirect_stderr(io.StringIO()) as shown:
            code = cli.main(["up", "--home", str(self.folder), "--template", str(self.folder / "none.yaml")])
        self.assertEqual((code, shown.getvalue()), (1, f"The template {self.folder / 'none.yaml'} does not exist.\n"))


class LogsTest(TestCase):
    def test_lines_of_all_functions_come_in_order_under_their_short_names(self) -> None:
        self.write(
            "stack.json", '{"contexts": {"orders": {"functions": {"relay": "s-Relay-1", "query": "s-Query-2"}}}}'
        )
        self.write("logs/s-Relay-1.log", "2026-01-01T00:00:01Z ab one\n2026-01-01T00:00:03Z ab three\nhalf a li")
        self.write("logs/s-Query-2.log", "2026-01-01T00:00:02Z cd two\n")
        for arguments, words in [([], ["one", "two", "three"]), (["--function", "relay"], ["one", "three"])]:
            with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.redirect_stderr(io.StringIO()):
                self.assertEqual(cli.main(["logs", "--home", str(self.folder), *arguments]), 0)
            lines = shown.getvalue().splitlines()
            self.assertEqual([line.split()[-1] for line in lines], words)
            self.assertEqual(lines[0].split()[:3], ["2026-01-01T00:00:01Z", "relay", "ab"])


class DynamoDbTest(TestCase):
    """Uses a script in place of Java, because the real one takes seconds to start."""

    def run_command(self, *command: str) -> subprocess.CompletedProcess:
        java = self.write("java", f"#!{sys.executable} -IS\nimport sys\n{FAKE_DATABASE}", 0o755)
        environment = {
            **os.environ,
            "LEDGERFOLD_JAVA": str(java),
            "LEDGERFOLD_DYNAMODB_HOME": str(self.folder),
            "AWS_PROFILE": "production",
        }
        return subprocess.run(
            [sys.executable, "-m", "ledgerfold_local", "dynamodb", "--", *command],
            env=environment,
            capture_output=True,
            text=True,
        )

    def test_the_command_finds_the_database_and_its_exit_code_comes_back(self) -> None:
        done = self.run_command(
            "sh", "-c", "echo $DYNAMODB_ENDPOINT $AWS_REGION $AWS_ACCESS_KEY_ID [$AWS_PROFILE]; exit 7"
        )
        self.assertRegex(done.stdout, r"^http://127\.0\.0\.1:\d+ us-east-1 test \[\]$")
        self.assertEqual((done.returncode, done.stderr), (7, ""))

    def test_the_database_ends_with_the_command(self) -> None:
        self.run_command("true")
        pid = int((self.folder / "pid").read_text())
        self.assertFalse(is_running(pid))

    def test_an_error_names_a_missing_command(self) -> None:
        done = self.run_command("no-such-program")
        self.assertEqual(
            (done.returncode, done.stderr), (1, "no-such-program cannot be run: No such file or directory\n")
        )


FAKE_DATABASE = """
import http.server, os, pathlib
pathlib.Path(__file__).with_name("pid").write_text(str(os.getpid()))
port = int(sys.argv[sys.argv.index("-port") + 1])
http.server.HTTPServer(("127.0.0.1", port), http.server.BaseHTTPRequestHandler).serve_forever()
"""
