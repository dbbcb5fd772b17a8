"""The command line. The Makefile calls it through `bootstrap.py`."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from ledgerfold_local import cloud, dynamodb, logs
from ledgerfold_local.emulators import EMULATORS
from ledgerfold_local.layout import ROOT, Layout
from ledgerfold_local.errors import CliError


def parser() -> argparse.ArgumentParser:
    main = argparse.ArgumentParser(prog="ledgerfold_local", description=__doc__)
    commands = main.add_subparsers(dest="command", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--emulator", choices=sorted(EMULATORS), default=os.environ.get("EMULATOR") or "localstack")
        sub.add_argument("--home", type=Path, default=ROOT / "target/local", help="folder for the files of this cloud")
        return sub

    for up in (
        command("up", "start the emulator and deploy; skips steps that are already done"),
        command("start", "start the emulator while the functions are still being built"),
    ):
        up.add_argument("--port", type=port, default=4566)
        up.add_argument("--context", default="orders", help="the bounded context of the template")
        up.add_argument("--template", type=Path, default=ROOT / "infra/template.yaml")
        up.add_argument("--functions", type=Path, default=None, help="folder with NAME/bootstrap per function")
        up.add_argument(
            "--parameter", type=parameter, action="append", default=[], metavar="NAME=VALUE", help="for the template"
        )
    command("down", "stop everything that `up` started")
    command("status", "show the state of the cloud; the exit code is 0 if it is ready")
    show = command("logs", "print the output of the functions")
    show.add_argument("--function", help="a name from stack.json, for example relay")
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


def run(arguments: argparse.Namespace) -> int:
    layout = Layout(arguments.home.resolve())
    if arguments.command in ("up", "start"):
        functions = arguments.functions or layout.home / "functions"
        emulator = EMULATORS[arguments.emulator]
        wanted = cloud.Wanted(
            emulator, arguments.port, arguments.context, arguments.template, functions, dict(arguments.parameter)
        )
        (cloud.up if arguments.command == "up" else cloud.start_early)(wanted, layout)
    elif arguments.command == "down":
        cloud.down(layout)
    elif arguments.command == "status":
        return cloud.status(layout)
    elif arguments.command == "logs":
        logs.show(layout, arguments.function, arguments.follow)
    else:
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
        hint = " The emulator may still run; `make down` stops it." if arguments.command in ("up", "start") else ""
        print(f"Interrupted.{hint}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `logs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        layout = Layout(arguments.home.resolve())
        report = layout.home / "traceback.txt"
        report.write_text(traceback.format_exc())
        print(f"{type(error).__name__}: {error} (traceback: {report})", file=sys.stderr)
        return 1
