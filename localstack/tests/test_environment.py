"""Tests execution environments with a fake runtime, from the view of callers and readers of logs."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time

from support import RUNTIME, WITH_LOCALSTACK, TestCase, is_running, needs_localstack

if WITH_LOCALSTACK:
    from ledgerfold_local.function_log import FunctionLog
    from ledgerfold_local.plugin import messages
    from ledgerfold_local.plugin.environment import Function, Slot
    from ledgerfold_local.plugin.variables import function_variables
    from ledgerfold_local.reaper import Reaper


@needs_localstack
class EnvironmentTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.write("code/bootstrap", f"#!{sys.executable} -IS\n{RUNTIME.read_text()}", 0o755)
        self.requests = 0
        self.reaper = Reaper()
        self.addCleanup(self.reaper.close)

    def slot(self, timeout: float = 5.0, init_seconds: float = 5.0, start: bool = True, **configured: str) -> Slot:
        code = self.folder / "code"
        given = {"AWS_REGION": "us-east-1", "LOCALSTACK_RUNTIME_ID": "x", "_HANDLER": "bootstrap", "EDGE_PORT": "1"}
        slot = Slot(
            Function("relay", "$LATEST", code, 512, timeout),
            lambda address: function_variables(given, configured, code, address),
            FunctionLog(self.folder / "logs", "relay", "0123456789abcdef"),
            self.reaper,
            init_seconds,
        )
        self.addCleanup(slot.stop)
        if start:
            slot.start()
        return slot

    def invoke(self, slot: Slot, **event: object) -> tuple[object, bool, str]:
        """Returns the answer, whether it is an error, and the log lines."""
        self.requests += 1
        result = slot.invoke(f"id-{self.requests}", json.dumps(event).encode(), "arn:function", "Root=1")
        return json.loads(result.payload), result.failed, result.log

    def log_file(self) -> str:
        return (self.folder / "logs/relay.log").read_text()

    # ---- Answers ---------------------------------------------------------------------------------

    def test_one_process_answers_one_invocation_after_the_other(self) -> None:
        slot = self.slot()
        first, failed, _ = self.invoke(slot, text="grüße ☃")
        second, _, _ = self.invoke(slot)
        self.assertFalse(failed)
        self.assertEqual(first["event"], {"text": "grüße ☃"})
        self.assertEqual(first["pid"], second["pid"])

    def test_an_error_of_the_function_is_passed_on_and_the_process_continues(self) -> None:
        slot = self.slot()
        before = slot.pid
        answer, failed, _ = self.invoke(slot, do="fail", message="no such order")
        self.assertEqual((answer, failed), ({"errorType": "ValueError", "errorMessage": "no such order"}, True))
        self.assertEqual(self.invoke(slot)[0]["pid"], before)

    def test_a_body_in_chunks_is_read_whole(self) -> None:
        answer, failed, _ = self.invoke(self.slot(), chunked=True, text="grüße")
        self.assertFalse(failed)
        self.assertEqual(answer["event"]["text"], "grüße")

    def test_a_big_answer_arrives_and_one_over_the_limit_is_an_error_as_in_lambda(self) -> None:
        slot = self.slot()
        self.assertEqual(len(self.invoke(slot, do="big", size=5_000_000)[0]), 5_000_000)
        answer, failed, _ = self.invoke(slot, do="big", size=messages.MAX_RESPONSE_BYTES)
        self.assertTrue(failed)
        self.assertEqual(answer["errorType"], "Function.ResponseSizeTooLarge")
        self.assertFalse(self.invoke(slot)[1])

    def test_an_answer_to_another_invocation_is_refused(self) -> None:
        answer, _, _ = self.invoke(self.slot(), stale=True)
        self.assertEqual(
            answer, {"status": 400, "body": {"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"}}
        )

    def test_the_invocation_comes_with_lambdas_headers(self) -> None:
        before = time.time()
        headers, _, _ = self.invoke(self.slot(timeout=9.0), do="headers")
        self.assertEqual(headers["Lambda-Runtime-Aws-Request-Id"], "id-1")
        self.assertEqual(headers["Lambda-Runtime-Invoked-Function-Arn"], "arn:function")
        self.assertEqual(headers["Lambda-Runtime-Trace-Id"], "Root=1")
        self.assertAlmostEqual(int(headers["Lambda-Runtime-Deadline-Ms"]) / 1000, before + 9, delta=2)

    # ---- Ends ------------------------------------------------------------------------------------

    def test_an_exit_in_the_middle_is_reported_and_the_next_invocation_has_a_new_process(self) -> None:
        slot = self.slot()
        before = slot.pid
        answer, failed, log = self.invoke(slot, do="exit", code=3)
        self.assertTrue(failed)
        self.assertEqual(
            answer,
            {
                "errorType": "Runtime.ExitError",
                "errorMessage": "RequestId: id-1 Error: Runtime exited with error: exit status 3",
            },
        )
        self.assertIn("Status: error\tError Type: Runtime.ExitError", log)
        self.assertNotEqual(self.invoke(slot)[0]["pid"], before)

    def test_a_kill_from_outside_in_the_middle_is_reported_and_nothing_hangs(self) -> None:
        slot = self.slot()
        answers: list = []
        caller = threading.Thread(target=lambda: answers.append(self.invoke(slot, do="sleep", seconds=60)))
        caller.start()
        self.wait_for(lambda: "START RequestId: id-1" in self.log_file())
        os.kill(slot.pid, signal.SIGKILL)
        caller.join(3)
        [(answer, failed, _)] = answers
        self.assertTrue(failed)
        self.assertEqual(answer["errorType"], "Runtime.ExitError")
        self.assertEqual(answer["errorMessage"], "RequestId: id-1 Error: Runtime exited with error: signal: killed")
        self.assertFalse(self.invoke(slot)[1])

    def test_a_kill_between_invocations_goes_unnoticed(self) -> None:
        slot = self.slot()
        os.kill(slot.pid, signal.SIGKILL)
        self.wait_for(lambda: not is_running(slot.pid))
        self.assertFalse(self.invoke(slot)[1])

    def test_an_exit_right_after_an_answer_leaves_the_answer_good(self) -> None:
        slot = self.slot()
        before = slot.pid
        self.assertFalse(self.invoke(slot, then_exit=True)[1])
        self.wait_for(lambda: not is_running(before))
        self.assertNotEqual(self.invoke(slot)[0]["pid"], before)

    def test_a_timeout_is_worded_as_in_lambda_and_replaces_the_process(self) -> None:
        slot = self.slot(timeout=0.3)
        before = slot.pid
        began = time.monotonic()
        answer, failed, log = self.invoke(slot, do="sleep", seconds=60)
        self.assertLess(time.monotonic() - began, 10)
        self.assertTrue(failed)
        self.assertEqual(
            answer,
            {
                "errorType": "Sandbox.Timedout",
                "errorMessage": "RequestId: id-1 Error: Task timed out after 0.30 seconds",
            },
        )
        self.assertIn("id-1 Task timed out after 0.30 seconds", log)
        self.assertIn("Status: timeout", log)
        self.assertFalse(is_running(before))
        self.assertFalse(self.invoke(self.slot())[1])

    def test_after_a_timeout_the_next_invocation_works(self) -> None:
        slot = self.slot(timeout=2.0)  # A new process has to start within it, also on a busy machine.
        self.invoke(slot, do="sleep", seconds=60)
        answer, failed, _ = self.invoke(slot, text="again")
        self.assertFalse(failed)
        self.assertEqual(answer["event"], {"text": "again"})

    def test_everything_in_the_group_ends_with_the_environment(self) -> None:
        slot = self.slot()
        pids, _, _ = self.invoke(slot, do="spawn")
        self.assertTrue(is_running(pids["child"]))
        slot.stop()
        self.wait_for(lambda: not is_running(pids["pid"]) and not is_running(pids["child"]))

    def test_everything_in_the_group_ends_when_its_leader_is_killed(self) -> None:
        slot = self.slot()
        pids, _, _ = self.invoke(slot, do="spawn")
        os.kill(pids["pid"], signal.SIGKILL)
        self.wait_for(lambda: not is_running(pids["child"]))

    def test_nothing_starts_after_a_stop(self) -> None:
        slot = self.slot()
        slot.stop()
        before = slot.pid
        self.assertTrue(self.invoke(slot)[1])
        self.assertEqual(slot.pid, before)

    def test_a_stop_in_the_middle_of_an_invocation_ends_it(self) -> None:
        slot = self.slot()
        answers: list = []
        caller = threading.Thread(target=lambda: answers.append(self.invoke(slot, do="sleep", seconds=60)))
        caller.start()
        self.wait_for(lambda: "START RequestId: id-1" in self.log_file())
        slot.stop()
        caller.join(3)
        self.assertTrue(answers[0][1])

    # ---- Initialisation --------------------------------------------------------------------------

    def test_an_error_of_init_is_the_answer_of_the_first_invocation(self) -> None:
        slot = self.slot(FAKE_INIT="fail")
        answer, failed, log = self.invoke(slot)
        self.assertEqual((answer, failed), ({"errorType": "Init.Bad", "errorMessage": "no table"}, True))
        self.assertIn("Phase: init\tStatus: error\tError Type: Init.Bad", log)
        self.assertIn("Phase: invoke\tStatus: error\tError Type: Init.Bad", log)

    def test_an_exit_during_init_is_reported(self) -> None:
        answer, failed, log = self.invoke(self.slot(FAKE_INIT="exit"))
        self.assertTrue(failed)
        self.assertEqual(answer["errorMessage"], "RequestId: id-1 Error: Runtime exited with error: exit status 7")
        self.assertIn("init output", log)

    def test_an_init_that_hangs_is_tried_again_within_the_functions_own_timeout(self) -> None:
        slot = self.slot(timeout=0.4, init_seconds=0.2, FAKE_INIT="hang")
        answer, failed, log = self.invoke(slot)
        self.assertTrue(failed)
        self.assertEqual(answer["errorMessage"], "RequestId: id-1 Error: Task timed out after 0.40 seconds")
        self.assertRegex(log, r"INIT_REPORT Init Duration: [2-9]\d\d\.\d\d ms\tPhase: init\tStatus: timeout")
        self.assertIn("Phase: invoke\tStatus: timeout", log)

    def test_lambda_gives_init_ten_seconds(self) -> None:
        self.assertEqual(Slot.INIT_SECONDS, 10)

    def test_a_missing_and_an_invalid_bootstrap_are_different_errors(self) -> None:
        bootstrap = self.folder / "code/bootstrap"
        bootstrap.write_text("neither a program nor a script")
        answer, failed, _ = self.invoke(self.slot())
        self.assertEqual(answer["errorType"], "Runtime.InvalidEntrypoint")
        self.assertIn("fork/exec /var/task/bootstrap: exec format error", answer["errorMessage"])
        bootstrap.unlink()
        answer, failed, _ = self.invoke(self.slot())
        self.assertTrue(failed)
        self.assertIn("Couldn't find valid bootstrap(s)", answer["errorMessage"])

    # ---- Environment variables -------------------------------------------------------------------

    def test_a_function_sees_lambdas_variables_and_its_own_and_no_others(self) -> None:
        os.environ["LEDGERFOLD_TEST_SECRET"] = "of the shell"
        self.addCleanup(os.environ.pop, "LEDGERFOLD_TEST_SECRET")
        seen, _, _ = self.invoke(self.slot(EVENT_TABLE="events", TZ="Europe/Berlin"), do="environment")
        self.assertRegex(seen.pop("AWS_LAMBDA_RUNTIME_API"), r"^127\.0\.0\.1:\d+$")
        seen.pop("LC_CTYPE", None)  # Python sets it for itself.
        self.assertEqual(
            seen,
            {
                "AWS_REGION": "us-east-1",
                "EVENT_TABLE": "events",
                "LAMBDA_TASK_ROOT": str(self.folder / "code"),
                "LANG": "en_US.UTF-8",
                "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
                "TZ": "Europe/Berlin",
                "_HANDLER": "bootstrap",
            },
        )

    # ---- Logs ------------------------------------------------------------------------------------

    def test_lines_come_between_start_and_end_in_the_answer_and_in_the_file(self) -> None:
        slot = self.slot()
        lines = ["one\n", "tw", "o\nthree without an end"]
        _, _, log = self.invoke(slot, do="print", lines=lines, stderr="\nand stderr\n")
        heads = [line.split(" RequestId")[0] for line in log.splitlines()]
        self.assertEqual(
            heads, ["init output", "START", "one", "two", "three without an end", "and stderr", "END", "REPORT"]
        )
        self.assertRegex(
            log,
            r"REPORT RequestId: id-1\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 512 MB"
            r"(\tMax Memory Used: \d+ MB)?\tInit Duration: [\d.]+ ms\n$",
        )
        in_file = [line.split(" ", 2)[2] for line in self.log_file().splitlines()]
        self.assertEqual(in_file, log.splitlines())
        self.assertRegex(self.log_file(), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z 01234567 init output\n")

    def test_a_line_is_in_the_file_while_the_function_still_runs(self) -> None:
        slot = self.slot()
        caller = threading.Thread(target=lambda: self.invoke(slot, do="print", lines=["early\n"] * 3))
        caller.start()
        self.wait_for(lambda: "early" in self.log_file())
        caller.join(3)

    def test_every_invocation_has_its_own_lines(self) -> None:
        slot = self.slot()
        self.invoke(slot, do="print", lines=["first\n"])
        _, _, log = self.invoke(slot, do="print", lines=["second\n"])
        self.assertNotIn("first", log)
        self.assertNotIn("Init Duration", log)

    def test_a_flood_of_lines_is_cut_in_the_answer_only(self) -> None:
        slot = self.slot()
        _, _, log = self.invoke(slot, do="print", lines=["x" * 99 + "\n"] * 8000)
        self.assertLess(len(log), 600_000)
        self.assertIn("(more lines are in ", log)
        self.assertEqual(self.log_file().count("x" * 99), 8000)


@needs_localstack
class MessagesTest(TestCase):
    def test_exits_are_named_as_go_names_them(self) -> None:
        for code, text in [
            (0, "Runtime exited without providing a reason"),
            (1, "Runtime exited with error: exit status 1"),
            (-9, "Runtime exited with error: signal: killed"),
            (-11, "Runtime exited with error: signal: segmentation fault"),
            (-6, "Runtime exited with error: signal: aborted"),
            (-40, "Runtime exited with error: signal: signal 40"),
        ]:
            with self.subTest(code):
                self.assertEqual(messages.exited(code).text, text)
