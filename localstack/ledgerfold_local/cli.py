"""The command line. `bootstrap.py` calls it when the requirements are set up."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from ledgerfold_local import cloud, dynamodb, logs
from ledgerfold_local.emulators import EMULATORS
from ledgerfold_local.errors import CliError
from ledgerfold_local.layout import Layout, project

DESCRIPTION = (
    "Runs the project in this folder on a local cloud: an emulator of AWS without Docker and without an account."
)


def parser() -> argparse.ArgumentParser:
    main = argparse.ArgumentParser(prog="ledgerfold-local", description=DESCRIPTION)
    commands = main.add_subparsers(dest="command", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        # `bootstrap.py` also reads some options, and knows no abbreviations.
        sub = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        sub.add_argument("--emulator", choices=sorted(EMULATORS), default=os.environ.get("EMULATOR") or "localstack")
        sub.add_argument("--project", type=Path, default=project(), help="root of the project (default: this folder)")
        sub.add_argument("--home", type=Path, help="folder for the files of this cloud (default: target/local)")
        return sub

    for up in (
        command("up", "start the emulator and deploy; skips steps that are already done"),
        command("start", "start the emulator while the functions are still being built"),
    ):
        up.add_argument("--port", type=port, default=4566)
        up.add_argument("--infra", type=Path, help="folder with platform.yaml and CONTEXT.yaml (default: infra)")
        up.add_argument(
            "--context", action="append", default=[], metavar="NAME", help="deploy this one; repeatable (default: all)"
        )
        up.add_argument("--functions", type=Path, help="folder with NAME/bootstrap (default: functions in --home)")
        up.add_argument(
            "--parameter", type=parameter, action="append", default=[], metavar="NAME=VALUE", help="for the templates"
        )
        # `bootstrap.py` runs the build and removes the option.
        up.add_argument("--build", metavar="COMMAND", help="build the functions with it; the deployment waits for it")
    command("setup", "fetch everything that the other commands need")
    command("down", "stop everything that `up` started")
    command("status", "show the state of the cloud; the exit code is 0 if it is ready")
    show = command("logs", "print the output of the functions")
    show.add_argument("--function", help="a name from stack.json, such as relay or orders/relay")
    show.add_argument("--follow", action="store_true")
    database = command("dynamodb", "run a command with its own DynamoDB Local")
    database.add_argument("--port", type=port, default=None, help="by default a free port")
    database.add_argument("words", nargs="+", metavar="COMMAND")
    return main


def port(text: str) -> int:
    number = int(text)
    if not 0 < number < 65536:
        raise ValueError
    return number


def parameter(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise ValueError
    return name, value


def layout_of(arguments: argparse.Namespace) -> Layout:
    return Layout((arguments.home or arguments.project / "target/local").resolve())


def run(arguments: argparse.Namespace) -> int:
    layout = layout_of(arguments)
    if arguments.command in ("up", "start"):
        wanted = cloud.Wanted(
            EMULATORS[arguments.emulator],
            arguments.port,
            arguments.infra or arguments.project / "infra",
            arguments.functions or layout.home / "functions",
            tuple(arguments.context),
            dict(arguments.parameter),
            project=arguments.project,
            # `bootstrap.py` sets it after the build.
            is_built="LEDGERFOLD_BUILT" in os.environ,
        )
        if arguments.command == "start":
            cloud.start_early(wanted, layout)
        else:
            cloud.up(wanted, layout)
    elif arguments.command == "down":
        cloud.down(layout)
    elif arguments.command == "status":
        return cloud.status(layout)
    elif arguments.command == "logs":
        logs.show(layout, arguments.function, arguments.follow)
    elif arguments.command == "dynamodb":
        return dynamodb.run_with_dynamodb(arguments.words, arguments.port)
    return 0


def main(words: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(words)
    try:
        return run(arguments)
    except CliError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        hint = " The emulator may still run; `down` stops it." if arguments.command in ("up", "start") else ""
        print(f"Interrupted.{hint}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `logs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        report = layout_of(arguments).home / "traceback.txt"
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(traceback.format_exc())
        print(f"{type(error).__name__}: {error} (traceback: {report})", file=sys.stderr)
        return 1
