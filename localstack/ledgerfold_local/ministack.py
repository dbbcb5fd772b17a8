"""Adapts the template to MiniStack's CloudFormation, which lacks some types. The template itself is written for AWS.

| template                                    | MiniStack                           | change                      |
| ------------------------------------------- | ----------------------------------- | --------------------------- |
| `AWS::Events::Archive`                      | rejects the unknown type            | created through the API     |
| `AWS::CloudWatch::Alarm` with metric math   | rejects it                          | removed: it could not fire  |
| an API's method `ANY`                       | ignores it silently                 | one method for each verb    |
| `AWS::Events::EventBusPolicy`               | rejects the unknown type            | removed: not enforced       |
| a number by `!Ref` in event source mappings | keeps it as text; the poller fails  | the parameter's value       |
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ledgerfold_local.template import substitute

ARCHIVE = "AWS::Events::Archive"
BUS_POLICY = "AWS::Events::EventBusPolicy"
ALARM = "AWS::CloudWatch::Alarm"
FUNCTION = "AWS::Serverless::Function"
MAPPING = "AWS::Lambda::EventSourceMapping"
# CloudFormation resolves references in the archive's properties, and returns them as these outputs.
NAME = "LocalArchiveName"
SOURCE = "LocalArchiveSource"
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True)
class ArchiveByApi:
    """The archive's properties in the template, except name and source."""

    description: str | None
    pattern: dict[str, Any] | None

    def create(self, events: Any, outputs: dict[str, str]) -> None:
        settings: dict[str, Any] = {}
        if self.description:
            settings["Description"] = self.description
        if self.pattern:
            settings["EventPattern"] = json.dumps(self.pattern)
        name = outputs[NAME]
        if name in [archive["ArchiveName"] for archive in events.list_archives()["Archives"]]:
            events.update_archive(ArchiveName=name, **settings)
        else:
            events.create_archive(ArchiveName=name, EventSourceArn=outputs[SOURCE], **settings)


def adapt(template: dict[str, Any], parameters: dict[str, str]) -> ArchiveByApi | None:
    """Changes the template in place. Returns the archive, to be created after the stack."""
    remove_metric_math_alarms(template)
    remove_type(template, BUS_POLICY)
    expand_any_method(template)
    insert_numbers(template, parameters)
    return extract_archive(template)


def extract_archive(template: dict[str, Any]) -> ArchiveByApi | None:
    """Removes the archive from the template, if there is one, and replaces references to it.

    Its retention is dropped, because a local cloud does not run for days.
    """
    found = [name for name, resource in template["Resources"].items() if resource["Type"] == ARCHIVE]
    if not found:
        return None
    [logical_id] = found
    properties = template["Resources"].pop(logical_id)["Properties"]
    name = properties.get("ArchiveName") or {"Fn::Sub": f"${{AWS::StackName}}-{logical_id}"}
    arn = {
        "Fn::Sub": [
            "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:archive/${LocalArchiveName}",
            {"LocalArchiveName": name},
        ]
    }
    for section in ("Resources", "Outputs"):
        template[section] = substitute(template.get(section, {}), logical_id, name, {"Arn": arn})
    template["Outputs"][NAME] = {"Value": name}
    template["Outputs"][SOURCE] = {"Value": properties["SourceArn"]}
    return ArchiveByApi(properties.get("Description"), properties.get("EventPattern"))


def insert_numbers(template: dict[str, Any], parameters: dict[str, str]) -> None:
    """Replaces references to numeric parameters in event source mappings by their values."""
    for name, declared in template.get("Parameters", {}).items():
        value = str(parameters.get(name, declared.get("Default", "")))
        if not value.isdigit():
            continue
        for resource in template["Resources"].values():
            if resource["Type"] == MAPPING:
                resource["Properties"] = substitute(resource["Properties"], name, int(value), {})


def remove_metric_math_alarms(template: dict[str, Any]) -> None:
    template["Resources"] = {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] != ALARM or "Metrics" not in resource["Properties"]
    }


def remove_type(template: dict[str, Any], kind: str) -> None:
    """Removes all resources of a type. Nothing may refer to them."""
    resources = template["Resources"]
    template["Resources"] = {name: body for name, body in resources.items() if body["Type"] != kind}


def expand_any_method(template: dict[str, Any]) -> None:
    """Replaces `ANY` by all verbs that no other function has for the same path."""
    functions = [resource for resource in template["Resources"].values() if resource["Type"] == FUNCTION]
    events = [event for function in functions for event in function["Properties"].get("Events", {}).values()]
    routes = [event["Properties"] for event in events if event["Type"] == "Api"]
    taken = {(route["Path"], route["Method"].upper()) for route in routes}
    for function in functions:
        expanded = {}
        for name, event in function["Properties"].get("Events", {}).items():
            route = event["Properties"]
            if event["Type"] != "Api" or route["Method"].upper() != "ANY":
                expanded[name] = event
                continue
            for verb in VERBS:
                if (route["Path"], verb) not in taken:
                    expanded[f"{name}{verb.title()}"] = {**event, "Properties": {**route, "Method": verb}}
        if expanded:
            function["Properties"]["Events"] = expanded
