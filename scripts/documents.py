#!/usr/bin/env python3
"""Runs the commands of the documents on the local cloud, which must be running.

A command is a line of a block of `sh`, or a line of a block of `text` that begins with `$ `. The commands of a document
run in order in one shell, which begins in the root of the repository. Each must exit with 0, answers of `yes` confirm
it, and none may change a file that Git tracks. A comment directly before a block says otherwise:

    <!-- not run: REASON -->           the commands of the block do not run
    <!-- run by FILE -->               they do not run here, and FILE contains each of them
    <!-- exits with CODE: REASON -->   each of them exits with this code
    <!-- runs until you end it -->     each of them runs until it is interrupted

The ids of orders in the documents are examples. The script replaces each of them with the first stream that
`ledgerfold streams` lists. Rust needs no cloud: the script only checks that the test library runs a page with Rust.
"""

import os
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Another script works through the tutorial, from an empty folder.
ELSEWHERE = {"docs/tutorial.md"}
DOC_TESTS = "ledgerfold/testkit/src/lib.rs"

FENCE = re.compile(r"^( *)```(\w*)$")
COMMENT = re.compile(r"^ *<!-- (.*) -->$")
NOT_RUN = re.compile(r"not run: \S.*")
RUN_BY = re.compile(r"run by (\S+)")
EXITS = re.compile(r"exits with (\d+): \S.*")
ENDLESS = "runs until you end it"
# A line of a block of text that is a command, and no output.
UNMARKED = re.compile(r"(make|cargo|pip|python3|aws|ledgerfold(-local)?|orders-admin|\./\S+) ")
ORDER = re.compile(r"order#[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# The longest time for a command, in seconds. A rebuild may first be compiled.
PATIENCE = 600
# The seconds after which an endless command is interrupted. `timeout` then exits with 124.
ENDLESS_SECONDS = 3
INTERRUPTED = 124


@dataclass(frozen=True)
class Block:
    """A fenced block with its language, the line of its fence, and the comment before it."""

    document: str
    number: int
    language: str
    comment: str
    lines: list[str]

    @property
    def place(self) -> str:
        return f"{self.document}:{self.number}"

    def commands(self) -> list[str]:
        """The commands, with the lines that a backslash continues."""
        found, continues = [], False
        for line in self.lines:
            if continues:
                found[-1] += "\n" + line
            elif self.language == "sh" and line and not line.startswith("#"):
                found.append(line)
            elif self.language == "text" and line.startswith("$ "):
                found.append(line[2:])
            else:
                continue
            continues = line.endswith("\\")
        return found


def documents() -> list[str]:
    pages = sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))
    return [name for name in ("README.md", "ARCHITECTURE.md", *pages, "localstack/README.md") if name not in ELSEWHERE]


def blocks(document: str) -> Iterator[Block]:
    indent, language, begin, before = "", None, 0, ""
    lines = (ROOT / document).read_text().splitlines()
    for number, line in enumerate(lines, 1):
        fence = FENCE.match(line)
        if language is None and fence:
            (indent, language), begin = fence.groups(), number
            comment = COMMENT.match(before)
            marked = comment[1] if comment else ""
        elif language is not None and fence:
            content = [text.removeprefix(indent) for text in lines[begin : number - 1]]
            yield Block(document, begin, language, marked, content)
            language = None
        elif line.strip():
            before = line
        if language is None and fence:
            before = ""


