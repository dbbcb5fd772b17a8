"""Tests the local issuer."""

from __future__ import annotations

import base64
import json
import unittest

from ledgerfold_local.issuer import FIELDS, base64url, local_issuer, new_issuer, parameters, thumbprint, token
from support import TestCase, can_import

needs_cryptography = unittest.skipUnless(can_import("cryptography"), "needs an emulator's environment")


class IssuerTest(TestCase):
    def test_the_id_of_a_key_is_its_thumbprint(self) -> None:
        # The key of RFC 7515, appendix A.3. RFC 7638 defines the id; joserfc computed it.
        x = 0x7FCDCE2770F6C45D4183CBEE6FDB4B7B580733357BE9EF13BACF6E3C7BD15445
        y = 0xC7F144CD1BBD9B7E872CDFEDB9EEB9F4B3695D6EA90B24AD8A4623288588E5AD
        self.assertEqual(thumbprint(x, y), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U")

    @needs_cryptography
    def test_an_issuer_has_the_fields_of_the_stack_file_and_its_own_key(self) -> None:
        one = new_issuer()
        self.assertEqual(one.keys(), FIELDS)
        self.assertEqual((one["issuer"], one["audience"], one["algorithm"]), ("ledgerfold-local", "ledgerfold", "ES256"))
        self.assertRegex(one["privateKey"], r"^-----BEGIN PRIVATE KEY-----\n")
        self.assertNotEqual(one["keyId"], new_issuer()["keyId"])

    @needs_cryptography
    def test_the_issuer_stays_and_a_damaged_file_is_replaced(self) -> None:
        path = self.folder / "local" / "issuer.json"
        one = local_issuer(path)
        self.assertEqual(local_issuer(path), one)
        for damaged in ("", "{", "[]", '{"issuer": "x"}'):
            path.write_text(damaged)
            new = local_issuer(path)
            self.assertEqual(new.keys(), FIELDS)
            self.assertEqual(local_issuer(path), new)

    @needs_cryptography
    def test_the_parameters_verify_a_token_and_its_claims_name_the_caller(self) -> None:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        issuer = new_issuer()
        values = parameters(issuer)
        self.assertEqual((values["Authentication"], values["TokenIssuer"]), ("token", "ledgerfold-local"))
        [key] = json.loads(values["TokenKeys"])["keys"]
        self.assertEqual((key["kid"], key["alg"], "d" in key), (issuer["keyId"], "ES256", False))

        header, claims, signature = token(issuer, ["staff"]).split(".")
        r, s = (int.from_bytes(half, "big") for half in (decoded(signature)[:32], decoded(signature)[32:]))
        x, y = (int.from_bytes(decoded(key[name]), "big") for name in ("x", "y"))
        public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        public.verify(utils.encode_dss_signature(r, s), f"{header}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))

        self.assertEqual(json.loads(decoded(header)), {"alg": "ES256", "typ": "JWT", "kid": issuer["keyId"]})
        caller = json.loads(decoded(claims))
        self.assertEqual((caller["iss"], caller["aud"]), (issuer["issuer"], issuer["audience"]))
        self.assertEqual((caller["tenant"], caller["roles"]), ("default", ["staff"]))
        self.assertEqual(caller["exp"] - caller["iat"], 86_400)


def decoded(text: str) -> bytes:
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert base64url(data) == text
    return data
