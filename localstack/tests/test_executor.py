"""Tests the executor, the repairs and the archive provider with LocalStack's own classes. No LocalStack runs."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any
from unittest import mock

from support import RUNTIME, WITH_LOCALSTACK, TestCase, needs_localstack

if WITH_LOCALSTACK:
    from localstack.services.cloudformation.resource_provider import OperationStatus
    from plux import PluginManager

    from ledgerfold_local.plugin import archive_provider, executor
    from ledgerfold_local.plugin.repairs import gateway_responses, log_groups, replay


@needs_localstack
class ExecutorTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.write("code/bootstrap", f"#!{sys.executable} -IS\n{RUNTIME.read_text()}", 0o755)
        self.code = mock.Mock()
        self.code.get_unzipped_code_location.return_value = self.folder / "code"
        self.version = SimpleNamespace(
            id=SimpleNamespace(function_name="stack-Relay-1", qualifier="$LATEST"),
            config=SimpleNamespace(code=self.code, memory_size=256, timeout=5, environment={"BUS_NAME": "bus"}),
        )
        environment = mock.patch.dict(os.environ, {"LEDGERFOLD_FUNCTION_LOGS": str(self.folder / "logs")})
        environment.start()
        self.addCleanup(environment.stop)
        self.addCleanup(executor.REAPER.close)

    def start(self) -> Any:
        started = executor.ProcessExecutor("0123456789", self.version)
        started.start({"AWS_REGION": "us-east-1", "BUS_NAME": "bus", "LOCALSTACK_HOSTNAME": "127.0.0.1"})
        self.addCleanup(started.stop)
        return started

    @staticmethod
    def invoke(started: Any, **event: object) -> Any:
        payload = {
            "invoke-id": "id-1",
            "payload": json.dumps(event),
            "invoked-function-arn": "arn",
            "trace-id": "Root=1",
        }
        return started.invoke(payload)

    def test_localstack_gets_its_own_kind_of_result(self) -> None:
        result = self.invoke(self.start(), text="grüße")
        self.assertEqual((result.request_id, result.is_error), ("id-1", False))
        self.assertEqual(json.loads(result.payload)["event"], {"text": "grüße"})
        self.assertIn("START RequestId: id-1 Version: $LATEST", result.logs)
        self.assertIn("REPORT RequestId: id-1", (self.folder / "logs/stack-Relay-1.log").read_text())

    def test_environments_of_one_function_are_processes_of_their_own(self) -> None:
        first, second = self.start(), self.start()
        pids = {json.loads(self.invoke(one).payload)["pid"] for one in (first, second)}
        self.assertEqual(len(pids), 2)
        first.stop()
        self.assertFalse(self.invoke(second).is_error)

    def test_configured_variables_reach_the_function_and_localstacks_do_not(self) -> None:
        seen = json.loads(self.invoke(self.start(), do="environment").payload)
        self.assertEqual(seen["BUS_NAME"], "bus")
        self.assertNotIn("LOCALSTACK_HOSTNAME", seen)
        self.assertNotIn("LEDGERFOLD_FUNCTION_LOGS", seen)

    def test_versions_are_unpacked_and_their_code_stays_for_the_next(self) -> None:
        executor.ProcessExecutor.prepare_version(self.version)
        self.code.prepare_for_execution.assert_called_once()
        executor.ProcessExecutor.cleanup_version(self.version)
        self.code.destroy_cached.assert_not_called()

    def test_localstack_finds_every_plugin(self) -> None:
        for namespace, name in [
            ("localstack.lambda.runtime_executor", "process"),
            ("localstack.hooks.on_infra_start", "apply_repairs"),
            ("localstack.cloudformation.resource_providers", "AWS::Events::Archive"),
        ]:
            with self.subTest(namespace):
                self.assertTrue(PluginManager(namespace).exists(name))


@needs_localstack
class RepairTest(TestCase):
    def test_events_with_times_as_text_can_be_replayed(self) -> None:
        from localstack.services.events.archive import ArchiveService
        from localstack.services.events.replay import ReplayService

        with mock.patch.object(ArchiveService, "put_events", ArchiveService.put_events):
            replay.convert_event_times()
            archive = ArchiveService.__new__(ArchiveService)
            archive.archive = SimpleNamespace(events={})
            event = {"id": "1", "time": "2026-11-23T09:00:30Z", "source": "s", "detail-type": "t", "detail": {}}
            archive.put_events([event])
        start, end = (datetime(2026, 11, 23, hour, tzinfo=timezone.utc) for hour in (8, 10))
        found = archive.get_events(start, end)
        self.assertEqual(archive.get_events(end, end), [])
        self.assertEqual(event["time"], "2026-11-23T09:00:30Z", "the event for other targets must not change")

        playing = ReplayService("r", "us-east-1", "0", "arn", {"Arn": "arn:aws:events:::event-bus/bus"}, start, end, "")
        playing.start(found)
        [entry] = playing.re_format_events_from_archive(found, "r")
        self.assertEqual(entry["Time"], datetime(2026, 11, 23, 9, 0, 30, tzinfo=timezone.utc))
        self.assertEqual(playing.replay.event_last_replayed_time, entry["Time"])

    def test_a_replay_reaches_the_rules_that_it_names_and_an_event_that_is_new_all(self) -> None:
        from localstack.services.events.provider import EventsProvider

        reached: list[tuple[str | None, str]] = []

        def process_rules(_self: Any, rule: Any, _region: str, _account: str, event: dict, _trace: Any) -> None:
            reached.append((event.get("replay-name"), rule.arn))

        destinations = {"to-one": {"Arn": "bus", "FilterArns": ["rule/a"]}, "to-all": {"Arn": "bus"}}
        replays = {name: SimpleNamespace(destination=destination) for name, destination in destinations.items()}
        provider = SimpleNamespace(get_store=lambda *_: SimpleNamespace(replays=replays))
        with mock.patch.object(EventsProvider, "_process_rules", process_rules):
            replay.deliver_to_named_rules_only()
            for event in ({}, {"replay-name": "to-one"}, {"replay-name": "to-all"}):
                for rule in ("rule/a", "rule/b"):
                    EventsProvider._process_rules(provider, SimpleNamespace(arn=rule), "r", "0", event, None)
        both = ("rule/a", "rule/b")
        self.assertEqual(
            reached, [*((None, rule) for rule in both), ("to-one", "rule/a"), *(("to-all", rule) for rule in both)]
        )

    def test_a_configured_log_group_is_used(self) -> None:
        from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment

        with mock.patch.object(ExecutionEnvironment, "get_log_group_name", ExecutionEnvironment.get_log_group_name):
            log_groups.honour_logging_config()
            environment = ExecutionEnvironment.__new__(ExecutionEnvironment)
            for configured, group in [({"LogGroup": "mine"}, "mine"), ({}, "/aws/lambda/relay")]:
                environment.function_version = SimpleNamespace(
                    id=SimpleNamespace(function_name="relay"), config=SimpleNamespace(logging_config=configured)
                )
                self.assertEqual(environment.get_log_group_name(), group)

    def test_gateway_responses_of_a_specification_are_kept(self) -> None:
        from localstack.services.apigateway.legacy import provider
        from localstack.services.apigateway.models import RestApiContainer, apigateway_stores

        container = RestApiContainer({})
        apigateway_stores["000000000000"]["us-east-1"].rest_apis["api1"] = container
        self.addCleanup(apigateway_stores["000000000000"]["us-east-1"].rest_apis.pop, "api1")
        context = SimpleNamespace(account_id="000000000000", region="us-east-1")
        response = {"statusCode": "503", "responseParameters": {"gatewayresponse.header.Retry-After": "'1'"}}
        specification = {"x-amazon-apigateway-gateway-responses": {"DEFAULT_5XX": response}}
        with mock.patch.object(provider, "import_api_from_openapi_spec") as original:
            gateway_responses.import_responses()
            provider.import_api_from_openapi_spec(
                SimpleNamespace(id="api1"), context=context, open_api_spec=specification, mode="overwrite"
            )
        original.assert_called_once_with(mock.ANY, context=context, open_api_spec=specification, mode="overwrite")
        self.assertEqual(container.gateway_responses["DEFAULT_5XX"]["statusCode"], 503)

    def test_clients_get_the_gateway_responses(self) -> None:
        from localstack.services.apigateway.next_gen.execute_api import gateway_response
        from localstack.services.apigateway.next_gen.execute_api.handlers.gateway_exception import (
            GatewayExceptionHandler,
        )

        configured = {
            "DEFAULT_5XX": gateway_response.build_gateway_response(
                "DEFAULT_5XX",
                status_code=503,
                response_parameters={
                    "gatewayresponse.header.Content-Type": "'application/problem+json'",
                    "gatewayresponse.header.Retry-After": "'1'",
                },
                response_templates={"application/json": '{"status":503,"instance":"$context.requestId"}'},
            )
        }
        failure = gateway_response.InternalServerError("Internal server error", status_code=502)
        original = GatewayExceptionHandler.create_exception_response
        with mock.patch.object(GatewayExceptionHandler, "create_exception_response", original):
            gateway_responses.apply_responses()
            for responses, status, kind, body in [
                (configured, 503, "application/problem+json", {"status": 503, "instance": "id-1"}),
                ({}, 502, "application/json", {"message": "Internal server error"}),
            ]:
                context = SimpleNamespace(
                    context_variables={"requestId": "id-1", "error": {"message": "x"}},
                    deployment=SimpleNamespace(rest_api=SimpleNamespace(gateway_responses=responses)),
                )
                response = GatewayExceptionHandler().create_exception_response(failure, context)
                self.assertEqual((response.status_code, response.headers["Content-Type"]), (status, kind))
                self.assertEqual(json.loads(response.data), body)

    def test_missing_variables_are_empty(self) -> None:
        variables = {"error": {"message": "no"}, "requestId": None}
        rendered = gateway_responses.render("$context.error.message-$context.error.x.y-$context.requestId.", variables)
        self.assertEqual(rendered, "no--.")


class NotFoundError(Exception):
    pass


@needs_localstack
class ArchiveProviderTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.events = mock.Mock()
        self.events.exceptions.ResourceNotFoundException = NotFoundError
        self.events.create_archive.return_value = {"ArchiveArn": "arn:archive"}
        self.events.describe_archive.return_value = {"ArchiveArn": "arn:archive", "EventSourceArn": "arn:bus"}
        self.provider = archive_provider.ArchiveProvider()

    def request(self, **properties: object) -> Any:
        return SimpleNamespace(
            desired_state={"SourceArn": "arn:bus", **properties},
            previous_state=None,
            stack_name="ledgerfold-orders",
            logical_resource_id="Archive",
            aws_client_factory=SimpleNamespace(events=self.events),
            custom_context={},
        )

    def test_creation_passes_on_the_properties_of_the_template(self) -> None:
        event = self.provider.create(
            self.request(ArchiveName="a", RetentionDays="7", EventPattern={"source": ["x"]}, Description="d")
        )
        self.events.create_archive.assert_called_once_with(
            ArchiveName="a",
            EventSourceArn="arn:bus",
            RetentionDays=7,
            EventPattern='{"source": ["x"]}',
            Description="d",
        )
        self.assertEqual(event.status, OperationStatus.SUCCESS)
        self.assertEqual(event.resource_model["Arn"], "arn:archive")

    def test_a_name_is_made_of_stack_and_logical_id_and_is_found_again_on_deletion(self) -> None:
        model = self.provider.create(self.request()).resource_model
        self.assertEqual(model["ArchiveName"], "ledgerfold-orders-Archive")
        self.provider.delete(self.request())
        self.events.delete_archive.assert_called_once_with(ArchiveName="ledgerfold-orders-Archive")

    def test_deleting_a_missing_archive_succeeds_and_other_failures_do_not(self) -> None:
        self.events.delete_archive.side_effect = NotFoundError
        self.assertEqual(self.provider.delete(self.request()).status, OperationStatus.SUCCESS)
        self.events.delete_archive.side_effect = ValueError
        with self.assertRaises(ValueError):
            self.provider.delete(self.request())

    def test_settings_change_in_place(self) -> None:
        event = self.provider.update(self.request(ArchiveName="a", RetentionDays=3))
        self.events.update_archive.assert_called_once_with(ArchiveName="a", RetentionDays=3)
        self.events.delete_archive.assert_not_called()
        self.assertEqual(event.resource_model["Arn"], "arn:archive")

    def test_another_source_needs_another_archive(self) -> None:
        self.events.describe_archive.return_value["EventSourceArn"] = "arn:other"
        self.provider.update(self.request(ArchiveName="a"))
        self.events.delete_archive.assert_called_once_with(ArchiveName="a")
        self.events.create_archive.assert_called_once_with(ArchiveName="a", EventSourceArn="arn:bus")
