"""Tests that a program older than the sources is named, and no other."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ledgerfold_local.freshness import ago, stale
from support import TestCase


class FreshnessTest(TestCase):
    def file(self, name: str, seconds_ago: float) -> Path:
        path = self.write(name, "x")
        moment = time.time() - seconds_ago
        os.utime(path, (moment, moment))
        return path

    def test_an_older_program_is_named_with_the_newest_source_and_both_ages(self) -> None:
        self.file("functions/orders/src/main.rs", 9_000)
        self.file("functions/orders/src/lib.rs", 125)
        old = self.file("target/local/functions/orders/bootstrap", 7_300)
        new = self.file("target/local/functions/sales/bootstrap", 60)
        [warning] = stale([new, old], self.folder)
        self.assertRegex(
            warning, "orders was built 2 hours ago, but functions/orders/src/lib.rs changed 2 minutes ago: .*--build"
        )

    def test_manifests_count_and_generated_hidden_and_other_files_do_not(self) -> None:
        program = self.file("target/local/functions/orders/bootstrap", 60)
        self.file("output/CACHEDIR.TAG", 1)
        for name in ("README.md", "target/debug/build/out.rs", "output/debug/out.rs", ".git/x.rs", "src/lib.py"):
            self.file(name, 1)
        self.assertEqual(stale([program], self.folder), [])
        self.file("src/lib.rs", 61)
        self.assertEqual(stale([program], self.folder), [])
        self.file("events/Cargo.toml", 1)
        self.assertEqual(len(stale([program], self.folder)), 1)

    def test_ages_are_rounded_down(self) -> None:
        for seconds, text in [
            (0.2, "0 seconds"),
            (1, "1 second"),
            (119, "1 minute"),
            (7_200, "2 hours"),
            (1e6, "11 days"),
        ]:
            self.assertEqual(ago(seconds), f"{text} ago")
