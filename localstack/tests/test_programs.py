"""Tests that programs are taken from Cargo's target directory. Cargo is a fake."""

from __future__ import annotations

import os
from unittest import mock

from ledgerfold_local import programs
from ledgerfold_local.errors import CliError
from support import TestCase


class ProgramsTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        cargo = f'#!/bin/sh\necho \'{{"target_directory": "{self.folder}/elsewhere"}}\'\n'
        self.write("tools/cargo", cargo, 0o755)
        path = os.pathsep.join([str(self.folder / "tools"), os.environ["PATH"]])
        patch = mock.patch.dict(os.environ, {"PATH": path})
        patch.start()
        self.addCleanup(patch.stop)

    def test_a_program_is_taken_from_the_target_directory_of_cargo(self) -> None:
        self.write("elsewhere/debug/shop", "a program", 0o755)
        programs.take(self.folder, ["shop"], self.folder / "functions")
        taken = self.folder / "functions/shop/bootstrap"
        self.assertEqual(taken.read_text(), "a program")
        self.assertTrue(os.access(taken, os.X_OK))

    def test_a_program_that_is_not_built_has_a_sentence(self) -> None:
        with self.assertRaisesRegex(CliError, "Cargo has not built .*elsewhere/debug/shop"):
            programs.take(self.folder, ["shop"], self.folder / "functions")
