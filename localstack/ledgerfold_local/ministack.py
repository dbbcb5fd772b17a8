"""Changes to the template for MiniStack's CloudFormation, which lacks some types.

| in the template                             | there                               | so                          |
| ------------------------------------------- | ----------------------------------- | --------------------------- |
| `AWS::Events::Archive`                      | refused as unknown                  | left out, then made by API  |
| `AWS::CloudWatch::Alarm` with metric math   | refused                             | left out: it could not fire |
| an API's method `ANY`                       | dropped without a word              | a method for every verb     |
| `AWS::Events::EventBusPolicy`                | refused as unknown                  | left out: it enforces none  |
| a number by `!Ref` in event source mappings | stays text, and the poller fails    | the parameter's value       |

The template itself is for AWS and knows nothing of this.
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
# Outputs that carry the archive's properties through CloudFormation, which alone can resolve their references.
NAME = "LocalArchiveName"
SOURCE = "LocalArchiveSource"
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True)
class ArchiveByApi:
    """The properties of the archive in the template, apart from name and source."""

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
    """Changes the template in place. Returns the archive to create once the stack exists."""
    leave_out_metric_math(template)
    leave_out(template, BUS_POLICY)
    spell_out_any_method(template)
    settle_numbers(template, parameters)
    return take_out_archive(template)


def take_out_archive(template: dict[str, Any]) -> ArchiveByApi | None:
    """Removes the template's archive, if there is one, and resolves references to it.

    Its retention is dropped: nothing local lives for days.
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


def settle_numbers(template: dict[str, Any], parameters: dict[str, str]) -> None:
    """Puts the value of a parameter that is a number where an event source mapping refers to it."""
    for name, declared in template.get("Parameters", {}).items():
        value = str(parameters.get(name, declared.get("Default", "")))
        if not value.isdigit():
            continue
        for resource in template["Resources"].values():
            if resource["Type"] == MAPPING:
                resource["Properties"] = substitute(resource["Properties"], name, int(value), {})


def leave_out_metric_math(template: dict[str, Any]) -> None:
    template["Resources"] = {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] != ALARM or "Metrics" not in resource["Properties"]
    }


def leave_out(template: dict[str, Any], kind: str) -> None:
    """Removes the resources of a type to which nothing refers."""
    resources = template["Resources"]
    template["Resources"] = {name: body for name, body in resources.items() if body["Type"] != kind}


def spell_out_any_method(template: dict[str, Any]) -> None:
    """Gives a path every verb that no function has for itself, in place of `ANY`."""
    functions = [resource for resource in template["Resources"].values() if resource["Type"] == FUNCTION]
    events = [event for function in functions for event in function["Properties"].get("Events", {}).values()]
    routes = [event["Properties"] for event in events if event["Type"] == "Api"]
    taken = {(route["Path"], route["Method"].upper()) for route in routes}
    for function in functions:
        spelt_out = {}
        for name, event in function["Properties"].get("Events", {}).items():
            route = event["Properties"]
            if event["Type"] != "Api" or route["Method"].upper() != "ANY":
                spelt_out[name] = event
                continue
            for verb in VERBS:
                if (route["Path"], verb) not in taken:
                    spelt_out[f"{name}{verb.title()}"] = {**event, "Properties": {**route, "Method": verb}}
        if spelt_out:
            function["Properties"]["Events"] = spelt_out
