"""The entry point: collects the commands and turns errors into sentences and exit codes."""

from __future__ import annotations

import atexit
import contextlib
import errno
import gc
import json
import os
import sys
import threading
from typing import Any

import click

from seatrial.cli.lazy import LazyGroup
from seatrial.errors import ConfigError, SeatrialError, safe

COMMANDS = {
    "demo": "seatrial.cli.demo:demo",
    "init": "seatrial.cli.demo:init",
    "plan": "seatrial.cli.plan:plan",
    "lint": "seatrial.cli.lint:lint",
    "run": "seatrial.cli.run:run",
    "compare": "seatrial.cli.compare:compare",
    "sweep": "seatrial.cli.sweep:sweep",
    "gate": "seatrial.cli.gate:gate",
    "report": "seatrial.cli.report:report",
    "verify": "seatrial.cli.verify:verify",
    "export": "seatrial.cli.export:export",
    "watch": "seatrial.cli.watch:watch",
    "dataset": "seatrial.cli.dataset:dataset",
    "label": "seatrial.cli.label:label",
    "trials": "seatrial.cli.trials:trials",
    "scorers": "seatrial.cli.scorers:scorers",
    "targets": "seatrial.cli.targets:targets",
    "doctor": "seatrial.cli.doctor:doctor",
    "schema": "seatrial.cli.schema:schema",
    "fake-provider": "seatrial.cli.fake_provider:fake_provider",
}
COLLECTED = (300_000, 20, 100)
"""How rarely garbage is collected: a command makes millions of short-lived records and few cycles."""
INTERNAL_ERROR = 70
INTERRUPTED = 130
PIPE_CLOSED = 0
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a full disk says, wherever something was being written."""


@click.command(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="seatrial", message="%(prog)s %(version)s")
def cli() -> None:
    """May this model replace what you run today, on your own work?

    Start with `seatrial demo`, then `seatrial init` for a suite of your own.
    """


def main() -> None:
    """Run the command line and exit with a documented code."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's idle threads would spin: no matrix here needs them
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some reads every installed package
    gc.set_threshold(*COLLECTED)
    exit_code = invoke(sys.argv[1:])
    _leave(exit_code)


def _leave(exit_code: int) -> None:
    """End the process. Where no thread is left, without taking all records apart first: that takes a while.

    What registered itself for the end (`atexit`) is called, and what was printed goes out, in any case.
    """
    gc.freeze()  # nothing is left to collect for a process that ends
    if threading.active_count() > 1:
        sys.exit(exit_code)
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001  # what the interpreter would call
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        exit_code = exit_code or PIPE_CLOSED
    os._exit(exit_code)


def invoke(arguments: list[str]) -> int:
    """Run one command; expected errors become one sentence, a defect leaves a trace file."""
    try:
        result: Any = cli.main(args=arguments, prog_name="seatrial", standalone_mode=False)
    except click.exceptions.Exit as left:
        return left.exit_code
    except click.Abort:
        click.echo("aborted", err=True)
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as bare:
        click.echo(bare.format_message(), err=True)
        return bare.exit_code
    except click.ClickException as usage:
        return _fail(arguments, usage.exit_code, usage.format_message(), "E101", usage)
    except SeatrialError as error:
        return _fail(arguments, error.exit_code, str(error), error.code, error)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except Exception as defect:  # noqa: BLE001  # the outermost edge: whatever escaped is a defect of ours
        if isinstance(defect, OSError) and defect.errno in NO_ROOM:
            return _no_room(arguments, defect)
        return _fail(arguments, INTERNAL_ERROR, _defect(defect), "E999", defect)
    return result if isinstance(result, int) else 0


def _fail(arguments: list[str], exit_code: int, message: str, code: str, error: Exception) -> int:
    if "--json" in arguments:
        envelope: dict[str, Any] = {"code": code, "exit_code": exit_code, "message": message}
        if isinstance(error, SeatrialError):
            envelope |= {"message": error.problem, "hint": error.hint}
        if isinstance(error, ConfigError):
            envelope["problems"] = [str(problem) for problem in error.problems]
        click.echo(json.dumps({"error": envelope}))
        return exit_code
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} --help' for help.\n", err=True)
    click.echo(f"error: {message}", err=True)
    return exit_code


def _no_room(arguments: list[str], fault: OSError) -> int:
    """Say that a disk is full. An output that takes no more is let go, so that the process can end."""
    from seatrial.errors import NotEvaluableError

    named = safe(fault.filename, 200) if fault.filename else ""
    if not named:  # a stream, or a file behind one: whichever, standard output gets nothing more
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    said = f"{named or 'The output'} cannot be written: {safe(fault.strerror or 'no room')}."
    error = NotEvaluableError(said, hint="make room; what was answered is kept, and the same command goes on from it")
    with contextlib.suppress(OSError):  # standard error may be on the same disk
        _fail([one for one in arguments if named or one != "--json"], error.exit_code, str(error), error.code, error)
    return error.exit_code


def _defect(defect: Exception) -> str:
    import tempfile
    import traceback

    vault = sys.modules.get("seatrial.core.vault")
    if vault is not None and vault.opened:
        return _withheld(defect)
    if os.environ.get("SEATRIAL_DEBUG"):
        traceback.print_exception(defect)
    with tempfile.NamedTemporaryFile(
        "w", prefix="seatrial-", suffix=".trace", delete=False, encoding="utf-8", errors="backslashreplace"
    ) as file:
        traceback.print_exception(defect, file=file)
    return (
        f"internal error: {type(defect).__name__}: {str(defect)[:300]}\n"
        f"  this is a defect of Seatrial; the trace is in {file.name}, please report it"
    )


def _withheld(defect: Exception) -> str:
    """A defect while a sealed split was open: where, and no message, which might quote a case."""
    import traceback

    places = traceback.extract_tb(defect.__traceback__)[-8:]
    lines = "\n".join(f"    {place.filename}:{place.lineno} in {place.name}" for place in places)
    return (
        f"internal error: {type(defect).__name__}; its message is withheld, as a sealed split was open\n{lines}\n"
        "  this is a defect of Seatrial; please report these lines"
    )
