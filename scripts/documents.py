#!/usr/bin/env python3
"""Runs the commands of the documents on the local cloud, which must be running.

A command is a line of a block of `sh`, or a line of a block of `text` that begins with `$ `. The commands of a document
run in order in one shell, which begins in the root of the repository. Each must exit with 0, answers of `yes` confirm
it, and none may change a file that Git tracks. A comment directly before a block says otherwise:

    <!-- not run: REASON -->           the commands of the block do not run
    <!-- run by FILE -->               they do not run here, and FILE contains each of them
    <!-- exits with CODE: REASON -->   each of them exits with this code
    <!-- runs until you end it -->     each of them runs until it is interrupted

Some parts of the documents are examples. The script replaces the id of every order with the first stream that
`ledgerfold streams` lists, and `target/debug` with the place of the programs, because Cargo's target directory may be
elsewhere.

With `--check`, it only checks the blocks: that each has a language and a valid comment, and that a crate includes every
page with Rust in its doc tests. This needs no cloud.
"""

import contextlib
import os
import re
import select
import signal
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


def has_doc_tests(document: str) -> bool:
    """Whether a crate of the library includes a document in its own documentation."""
    included = f'include_str!("../../../{document}")'
    return any(included in library.read_text() for library in ROOT.glob("ledgerfold/*/src/lib.rs"))


def faults_of(block: Block) -> Iterator[str]:
    """The faults of a block that show without a cloud."""
    if not block.language:
        yield "the block has no language: write sh for commands, or text"
    if block.language == "rust" and not has_doc_tests(block.document):
        yield "no doc test runs this Rust: include the page in a crate, as ledgerfold/testkit/src/lib.rs does"
    if block.language == "text" and not NOT_RUN.fullmatch(block.comment):
        yield from (f"`{line}` is a command: begin the line with `$ `" for line in block.lines if UNMARKED.match(line))
    known = any(form.fullmatch(block.comment) for form in (NOT_RUN, RUN_BY, EXITS)) or block.comment == ENDLESS
    if block.comment and not known:
        yield f"the comment `{block.comment}` has none of the forms that {Path(__file__).name} explains"
    if (by := RUN_BY.fullmatch(block.comment)) and block.commands():
        file = ROOT / by[1]
        text = file.read_text() if file.is_file() else ""
        plain = (command.partition(" #")[0].strip() for command in block.commands())
        yield from (f"{by[1]} does not run `{command}`" for command in plain if command not in text)


def environment() -> dict[str, str]:
    # The examples are about orders.
    stack = str(ROOT / "target/local/stack.json")
    return {"LEDGERFOLD_STACK": stack, "LEDGERFOLD_CONTEXT": "orders", **os.environ}


class Shell:
    """A shell that runs one command after the other."""

    def __init__(self, folder: Path) -> None:
        self.output, self.answers = folder / "output", folder / "answers"
        self.answers.write_text("yes\n" * 100)
        self.is_lost = False
        self.codes, codes = os.pipe()
        self.process = subprocess.Popen(
            ["bash"],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            pass_fds=[codes],
            text=True,
            start_new_session=True,
        )
        self.report = f"printf '%s\\n' $? >&{codes}"
        os.close(codes)

    def run(self, command: str) -> tuple[int | None, str]:
        """The exit code and the output of a command. Without an exit code, the shell is lost."""
        self.process.stdin.write(f'{{ {command}\n}} <"{self.answers}" >"{self.output}" 2>&1\n{self.report}\n')
        self.process.stdin.flush()
        ready, _, _ = select.select([self.codes], [], [], PATIENCE)
        code = os.read(self.codes, 100).decode().strip() if ready else ""
        self.is_lost = not code
        return int(code) if code else None, self.output.read_text(errors="replace")

    def close(self) -> None:
        self.process.stdin.close()
        # A command that does not end is in the same group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.codes)


def output_of(*command: str | Path) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


@dataclass(frozen=True)
class Examples:
    """The real values of the examples in the documents."""

    stream: str
    programs: Path

    @staticmethod
    def find() -> "Examples":
        program = Path(output_of("scripts/built.sh", "ledgerfold").strip())
        stream = ORDER.search(output_of(program, "streams", "--category", "order", "--limit", "1"))
        if not stream:
            sys.exit("The local cloud has no order: place one first.")
        return Examples(stream[0], program.parent)

    def replace(self, command: str) -> str:
        return ORDER.sub(self.stream, command).replace("cd target/debug", f"cd {self.programs}")


def run_block(shell: Shell, block: Block, examples: Examples) -> Iterator[str]:
    """The faults of the commands of a block."""
    exits = EXITS.fullmatch(block.comment)
    expected = int(exits[1]) if exits else INTERRUPTED if block.comment == ENDLESS else 0
    for command in block.commands():
        began = time.monotonic()
        real = examples.replace(command)
        if block.comment == ENDLESS:
            real = f"timeout --signal=INT {ENDLESS_SECONDS} {real}"
        code, output = shell.run(real)
        print(f"{time.monotonic() - began:4.0f} s  {command}", flush=True)
        if code is None:
            yield f"`{command}` ends the shell, or does not end within {PATIENCE} seconds:\n{output}"
            return
        if code != expected:
            yield f"`{command}` exits with {code}, and not with {expected}:\n{output}"


def changes() -> str:
    """The state of the files that Git tracks."""
    return output_of("git", "diff", "HEAD")


def run_document(document: str, examples: Examples) -> list[str]:
    found = []
    with tempfile.TemporaryDirectory(prefix="ledgerfold-documents-") as folder:
        shell = Shell(Path(folder))
        try:
            for block in blocks(document):
                if shell.is_lost:
                    break
                exempt = NOT_RUN.fullmatch(block.comment) or RUN_BY.fullmatch(block.comment)
                if exempt and block.commands():
                    print(f"        {block.place}: {block.comment}")
                elif block.commands():
                    before = changes()
                    found += [f"{block.place}: {fault}" for fault in run_block(shell, block, examples)]
                    if changes() != before:
                        found.append(f"{block.place}: the commands change files of the repository")
        finally:
            shell.close()
    return found


def main(arguments: list[str]) -> int:
    found = [f"{block.place}: {fault}" for name in documents() for block in blocks(name) for fault in faults_of(block)]
    if not found and "--check" not in arguments:
        examples = Examples.find()
        for document in documents():
            print(f"── {document}", flush=True)
            found += run_document(document, examples)
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
