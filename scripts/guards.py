#!/usr/bin/env python3
"""Checks that every invariant has a guard, and that docs/invariants.md shows all guards.

docs/invariants.ini lists the invariants, and the guards that are no tests. A test names the invariants that it guards
in a comment directly above it, and a module of tests in its documentation:

    // Guards: each-version-is-decided-once, a-row-is-the-fold-of-its-stream
    //! Guards: a-panic-fails-one-item

In Python, the comment begins with `# Guards:`. A second line continues a long list. `--write` writes the page. Without
it, the script fails if the page is out of date. It also fails if an invariant has no guard, if a mark has an unknown
key or is above something that is no test, or if docs/decisions name a test that does not exist.
"""

import configparser
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = "docs/invariants.ini"
PAGE = "docs/invariants.md"
SUITES = "ledgerfold/proofs/src/conformance/"
RULES = "ledgerfold/infra/src/rules/"
PLANT = "ledgerfold/simulator/src/plan/plant.rs"
# A project that `ledgerfold new` copies, and this script.
IGNORED = ("ledgerfold/cli/skeleton/", "scripts/guards.py")

MARK = re.compile(r"\s*(//!|//|#) Guards:\s*(.*)$")
FUNCTION = re.compile(r"\s*(?:pub(?:\(\w+\))? )?(?:async )?(?:fn|def) (\w+)")
BETWEEN = re.compile(r"\s*(#\[|///|@)")
TEST = re.compile(r"^\s*#\[(?:\w+::)*test\b|_conformance!\(", re.MULTILINE)
NAMED = re.compile(r"\b(?:fn|def|mod|struct|enum) (\w+)")
QUOTED = re.compile(r"`([^`]+)`")
# A test in a decision, for example `relay::an_event_names_its_commit` or `public_events::…`.
PATH = re.compile(r"(?:[\w…]+::)*(\w+)::([a-z…][a-z0-9_…]*)")

HEAD = (
    "# Invariants, and their guards\n\n"
    "Each entry is a property that must hold after every change, its key, and its guards: the tests that fail if the "
    "property does not hold. Some guards are no tests:\n\n"
    "- Types: the wrong program does not compile.\n"
    "- Rules of templates: every generated template must keep them. "
    "[A test](../ledgerfold/infra/tests/rules.rs) breaks each rule and sees it fail.\n"
    "- Planted faults: the simulator has them on purpose, to prove that its checker finds the violation.\n\n"
    "To add a property, add it to [invariants.ini](invariants.ini), write `// Guards: <key>` above its tests, and run "
    "`scripts/guards.py --write`, which writes this page. [ARCHITECTURE.md](../ARCHITECTURE.md) describes the parts, "
    "and the [decisions](decisions/README.md) explain the reasons.\n"
)
# Where the tests of a folder run. The others need no server.
PLACES = {
    "functions/orders/acceptance/tests/": " (on the local cloud)",
    "functions/banking/acceptance/tests/": " (on the local cloud)",
    "functions/devices/acceptance/tests/": " (on the local cloud)",
    "functions/patients/acceptance/tests/": " (on the local cloud)",
    "ledgerfold/dynamodb/tests/dynamodb_local/": " (on DynamoDB Local)",
    SUITES: " (over every store)",
}


@dataclass(frozen=True)
class Mark:
    """A mark: its keys, and the test below it, or `*` for a whole module, or nothing if there is no test."""

    file: str
    line: int
    keys: list[str]
    test: str | None


