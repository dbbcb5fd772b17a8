"""Tests the package outside this repository: beside other packages, for a project in an empty folder."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import shutil
import subprocess
import sys
import unittest
from importlib import metadata
from pathlib import Path
from unittest import mock

from ledgerfold_local import layout
from ledgerfold_local.setup.emulators import environment_of
from support import HERE, TestCase

PACKAGE = layout.ISOLATED.parent
ENTRY = "import sys; from ledgerfold_local.bootstrap import main; sys.exit(main())"
# The platform's and a context's template.
TEMPLATES = {
    "platform": {"Resources": {}},
    "orders": {
        "Resources": {
            "Command": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "../target/lambda/orders/"}}
        }
    },
}


class InstalledTest(TestCase):
    """Copies the package into a folder of packages, as pip does. One of the others would break the emulator."""

    def setUp(self) -> None:
        super().setUp()
        self.site = self.folder / "site"
        shutil.copytree(PACKAGE, self.site / "ledgerfold_local", ignore=shutil.ignore_patterns("__pycache__"))
        self.write("site/yaml.py", "raise ImportError('this is the version of the project')")
        self.project = self.folder / "project"
        self.project.mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "LEDGERFOLD_TOOLS": str(self.folder / "tools"),
            "PYTHONPATH": str(self.site),
            "EMULATOR": "ministack",
        }
        # MiniStack needs no other piece. This Python has the packages that a deployment needs.
        self.patch(mock.patch.dict(os.environ, LEDGERFOLD_TOOLS=self.environment["LEDGERFOLD_TOOLS"]))
        with contextlib.redirect_stdout(io.StringIO()):
            environment_of("ministack").ensure(lambda _: {"python": sys.executable})

    def run_command(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", ENTRY, *arguments]
        options = {"capture_output": True, "text": True, "timeout": 60}
        return subprocess.run(command, cwd=cwd or self.project, env=self.environment, **options)

    def infra(self) -> None:
        for name, content in TEMPLATES.items():
            self.write(f"project/infra/{name}.yaml", json.dumps(content))

    def test_commands_without_a_set_up_work_in_an_empty_folder(self) -> None:
        done = self.run_command("status")
        self.assertEqual((done.returncode, done.stdout), (1, "No local cloud is running.\n"))
        self.assertEqual(self.run_command("down").returncode, 0)
        self.assertIn("--build", self.run_command("up", "--help").stdout)

    def test_an_empty_folder_is_told_that_it_has_no_templates(self) -> None:
        done = self.run_command("up")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "project/infra/platform.yaml does not exist")

    def test_up_reads_the_project_and_imports_no_other_package_of_it(self) -> None:
        self.infra()
        inside = self.project / "functions"
        inside.mkdir()
        for cwd, options in [(self.project, ()), (inside, ()), (self.folder, ("--project", "project"))]:
            done = self.run_command("up", *options, cwd=cwd)
            program = self.project.resolve() / "target/local/functions/orders/bootstrap"
            self.assertRegex(done.stderr, f"^{program} is missing")

    def test_the_build_runs_in_the_project_and_its_failure_ends_the_command(self) -> None:
        self.infra()
        # In place of the emulator, it is ready once the build has written a file into the project.
        here = self.project / "here"
        python = self.write(
            "python", f"#!/bin/sh\nfor _ in $(seq 100); do [ -e {here} ] && exit; sleep 0.1; done; exit 1", 0o755
        )
        (environment_of("ministack").folder / "stamp.json").write_text(json.dumps({"python": str(python)}))
        build = "sh -c 'touch here; exit 1'"
        done = self.run_command("up", "--build", build, "--project", "project", cwd=self.folder)
        self.assertTrue(here.exists())
        self.assertEqual((done.returncode, done.stderr), (1, "The build failed.\n"))

    def test_the_plugins_are_found_wherever_the_package_is(self) -> None:
        groups = [
            "localstack.hooks.on_infra_start",
            "localstack.lambda.runtime_executor",
            "localstack.cloudformation.resource_providers",
        ]
        script = (
            "import json, ledgerfold_local.reaper\n"
            "from importlib.metadata import entry_points\n"
            f"found = [[entry.value for entry in entry_points(group=group)] for group in {groups}]\n"
            "print(json.dumps([found, ledgerfold_local.reaper.__file__]))"
        )
        environment = {**self.environment, "PYTHONPATH": str(self.site / "ledgerfold_local/isolated")}
        done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        found, file = json.loads(done.stdout)
        ours = [[value for value in values if value.startswith("ledgerfold_local.")] for values in found]
        self.assertEqual([len(values) for values in ours], [2, 1, 1])
        for value in itertools.chain(*ours):
            module = value.partition(":")[0].replace(".", "/")
            self.assertTrue(list(self.site.glob(f"{module}*")), f"{module} does not exist")
        self.assertEqual(Path(file).parents[1], self.site.resolve())


class MetadataTest(unittest.TestCase):
    def test_the_plugins_and_the_package_have_one_version(self) -> None:
        [found] = metadata.distributions(name="ledgerfold-local", path=[str(layout.ISOLATED)])
        self.assertIn(f'\nversion = "{found.version}"\n', (HERE.parent / "pyproject.toml").read_text())

    def test_the_command_is_the_entry(self) -> None:
        from ledgerfold_local import bootstrap

        self.assertIn(
            f'\nledgerfold-local = "{bootstrap.__name__}:{bootstrap.main.__name__}"\n',
            (HERE.parent / "pyproject.toml").read_text(),
        )
