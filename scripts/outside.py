#!/usr/bin/env python3
"""Creates a service outside of this repository, and works on it as its team would.

It runs `ledgerfold new`, the demo and the tests of the new project. Then it adds a command with an event, and a projection
with a query, counts the files of each change, and runs both again. The project shares the target directory of this
repository, so that nothing is built twice. Run `cargo build -p ledgerfold-cli` before.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
ENVIRONMENT = {**os.environ, "CARGO_TARGET_DIR": str(TARGET), "PORT": os.environ.get("PORT", "4566")}
BEGAN = time.monotonic()
# The most lines of a new project beside its domain: no blank lines, comments, generated files or documents.
MOST_LINES = 62
WIRING = ("Cargo.toml", "events/Cargo.toml", "src/lib.rs", "src/main.rs", "src/bin/library-admin.rs")


def say(step: str) -> None:
    print(f"── {step} (after {time.monotonic() - BEGAN:.0f} s)", flush=True)


def run(project: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=project, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed in the new project:\n{done.stdout}")
    if "warning:" in done.stdout:
        sys.exit(f"{' '.join(command)} warns in the new project:\n{done.stdout}")
    return done.stdout


def expect(output: str, *texts: str) -> None:
    for text in texts:
        if not re.search(text, output):
            sys.exit(f"the output has no {text!r}:\n{output}")


class Change:
    """A change of the project by hand, which counts its files."""

    def __init__(self, project: Path, most: int) -> None:
        self.project, self.most, self.files = project, most, set()

    def replace(self, file: str, *pairs: tuple[str, str]) -> None:
        text = (self.project / file).read_text()
        for old, new in pairs:
            if old not in text:
                sys.exit(f"{file} has no {old!r}")
            text = text.replace(old, new, 1)
        self.write(file, text)

    def copy(self, file: str, to: str, *pairs: tuple[str, str]) -> None:
        text = (self.project / file).read_text()
        for old, new in pairs:
            text = text.replace(old, new)
        self.write(to, text)

    def write(self, file: str, text: str) -> None:
        (self.project / file).write_text(text)
        self.files.add(file)

    def done(self, name: str) -> None:
        print(f"   {name}: {len(self.files)} files: {', '.join(sorted(self.files))}")
        if len(self.files) > self.most:
            sys.exit(f"{name} must touch at most {self.most} files")


def add_event(project: Path) -> None:
    """A task gets another title: the event, its sample, the state, the read model, and its command."""
    change = Change(project, 6)
    change.replace(
        "events/src/lib.rs",
        ("        TaskFinished: 1,\n", "        TaskFinished: 1,\n        TaskRenamed: 1,\n"),
    )
    text = (project / "events/src/lib.rs").read_text()
    derive = "#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]"
    event = f"\n/// The task has another title.\n{derive}\npub struct TaskRenamed {{\n    /// The new title.\n    pub title: String,\n}}\n"
    change.write("events/src/lib.rs", text + event)
    change.replace(
        "events/tests/contract.rs",
        ("TaskEvent, TaskFinished}", "TaskEvent, TaskFinished, TaskRenamed}"),
        ("[TaskEvent; 2]", "[TaskEvent; 3]"),
        ("TaskFinished {}.into()]", 'TaskFinished {}.into(), TaskRenamed { title: "Sow".to_owned() }.into()]'),
    )
    change.replace("src/domain.rs", ("            TaskEvent::TaskAdded(_) =>", "            TaskEvent::TaskAdded(_) | TaskEvent::TaskRenamed(_) =>"))
    change.replace(
        "src/queries/get_task.rs",
        ("            (TaskEvent::TaskFinished(_), None) =>", "            (TaskEvent::TaskRenamed(renamed), Some(task)) => {\n                Ok(Some(ListedTask { title: renamed.title.clone(), ..task }))\n            }\n            (_, None) =>"),
    )
    add_command(change)
    change.done("an event with its command")


def add_command(change: Change) -> None:
    change.copy(
        "src/commands/add_task.rs",
        "src/commands/rename_task.rs",
        ("AddTask", "RenameTask"),
        ("`POST /tasks`", "`POST /tasks/{id}/rename`"),
        ('"/tasks"', '"/tasks/{id}/rename"'),
        ("Add a task. The service chooses the id.", "Rename a task."),
        ('"task-already-added"', '"task-already-finished"'),
        ("TaskAdded", "TaskRenamed"),
        ("Water the plants", "Water the herbs"),
        ("Task::Missing => Ok", "Task::Open => Ok"),
        ("Task::Open | Task::Finished => Err(TaskRejection::AlreadyAdded),", "Task::Finished => Err(TaskRejection::AlreadyFinished),\n            Task::Missing => Err(TaskRejection::NotFound),"),
    )
    change.replace(
        "src/commands/mod.rs",
        ("mod finish_task;", "mod finish_task;\nmod rename_task;"),
        ("pub use finish_task::FinishTask;", "pub use finish_task::FinishTask;\npub use rename_task::RenameTask;"),
        ("        FinishTask,\n", "        FinishTask,\n        RenameTask,\n"),
        (".command::<FinishTask>()", ".command::<FinishTask>().command::<RenameTask>()"),
    )


def add_projection(project: Path) -> None:
    """The titles alone, as a projection of their own."""
    change = Change(project, 3)
    change.copy(
        "src/queries/get_task.rs",
        "src/queries/get_title.rs",
        ("TaskList", "Titles"),
        ("ListedTask", "Title"),
        ("GetTask", "GetTitle"),
        ("/tasks/{id}", "/tasks/{id}/title"),
    )
    change.replace(
        "src/queries/mod.rs",
        ("mod get_task;", "mod get_task;\nmod get_title;"),
        ("pub use get_task::", "pub use get_title::{GetTitle, Title, Titles};\npub use get_task::"),
        ("api.query::<GetTask>()", "api.query::<GetTask>().query::<GetTitle>()"),
    )
    change.replace("src/lib.rs", ('.rows::<queries::TaskList>("tasks")', '.rows::<queries::TaskList>("tasks").rows::<queries::Titles>("titles")'))
    change.done("a projection with a query")


def lines(project: Path) -> int:
    """The lines of the project beside its domain."""
    count = 0
    for name in (*WIRING, "Makefile", ".github/workflows/ci.yml"):
        for line in (project / name).read_text().splitlines():
            count += bool(line.strip()) and not line.strip().startswith(("//", "#", ".PHONY"))
    return count


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="ledgerfold-outside-"))
    project = folder / "library"
    try:
        say("ledgerfold new library")
        run(folder, str(TARGET / "debug/ledgerfold"), "new", "library")
        print(f"   {lines(project)} lines beside the domain: Cargo.toml, Makefile, CI, declaration and programs")
        if lines(project) > MOST_LINES:
            sys.exit(f"a new project must have at most {MOST_LINES}")
        began = time.monotonic()
        say("make demo")
        expect(run(project, "make", "demo"), r"POST /tasks .*\n  201 ", r"finish \{\}\n  200 ", r'GET /tasks/.*\n  200 .*"finishedAt":"')
        print(f"   from the new project to its demo: {time.monotonic() - began:.0f} s")
        say("make test")
        expect(run(project, "make", "test"), "a_task_is_finished_once ... ok", "the_events_match_their_contract ... ok")
        say("an event, a command, a projection")
        add_event(project)
        add_projection(project)
        expect(run(project, "make", "test"), r"rename .*\n  (200|409) ", r'/title\n  200 .*"title":"Water the plants|herbs"')
        run(project, "make", "down")
        say("all of it works")
    finally:
        subprocess.run(["make", "down"], cwd=project, env=ENVIRONMENT, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


main()
