from __future__ import annotations

import base64
import os
import zipfile

from ledgerfold_local.packaging import Package, function_folder, pack
from ledgerfold_local.trouble import Trouble
from support import TestCase


class PackagingTest(TestCase):
    def package(self, name: str, **files: str) -> str:
        for path, text in files.items():
            self.write(f"{name}/orders-query/{path.replace('__', '/')}", text)
        return pack(self.folder / name / "orders-query", self.folder / f"{name}-zips").digest

    def test_the_same_content_makes_the_same_bytes_whenever_and_in_whatever_order_it_was_written(self) -> None:
        first = self.package("a", bootstrap="x", data__one="1", data__two="2")
        second = self.package("b", data__two="2", data__one="1", bootstrap="x")
        os.utime(self.folder / "b/orders-query/bootstrap", (1, 1))
        (self.folder / "b/orders-query/bootstrap").chmod(0o600)
        self.assertEqual(first, second)
        self.assertEqual(first, pack(self.folder / "b/orders-query", self.folder / "again").digest)

    def test_other_content_or_another_name_makes_other_bytes(self) -> None:
        first = self.package("a", bootstrap="x")
        self.assertNotEqual(first, self.package("b", bootstrap="y"))
        self.assertNotEqual(first, self.package("c", bootstrap="x", more=""))

    def test_the_digest_is_known_to_lambda_in_base64(self) -> None:
        self.assertEqual(Package(self.folder, "00ff" * 16).lambdas_digest, base64.b64encode(b"\0\xff" * 16).decode())

    def test_the_program_may_be_executed_after_unpacking(self) -> None:
        self.package("a", bootstrap="x")
        with zipfile.ZipFile(self.folder / "a-zips/orders-query.zip") as archive:
            self.assertEqual(archive.getinfo("bootstrap").external_attr >> 16, 0o100755)

    def test_a_code_folder_is_found_by_its_last_name(self) -> None:
        folder = self.write("functions/orders-query/bootstrap", "x").parent
        for uri in ("../target/lambda/orders-query/", "../target/lambda/orders-query"):
            self.assertEqual(function_folder(uri, self.folder / "functions"), folder)

    def test_a_function_that_was_not_built_is_named(self) -> None:
        with self.assertRaisesRegex(Trouble, "orders-query/bootstrap"):
            function_folder("../target/lambda/orders-query/", self.folder)
