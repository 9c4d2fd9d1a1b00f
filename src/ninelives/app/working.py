"""A sign of life for work that takes long: on a terminal a bar, elsewhere nothing."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

Advance = Callable[[float, str], None]  # how much is done of the total, and a word on it


@contextmanager
def working(what: str, total: float | None = None) -> Generator[Advance]:
    """Show that `what` goes on, on standard error; gone when it is over, also on Ctrl-C."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn("line"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[said]}"),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=total, said="")

        def advance(done: float, said: str) -> None:
            bar.update(task, completed=done, said=said)

        yield advance
