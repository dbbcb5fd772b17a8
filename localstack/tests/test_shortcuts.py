"""Tests that short cuts give the same results and errors as LocalStack's own clients."""

from __future__ import annotations

import json
import queue
import threading
import time
from types import SimpleNamespace
from unittest import mock

from support import TestCase, needs_localstack

ACCOUNT = "000000000000"
REGION = "us-east-1"
LIMITS = {"sqs_override_max_message_count": 10, "sqs_override_wait_time_seconds": 0}
RECEIVE = {
    "MaxNumberOfMessages": 10,
    "MessageAttributeNames": ["All"],
    "MessageSystemAttributeNames": ["All"],
    **LIMITS,
}


@needs_localstack
class QueuesTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        from ledgerfold_local.plugin.shortcuts import queues
        from ledgerfold_local.plugin.shortcuts.providers import context_of
        from localstack.services.sqs.provider import SqsProvider

        provider = SqsProvider()
        provider._cloudwatch_dispatcher = None  # As the local cloud's settings have it.
        patch = mock.patch.object(queues, "provider_of", lambda _service: provider)
        patch.start()
        self.addCleanup(patch.stop)
        name = f"test-{time.time_ns()}"
        self.url = provider.create_queue(context_of("sqs", "CreateQueue", ACCOUNT, REGION), queue_name=name)["QueueUrl"]
        self.arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        self.client = queues.QueueClient(ACCOUNT, REGION)

    def receive(self) -> list[dict]:
        return self.client.receive_message(QueueUrl=self.url, **RECEIVE).get("Messages", [])

    def test_a_message_is_received_as_it_was_sent_and_gone_once_deleted(self) -> None:
        self.client.send_message(QueueUrl=self.url, MessageBody="one")
        [message] = self.receive()
        self.assertEqual((message["Body"], message["Attributes"]["ApproximateReceiveCount"]), ("one", "1"))
        self.assertNotIn(None, message.values())
        entries = [{"Id": "0", "ReceiptHandle": message["ReceiptHandle"]}]
        self.client.delete_message_batch(QueueUrl=self.url, Entries=entries, sqs_override_max_message_count=10)
        counts = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"]
        self.assertEqual(counts["ApproximateNumberOfMessagesNotVisible"], "0")

    def test_missing_values_are_left_out_and_not_none(self) -> None:
        self.assertEqual(self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["FifoQueue"]), {})

    def test_a_poll_of_an_empty_queue_waits_and_is_woken_by_a_message(self) -> None:
        received: queue.SimpleQueue = queue.SimpleQueue()
        poller = threading.Thread(target=lambda: received.put(self.receive()))
        poller.start()
        self.client.send_message(QueueUrl=self.url, MessageBody="one")
        self.assertEqual([message["Body"] for message in received.get(timeout=10)], ["one"])
        poller.join()

    def test_a_mapping_can_receive_more_than_ten_messages(self) -> None:
        for number in range(12):
            self.client.send_message(QueueUrl=self.url, MessageBody=str(number))
        limits = {**RECEIVE, "sqs_override_max_message_count": 50}
        self.assertEqual(len(self.client.receive_message(QueueUrl=self.url, **limits)["Messages"]), 12)

    def test_an_error_is_a_client_error(self) -> None:
        from botocore.exceptions import ClientError

        with self.assertRaises(ClientError) as caught:
            self.client.send_message(QueueUrl=f"{self.url}-none", MessageBody="one")
        self.assertEqual("QueueDoesNotExist", caught.exception.response["Error"]["Code"])

    def test_a_rule_delivers_into_the_queue_of_its_target(self) -> None:
        from ledgerfold_local.plugin.shortcuts.rules import deliver_to_queues_directly
        from localstack.services.events.target import TargetSenderFactory

        with mock.patch.dict(TargetSenderFactory.target_map):
            deliver_to_queues_directly()
            target = {"Id": "queue", "Arn": self.arn}
            sender = TargetSenderFactory(target, "arn:rule", "rule", REGION, ACCOUNT).get_target_sender()
        with mock.patch("localstack.services.events.target.sqs_queue_url_for_arn", lambda _arn: self.url):
            sender.process_event({"id": "1", "detail": {"amount": 1}}, None)
        [message] = self.receive()
        self.assertEqual(json.loads(message["Body"]), {"id": "1", "detail": {"amount": 1}})


@needs_localstack
class InvocationsTest(TestCase):
    def invoke(self, provider: object) -> dict:
        from ledgerfold_local.plugin.shortcuts import invocations

        with mock.patch.object(invocations, "provider_of", lambda _service: provider):
            client = invocations.FunctionClient(ACCOUNT, REGION)
            return client.invoke(FunctionName="relay", Payload='{"a": 1}', InvocationType="RequestResponse")

    def test_the_function_gets_the_bytes_and_the_caller_its_answer_with_the_requests_id(self) -> None:
        seen = {}

        def invoke(context: object, **request: object) -> dict:
            seen.update(request, payload=request["payload"].read(), id=context.request_id)
            return {"StatusCode": 200, "Payload": b'"done"', "FunctionError": None}

        answer = self.invoke(SimpleNamespace(invoke=invoke))
        self.assertEqual((seen["function_name"], seen["payload"]), ("relay", b'{"a": 1}'))
        self.assertEqual(answer["Payload"].read(), b'"done"')
        self.assertEqual(answer["ResponseMetadata"]["RequestId"], seen["id"])
        self.assertNotIn("FunctionError", answer)

    def test_a_missing_function_is_a_client_error(self) -> None:
        from botocore.exceptions import ClientError
        from localstack.aws.api.lambda_ import ResourceNotFoundException

        def invoke(_context: object, **_request: object) -> dict:
            raise ResourceNotFoundException("Function not found: relay")

        with self.assertRaises(ClientError) as caught:
            self.invoke(SimpleNamespace(invoke=invoke))
        self.assertEqual(caught.exception.response["Error"]["Code"], "ResourceNotFoundException")


