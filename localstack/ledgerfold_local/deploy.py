"""Deploys one stack to an emulator through CloudFormation, as `sam deploy` does on AWS.

A changed template needs a fresh emulator, because LocalStack's stack updates are broken: for a changed API it tries to
create the stage again, fails, deletes the stage during the rollback, and reports UPDATE_COMPLETE. Changed functions
get their code through Lambda instead.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ledgerfold_local import ministack, packaging, template
from ledgerfold_local.aws import Aws
from ledgerfold_local.errors import CliError
from ledgerfold_local.processes import wait_until

STACK_SECONDS = 300.0


class StackDeployment:
    """The deployment of one stack to an emulator."""

    def __init__(
        self,
        aws: Aws,
        emulator: str,
        stack: str,
        document: dict[str, Any],
        functions: Path,
        packages: Path,
        parameters: dict[str, str],
    ) -> None:
        """`parameters` may have more names than the template declares."""
        self._aws = aws
        self.stack = stack
        self._builds = functions
        self._packages: packaging.Packages = (
            packaging.Zips(packages) if emulator == "ministack" else packaging.Folders(packages)
        )
        self._template = document
        self._parameters = {name: value for name, value in parameters.items() if name in template.parameters(document)}
        self._archive: ministack.ArchiveByApi | None = None
        if emulator == "ministack":
            self._archive = ministack.adapt(self._template, self._parameters)
        self.shape = digest(stack, json.dumps(self._template), self._parameters, self._archive)
        """A hash of the template. It does not depend on the code of the functions."""
        self.digest = ""
        """A hash of the template and of the packed functions. Empty until they are packed."""
        self.programs: set[Path] = set()
        """The programs of the functions. Empty until they are packed."""
        self._packed: dict[str, packaging.Package] = {}
        """The packages, by logical id of the function."""
        self._body = ""

    @property
    def _cloudformation(self) -> Any:
        return self._aws.client("cloudformation")

    def pack(self) -> None:
        """Creates the packages of the functions, which must have been built. Call it before everything else."""
        self._packed = self._rewrite_code()
        self._body = json.dumps(self._template, indent=1)
        self.digest = digest(self.shape, self._body)

    def is_usable(self) -> bool:
        return self._status() == "CREATE_COMPLETE"

    def create(self) -> None:
        with error_context(f"Deploying {self.stack}"):
            self._deliver()
            self._create_stack()
            if self._archive:
                self._archive.create(self._aws.client("events"), self.outputs())
        self._packages.clear(self._packed.values())

    def update_code(self) -> int:
        """Updates the functions whose package has changed and returns their number. The shape must be the same."""
        with error_context(f"Updating the functions of {self.stack}"):
            self._deliver()
            functions = self._aws.client("lambda")
            changed = [
                name
                for name, package in self._functions_of_stack().items()
                if self._update_function(functions, name, package)
            ]
            for name in changed:
                functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        self._packages.clear(self._packed.values())
        return len(changed)

    def outputs(self) -> dict[str, str]:
        return outputs_of(self._aws, self.stack)

    # ---- Packages --------------------------------------------------------------------------------

    def _rewrite_code(self) -> dict[str, packaging.Package]:
        """Packs each code folder once, even if several functions share it, and puts the packages into the template."""
        packed: dict[str, packaging.Package] = {}
        by_folder: dict[Path, packaging.Package] = {}
        for logical_id, uri in template.code_uris(self._template).items():
            folder = packaging.function_folder(uri, self._builds)
            if folder not in by_folder:
                by_folder[folder] = self._packages.pack(folder)
            packed[logical_id] = by_folder[folder]
            template.set_code(self._template, logical_id, packed[logical_id].code_uri)
        self.programs = {folder / packaging.PROGRAM for folder in by_folder}
        return packed

    def _deliver(self) -> None:
        s3 = self._aws.client("s3")
        s3.create_bucket(Bucket=packaging.BUCKET)  # The template always needs it.
        self._packages.deliver(s3, self._packed.values())

    def _functions_of_stack(self) -> dict[str, packaging.Package]:
        """The names that CloudFormation generated for functions, with their packages."""
        pages = self._cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.stack)
        names = {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
        }
        return {names[logical_id]: package for logical_id, package in self._packed.items()}

    def _update_function(self, functions: Any, name: str, package: packaging.Package) -> bool:
        """Updates a function unless it already has this package."""
        if self._packages.identity_of(functions.get_function(FunctionName=name)) == package.identity:
            return False
        functions.update_function_code(FunctionName=name, S3Bucket=package.bucket, S3Key=package.key)
        return True

    # ---- The stack -------------------------------------------------------------------------------

    def _create_stack(self) -> None:
        self._cloudformation.create_stack(
            StackName=self.stack,
            TemplateURL=self._template_url(),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in self._parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            OnFailure="DO_NOTHING",  # A rollback would delete the failed resources and their reasons.
        )
        if not wait_until(lambda: self._status() != "CREATE_IN_PROGRESS", STACK_SECONDS, every=0.2):
            raise CliError(f"CloudFormation did not finish {self.stack} within {STACK_SECONDS:.0f} seconds.")
        if not self.is_usable():
            raise CliError(f"CloudFormation could not deploy {self.stack} ({self._status()}):\n{self._reasons()}")

    def _template_url(self) -> str:
        """Uploads the template and returns its URL, because a template in the request is limited to 50 KB."""
        key = f"{hashlib.sha256(self._body.encode()).hexdigest()}.template.json"
        s3 = self._aws.client("s3")
        s3.put_object(Bucket=packaging.BUCKET, Key=key, Body=self._body.encode())
        return f"{s3.meta.endpoint_url}/{packaging.BUCKET}/{key}"

    def _status(self) -> str | None:
        from botocore.exceptions import ClientError

        try:
            [stack] = self._cloudformation.describe_stacks(StackName=self.stack)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack["StackStatus"]

    def _reasons(self) -> str:
        """The failed resources with their reasons, in the order of their failures."""
        events = self._cloudformation.describe_stack_events(StackName=self.stack)["StackEvents"]
        lines = [
            f"  {event['LogicalResourceId']} ({event.get('ResourceType', '?')}): {event['ResourceStatusReason']}"
            for event in reversed(events)
            if event["ResourceStatus"].endswith("_FAILED") and event.get("ResourceStatusReason")
        ]
        return "\n".join(dict.fromkeys(lines)) or "  (no resource has a reason)"


def digest(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


@contextlib.contextmanager
def error_context(purpose: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise CliError(f"{purpose} failed: {error}") from None


def outputs_of(aws: Aws, stack: str) -> dict[str, str]:
    [found] = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
