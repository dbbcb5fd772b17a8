"""Clients of the emulator's AWS services."""

from __future__ import annotations

import functools
import threading
from typing import Any

from ledgerfold_local.emulators import REGION, endpoint


class Aws:
    """Creates clients. boto3 is only loaded for the first one, because that takes half a second."""

    def __init__(self, port: int) -> None:
        self._endpoint = endpoint(port)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()  # A session of boto3 cannot create two clients concurrently.

    @functools.cached_property
    def _session(self) -> Any:
        import boto3

        return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)

    def client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._new_client(service)
            return self._clients[service]

    def _new_client(self, service: str) -> Any:
        from botocore.config import Config

        # Path style, because a bucket in the host name could not be resolved. No proxy for this machine.
        config = Config(
            proxies={}, retries={"total_max_attempts": 2}, s3={"addressing_style": "path"}, read_timeout=120
        )
        return self._session.client(service, endpoint_url=self._endpoint, config=config)
