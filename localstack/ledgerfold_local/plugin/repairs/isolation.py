"""LocalStack listens on every interface and keeps S3's files in one folder of the machine, against
its settings.

The first is an open door, the second a folder where two clouds delete each other's buckets, and which nobody empties.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def listen_where_told() -> None:
    """GATEWAY_LISTEN has a host, of which the server forgets all but the port."""
    from localstack.runtime.server import twisted as server
    from twisted.internet import endpoints

    register = server.TwistedRuntimeServer.register

    def register_with_hosts(self: Any, gateway: Any, listen: list, ssl_creds: Any = None) -> None:
        for address in listen:
            server.endpoints = SimpleNamespace(
                TCP4ServerEndpoint=partial(endpoints.TCP4ServerEndpoint, interface=address.host),
                TCP6ServerEndpoint=endpoints.TCP6ServerEndpoint,
            )
            register(self, gateway, [address], ssl_creds)

    server.TwistedRuntimeServer.register = register_with_hosts


def keep_files_in_own_folder() -> None:
    from localstack.services.s3 import provider

    provider.DEFAULT_S3_TMP_DIR = str(Path(tempfile.gettempdir()) / "localstack-s3-storage")
