"""Tests that the build of the functions finds the programs wherever Cargo writes them. Cargo is a fake."""

from __future__ import annotations

import os
import subprocess
import unittest

from support import HERE, TestCase

SCRIPTS = HERE.parents[1] / "scripts"
CARGO = """#!/bin/sh
[ "$1" = metadata ] && echo "{\\"target_directory\\": \\"$CARGO_TARGET_DIR\\"}"
[ "$1" = build ] && echo "$@" >>"$CARGO_TARGET_DIR/built"
exit 0
"""


@unittest.skipUnless(SCRIPTS.is_dir(), "needs the scripts of this repository")
class FunctionsTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        for name in ("functions.sh", "built.sh"):
            self.write(f"scripts/{name}", (SCRIPTS / name).read_text(), 0o755)
        self.write("tools/cargo", CARGO, 0o755)
        self.program = self.write("elsewhere/debug/orders", "program one", 0o755)
        # The program of operators, which compares the templates with the declaration.
        self.write("elsewhere/debug/orders-admin", "#!/bin/sh\n[ ! -e changed ]\n", 0o755)

    def build(self) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(self.folder / "tools"), os.environ["PATH"]])
        environment = {"PATH": path, "CARGO_TARGET_DIR": str(self.folder / "elsewhere")}
        return subprocess.run(
            ["scripts/functions.sh", "orders"], cwd=self.folder, env=environment, capture_output=True, text=True
        )

    def test_a_changed_declaration_needs_new_templates(self) -> None:
        self.write("changed", "")
        outcome = self.build()
        self.assertEqual(outcome.returncode, 1)
        self.assertIn("The declaration of orders has changed. Run: cargo run -p orders-admin", outcome.stderr)
        self.assertFalse((self.folder / "target/local/functions").exists())

    def test_programs_come_from_cargos_target_directory(self) -> None:
        self.assertEqual(self.build().returncode, 0)
        self.assertIn("--bin=orders", (self.folder / "elsewhere/built").read_text())
        copied = self.folder / "target/local/functions/orders/bootstrap"
        self.assertEqual(copied.read_text(), "program one")
        self.assertTrue(os.access(copied, os.X_OK))

    def test_every_build_gives_a_program_the_time_of_the_build(self) -> None:
        self.build()
        copied = self.folder / "target/local/functions/orders/bootstrap"
        for path in (copied, self.program):
            os.utime(path, (1, 1))
        self.build()
        self.assertGreater(copied.stat().st_mtime, 1)
        self.program.write_text("program two")
        self.build()
        self.assertEqual(copied.read_text(), "program two")
        self.assertEqual([entry.name for entry in copied.parent.iterdir()], ["bootstrap"])
