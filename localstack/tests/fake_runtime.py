"""A fake `bootstrap` of a function. Each event selects an action, and FAKE_INIT selects how it starts.

Uses only the standard library.
"""

import http.client
import json
import os
import subprocess
import sys
import time

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
CONNECTION = http.client.HTTPConnection(API)


def call(method, path, body=b"", **options):
    CONNECTION.request(method, f"/2018-06-01/runtime/{path}", body, **options)
    answer = CONNECTION.getresponse()
    return answer, answer.read()


def begin():
    how = os.environ.get("FAKE_INIT")
    print("init output", flush=True)
    if how == "exit":
        sys.exit(7)
    if how == "fail":
        call("POST", "init/error", json.dumps({"errorType": "Init.Bad", "errorMessage": "no table"}).encode())
        sys.exit(1)
    if how == "hang":
        time.sleep(60)


def handle(event, headers):
    """Returns the body of the answer or raises an error. Some actions end the process instead."""
    kind = event.get("do")
    if kind == "fail":
        raise ValueError(event["message"])
    if kind == "exit":
        os._exit(event["code"])
    if kind == "signal":
        os.kill(os.getpid(), event["number"])
    if kind == "sleep":
        time.sleep(event["seconds"])
    if kind == "spawn":
        child = subprocess.Popen(["sleep", "60"])
        return {"pid": os.getpid(), "child": child.pid}
    if kind == "environment":
        return dict(os.environ)
    if kind == "headers":
        return dict(headers)
    if kind == "big":
        return "x" * event["size"]
    if kind == "print":
        for line in event["lines"]:
            os.write(1, line.encode())
        os.write(2, event.get("stderr", "").encode())
    return {"pid": os.getpid(), "event": event}


def chunks(body):
    for start in range(0, len(body), 3):
        yield body[start : start + 3]


begin()
while True:
    answer, payload = call("GET", "invocation/next")
    request_id = answer.getheader("Lambda-Runtime-Aws-Request-Id")
    event = json.loads(payload)
    try:
        result, kind = handle(event, answer.headers), "response"
    except ValueError as error:
        result, kind = {"errorType": "ValueError", "errorMessage": str(error)}, "error"
    body = json.dumps(result, ensure_ascii=False).encode()
    if event.get("stale"):
        refused, text = call("POST", "invocation/another-id/response", body)
        body = json.dumps({"status": refused.status, "body": json.loads(text)}).encode()
    if event.get("chunked"):
        call("POST", f"invocation/{request_id}/{kind}", chunks(body), encode_chunked=True)
    else:
        call("POST", f"invocation/{request_id}/{kind}", body)
    if event.get("then_exit"):
        os._exit(0)