def sources() -> dict[str, str]:
    """The text of every file of Rust or Python, by its path."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.rs", "*.py"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    files = sorted(name for name in listed.stdout.splitlines() if not name.startswith(IGNORED))
    return {name: (ROOT / name).read_text() for name in files if (ROOT / name).exists()}


def marks(files: dict[str, str]) -> Iterator[Mark]:
    # The macros of the suites make a test of each rule in their lists.
    suites = (text for name, text in files.items() if name.startswith(SUITES))
    listed = {name for text in suites for name in re.findall(r"^ +(\w+),$", text, re.MULTILINE)}
    for file, text in files.items():
        rules = listed if file.startswith(SUITES) else set()
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if match := MARK.match(line):
                whole = match[1] == "//!"
                test = tested(text, rules) if whole else test_below(file, lines[number + 1 :], rules)
                yield Mark(file, number + 1, match[2].split(", "), test)


def tested(text: str, rules: set[str]) -> str | None:
    """`*` if a module has tests."""
    return "*" if TEST.search(text) or rules & set(NAMED.findall(text)) else None


def test_below(file: str, lines: list[str], rules: set[str]) -> str | None:
    """The test that begins with these lines."""
    for number, line in enumerate(lines):
        if function := FUNCTION.match(line):
            name = function[1]
            attributes = "\n".join(lines[:number])
            is_python = file.endswith(".py") and Path(file).name.startswith("test_") and name.startswith("test_")
            return name if is_python or name in rules or TEST.search(attributes) else None
        if not BETWEEN.match(line) and not MARK.match(line):
            break
    return None


def faults_of(placed: list[Mark], invariants: configparser.ConfigParser) -> list[str]:
    """The marks that are above no test, or have unknown keys, and the invariants without guards."""
    keys = {key for key in invariants.sections() if invariants[key]}
    found = [f"{mark.file}:{mark.line}: the mark is above no test" for mark in placed if mark.test is None]
    for mark in placed:
        found += [f"{mark.file}:{mark.line}: {LIST} has no {key}" for key in mark.keys if key not in keys]
    guarded = {key for mark in placed if mark.test for key in mark.keys}
    for key in sorted(keys):
        if key not in guarded and not set(invariants[key]) - {"says"}:
            found.append(f"{LIST}: {key} has no guard: write `// Guards: {key}` above its tests")
    return found


def words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


def rule_file(rule: str, files: dict[str, str]) -> str | None:
    """The file of a rule of the templates."""
    if f'("{rule}", ' not in files[f"{RULES}mod.rs"]:
        return None
    return next((file for file, text in files.items() if file.startswith(RULES) and f"fn {rule}(" in text), None)


def unknown(invariants: configparser.ConfigParser, files: dict[str, str]) -> list[str]:
    """The guards in the list that do not exist."""
    core = "\n".join(text for file, text in files.items() if file.startswith("ledgerfold/core/src/"))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    planted = set(re.findall(r"Self::(\w+),", files[PLANT]))
    found = []
    for key in invariants.sections():
        options = {name: invariants[key].get(name, "") for name in ("types", "rules", "faults", "runs")}
        found += [f"{key}: unknown line {name}" for name in set(invariants[key]) - set(options) - {"says"}]
        types = QUOTED.findall(options["types"])
        found += [f"{key}: no type {name} in core" for name in types if not re.search(rf"\b{name}\b", core)]
        rules, faults, runs = (words(options[name]) if options[name] else [] for name in ("rules", "faults", "runs"))
        found += [f"{key}: no rule {rule}" for rule in rules if not rule_file(rule, files)]
        found += [f"{key}: no fault {fault}" for fault in faults if fault not in planted]
        for run in runs:
            exists = run[5:] in targets if run.startswith("make ") else (ROOT / run).exists()
            found += [] if exists else [f"{key}: no {run}"]
    return [f"{LIST}: {line}" for line in found]


def page(invariants: configparser.ConfigParser, placed: list[Mark], files: dict[str, str]) -> str:
    parts = [HEAD]
    for key in invariants.sections():
        entry = invariants[key]
        if not entry:
            parts.append(f"\n## {key}\n")
            continue
        parts.append(f"\n{entry['says'].replace(chr(10), ' ')} (`{key}`)\n\n")
        tests = defaultdict(list)
        for mark in placed:
            if mark.test and key in mark.keys:
                tests[mark.file].append(mark.test)
        # Tests that need no server come first.
        ordered = sorted(tests, key=lambda file: [file.startswith(folder) for folder in PLACES])
        parts += [guard_line(file, tests[file]) for file in ordered]
        parts += [f"- {line}\n" for line in other_guards(entry, files)]
    return "".join(parts)


def guard_line(file: str, tests: list[str]) -> str:
    place = next((place for folder, place in PLACES.items() if file.startswith(folder)), "")
    names = "all tests" if "*" in tests else ", ".join(f"`{test}`" for test in tests)
    crate = next(folder for folder in Path(file).parents if (ROOT / folder / "Cargo.toml").exists())
    inside = Path(*Path(file).relative_to(crate).parts[1:])
    return f"- [{str(crate).removeprefix('ledgerfold/')}: {inside}](../{file}): {names}{place}\n"


def other_guards(entry: configparser.SectionProxy, files: dict[str, str]) -> Iterator[str]:
    if "types" in entry:
        yield f"Types: {entry['types']}"
    if "rules" in entry:
        yield "Rules of templates: " + ", ".join(
            f"[`{rule}`](../{rule_file(rule, files)})" for rule in words(entry["rules"])
        )
    if "faults" in entry:
        yield f"[Planted faults](../{PLANT}): " + ", ".join(f"`{fault}`" for fault in words(entry["faults"]))
    if "runs" in entry:
        runs = (f"`{run}`" if run.startswith("make ") else f"[{run}](../{run})" for run in words(entry["runs"]))
        yield "Runs: " + ", ".join(runs)


def missing_in_decisions(files: dict[str, str]) -> list[str]:
    """The tests and modules that decisions name, but that do not exist."""
    known = {name for text in files.values() for name in NAMED.findall(text)}
    modules = {Path(file).stem for file in files} | {Path(file).parent.name for file in files}
    found = []
    for document in sorted((ROOT / "docs/decisions").glob("*.md")):
        for number, line in enumerate(document.read_text().splitlines(), 1):
            for path in filter(None, map(PATH.fullmatch, QUOTED.findall(line))):
                module, name = path.groups()
                pattern = re.compile(re.escape(name).replace("…", ".*"))
                exists = module in modules if name == "…" else any(map(pattern.fullmatch, known))
                if not exists:
                    found.append(f"{document.relative_to(ROOT)}:{number}: no test is named {path[0]}")
    return found


def main(arguments: list[str]) -> int:
    files = sources()
    invariants = configparser.ConfigParser(delimiters=("=",), comment_prefixes=("#",), interpolation=None)
    invariants.read(ROOT / LIST)
    placed = list(marks(files))
    found = faults_of(placed, invariants) + unknown(invariants, files) + missing_in_decisions(files)
    if not found:
        text = page(invariants, placed, files)
        if "--write" in arguments:
            (ROOT / PAGE).write_text(text)
        elif text != (ROOT / PAGE).read_text():
            found = [f"{PAGE} is out of date: run scripts/guards.py --write"]
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
