"""Tests templates: reading them, adapting them to MiniStack, and their outputs."""

from __future__ import annotations

import json
import unittest
from unittest import mock

from ledgerfold_local import ministack, stack, template
from ledgerfold_local.errors import CliError
from support import TestCase

TEMPLATE = """
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Stage: {Type: String, Default: prod}
  Batch: {Type: String, Default: '10'}
Globals:
  Function: {Runtime: provided.al2023}
Resources:
  Bus: {Type: AWS::Events::EventBus}
  BusPolicy: {Type: AWS::Events::EventBusPolicy, Properties: {EventBusName: !Ref Bus}}
  Archive:
    Type: AWS::Events::Archive
    Properties:
      ArchiveName: !Sub ${AWS::StackName}-archive
      SourceArn: !GetAtt Bus.Arn
      EventPattern: {source: [ledgerfold.orders]}
      Description: all of it
  Command:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../target/lambda/orders-command/
      Environment: {Variables: {ARCHIVE: !Ref Archive, TEXT: !Sub 'of ${Archive.Arn} and ${Bus}'}}
      Events:
        Post: {Type: Api, Properties: {Path: '/{proxy+}', Method: POST}}
  Query:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../target/lambda/orders-query/
      Events:
        Any: {Type: Api, Properties: {Path: '/{proxy+}', Method: ANY}}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {BatchSize: !Ref Batch, FunctionName: !Ref Query, MaximumBatchingWindowInSeconds: !If [Small, 0, 1]}
  Plain: {Type: AWS::CloudWatch::Alarm, Properties: {MetricName: Errors}}
  Mathematical: {Type: AWS::CloudWatch::Alarm, Properties: {Metrics: []}}
Outputs:
  ArchiveArn: {Value: !GetAtt Archive.Arn}
"""


