"""Clients of the emulator's AWS."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from ledgerfold_local.emulators import REGION, endpoint


class Aws:
    def __init__(self, port: int) -> None:
        self._endpoint = endpoint(port)
        self._session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)

    def client(self, service: str) -> Any:
        # Path style: a bucket in the host name would have to be resolved. No proxy: the emulator is on this machine.
        config = Config(
            proxies={}, retries={"total_max_attempts": 2}, s3={"addressing_style": "path"}, read_timeout=120
        )
        return self._session.client(service, endpoint_url=self._endpoint, config=config)
