"""Tests that deploy.sh refuses functions that would not run. Functions and AWS tools are fakes."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

INFRA = Path(__file__).parents[1]
MACHINES = {"arm64": 0xB7, "x86_64": 0x3E}

# Accepts every call and records it.
SAM = """#!/bin/sh
echo "$@" >>"$(dirname "$0")/calls"
"""


class Deploy(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "infra").mkdir()
        for name in ("deploy.sh", "venv.sh", "platform.yaml", "orders.yaml", "key.yaml"):
            shutil.copy(INFRA / name, self.root / "infra" / name)
        self.tools = self.root / "tools"
        self.tools.mkdir()
        self.tool("sam", SAM)
        self.tool("aws", "#!/bin/sh\n")
        self.build("arm64")

    def tool(self, name: str, script: str) -> None:
        (self.tools / name).write_text(script)
        (self.tools / name).chmod(0o755)

    def build(self, architecture: str) -> None:
        """Writes the start of an ELF file, which contains the architecture."""
        header = b"\x7fELF" + bytes(14) + MACHINES[architecture].to_bytes(2, "little")
        bootstrap = self.root / "target" / "lambda" / "orders" / "bootstrap"
        bootstrap.parent.mkdir(parents=True, exist_ok=True)
        bootstrap.write_bytes(header)

    def deploy(self, architecture: str, **variables: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(self.tools), os.environ["PATH"]])
        environment = {"PATH": path, "HOME": str(self.root), "REGION": "eu-central-1", "ARCH": architecture}
        environment |= variables
        return subprocess.run(
            ["bash", str(self.root / "infra" / "deploy.sh")],
            env=environment,
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def assert_refused(self, outcome: subprocess.CompletedProcess[str], sentence: str) -> None:
        self.assertEqual((outcome.returncode, outcome.stderr), (1, sentence + "\n"))
        calls = self.tools / "calls"
        deployed = calls.exists() and "deploy " in calls.read_text()
        self.assertFalse(deployed, "deploy.sh must not deploy anything")

    def test_functions_of_one_architecture_are_deployed(self) -> None:
        outcome = self.deploy("arm64", PARAMETERS="LogRetention=90 ArchiveRetention=7")
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        calls = (self.tools / "calls").read_text().splitlines()
        deployed = [call.split() for call in calls if call.startswith("deploy ")]
        stacks = [words[words.index("--stack-name") + 1] for words in deployed]
        self.assertEqual(stacks, ["ledgerfold-dev", "ledgerfold-dev-orders"])
        overrides = [set(words[words.index("--parameter-overrides") + 1 :]) for words in deployed]
        platform = {"Stage=dev", "ArchiveRetention=7"}
        orders = {"Stage=dev", "Platform=ledgerfold-dev", "Architecture=arm64", "LogRetention=90"}
        self.assertEqual(overrides, [platform, orders])

    def test_a_new_stack_must_say_who_may_call(self) -> None:
        self.tool("aws", '#!/bin/sh\n[ "$1 $2" != "cloudformation describe-stacks" ]\n')
        sentence = "Say who may call orders, for example with PARAMETERS=Authentication=none: docs/deploying.md has all choices."
        self.assert_refused(self.deploy("arm64"), sentence)
        outcome = self.deploy("arm64", PARAMETERS="LogRetention=90 Authentication=none")
        self.assertEqual(outcome.returncode, 0, outcome.stderr)

    def test_a_context_must_have_a_template(self) -> None:
        sentence = "There is no template infra/shop.yaml: CONTEXT must name contexts of this project."
        self.assert_refused(self.deploy("arm64", CONTEXT="shop"), sentence)

    def test_the_program_must_be_built_for_the_architecture(self) -> None:
        self.build("x86_64")
        sentence = "orders was built for another architecture: run make build ARCH=arm64"
        self.assert_refused(self.deploy("arm64"), sentence)

    def test_the_program_must_be_built(self) -> None:
        shutil.rmtree(self.root / "target" / "lambda" / "orders")
        self.assert_refused(self.deploy("arm64"), "orders is not built: run make build ARCH=arm64")


if __name__ == "__main__":
    unittest.main()
