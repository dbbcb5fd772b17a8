from __future__ import annotations

import base64
import hashlib
import os
import zipfile
from unittest import mock

from ledgerfold_local.errors import CliError
from ledgerfold_local.packaging import BUCKET, LOCALSTACK_FOLDERS, Folders, Package, Packages, Zips, function_folder
from support import TestCase


class PackagingTest(TestCase):
    def packages(self, kind: type[Folders] | type[Zips]) -> Packages:
        return kind(self.folder / "packages")

    def package(self, packages: Packages, name: str, **files: str) -> Package:
        for path, text in files.items():
            self.write(f"{name}/orders-query/{path.replace('__', '/')}", text)
        return packages.pack(self.folder / name / "orders-query")

    def test_the_same_content_has_the_same_name_whenever_and_in_whatever_order_it_was_written(self) -> None:
        for kind in (Folders, Zips):
            with self.subTest(kind=kind):
                packages = self.packages(kind)
                first = self.package(packages, "a", bootstrap="x", data__one="1", data__two="2")
                second = self.package(packages, "b", data__two="2", data__one="1", bootstrap="x")
                os.utime(self.folder / "b/orders-query/bootstrap", (1, 1))
                self.assertEqual(first, second)
                self.assertEqual(first, packages.pack(self.folder / "b/orders-query"))

    def test_other_content_has_another_name(self) -> None:
        for kind in (Folders, Zips):
            with self.subTest(kind=kind):
                packages = self.packages(kind)
                contents = [{"bootstrap": "x"}, {"bootstrap": "y"}, {"bootstrap": "x", "more": ""}]
                made = [self.package(packages, f"{kind.__name__}{n}", **files) for n, files in enumerate(contents)]
                self.assertEqual(len({package.key for package in made}), 3)
                self.assertEqual(len({package.identity for package in made}), 3)

    def test_a_zip_is_known_to_lambda_by_its_hash_in_base64_and_travels_once(self) -> None:
        packages = self.packages(Zips)
        package = self.package(packages, "a", bootstrap="x")
        digest = hashlib.sha256(package.path.read_bytes()).digest()
        self.assertEqual(package.identity, base64.b64encode(digest).decode())
        self.assertEqual(packages.identity_of({"Configuration": {"CodeSha256": package.identity}}), package.identity)
        s3 = mock.Mock()
        s3.list_objects_v2.return_value = {}
        packages.deliver(s3, [package])
        s3.upload_file.assert_called_once_with(str(package.path), BUCKET, package.key)
        s3.list_objects_v2.return_value = {"Contents": [{"Key": package.key}]}
        packages.deliver(s3, [package])
        s3.upload_file.assert_called_once()

    def test_a_folder_is_known_to_localstack_by_its_path(self) -> None:
        packages = self.packages(Folders)
        package = self.package(packages, "a", bootstrap="x", data__one="1")
        self.assertEqual((package.bucket, package.key), (LOCALSTACK_FOLDERS, str(package.path)))
        self.assertEqual((package.path / "data/one").read_text(), "1")
        self.assertEqual(packages.identity_of({"Code": {"Location": f"file://{package.path}"}}), package.identity)

    def test_a_new_build_leaves_the_package_of_the_old_one_as_it_was(self) -> None:
        packages = self.packages(Folders)
        package = self.package(packages, "a", bootstrap="x")
        program = self.folder / "a/orders-query/bootstrap"

        def replace() -> None:
            self.write("a/orders-query/bootstrap.new", "y").replace(program)

        for build in (lambda: program.write_text("y"), replace):
            program.write_text("x")
            build()
            self.assertEqual((package.path / "bootstrap").read_text(), "x")
            self.assertNotEqual(packages.pack(program.parent), package)

    def test_folders_that_no_function_has_any_more_are_removed_half_made_ones_too(self) -> None:
        packages = self.packages(Folders)
        old = self.package(packages, "a", bootstrap="x")
        new = self.package(packages, "b", bootstrap="y")
        half = old.path.with_suffix(".half")
        half.mkdir()
        packages.clear([new])
        self.assertEqual([path.exists() for path in (old.path, half, new.path)], [False, False, True])

    def test_the_program_may_be_executed_after_unpacking(self) -> None:
        package = self.package(self.packages(Zips), "a", bootstrap="x")
        with zipfile.ZipFile(package.path) as archive:
            self.assertEqual(archive.getinfo("bootstrap").external_attr >> 16, 0o100755)

    def test_a_code_folder_is_found_by_its_last_name(self) -> None:
        folder = self.write("functions/orders-query/bootstrap", "x").parent
        for uri in ("../target/lambda/orders-query/", "../target/lambda/orders-query"):
            self.assertEqual(function_folder(uri, self.folder / "functions"), folder)

    def test_a_function_that_was_not_built_is_named(self) -> None:
        with self.assertRaisesRegex(CliError, "orders-query/bootstrap"):
            function_folder("../target/lambda/orders-query/", self.folder)
