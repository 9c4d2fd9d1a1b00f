"""`ninelives arm`, `disarm` and `db adopt`: a person's word on whether anybody may act."""

import asyncio
import os
import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from .cli_config import DEFAULT_FILE
from .exits import Complaint, Exit, Group

if TYPE_CHECKING:
    from ninelives.adapters.sql import SqlStore
    from ninelives.core.cluster import Note
    from ninelives.engine.clerk import Clerk, Led

WATCH_S = 30.0  # longer than the lease and the margin of any preset

of_store = click.option(
    "--store",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The SQLite store of the controllers; that of the configuration unless given.",
)
of_state = click.option(
    "--state",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the controller on this machine keeps its own memory; as configured unless given.",
)
of_config = click.option(
    "-c",
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DEFAULT_FILE,
    show_default=True,
    envvar="NINELIVES_CONFIG",
    help="The configuration of the controllers.",
)
of_person = click.option(
    "--by", default=getuser, show_default="your login", help="Who you are. It is journalled."
)
of_watch = click.option(
    "--watch",
    "watch_s",
    type=click.FloatRange(min=1.0),
    default=WATCH_S,
    show_default=True,
    help="Seconds to watch a lease that nobody let go of: longer than a lease and its margin.",
)


class Place(NamedTuple):
    """Where the store is, and where this machine's controller keeps its own memory."""

    url: str
    state: Path


def place_of(path: Path | None, state: Path | None, config: Path) -> Place:
    """Take what is given; what is not, from the configuration."""
    if path is not None and state is not None:
        return Place(url_at(path), state)
    from .config.building import read_place

    configured = Place(*read_place(config))
    url = configured.url if path is None else url_at(path)
    return Place(url, configured.state if state is None else state)


def url_at(path: Path) -> str:
    return f"sqlite:///{path.resolve()}"


@contextmanager
def opened(url: str) -> "Generator[SqlStore]":
    from ninelives.adapters.sql import open_store

    store = open_store(url, exists=True)
    try:
        yield store
    finally:
        store.close()


# --------------------------------------------------------------------------------- disarm, arm


@click.command()
@click.argument("reason")
@of_store
@of_state
@of_config
@of_person
def disarm(reason: str, path: Path | None, state: Path | None, config: Path, by: str) -> int:
    """Forbid every controller to act, because of REASON. What is under way is watched to its end.

    Written to the store and to this machine's own disk; either is enough. Needs no controller, and
    asks none.
    """
    from ninelives.engine.disarm import Memory
    from ninelives.engine.disarm import disarm as disarm_all

    cause, place = f"{reason} (by {by})", place_of(path, state, config)
    with opened(place.url) as store:
        disarm_all(Memory(place.state), store, cause, None)
        is_written = store.disarmed() == cause
    click.echo(f"disarmed: {cause}")
    if not is_written:
        raise Complaint("the store could not be told", "disarm again, or stop it", Exit.AGAIN)
    return Exit.DONE


@click.command()
@of_store
@of_state
@of_config
@of_person
@of_watch
def arm(path: Path | None, state: Path | None, config: Path, by: str, watch_s: float) -> int:
    """Let the controllers act again, whatever disarmed them: a person, a bug of ours.

    On another controller's own disk its word still stands: arm there, too. What a store that went
    back disarmed is not armed but adopted (`db adopt`).
    """
    from ninelives.core.events import Armed
    from ninelives.engine.clerk import Led, folded
    from ninelives.engine.disarm import Memory
    from ninelives.engine.high_water import BEHIND, changed, disarmed_here, read_high_water

    place = place_of(path, state, config)
    memory = Memory(place.state)
    with opened(place.url) as store:
        mark = read_high_water(memory.mark)
        if mark is not None and mark.disarmed in BEHIND:
            hint = "look at what happened to it, then `ninelives db adopt`"
            raise Complaint(f"refused: {mark.disarmed}", hint, Exit.REFUSED)
        was = store.disarmed()
        if mark is not None:
            changed(memory.mark, lambda now: disarmed_here(now or mark, None))
        store.set_disarmed(None)
        found = asyncio.run(folded(store, clerk(watch_s), [Armed(by, is_armed=True)]))
    if isinstance(found, Led) and was is None and (mark is None or mark.disarmed is None):
        # A leader hears of a word that is taken back, not of one that never stood here.
        hint = "arm where it was disarmed, or stop that controller first"
        raise Complaint(f"{found.holder} leads, and nothing here disarms it", hint, Exit.REFUSED)
    say(() if isinstance(found, Led) else found)
    click.echo(f"armed; {found.holder} hears of it" if isinstance(found, Led) else "armed")
    return Exit.DONE


# --------------------------------------------------------------------------------- adopt


@click.group(cls=Group)
def db() -> None:
    """Look after the store."""


@db.command()
@of_store
@of_state
@of_config
@of_person
@of_watch
def adopt(path: Path | None, state: Path | None, config: Path, by: str, watch_s: float) -> int:
    """Go on with a store that was restored, copied or replaced, believing nothing that it says.

    Every proof in it is void, every epoch and term jumps past what can have been used since, and
    nothing is sent before what was under way has settled. Stop every controller first, and adopt on
    each machine before one leads again.
    """
    from ninelives.engine.adopt import adopted_store
    from ninelives.engine.disarm import Memory, recalled

    place = place_of(path, state, config)
    memory = Memory(place.state)
    with opened(place.url) as store:
        found = asyncio.run(adopted_store(store, memory, clerk(watch_s), by))
        if found is None:
            click.echo("nothing to adopt: this controller remembers this very store")
            return Exit.DONE
        say(refuse_if_led(found))
        click.echo("adopted; nothing was sent")
        left = recalled(memory, store).disarmed or store.disarmed()
    if left is not None:
        click.echo(f"still disarmed: {left}; `ninelives arm` ends it")
    return Exit.DONE


# --------------------------------------------------------------------------------- both


def clerk(watch_s: float) -> "Clerk":
    from ninelives.core.decide import decide
    from ninelives.core.invariants import check
    from ninelives.engine.clerk import Clerk
    from ninelives.engine.clock import SystemClock

    holder = f"clerk-{os.getpid()}-{secrets.token_hex(4)}"
    return Clerk(holder, SystemClock(), decide, check, watch_s)


def refuse_if_led(found: "tuple[Note, ...] | Led") -> "tuple[Note, ...]":
    from ninelives.engine.clerk import Led

    if isinstance(found, Led):
        hint = "stop every controller of this store first"
        raise Complaint(f"refused: {found.holder} leads this store", hint, Exit.REFUSED)
    return found


def say(notes: "Sequence[Note]") -> None:
    for note in notes:
        click.echo(" ".join(part for part in note if part))
