"""The local issuer: the key with which anybody on this machine makes tokens for the local cloud.

Its file stays when the cloud ends, so that tokens and settings of clients survive `down` and `up`. It is no secret worth
keeping: it opens nothing but the local cloud. `ledgerfold token` makes the tokens.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from ledgerfold_local.files import read_json, write_json

ISSUER = "ledgerfold-local"
AUDIENCE = "ledgerfold"
FIELDS = {"issuer", "audience", "algorithm", "keyId", "privateKey"}


def local_issuer(path: Path) -> dict[str, str]:
    """The issuer in the file, for `auth` in `stack.json`. Without a usable file, a new one."""
    known = read_json(path)
    if known is not None and known.keys() == FIELDS:
        return known
    issuer = new_issuer()
    write_json(path, issuer)
    return issuer


def new_issuer() -> dict[str, str]:
    """An issuer with a new key for ES256."""
    # Imported here, because `down`, `status` and `logs` must work without installed packages. Both emulators need it.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_numbers()
    return {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "algorithm": "ES256",
        "keyId": thumbprint(public.x, public.y),
        "privateKey": pem.decode(),
    }


def thumbprint(x: int, y: int) -> str:
    """The id of a public key that follows from the key: RFC 7638."""
    jwk = {"crv": "P-256", "kty": "EC", "x": base64url(x.to_bytes(32, "big")), "y": base64url(y.to_bytes(32, "big"))}
    return base64url(hashlib.sha256(json.dumps(jwk, separators=(",", ":")).encode()).digest())


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