@needs_localstack
class RulesTest(TestCase):
    def test_a_pattern_is_compiled_once_and_a_wrong_one_is_refused_each_time(self) -> None:
        from ledgerfold_local.plugin.shortcuts.rules import compile_patterns_once
        from localstack.aws.api.events import InvalidEventPatternException
        from localstack.utils import event_matcher

        pattern = '{"source": ["orders"], "replay-name": [{"exists": false}]}'
        compiler = event_matcher._event_pattern_compiler
        compiled = mock.Mock(side_effect=compiler.compile_event_pattern)
        with mock.patch.object(compiler, "compile_event_pattern", compiled):
            compile_patterns_once()
            self.assertTrue(event_matcher.matches_event(pattern, {"source": "orders"}))
            self.assertFalse(event_matcher.matches_event(pattern, {"source": "orders", "replay-name": "r"}))
            self.assertEqual(compiled.call_count, 1)
            for _ in range(2):
                with self.assertRaises(InvalidEventPatternException):
                    event_matcher.matches_event("[]", {"source": "orders"})


@needs_localstack
class FunctionLogsTest(TestCase):
    def test_lines_are_written_to_their_group_and_stream_without_empty_ones(self) -> None:
        from ledgerfold_local.plugin.shortcuts.function_logs import write
        from moto.logs.models import LogsBackend

        groups = LogsBackend(REGION, ACCOUNT)
        for text in ("START\n\nline\n", "END\n"):
            write(groups, "/aws/lambda/relay", "2026/stream", text)
        events = groups.groups["/aws/lambda/relay"].streams["2026/stream"].events
        self.assertEqual([event.message for event in events], ["START\n", "line\n", "END\n"])


@needs_localstack
class TablesTest(TestCase):
    def variables(self, share_db: bool) -> dict[str, str]:
        from ledgerfold_local.plugin.shortcuts.tables import table_variables
        from localstack.services.dynamodb.server import DynamodbServer

        server = SimpleNamespace(share_db=share_db, port=4321)
        with mock.patch.object(DynamodbServer, "get", lambda: server):
            return table_variables()

    def test_functions_ask_dynamodb_local_itself_where_it_has_one_database(self) -> None:
        self.assertEqual(self.variables(True), {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:4321"})

    def test_with_a_database_for_each_access_key_they_ask_localstack(self) -> None:
        self.assertEqual(self.variables(False), {})

    def test_without_short_cuts_they_ask_localstack(self) -> None:
        with mock.patch.dict("os.environ", {"LEDGERFOLD_SHORTCUTS": "off"}):
            self.assertEqual(self.variables(True), {})


@needs_localstack
class ClockTest(TestCase):
    def test_a_rate_counts_minutes_and_a_cron_runs_once_in_its_own(self) -> None:
        from ledgerfold_local.plugin.shortcuts import clock
        from localstack.services.events.scheduler import convert_schedule_to_cron

        for rate, due in [("rate(1 minute)", [True] * 4), ("rate(2 minutes)", [False, True, False, True])]:
            job = SimpleNamespace(schedule=convert_schedule_to_cron(rate))
            self.assertEqual([clock.ticks(job) for _ in range(4)], due, rate)
        hourly = SimpleNamespace(schedule=convert_schedule_to_cron("rate(1 hour)"))
        self.assertIsNone(clock.MINUTES.fullmatch(hourly.schedule))
        self.assertEqual([clock.once(hourly, lambda _job: True) for _ in range(3)], [True, False, False])
        self.assertFalse(clock.once(SimpleNamespace(), lambda _job: False))


@needs_localstack
class PositionsTest(TestCase):
    def test_a_mapping_that_is_enabled_again_continues_at_its_position(self) -> None:
        from ledgerfold_local.plugin.repairs.positions import with_position

        class Poller:
            def __init__(self, esm_uuid: str) -> None:
                self.esm_uuid = esm_uuid
                self.shards: dict[str, str] = {}
                self.failing = False

            def poll_events(self) -> None:
                if self.failing:
                    raise ConnectionError
                self.shards = {"shard": f"after {self.shards.get('shard', 'the beginning')}"}

        positions: dict = {}
        kind = with_position(Poller, positions)
        first = kind("mapping")
        first.poll_events()
        second = kind("mapping")
        self.assertEqual(second.shards, {"shard": "after the beginning"})
        second.failing = True
        with self.assertRaises(ConnectionError):
            second.poll_events()
        self.assertEqual(kind("mapping").shards, {"shard": "after the beginning"})
        self.assertEqual(kind("another").shards, {})
