#!/usr/bin/env python3
"""Follows docs/tutorial.md in a folder outside of this repository, as a reader would.

It creates the service, makes every change, runs every `sh` block, and compares the output with the `text` block behind it:
each line about a request or a result must appear, apart from ids and times. It also counts the lines of the new project and
the files of each change. The project shares the target directory of this repository, so that little is built twice. Run
`cargo build --workspace --bin ledgerfold` before.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TUTORIAL = ROOT / "docs/tutorial.md"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
ENVIRONMENT = {**os.environ, "CARGO_TARGET_DIR": str(TARGET)}
BEGAN = time.monotonic()

# The most lines of a new project beside its domain: no blank lines, comments, generated files or documents.
MOST_LINES = 60
WIRING = ("Cargo.toml", "events/Cargo.toml", "src/lib.rs", "src/main.rs", "src/bin/library-admin.rs", "Makefile")
# The most files that a section of the tutorial changes by hand, with its test and with the command of a new event.
MOST_FILES = {"4": 7, "5": 3}

# A part of the tutorial: a heading, a change, a block of commands, or an output.
PART = re.compile(
    r"^## (?P<section>\d)\."
    r"|^(?:[^\n]* )?In `(?P<file>[^`]+)`, replace:\n\n```rust\n(?P<old>.*?)```\n\nwith:\n\n```rust\n(?P<new>.*?)```"
    r"|^(?:[^\n]* )?Create `(?P<created>[^`]+)`:\n\n```rust\n(?P<content>.*?)```"
    r"|^```sh\n(?P<commands>.*?)```"
    r"|^```text\n(?P<output>.*?)```",
    re.M | re.S,
)
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
# The parts of an output that differ from run to run.
VARIABLE = re.compile(ID.pattern + r"|…|\d{4}-\d\d-\d\dT[0-9:.]+Z|dev-\d+|\d+ ms")
# The lines of an output that the tutorial promises: requests, answers and results.
PROMISED = re.compile(r"^(POST|GET|  2|  4|\{|lost=|T |library runs)")


def fail(reason: str) -> None:
    sys.exit(f"{TUTORIAL.relative_to(ROOT)}: {reason}")


def plain(line: str) -> str:
    return VARIABLE.sub("*", line.strip())


@dataclass
class Reader:
    """A reader of the tutorial."""

    folder: Path
    section: str = ""
    output: str = ""
    """Of the last commands."""
    development: subprocess.Popen[str] | None = None
    """The role `dev`, while it runs."""
    changed: dict[str, set[str]] = field(default_factory=dict)

    @property
    def project(self) -> Path:
        return self.folder / "library"

    def begin(self, section: str) -> None:
        self.end_development()
        self.section = section
        print(f"── section {section} (after {time.monotonic() - BEGAN:.0f} s)", flush=True)

    def change(self, file: str, old: str, new: str) -> None:
        path = self.project / file
        text = path.read_text()
        if text.count(old) != 1:
            fail(f"{file} has {text.count(old)} times:\n{old}")
        path.write_text(text.replace(old, new))
        self.changed.setdefault(self.section, set()).add(file)

    def create(self, file: str, content: str) -> None:
        (self.project / file).write_text(content)
        self.changed.setdefault(self.section, set()).add(file)

    def run(self, commands: str) -> None:
        if self.section == "1":
            commands = f'"{TARGET}/debug/ledgerfold" new library'
        if commands.strip() == "make dev":
            self.start_development()
            return
        folder = self.folder if self.section == "1" else self.project
        done = subprocess.run(
            ["bash", "-euc", commands], cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.output = done.stdout
        if done.returncode != 0 or "warning:" in done.stdout:
            fail(f"{commands.strip()} failed or warned:\n{done.stdout}")

    def start_development(self) -> None:
        log = self.folder / "development.log"
        with log.open("w") as out:
            command = ["make", "dev"]
            self.development = subprocess.Popen(command, cwd=self.project, env=ENVIRONMENT, stdout=out, stderr=out, process_group=0)
        for _ in range(600):
            self.output = log.read_text()
            if "Try:" in self.output:
                self.take_token()
                return
            if self.development.poll() is not None:
                break
            time.sleep(0.1)
        fail(f"make dev does not start:\n{self.output}")

    def take_token(self) -> None:
        """Enters the line with the token, as the tutorial asks for."""
        token = re.search(r"^  TOKEN=(\S+)$", self.output, re.M)
        if not token:
            fail(f"make dev prints no token:\n{self.output}")
        ENVIRONMENT["TOKEN"] = token[1]

    def end_development(self) -> None:
        if self.development:
            os.killpg(self.development.pid, 15)
            self.development.wait()
            self.development = None

    def compare(self, promised: str) -> None:
        found = [plain(line) for line in self.output.splitlines()]
        for line in promised.splitlines():
            if not PROMISED.match(line):
                continue
            # The tutorial writes an id in full where the reader gets the same one.
            same_ids = all(id in self.output for id in ID.findall(line))
            if not same_ids or not any(plain(line) in each for each in found):
                fail(f"section {self.section} promises {line!r}, and the output is:\n{self.output}")

    def count(self) -> None:
        for section, most in MOST_FILES.items():
            files = self.changed.get(section, set())
            print(f"   section {section} changes {len(files)} files by hand: {', '.join(sorted(files))}")
            if not 0 < len(files) <= most:
                fail(f"section {section} must change at most {most} files")


def lines(project: Path) -> int:
    """The lines of the project beside its domain."""
    count = 0
    for name in (*WIRING, ".github/workflows/ci.yml"):
        for line in (project / name).read_text().splitlines():
            count += bool(line.strip()) and not line.strip().startswith(("//", "#"))
    return count


def follow(reader: Reader) -> None:
    for part in PART.finditer(TUTORIAL.read_text()):
        if part["section"]:
            reader.begin(part["section"])
        elif part["file"]:
            reader.change(part["file"], part["old"], part["new"])
        elif part["created"]:
            reader.create(part["created"], part["content"])
        elif part["commands"]:
            reader.run(part["commands"])
        elif part["output"]:
            reader.compare(part["output"])
        if part["commands"] and reader.section == "1":
            print(f"   {lines(reader.project)} lines beside the domain")
            if lines(reader.project) > MOST_LINES:
                fail(f"a new project must have at most {MOST_LINES} lines beside its domain")


def main() -> None:
    reader = Reader(Path(tempfile.mkdtemp(prefix="ledgerfold-outside-")))
    try:
        follow(reader)
        reader.count()
        print(f"── everything works (after {time.monotonic() - BEGAN:.0f} s)")
    finally:
        reader.end_development()
        if reader.project.is_dir():
            subprocess.run(["make", "down"], cwd=reader.project, env=ENVIRONMENT, capture_output=True)
        shutil.rmtree(reader.folder, ignore_errors=True)


main()
