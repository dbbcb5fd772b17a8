#!/usr/bin/env python3
"""Counts clauses that stand where a noun would do: "what", "who", "whom", "whoever", "whatever".

Plain text names things and says who acts. This project allows 4 of these words in 1,000 words of documentation,
measured by folder over documents, doc comments, comments and user-visible text of the command lines. Run it with `--show` to see
every line that counts, and with folder names to look at these only.
"""

import re
import subprocess
import sys
from pathlib import Path

LIMIT = 4.0
CLAUSE = re.compile(r"\b(what|who|whom|whoever|whatever)\b", re.IGNORECASE)
WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")
# Where a comment starts, by the kind of file.
COMMENT = {
    ".rs": re.compile(r"^\s*//[/!]?(.*)$"),
    ".py": re.compile(r"^\s*#(?!!)(.*)$"),
    ".sh": re.compile(r"^\s*#(?!!)(.*)$"),
    ".yaml": re.compile(r"^\s*#(.*)$"),
    ".md": re.compile(r"^(.*)$"),
}
CODE = re.compile(r"`[^`]*`|\]\([^)]*\)")


def folders() -> dict[str, list[Path]]:
    """The files of each folder that has its own limit."""
    found: dict[str, list[Path]] = {}
    for name in subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True).stdout.split():
        path = Path(name)
        if path.suffix in COMMENT and path.exists() and path.resolve() != Path(__file__).resolve():
            depth = 2 if path.parts[0] in ("ledgerfold", "functions", "events") else 1
            found.setdefault("/".join(path.parts[:depth]), []).append(path)
    return found


def prose(path: Path) -> list[tuple[int, str]]:
    """The comments of a file, with line numbers, without examples of code."""
    comment = COMMENT[path.suffix]
    lines, fenced, quoted = [], False, False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = comment.match(line)
        if path.suffix == ".py" and '"""' in line:
            lines.append((number, line.replace('"""', " ")))
            quoted ^= line.count('"""') % 2 == 1
            continue
        if path.suffix == ".py" and quoted:
            lines.append((number, line))
            continue
        if not text:
            continue
        if text[1].strip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            lines.append((number, CODE.sub(" ", text[1])))
    return lines


def main(arguments: list[str]) -> int:
    show = "--show" in arguments
    wanted = [argument.rstrip("/") for argument in arguments if argument != "--show"]
    failed = False
    for folder, paths in sorted(folders().items()):
        if wanted and not any(folder == name or str(path).startswith(name) for name in wanted for path in paths):
            continue
        words = clauses = 0
        for path in paths:
            if wanted and folder not in wanted and not any(str(path).startswith(name) for name in wanted):
                continue
            for number, text in prose(path):
                words += len(WORD.findall(text))
                found = len(CLAUSE.findall(text))
                clauses += found
                if show and found:
                    print(f"{path}:{number}:{text}")
        rate = 1_000 * clauses / max(words, 1)
        failed |= rate > LIMIT
        print(f"{folder:28} {words:7} words {clauses:5} clauses {rate:6.1f} in 1,000")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
