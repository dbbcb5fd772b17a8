"""Tests that the examples of an API are sent in an order that makes sense, to a real HTTP server."""

from __future__ import annotations

import contextlib
import http.server
import io
import json
import threading

from ledgerfold_local import examples
from ledgerfold_local.errors import CliError
from ledgerfold_local.layout import Layout
from support import TestCase

ID = {"name": "id", "in": "path"}
DOCUMENT = {
    "paths": {
        "/tasks/{id}": {"get": {"parameters": [ID, {"$ref": "#/components/parameters/ConsistencyToken"}]}},
        "/tasks/{id}/finish": {
            "post": {"parameters": [ID], "requestBody": {"content": {"application/json": {"example": {}}}}}
        },
        "/tasks": {"post": {"requestBody": {"content": {"application/json": {"example": {"title": "Sow"}}}}}},
        "/days": {"get": {"parameters": [{"name": "from", "in": "query", "example": "2026-01-01"}]}},
    }
}


class Api(http.server.BaseHTTPRequestHandler):
    status = 200
    received: list[tuple[str, str, str, str | None]] = []
    callers: list[str | None] = []

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        Api.received.append((self.command, self.path, body, self.headers.get("Consistency-Token")))
        Api.callers.append(self.headers.get("Authorization"))
        self.send_response(Api.status)
        if self.command == "POST":
            self.send_header("Consistency-Token", f"token-{len(Api.received)}")
        self.end_headers()
        self.wfile.write(b'{"id": "t-7"}')

    do_GET = do_POST = answer

    def log_message(self, *_: object) -> None:
        """Keeps the output of the tests short."""


class ExamplesTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        Api.received, Api.callers, Api.status = [], [], 200
        server = http.server.HTTPServer(("127.0.0.1", 0), Api)
        threading.Thread(target=server.serve_forever).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.layout = Layout(self.folder)
        self.deploy("shop", api=f"http://127.0.0.1:{server.server_port}/api")
        self.document = self.write("openapi.json", json.dumps(DOCUMENT))

    def deploy(self, *names: str, api: str = "http://127.0.0.1:1") -> None:
        self.write("stack.json", json.dumps({"contexts": {name: {"api": api} for name in names}}))

    def run_examples(self, context: str | None = None) -> tuple[int, str]:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            code = examples.run(self.layout, self.document, context)
        return code, out.getvalue()

    def test_commands_come_first_and_later_requests_use_the_created_id(self) -> None:
        code, out = self.run_examples()
        self.assertEqual(code, 0)
        self.assertEqual(
            Api.received,
            [
                ("POST", "/api/tasks", '{"title": "Sow"}', None),
                ("POST", "/api/tasks/t-7/finish", "{}", None),
                ("GET", "/api/days?from=2026-01-01", "", None),
                ("GET", "/api/tasks/t-7", "", "token-2"),
            ],
        )
        self.assertIn('POST /tasks {"title": "Sow"}\n  200 {"id": "t-7"}\n', out)

    def test_the_token_of_the_local_cloud_is_sent_if_there_is_one(self) -> None:
        self.run_examples()
        self.assertEqual({None}, set(Api.callers))
        self.layout.token.write_text("a.b.c\n")
        self.run_examples()
        self.assertEqual({None, "Bearer a.b.c"}, set(Api.callers))

    def test_a_failed_example_fails_and_a_refusal_by_a_rule_does_not(self) -> None:
        for status, code in ((409, 0), (404, 1), (503, 1)):
            Api.status = status
            self.assertEqual(self.run_examples()[0], code, status)

    def test_mistakes_have_a_sentence(self) -> None:
        for change, context, sentence in (
            (lambda: self.deploy("shop", "bank"), None, "choose one with --context: shop, bank"),
            (lambda: self.deploy("shop"), "bank", "The context bank is not deployed; these are: shop"),
            (lambda: self.deploy("shop"), "shop", "does not answer"),
            (lambda: self.document.write_text("{}"), "shop", "has no OpenAPI document"),
            (lambda: self.layout.stack.unlink(), None, "run `up` first"),
        ):
            change()
            with self.assertRaisesRegex(CliError, sentence):
                self.run_examples(context)
