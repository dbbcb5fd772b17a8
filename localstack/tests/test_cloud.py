"""Tests `up` and `down` with a fake emulator of a few lines of Python."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import io
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from ledgerfold_local import cli, cloud, dynamodb
from ledgerfold_local.emulators import EMULATORS, Emulator
from ledgerfold_local.errors import CliError
from ledgerfold_local.layout import Layout
from ledgerfold_local.stack import PLATFORM, UNFINISHED, Deployed
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
        return cloud.Wanted(emulator, self.port, Path("infra"), Path("functions"))

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
        other_port = dataclasses.replace(wanted, port=self.port + 1)
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
            with self.assertRaisesRegex(CliError, f"port {self.port}: .*--port"):
                self.start(self.wanted())

    def test_the_emulator_sees_nothing_of_the_shell(self) -> None:
        self.enterContext(mock.patch.dict(os.environ, {"AWS_PROFILE": "production", "AWS_ENDPOINT_URL": "elsewhere"}))
        environment = self.wanted().emulator.environment(self.port, self.layout)
        self.assertNotIn("AWS_PROFILE", environment)
        self.assertNotIn("AWS_ENDPOINT_URL", environment)
        self.assertTrue(environment["TMPDIR"].startswith(str(self.layout.home)))

    def deployment(self, *names: str, obstacle: str | None = None) -> mock.Mock:
        """A deployment of stacks, of which those that are not on record are missing."""
        outputs = dict.fromkeys(("BusName", "ArchiveName", "ApiId", "ApiStage", "EventTable"), "x")
        return mock.Mock(
            stacks=dict.fromkeys((PLATFORM, *names)),
            outputs=lambda _name: outputs,
            obstacle=lambda deployed: obstacle if deployed else None,
            outdated=lambda deployed: [name for name in (PLATFORM, *names) if name not in deployed],
            deploy=lambda _deployed, record, _say: [record(name, Deployed("shape")) for name in (PLATFORM, *names)],
        )

    def deploy(self, deployment: mock.Mock, **parameters: str) -> dict:
        record = cloud.Record.read(self.layout) or cloud.Record("localstack", self.port, os.getpid(), "never")
        wanted = dataclasses.replace(self.wanted(), parameters=parameters, project=self.folder)
        cloud.deploy(wanted, deployment, record, self.layout, cloud.Steps())
        return json.loads(self.layout.stack.read_text())

    def test_the_stack_file_has_an_entry_for_every_deployed_context_even_if_it_was_left_out(self) -> None:
        self.assertEqual(list(self.deploy(self.deployment("sales"))["contexts"]), ["sales"])
        stack = self.deploy(self.deployment("orders"))
        self.assertEqual(list(stack["contexts"]), ["orders", "sales"])
        self.assertEqual((stack["bus"], stack["archive"]), ("x", "x"))
        self.assertEqual(stack["contexts"]["sales"]["stack"], "ledgerfold-local-sales")
        self.assertIn("left as deployed before: sales", self.said.getvalue())

    def test_the_stack_file_has_the_same_issuer_after_down_and_up(self) -> None:
        first = self.deploy(self.deployment("orders"))["auth"]
        cloud.down(self.layout)
        self.assertEqual(self.deploy(self.deployment("orders"))["auth"], first)

    def test_without_the_local_issuer_there_is_no_key_and_no_token(self) -> None:
        self.assertIn("auth", self.deploy(self.deployment("orders")))
        self.assertTrue(self.layout.token.exists())
        for parameters in ({"Authentication": "none"}, {"TokenKeys": "https://id.example.com/keys"}):
            self.assertNotIn("auth", self.deploy(self.deployment("orders"), **parameters), parameters)
            self.assertFalse(self.layout.token.exists())

    def test_up_prints_a_call_with_a_token_and_without_one_if_everybody_is_let_in(self) -> None:
        example = {"requestBody": {"content": {"application/json": {"example": {"sku": "a tea"}}}}}
        document = {
            "paths": {"/orders/{id}": {"get": {}}, "/days": {"get": {}}, "/orders": {"post": example}},
            "components": {"securitySchemes": {"bearer": {"x-example-roles": ["seller"]}}},
        }
        self.write("functions/orders/openapi.json", json.dumps(document))
        self.deploy(self.deployment("orders"))
        [line] = [line for line in self.said.getvalue().splitlines() if line.startswith("curl ")]
        words = shlex.split(line)
        self.assertIn(f"Authorization: Bearer {self.layout.token.read_text().strip()}", words)
        payload = self.layout.token.read_text().split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        self.assertEqual(claims["roles"], ["seller"])
        self.assertEqual(words[words.index("--data") + 1], '{"sku": "a tea"}')
        self.assertEqual(words[-1], f"http://127.0.0.1:{self.port}/_aws/execute-api/x/x/orders")
        self.said.truncate(0)
        self.deploy(self.deployment("orders"), Authentication="none")
        self.assertNotIn("Bearer", self.said.getvalue())
        self.assertIn("curl ", self.said.getvalue())

    def test_all_contexts_know_their_callers_in_the_same_way(self) -> None:
        wanted = self.wanted()
        record = dataclasses.replace(self.start(wanted), stacks={"sales": Deployed("x")}, authentication="none")
        record.write(self.layout)
        new = cloud.emulator_for(wanted, self.deployment("orders"), self.layout, cloud.Steps())
        self.assertNotEqual(new.pid, record.pid)
        self.assertIn("Authentication is token now; restarting the emulator", self.said.getvalue())

    def test_a_second_up_deploys_nothing(self) -> None:
        self.deploy(self.deployment("orders"))
        second = self.deployment("orders")
        second.deploy = mock.Mock()
        self.deploy(second)
        second.deploy.assert_not_called()
        self.assertIn("already deployed: platform, orders", self.said.getvalue())

    def test_an_emulator_that_cannot_be_updated_is_replaced_and_lost_contexts_are_named(self) -> None:
        wanted = self.wanted()
        record = dataclasses.replace(self.start(wanted), stacks={PLATFORM: Deployed("x"), "sales": Deployed("x")})
        record.write(self.layout)
        deployment = self.deployment("orders", obstacle="the template of platform has changed")
        new = cloud.emulator_for(wanted, deployment, self.layout, cloud.Steps())
        self.assertNotEqual(new.pid, record.pid)
        self.assertEqual(new.stacks, {})
        self.assertRegex(self.said.getvalue(), "platform has changed; restarting the emulator, which removes sales")

    def test_an_emulator_that_can_be_updated_is_kept(self) -> None:
        wanted = self.wanted()
        record = self.start(wanted)
        self.assertEqual(cloud.emulator_for(wanted, self.deployment("orders"), self.layout, cloud.Steps()), record)

    def test_a_failed_deployment_leaves_no_stack_file_and_is_recorded(self) -> None:
        self.deploy(self.deployment("orders"))
        failing = self.deployment("sales")

        def fail(_deployed: object, record: Callable, _say: object) -> None:
            record("sales", Deployed(UNFINISHED))
            raise CliError("no")

        failing.deploy = fail
        with self.assertRaises(CliError):
            self.deploy(failing)
        self.assertFalse(self.layout.stack.exists())
        self.assertEqual(cloud.Record.read(self.layout).stacks["sales"].shape, UNFINISHED)
        again = self.deploy(self.deployment("orders"))
        self.assertEqual(list(again["contexts"]), ["orders"], "an unfinished context is not shown")

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
        for text in ("", "{", "[]", '{"pid": 1}', '{"stacks": []}', '{"stacks": {"orders": 1}}'):
            self.layout.home.mkdir(exist_ok=True)
            self.layout.record.write_text(text)
            self.assertIsNone(cloud.Record.read(self.layout))

    def test_an_error_is_one_sentence(self) -> None:
        with contextlib.redirect_stderr(io.StringIO()) as shown:
            code = cli.main(["up", "--home", str(self.folder), "--infra", str(self.folder / "none")])
        self.assertEqual(code, 1)
        self.assertRegex(shown.getvalue(), "^.*none/platform.yaml does not exist: run .*\n$")

    def test_everything_stays_in_the_project(self) -> None:
        with contextlib.redirect_stderr(io.StringIO()) as shown:
            self.assertEqual(cli.main(["up", "--project", str(self.folder)]), 1)
        self.assertIn(f"{self.folder}/infra/platform.yaml", shown.getvalue())
        self.assertTrue((self.folder / "target/local/cloud.lock").exists())


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

    def test_with_several_contexts_a_name_starts_with_the_context(self) -> None:
        contexts = {name: {"functions": {"relay": f"{name}-1", "query": f"{name}-2"}} for name in ("orders", "sales")}
        self.write("stack.json", json.dumps({"contexts": contexts}))
        for name in ("orders", "sales"):
            for number in (1, 2):
                self.write(f"logs/{name}-{number}.log", f"2026-01-01T00:00:0{number}Z ab line\n")
        for function, labels in [
            ("relay", ["orders/relay", "sales/relay"]),
            ("sales/query", ["sales/query"]),
            ("sales-1", ["sales/relay"]),
        ]:
            with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.redirect_stderr(io.StringIO()):
                self.assertEqual(cli.main(["logs", "--home", str(self.folder), "--function", function]), 0)
            self.assertEqual([line.split()[1] for line in shown.getvalue().splitlines()], labels)


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