class TemplateTest(TestCase):
    def load(self) -> dict:
        return template.load(self.write("template.yaml", TEMPLATE))

    def test_short_forms_become_long_ones_and_dates_stay_text(self) -> None:
        loaded = self.load()
        self.assertEqual(loaded["AWSTemplateFormatVersion"], "2010-09-09")
        archive = loaded["Resources"]["Archive"]["Properties"]
        self.assertEqual(archive["SourceArn"], {"Fn::GetAtt": ["Bus", "Arn"]})
        self.assertEqual(archive["ArchiveName"], {"Fn::Sub": "${AWS::StackName}-archive"})
        mapping = loaded["Resources"]["Mapping"]["Properties"]
        self.assertEqual(mapping["BatchSize"], {"Ref": "Batch"})
        self.assertEqual(mapping["MaximumBatchingWindowInSeconds"], {"Fn::If": ["Small", 0, 1]})
        json.dumps(loaded)

    def test_a_file_that_is_no_template_is_named(self) -> None:
        for text, reason in [("a: [", "x.yaml is not valid YAML"), ("", "no Resources"), ("a: 1", "no Resources")]:
            with self.subTest(text), self.assertRaisesRegex(CliError, reason):
                template.load(self.write("x.yaml", text))

    def test_every_function_has_a_code_folder_its_own_or_the_default(self) -> None:
        loaded = self.load()
        self.assertEqual(
            template.code_uris(loaded),
            {"Command": "../target/lambda/orders-command/", "Query": "../target/lambda/orders-query/"},
        )
        del loaded["Resources"]["Query"]["Properties"]["CodeUri"]
        loaded["Globals"]["Function"]["CodeUri"] = "../target/lambda/common/"
        self.assertEqual(template.code_uris(loaded)["Query"], "../target/lambda/common/")

    def test_code_is_named_for_each_function_also_where_it_had_the_default(self) -> None:
        loaded = self.load()
        del loaded["Resources"]["Query"]["Properties"]["CodeUri"]
        template.set_code(loaded, "Query", {"Bucket": "b", "Key": "k"})
        self.assertEqual(loaded["Resources"]["Query"]["Properties"]["CodeUri"], {"Bucket": "b", "Key": "k"})

    def test_ministacks_archive_is_taken_out_with_everything_that_refers_to_it(self) -> None:
        loaded = self.load()
        by_api = ministack.adapt(loaded, {})
        self.assertNotIn("Archive", loaded["Resources"])
        name = {"Fn::Sub": "${AWS::StackName}-archive"}
        variables = loaded["Resources"]["Command"]["Properties"]["Environment"]["Variables"]
        self.assertEqual(variables["ARCHIVE"], name)
        self.assertNotIn('"Archive"', json.dumps(loaded))
        text, meanings = variables["TEXT"]["Fn::Sub"]
        self.assertEqual(text, "of ${ArchiveArn} and ${Bus}")
        self.assertIn("archive/${LocalArchiveName}", meanings["ArchiveArn"]["Fn::Sub"][0])
        self.assertEqual(loaded["Outputs"]["ArchiveArn"]["Value"], meanings["ArchiveArn"])

        events = mock.Mock()
        events.list_archives.return_value = {"Archives": []}
        by_api.create(events, {"LocalArchiveName": "a", "LocalArchiveSource": "arn:bus"})
        events.create_archive.assert_called_once_with(
            ArchiveName="a",
            EventSourceArn="arn:bus",
            Description="all of it",
            EventPattern='{"source": ["ledgerfold.orders"]}',
        )
        events.list_archives.return_value = {"Archives": [{"ArchiveName": "a"}]}
        by_api.create(events, {"LocalArchiveName": "a", "LocalArchiveSource": "arn:bus"})
        events.update_archive.assert_called_once()

    def test_a_template_without_an_archive_stays_as_it_is(self) -> None:
        loaded = self.load()
        del loaded["Resources"]["Archive"]
        self.assertIsNone(ministack.extract_archive(loaded))

    def test_other_parts_are_adapted_to_ministack(self) -> None:
        loaded = self.load()
        ministack.adapt(loaded, {"Batch": "5"})
        self.assertEqual(loaded["Resources"]["Mapping"]["Properties"]["BatchSize"], 5)
        self.assertIn("Plain", loaded["Resources"])
        self.assertNotIn("BusPolicy", loaded["Resources"])
        self.assertNotIn("Mathematical", loaded["Resources"])
        routes = loaded["Resources"]["Query"]["Properties"]["Events"].values()
        self.assertEqual(
            {route["Properties"]["Method"] for route in routes}, {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"}
        )
        self.assertEqual(list(loaded["Resources"]["Command"]["Properties"]["Events"]), ["Post"])


class StackTest(unittest.TestCase):
    PLATFORM = {"BusName": "bus", "ArchiveName": "archive"}  # noqa: RUF012
    OUTPUTS = {  # noqa: RUF012
        "ApiId": "api1",
        "ApiStage": "local",
        "ApiUrl": "https://aws",
        "EventTable": "events",
        "OrderViewTable": "views",
        "CustomerOrdersTable": "customers",
        "CommandFunction": "command-1",
        "CustomerOrdersProjector": "projector-1",
        "CustomerOrdersQueue": "http://queue",
        "CustomerOrdersDeadLetters": "http://dead",
        "CustomerOrdersRule": "arn:rule",
        "AuditQueue": "http://audit",
        "AuditDeadLetters": "http://audit-dead",
        "AuditRuleArn": "arn:audit",
        "ProjectionStates": "states",
        "PaymentDeadlineSetting": "86400",
    }

    def test_outputs_become_the_contract(self) -> None:
        described = stack.describe("localstack", 4570, self.PLATFORM, "logs")
        self.assertEqual(described["endpoint"], "http://127.0.0.1:4570")
        self.assertEqual((described["region"], described["bus"], described["archive"]), ("us-east-1", "bus", "archive"))
        orders = stack.describe_context("orders", 4570, "ledgerfold-local-orders", self.OUTPUTS)
        self.assertEqual(orders["api"], "http://127.0.0.1:4570/_aws/execute-api/api1/local")
        self.assertEqual((orders["eventTable"], orders["apiKey"]), ("events", None))
        self.assertEqual(orders["readTables"], {"order-view": "views", "customer-orders": "customers"})
        self.assertEqual(orders["functions"], {"command": "command-1", "projector-customer-orders": "projector-1"})
        self.assertEqual(orders["queues"], {"customer-orders": "http://queue"})
        self.assertEqual(orders["deadLetters"], {"customer-orders": "http://dead"})
        self.assertEqual(orders["audit"], {"queue": "http://audit", "rule": "arn:audit"})
        self.assertEqual(orders["export"], {"bucket": None, "progress": None, "minutes": None})
        self.assertEqual(orders["settings"], {"payment-deadline": "86400"})
        self.assertEqual((orders["rules"], orders["projectionStates"]), ({"customer-orders": "arn:rule"}, "states"))
        self.assertEqual((orders["stack"], orders["outputs"]), ("ledgerfold-local-orders", self.OUTPUTS))

    def test_a_missing_output_is_named_with_its_template(self) -> None:
        outputs = {name: value for name, value in self.OUTPUTS.items() if name != "EventTable"}
        with self.assertRaisesRegex(CliError, "orders.yaml does not have: EventTable"):
            stack.describe_context("orders", 4570, "ledgerfold-local-orders", outputs)
        with self.assertRaisesRegex(CliError, "platform.yaml does not have: ArchiveName"):
            stack.describe("localstack", 4570, {"BusName": "bus"}, "logs")

    def test_every_context_has_a_stack_beside_the_platforms(self) -> None:
        self.assertEqual(stack.stack_name("platform"), "ledgerfold-local")
        self.assertEqual(stack.stack_name("orders"), "ledgerfold-local-orders")
