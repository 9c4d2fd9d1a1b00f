"""What lasts as long as the process: the store, the guard, the memory on our own disk, the numbers.

What comes from the configuration and may be taken anew lives shorter, in wire.py.
"""

import asyncio
import fcntl
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from ninelives.adapters.sql import SqlStore, open_store
from ninelives.adapters.sql_bases import SqlBases
from ninelives.adapters.sql_board import SqlBoard
from ninelives.core.model import WitnessId
from ninelives.engine.clock import SystemClock
from ninelives.engine.disarm import Memory
from ninelives.engine.errors import ConfigError
from ninelives.engine.guard import Guard

from .config.configuration import Configuration
from .desk import OrderDesk
from .incident_log import Book
from .telemetry import Numbers, Presence


class Wish(Enum):
    """What somebody asks of this process, by a signal."""

    STOP = auto()
    RELOAD = auto()


@dataclass(frozen=True, slots=True)
class Foundation:
    """Made once, in this order; closed in the other."""

    store: SqlStore
    board: SqlBoard
    bases: SqlBases
    guard: Guard
    memory: Memory
    clock: SystemClock
    presence: Presence
    numbers: Numbers
    wishes: asyncio.Queue[Wish]
    desk: OrderDesk
    book: Book


@contextmanager
def laid(configuration: Configuration) -> Generator[Foundation]:
    """Open what lasts, or raise what the operator must know."""
    memory = Memory(made(configuration.state))
    lock = locked(configuration.state)
    # The guard first: it must know every child that is started after it.
    guard = Guard()
    try:
        store = open_store(configuration.store.whole_url)
        try:
            presence = Presence(configuration.me, mode=configuration.modes.default)
            yield Foundation(
                store,
                SqlBoard(store),
                SqlBases(store),
                guard,
                memory,
                SystemClock(),
                presence,
                Numbers(),
                asyncio.Queue(),
                OrderDesk(),
                Book(),
            )
        finally:
            store.close()
    finally:
        guard.close()
        os.close(lock)


def made(state: Path) -> Path:
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"state: {state} cannot be made: {error.strerror}", "make it, and give it to our user"
        ) from error
    return state


def locked(state: Path) -> int:
    """Keep every other controller out of this memory for as long as we live.

    Two that shared it would bear one name: each would be taken for the other's witness.
    """
    lock = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise ConfigError(
            f"state: another controller uses {state}", "give each one a name and a state of its own"
        ) from error
    return lock


def new_holder(me: WitnessId) -> str:
    """Name one life of one controller: nobody recognises the lease of its former one."""
    return f"{me}/{os.getpid()}/{secrets.token_hex(4)}"
