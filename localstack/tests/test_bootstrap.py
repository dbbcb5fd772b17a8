"""Tests of the entry: the project, the commands with and without a set-up, and the build beside it."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from pathlib import Path
from unittest import mock

from ledgerfold_local import bootstrap
from ledgerfold_local.setup.build import without_build
from ledgerfold_local.setup.programs import SetupError
from support import SetupTestCase, is_running


def until(path: Path) -> str:
    """A shell command that waits for a file, at most ten seconds."""
    return f"for _ in $(/usr/bin/seq 100); do [ -e {path} ] && break; /bin/sleep 0.1; done; [ -e {path} ]"


class BootstrapTest(SetupTestCase):
    # ---- Commands --------------------------------------------------------------------------------

    def test_the_emulator_comes_from_the_arguments_or_the_environment(self) -> None:
        self.assertEqual(bootstrap.emulator_in(["up"]), "localstack")
        os.environ["EMULATOR"] = "ministack"
        self.assertEqual(bootstrap.emulator_in(["up"]), "ministack")
        self.assertEqual(bootstrap.emulator_in(["up", "--emulator=localstack"]), "localstack")
        self.assertEqual(bootstrap.emulator_in(["up", "--emulator", "localstack"]), "localstack")
        self.assertEqual(bootstrap.emulator_in(["dynamodb", "--", "x", "--emulator", "y"]), "ministack")
        with self.assertRaises(SetupError):
            bootstrap.emulator_in(["up", "--emulator", "moto"])

    def test_status_logs_and_down_set_nothing_up(self) -> None:
        with (
            mock.patch.object(bootstrap, "set_up_emulator") as emulator,
            mock.patch.object(bootstrap, "set_up_dynamodb") as dynamodb,
        ):
            for command in ("down", "status", "logs", "--help", "no-command"):
                self.assertEqual(bootstrap.prepare(command, "localstack", {}), sys.executable)
        emulator.assert_not_called()
        dynamodb.assert_not_called()

    def test_a_failed_set_up_is_one_sentence(self) -> None:
        failing = mock.patch.object(bootstrap, "set_up_dynamodb", side_effect=SetupError("No Java."))
        with failing, contextlib.redirect_stderr(io.StringIO()) as shown:
            self.assertEqual(bootstrap.main(["up"]), 1)
        self.assertEqual(shown.getvalue(), "No Java.\n")

    # ---- The project -----------------------------------------------------------------------------

    def test_the_project_is_the_nearest_folder_with_a_platform(self) -> None:
        project = self.write("project/infra/platform.yaml", "").parents[1].resolve()
        inside = project / "functions/orders"
        inside.mkdir(parents=True)
        self.addCleanup(os.chdir, Path.cwd())
        for place, found in [(project, project), (inside, project), (self.path, self.path.resolve())]:
            os.chdir(place)
            self.assertEqual(bootstrap.project_in(["up"], None), found)
        self.assertEqual(bootstrap.project_in(["up", "--project", "../project"], None), project)
        self.assertEqual(bootstrap.project_in(["up", "--project=../project"], self.path), project)
        self.assertEqual(bootstrap.project_in(["dynamodb", "--", "x", "--project", "y"], self.path), self.path)
        with self.assertRaisesRegex(SetupError, "nowhere is not a folder"):
            bootstrap.project_in(["up", "--project", "nowhere"], None)

    def test_words_of_another_program_are_no_build(self) -> None:
        self.assertEqual(without_build(["up", "--build", "make it", "--port", "1"]), ("make it", ["up", "--port", "1"]))
        self.assertEqual(without_build(["up", "--build=make it"]), ("make it", ["up"]))
        self.assertEqual(without_build(["dynamodb", "--", "x", "--build", "y"])[0], None)

    # ---- The build in parallel -----------------------------------------------------------------

    def up_with(self, build: str, python: str = "#!/bin/sh\n", prepare: object = None) -> int:
        """Runs `up` with scripts in place of the build and of the emulator's Python."""
        interpreter = self.program("python", python)
        prepared = mock.patch.object(bootstrap, "prepare", side_effect=prepare or (lambda *_: interpreter))
        with prepared, mock.patch.object(os, "execve", side_effect=lambda *_: self.fail("it should not go on")):
            return bootstrap.main(["up", "--build", self.program("build", f"#!/bin/sh\n{build}\n")])

    def test_the_build_runs_beside_the_set_up_and_both_must_be_done_before_the_deployment(self) -> None:
        ready, built = self.folder / "ready", self.folder / "built"

        def deploy(_python: str, arguments: list[str], _environment: dict[str, str]) -> None:
            self.assertEqual(arguments[1:], ["-m", "ledgerfold_local", "up", "--port", "1"])
            self.assertTrue(built.exists())

        # Each waits for the other, so the test passes only if both run at once.
        python = self.program("python", f"#!/bin/sh\n[ $3 = start ] && : > {ready} && {until(built)}\n")
        build = self.program("build", f"#!/bin/sh\n{until(ready)}\n: > {built}\n")
        with mock.patch.object(bootstrap, "prepare", return_value=python), mock.patch.object(os, "execve", deploy):
            bootstrap.main(["up", "--build", build, "--port", "1"])

    def test_nothing_is_deployed_after_a_build_that_failed(self) -> None:
        with contextlib.redirect_stderr(io.StringIO()) as shown:
            self.assertEqual(self.up_with("exit 3"), 1)
        self.assertEqual(shown.getvalue(), "The build failed.\n")

    def test_a_failed_set_up_ends_the_build_and_its_processes(self) -> None:
        pid = self.folder / "pid"

        def fail_once_it_runs(*_: object) -> str:
            self.wait_for(lambda: pid.exists() and pid.read_text().strip())
            raise SetupError("No Java.")

        with contextlib.redirect_stderr(io.StringIO()) as shown:
            self.assertEqual(self.up_with(f"/bin/sleep 60 & echo $! > {pid}; wait", prepare=fail_once_it_runs), 1)
        self.assertEqual(shown.getvalue(), "No Java.\n")
        self.wait_for(lambda: not is_running(int(pid.read_text())))

    def test_the_build_ends_with_a_terminated_set_up(self) -> None:
        pid = self.folder / "pid"

        def end_once_it_runs(*_: object) -> str:
            self.wait_for(lambda: pid.exists() and pid.read_text().strip())
            signal.raise_signal(signal.SIGTERM)
            raise AssertionError("the signal should have ended the set-up")

        handlers = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGHUP)]
        for handler in handlers:
            self.addCleanup(signal.signal, *handler)
        with self.assertRaises(SystemExit):
            self.up_with(f"/bin/sleep 60 & echo $! > {pid}; wait", prepare=end_once_it_runs)
        self.wait_for(lambda: not is_running(int(pid.read_text())))

    def test_an_error_names_a_missing_build_command(self) -> None:
        with contextlib.redirect_stderr(io.StringIO()) as shown:
            self.assertEqual(bootstrap.main(["up", "--build", "no-such-program"]), 1)
        self.assertEqual(shown.getvalue(), "no-such-program cannot be run: No such file or directory\n")
