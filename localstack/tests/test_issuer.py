"""Tests the local issuer."""

from __future__ import annotations

import unittest

from ledgerfold_local.issuer import FIELDS, local_issuer, new_issuer, thumbprint
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
