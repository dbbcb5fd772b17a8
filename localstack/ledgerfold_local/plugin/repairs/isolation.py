"""LocalStack ignores two settings: it listens on all interfaces, and it keeps S3's files in a shared folder.

The first lets other machines connect. In the shared folder, two clouds delete each other's buckets, and files remain.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def listen_on_configured_host() -> None:
    """Listens on the host in GATEWAY_LISTEN. LocalStack's server uses only the port."""
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


def keep_s3_files_in_temporary_folder() -> None:
    from localstack.services.s3 import provider

    provider.DEFAULT_S3_TMP_DIR = str(Path(tempfile.gettempdir()) / "localstack-s3-storage")
