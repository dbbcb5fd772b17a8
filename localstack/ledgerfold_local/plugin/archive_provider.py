"""Adds `AWS::Events::Archive` to LocalStack's CloudFormation, which lacks the type and would skip it silently.

LocalStack passes a provider only the properties in the template, even on deletion. If the template does not name an
archive, we therefore derive its name from the stack and the logical id, so that it is the same each time.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping

from localstack.services.cloudformation.resource_provider import (
    CloudFormationResourceProviderPlugin,
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceRequest,
)

MAX_NAME_LENGTH = 48


class ArchiveProvider(ResourceProvider):
    TYPE = "AWS::Events::Archive"
    SCHEMA = {  # noqa: RUF012 (as in LocalStack's base class)
        "typeName": TYPE,
        "properties": {
            "ArchiveName": {"type": "string"},
            "SourceArn": {"type": "string"},
            "Description": {"type": "string"},
            "EventPattern": {"type": "object"},
            "KmsKeyIdentifier": {"type": "string"},
            "RetentionDays": {"type": "integer"},
            "Arn": {"type": "string"},
        },
        "required": ["SourceArn"],
        "createOnlyProperties": ["/properties/ArchiveName", "/properties/SourceArn"],
        "readOnlyProperties": ["/properties/Arn"],
        "primaryIdentifier": ["/properties/ArchiveName"],
    }

    def create(self, request: ResourceRequest) -> ProgressEvent:
        model = named(request)
        events = request.aws_client_factory.events
        model["Arn"] = events.create_archive(
            ArchiveName=model["ArchiveName"], EventSourceArn=model["SourceArn"], **settings(model)
        )["ArchiveArn"]
        return done(request, model)

    def read(self, request: ResourceRequest) -> ProgressEvent:
        model = named(request)
        found = request.aws_client_factory.events.describe_archive(ArchiveName=model["ArchiveName"])
        model.update(Arn=found["ArchiveArn"], SourceArn=found["EventSourceArn"])
        return done(request, model)

    def update(self, request: ResourceRequest) -> ProgressEvent:
        """Changes settings in place. A new source needs a new archive. CloudFormation itself handles a new name."""
        model = named(request)
        events = request.aws_client_factory.events
        found = events.describe_archive(ArchiveName=model["ArchiveName"])
        if found["EventSourceArn"] != model["SourceArn"]:
            events.delete_archive(ArchiveName=model["ArchiveName"])
            return self.create(request)
        events.update_archive(ArchiveName=model["ArchiveName"], **settings(model))
        model["Arn"] = found["ArchiveArn"]
        return done(request, model)

    def delete(self, request: ResourceRequest) -> ProgressEvent:
        """Deletes the archive. A missing one is no error, because a stack must always be deletable."""
        model = named(request)
        events = request.aws_client_factory.events
        with contextlib.suppress(events.exceptions.ResourceNotFoundException):
            events.delete_archive(ArchiveName=model["ArchiveName"])
        return done(request, model)


def named(request: ResourceRequest) -> dict:
    model = dict(request.desired_state or request.previous_state or {})
    model.setdefault("ArchiveName", f"{request.stack_name}-{request.logical_resource_id}"[:MAX_NAME_LENGTH])
    return model


def settings(model: Mapping) -> dict:
    """The parameters of the API, except name and source. A template may contain numbers as text, and the pattern as an
    object; the API needs numbers and text. KmsKeyIdentifier has no effect, because LocalStack encrypts nothing."""
    taken: dict = {}
    if "Description" in model:
        taken["Description"] = model["Description"]
    if "RetentionDays" in model:
        taken["RetentionDays"] = int(model["RetentionDays"])
    if "EventPattern" in model:
        pattern = model["EventPattern"]
        taken["EventPattern"] = pattern if isinstance(pattern, str) else json.dumps(pattern)
    return taken


def done(request: ResourceRequest, model: dict) -> ProgressEvent:
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model, custom_context=request.custom_context)


class ArchiveProviderPlugin(CloudFormationResourceProviderPlugin):
    name = "AWS::Events::Archive"

    def __init__(self) -> None:
        self.factory: type[ResourceProvider] | None = None

    def load(self) -> None:
        self.factory = ArchiveProvider
