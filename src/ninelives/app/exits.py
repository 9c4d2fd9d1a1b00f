"""The one table of exit codes, and how every error finds its own.

The numbers are those of sysexits.h where it has one, so that a service manager understands them.
"""

import traceback
from collections.abc import Sequence
from enum import IntEnum
from types import TracebackType
from typing import Literal, NoReturn

import click

from ninelives.engine.errors import (
    ConfigError,
    InvariantBroken,
    NinelivesError,
    PortError,
    StoreUnavailable,
    first_of,
)

from .plain_text import prepare_output


class Exit(IntEnum):
    """What the end of a command means."""

    DONE = 0
    FOUND = 1  # it worked, and found something that somebody should look at
    USAGE = 64
    MISSING = 69  # a part is missing: a package, a program, a file of this installation
    BUG = 70  # our own
    AGAIN = 75  # nobody answered: try again
    REFUSED = 77  # by a brake or a role, which the message names
    CONFIGURATION = 78
    INTERRUPTED = 130  # by Ctrl-C; nothing of it is still running


MEANING = {
    Exit.DONE: "done",
    Exit.FOUND: "done, and found something",
    Exit.USAGE: "the command line was not understood",
    Exit.MISSING: "a part is missing",
    Exit.BUG: "a bug of ninelives",
    Exit.AGAIN: "no answer: try again",
    Exit.REFUSED: "refused by a brake or a role",
    Exit.CONFIGURATION: "the configuration cannot be used",
    Exit.INTERRUPTED: "interrupted",
}


def table() -> str:
    """Lay the codes out for the end of `--help`; a blank line keeps click from wrapping them."""
    rows = (f"  {code.value:>3}  {words}" for code, words in MEANING.items())
    return "\n".join(("\b", "Exit codes:", *rows))


class Complaint(click.ClickException):
    """An end that somebody must act on: what happened, and one line on what to do next."""

    def __init__(self, message: str, hint: str, code: Exit) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code


class Told:
    """Turn whatever ends a command into words and its exit code. Used by `with`."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Literal[False]:
        match error and first_of(error):
            case None | SystemExit():
                return False
            case click.exceptions.Exit() as end:
                raise SystemExit(end.exit_code)
            case click.Abort() | KeyboardInterrupt():
                _say("interrupted; nothing of it is still running")
                raise SystemExit(Exit.INTERRUPTED)
            case BrokenPipeError():
                raise SystemExit(Exit.DONE)  # whoever reads has seen enough
            case Complaint() as end:
                _say(f"error: {end.message}", end.hint)
                raise SystemExit(end.code)
            case click.ClickException() as end:
                end.show()
                is_usage = isinstance(end, click.UsageError)
                raise SystemExit(Exit.USAGE if is_usage else Exit.CONFIGURATION)
            case NinelivesError() as end:
                _say(f"error: {Exception.__str__(end)}", end.hint)
                raise SystemExit(code_of(end))
            case InvariantBroken() as end:
                traceback.print_exception(kind, error, trace)
                _say(f"error: {end}; disarmed", "report it; nothing is sent until `ninelives arm`")
                raise SystemExit(Exit.BUG)
            case _:
                traceback.print_exception(kind, error, trace)
                _say("this is a bug of ninelives", "report it with the lines above")
                raise SystemExit(Exit.BUG)


def code_of(error: NinelivesError) -> Exit:
    """Return the exit code of an error that somebody must act on."""
    match error:
        case ConfigError():
            return Exit.CONFIGURATION
        case StoreUnavailable() | PortError():
            return Exit.AGAIN
        case _:
            return Exit.CONFIGURATION


def _say(message: str, hint: str = "") -> None:
    click.echo(message, err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)


class Group(click.Group):
    """A group of commands whose ends all follow the table."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,  # noqa: ARG002 - the signature is click's
        **extra: object,  # noqa: ARG002
    ) -> NoReturn:
        """Run, and end the process with a code of the table."""
        assert standalone_mode, "a command of ninelives ends its process"
        prepare_output()
        with Told():
            code: object = super().main(args, prog_name, complete_var, standalone_mode=False)
            raise SystemExit(code if isinstance(code, int) else Exit.DONE)
