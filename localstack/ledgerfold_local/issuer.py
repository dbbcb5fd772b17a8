"""The local issuer: the key with which anybody on this machine makes tokens for the local cloud.

Its file stays when the cloud ends, so that tokens and settings of clients survive `down` and `up`. It is no secret worth
keeping: it opens nothing but the local cloud. `ledgerfold token` makes tokens for any caller; `up` prints one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from pathlib import Path
from typing import Any

from ledgerfold_local.files import read_json, write_json

ISSUER = "ledgerfold-local"
AUDIENCE = "ledgerfold"
FIELDS = {"issuer", "audience", "algorithm", "keyId", "privateKey"}
# The parameters of a template that name an issuer.
TRUST = ("TokenIssuer", "TokenAudience", "TokenKeys")
# How long the token that `up` prints holds.
A_DAY = 86_400


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


def parameters(issuer: dict[str, str]) -> dict[str, str]:
    """The parameters with which a template's functions accept the tokens of this issuer."""
    keys = json.dumps({"keys": [public_key(issuer)]}, separators=(",", ":"))
    trust = zip(TRUST, (issuer["issuer"], issuer["audience"], keys), strict=True)
    return {"Authentication": "token", **dict(trust)}


def public_key(issuer: dict[str, str]) -> dict[str, str]:
    """The public half of the key, as RFC 7517 writes it."""
    public = private_key(issuer).public_key().public_numbers()
    coordinates = {"x": base64url(public.x.to_bytes(32, "big")), "y": base64url(public.y.to_bytes(32, "big"))}
    return {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": issuer["keyId"], **coordinates}


def token(issuer: dict[str, str], roles: list[str], lifetime: int = A_DAY) -> str:
    """A token of the caller `local` of the tenant `default` with these roles, as RFC 7515 and 7519 write it."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    now = int(time.time())
    caller = {"sub": "local", "tenant": "default", "roles": roles}
    claims = {"iss": issuer["issuer"], "aud": issuer["audience"], "iat": now, "exp": now + lifetime, **caller}
    header = {"alg": "ES256", "typ": "JWT", "kid": issuer["keyId"]}
    signed = ".".join(base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    r, s = utils.decode_dss_signature(private_key(issuer).sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def private_key(issuer: dict[str, str]) -> Any:
    from cryptography.hazmat.primitives import serialization

    return serialization.load_pem_private_key(issuer["privateKey"].encode(), password=None)


def thumbprint(x: int, y: int) -> str:
    """The id of a public key that follows from the key: RFC 7638."""
    jwk = {"crv": "P-256", "kty": "EC", "x": base64url(x.to_bytes(32, "big")), "y": base64url(y.to_bytes(32, "big"))}
    return base64url(hashlib.sha256(json.dumps(jwk, separators=(",", ":")).encode()).digest())


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
