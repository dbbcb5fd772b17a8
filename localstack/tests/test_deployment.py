"""Tests which stacks `up` creates, updates, leaves alone and refuses, with a fake of CloudFormation."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from unittest import mock

from ledgerfold_local import deploy
from ledgerfold_local.deployment import Deployment
from ledgerfold_local.emulators import EMULATORS
from ledgerfold_local.errors import CliError
from ledgerfold_local.infra import Infra, local_parameters
from ledgerfold_local.layout import Layout
from ledgerfold_local.stack import PLATFORM, UNFINISHED, Deployed
from support import TestCase

FUNCTION = {"Type": "AWS::Serverless::Function", "Properties": {}}


class FakeAws:
    """The clients of an emulator whose stacks and functions are always ready."""

    def __init__(self) -> None:
        self.stacks: dict[str, dict[str, str]] = {}
        self.codes: dict[str, str] = {}
        self.calls: Counter[str] = Counter()
        self.failing = ""

    def client(self, _service: str) -> Any:
        return self

    def create_bucket(self, **_: object) -> None:
        """Does nothing, as for a bucket that exists."""

    @property
    def meta(self) -> Any:
        return mock.Mock(endpoint_url="http://emulator")

    def put_object(self, Body: bytes, **_: object) -> None:  # noqa: N803
        self.template = json.loads(Body)

    def create_stack(self, StackName: str, Parameters: list[dict[str, str]], **_: object) -> None:  # noqa: N803
        if StackName == self.failing:
            raise CliError(f"{StackName} failed")
        self.calls[f"create {StackName}"] += 1
        self.stacks[StackName] = {entry["ParameterKey"]: entry["ParameterValue"] for entry in Parameters}
        for name, resource in self.template["Resources"].items():
            if resource["Type"] == FUNCTION["Type"]:
                self.codes[f"{StackName}-{name}"] = resource["Properties"]["CodeUri"]["Key"]

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        assert StackName in self.stacks
        return {"Stacks": [{"StackStatus": "CREATE_COMPLETE", "Outputs": []}]}

    def get_paginator(self, _operation: str) -> Any:
        return mock.Mock(paginate=self.resources)

    def resources(self, StackName: str) -> list[dict[str, Any]]:  # noqa: N803
        names = [name for name in self.codes if name.rpartition("-")[0] == StackName]
        entries = [{"LogicalResourceId": n.rpartition("-")[2], "PhysicalResourceId": n} for n in names]
        return [{"StackResourceSummaries": entries}]

    def get_function(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        return {"Code": {"Location": f"file://{self.codes[FunctionName]}"}}

    def update_function_code(self, FunctionName: str, S3Key: str, **_: object) -> None:  # noqa: N803
        self.calls[f"update {FunctionName}"] += 1
        self.codes[FunctionName] = S3Key

    def get_waiter(self, _name: str) -> Any:
        return mock.Mock()


class DeploymentTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.aws = FakeAws()
        self.patch(mock.patch("ledgerfold_local.deployment.Aws", return_value=self.aws))
        self.deployed: dict[str, Deployed] = {}
        self.said: list[str] = []
        self.template(PLATFORM, {}, "Stage")
        for name in ("orders", "sales"):
            self.context(name)

    def context(self, name: str, code: str = "first") -> None:
        function = {**FUNCTION, "Properties": {"CodeUri": f"../target/lambda/{name}/"}}
        self.template(name, {"Command": function, "Query": function}, "Stage", "Platform", f"Patience{name.title()}")
        self.write(f"functions/{name}/bootstrap", f"{name} {code}")

    def template(self, name: str, resources: dict[str, Any], *parameters: str) -> None:
        content = {"Parameters": {parameter: {"Type": "String"} for parameter in parameters}, "Resources": resources}
        self.write(f"infra/{name}.yaml", json.dumps(content))

    def deployment(self, *contexts: str, **parameters: str) -> Deployment:
        templates = Infra(self.folder / "infra")
        layout = Layout(self.folder / "local")
        names = templates.contexts(contexts)
        functions = self.folder / "functions"
        made = Deployment(EMULATORS["localstack"], 1, templates, functions, names, parameters, layout, {})
        made.pack()
        return made

    def up(self, *contexts: str, **parameters: str) -> list[str]:
        """Deploys, and returns the calls that changed something."""
        self.aws.calls.clear()
        wanted = self.deployment(*contexts, **parameters)
        self.assertIsNone(wanted.obstacle(self.deployed))
        wanted.deploy(dict(self.deployed), self.deployed.__setitem__, self.said.append)
        return sorted(self.aws.calls.elements())

    def test_the_platform_comes_first_and_then_every_context(self) -> None:
        self.assertEqual(list(self.deployment().stacks), [PLATFORM, "orders", "sales"])
        created = ["create ledgerfold-local", "create ledgerfold-local-orders", "create ledgerfold-local-sales"]
        self.assertEqual(self.up(), created)
        self.assertEqual(self.aws.stacks["ledgerfold-local-orders"], {"Stage": "local", "Platform": "ledgerfold-local"})
        self.assertEqual(self.aws.stacks["ledgerfold-local"], {"Stage": "local"})

    def test_an_unchanged_project_is_left_alone(self) -> None:
        self.up()
        self.assertEqual(self.deployment().outdated(self.deployed), [])
        self.assertEqual(self.up(), [])

    def test_changed_code_of_one_context_updates_only_its_functions(self) -> None:
        self.up()
        self.context("sales", code="second")
        self.assertEqual(self.deployment().outdated(self.deployed), ["sales"])
        changes = ["update ledgerfold-local-sales-Command", "update ledgerfold-local-sales-Query"]
        self.assertEqual(self.up(), changes)
        self.assertIn("updated the code of 2 functions of ledgerfold-local-sales", self.said[-1])
        self.assertTrue(Path(self.aws.codes["ledgerfold-local-orders-Command"]).exists(), "orders still needs its code")

    def test_a_further_context_is_the_only_one_deployed(self) -> None:
        self.assertEqual(self.up("orders"), ["create ledgerfold-local", "create ledgerfold-local-orders"])
        self.assertEqual(self.up("sales"), ["create ledgerfold-local-sales"])
        self.assertEqual(sorted(self.deployed), ["orders", PLATFORM, "sales"])

    def test_a_changed_template_needs_a_fresh_emulator_if_its_stack_is_wanted(self) -> None:
        self.up()
        self.template("sales", {}, "Stage")
        self.assertEqual(self.deployment().obstacle(self.deployed), "the template or a parameter of sales has changed")
        self.assertIsNone(self.deployment("orders").obstacle(self.deployed))
        self.template(PLATFORM, {"Topic": {"Type": "AWS::SNS::Topic"}}, "Stage")
        self.assertIn("of platform has changed", self.deployment("orders").obstacle(self.deployed))

    def test_a_failed_stack_needs_a_fresh_emulator_and_leaves_the_others_on_record(self) -> None:
        self.aws.failing = "ledgerfold-local-sales"
        with self.assertRaisesRegex(CliError, "sales failed"):
            self.up()
        self.assertEqual(self.deployed["sales"].shape, UNFINISHED)
        self.assertEqual(self.deployment().obstacle(self.deployed), "the last deployment of sales did not finish")
        self.assertIsNone(self.deployment("orders").obstacle(self.deployed))

    def test_a_stack_that_cloudformation_does_not_call_complete_is_not_updated(self) -> None:
        self.up()
        with mock.patch.object(deploy.StackDeployment, "is_usable", lambda stack: stack.stack != "ledgerfold-local"):
            self.assertEqual(self.deployment().obstacle(self.deployed), "the stack of platform is not usable")

    def test_a_parameter_changes_only_the_stacks_that_declare_it(self) -> None:
        self.up()
        wanted = self.deployment(PatienceSales="60")
        self.assertIn("parameter of sales", wanted.obstacle(self.deployed))
        self.assertEqual(wanted.outdated(self.deployed), ["sales"])


class InfraTest(TestCase):
    def infra(self, *names: str) -> Infra:
        for name in names:
            self.write(f"infra/{name}.yaml", "{}")
        return Infra(self.folder / "infra")

    def test_contexts_are_the_files_beside_the_platform(self) -> None:
        templates = self.infra("sales", PLATFORM, "orders")
        self.write("infra/build.lock", "")
        self.write("infra/key.yaml", "{}")
        self.assertEqual(templates.contexts(), ["orders", "sales"])
        self.assertEqual(templates.contexts(["sales", "sales"]), ["sales"])

    def test_an_error_lists_the_known_contexts(self) -> None:
        templates = self.infra("sales", PLATFORM, "orders")
        with self.assertRaisesRegex(CliError, "No context is named bank, platform. .*infra contains orders, sales.$"):
            templates.contexts(["platform", "sales", "bank"])

    def test_a_folder_without_templates_is_named(self) -> None:
        with self.assertRaisesRegex(CliError, "platform.yaml does not exist: .*--project or --infra"):
            self.infra("orders").contexts()
        (self.folder / "infra/orders.yaml").unlink()
        with self.assertRaisesRegex(CliError, "no context"):
            self.infra(PLATFORM).contexts()

    def test_local_stacks_get_their_stage_platform_and_the_machines_architecture(self) -> None:
        for machine, architecture in [("x86_64", "x86_64"), ("aarch64", "arm64"), ("arm64", "arm64")]:
            with mock.patch("platform.machine", return_value=machine):
                values = local_parameters({}, {}, {})
            self.assertEqual(values["Architecture"], architecture)
        self.assertEqual((values["Stage"], values["Platform"]), ("local", "ledgerfold-local"))
        with mock.patch("platform.machine", return_value="riscv64"), self.assertRaisesRegex(CliError, "riscv64"):
            local_parameters({}, {}, {})

    def test_the_local_issuer_is_trusted_unless_another_one_is_requested(self) -> None:
        templates = {"orders": {"Parameters": {"Authentication": {}, "TokenIssuer": {}}}}
        trusted = {"Authentication": "token", "TokenIssuer": "ledgerfold-local"}
        values = local_parameters(templates, {}, trusted)
        self.assertEqual((values["Authentication"], values["TokenIssuer"]), ("token", "ledgerfold-local"))
        values = local_parameters(templates, {"TokenIssuer": "https://id.example.com"}, trusted)
        self.assertEqual(values["TokenIssuer"], "https://id.example.com")

    def test_a_parameter_can_be_set_if_any_template_has_it(self) -> None:
        own = {"Parameters": {"Patience": {}, "Platform": {}}}
        templates = {PLATFORM: {"Parameters": {"Stage": {}}}, "orders": own}
        self.assertEqual(local_parameters(templates, {"Patience": "60"}, {})["Patience"], "60")
        with self.assertRaisesRegex(CliError, "parameter named Patients. The parameters are Patience, Stage."):
            local_parameters(templates, {"Patients": "60"}, {})
        with self.assertRaisesRegex(CliError, "parameter named Platform"):
            local_parameters(templates, {"Platform": "another"}, {})