def faults_of(block: Block) -> Iterator[str]:
    """The faults of a block that show without a cloud."""
    if not block.language:
        yield "the block has no language: write sh for commands, or text"
    if block.language == "rust" and f'include_str!("../../../{block.document}")' not in (ROOT / DOC_TESTS).read_text():
        yield f"no test runs this Rust: include the page in {DOC_TESTS}"
    if block.language == "text":
        yield from (f"`{line}` is a command: begin the line with `$ `" for line in block.lines if UNMARKED.match(line))
    known = any(form.fullmatch(block.comment) for form in (NOT_RUN, RUN_BY, EXITS)) or block.comment == ENDLESS
    if block.comment and not known:
        yield f"the comment `{block.comment}` has none of the forms that {Path(__file__).name} explains"
    if (by := RUN_BY.fullmatch(block.comment)) and block.commands():
        file = ROOT / by[1]
        text = file.read_text() if file.is_file() else ""
        plain = (command.partition(" #")[0].strip() for command in block.commands())
        yield from (f"{by[1]} does not run `{command}`" for command in plain if command not in text)


class Shell:
    """A shell that runs one command after the other."""

    def __init__(self, folder: Path) -> None:
        self.output, self.answers = folder / "output", folder / "answers"
        self.answers.write_text("yes\n" * 100)
        self.codes, codes = os.pipe()
        self.process = subprocess.Popen(["bash"], cwd=ROOT, stdin=subprocess.PIPE, pass_fds=[codes], text=True)
        self.report = f"printf '%s\\n' $? >&{codes}"
        os.close(codes)

    def run(self, command: str) -> tuple[int | None, str]:
        """The exit code and the output of a command, and no exit code if it does not end."""
        self.process.stdin.write(f'{{ {command}\n}} <"{self.answers}" >"{self.output}" 2>&1\n{self.report}\n')
        self.process.stdin.flush()
        ready, _, _ = select.select([self.codes], [], [], PATIENCE)
        code = os.read(self.codes, 100).decode().strip() if ready else ""
        return int(code) if code else None, self.output.read_text(errors="replace")

    def close(self) -> None:
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()
        os.close(self.codes)


def a_stream() -> str:
    command = ["target/debug/ledgerfold", "streams", "--category", "order", "--limit", "1"]
    listed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    if not (stream := ORDER.search(listed)):
        sys.exit("The local cloud has no order: place one first.")
    return stream[0]


def run_block(shell: Shell, block: Block, stream: str) -> Iterator[str]:
    """The faults of the commands of a block."""
    exits = EXITS.fullmatch(block.comment)
    expected = int(exits[1]) if exits else INTERRUPTED if block.comment == ENDLESS else 0
    for command in block.commands():
        began = time.monotonic()
        real = ORDER.sub(stream, command)
        if block.comment == ENDLESS:
            real = f"timeout --signal=INT {ENDLESS_SECONDS} {real}"
        code, output = shell.run(real)
        print(f"{time.monotonic() - began:4.0f} s  {command}", flush=True)
        if code != expected:
            ending = "does not end" if code is None else f"exits with {code}, and not with {expected}"
            yield f"`{command}` {ending}:\n{output}"
        if code is None:
            sys.exit(f"{block.place}: `{command}` does not end within {PATIENCE} seconds:\n{output}")


def changes() -> str:
    """The state of the files that Git tracks."""
    return subprocess.run(["git", "diff", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def run_document(document: str, stream: str) -> list[str]:
    found = []
    with tempfile.TemporaryDirectory(prefix="ledgerfold-documents-") as folder:
        shell = Shell(Path(folder))
        try:
            for block in blocks(document):
                exempt = NOT_RUN.fullmatch(block.comment) or RUN_BY.fullmatch(block.comment)
                if exempt and block.commands():
                    print(f"        {block.place}: {block.comment}")
                elif block.commands():
                    before = changes()
                    found += [f"{block.place}: {fault}" for fault in run_block(shell, block, stream)]
                    if changes() != before:
                        found.append(f"{block.place}: the commands change files of the repository")
        finally:
            shell.close()
    return found


def main() -> int:
    found = [f"{block.place}: {fault}" for name in documents() for block in blocks(name) for fault in faults_of(block)]
    if not found:
        stream = a_stream()
        for document in documents():
            print(f"── {document}", flush=True)
            found += run_document(document, stream)
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
