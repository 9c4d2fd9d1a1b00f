"""What one controller remembers of the store, on its own disk: how far it came, whether disarmed.

A store that was restored from a backup, or that lost commits in a failover, is *behind* what was
already acted upon: it would hand out again the epochs, attempts and proofs of things done. Only a
memory outside the store can tell. It never runs ahead of the store: it is raised only to what is
durable there. It may lag behind, but never behind what was acted upon: it is raised with each
renewal of the lease, and a send leaves only after a renewal that began after its commit.
"""

import fcntl
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ninelives.engine.errors import StoreBehind
from ninelives.engine.ports import StoreIdentity


@dataclass(frozen=True, slots=True)
class HighWater:
    """The highest revision and term seen in one store, and why this controller may not act."""

    store_id: str
    revision: int
    term: int
    disarmed: str | None = None


ANOTHER_STORE, STORE_BEHIND = BEHIND = ("another_store", "store_behind")


@dataclass(frozen=True, slots=True)
class Behind:
    """The store is not a continuation of what was seen: stay disarmed until `db adopt`."""

    reason: str  # one of BEHIND
    local: HighWater
    found: StoreIdentity


def check_high_water(local: HighWater | None, identity: StoreIdentity) -> Behind | None:
    """Compare the store with what this controller remembers. Pure."""
    match local:
        case None:
            return None
        case HighWater(store_id) if store_id != identity.store_id:
            return Behind(ANOTHER_STORE, local, identity)
        case HighWater(_, revision, term) if identity.revision < revision or identity.term < term:
            return Behind(STORE_BEHIND, local, identity)
        case _:
            return None


def raised(local: HighWater | None, identity: StoreIdentity) -> HighWater:
    """Remember how far the store has come. Pure. `identity` must have passed the check."""
    assert check_high_water(local, identity) is None, "a step back is adopted, never remembered"
    return HighWater(*identity, disarmed=_cause(local))


def adopted(local: HighWater | None, identity: StoreIdentity) -> HighWater:
    """Accept the store as it is, by order of an operator. Pure.

    Who was disarmed because of the store alone is no longer; any other cause stays.
    """
    cause = _cause(local)
    return HighWater(*identity, disarmed=None if cause in BEHIND else cause)


def disarmed_here(local: HighWater, cause: str | None) -> HighWater:
    """Forbid this controller to act, or allow it again. Pure."""
    return replace(local, disarmed=cause)


def disarmed_because(local: HighWater | None, store: str | None) -> str | None:
    """Why nobody may act: either word is enough, and only None from both means armed. Pure."""
    return store if store is not None else _cause(local)


def _cause(local: HighWater | None) -> str | None:
    return None if local is None else local.disarmed


def read_high_water(path: Path) -> HighWater | None:
    """Read the memory of this controller; None where it never had one.

    One that cannot be read raises `StoreBehind`. To take it for none would arm a controller that
    perhaps was disarmed.
    """
    try:
        stored: object = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(path, str(error)) from error
    match stored:
        case {
            "store_id": str(store_id),
            "revision": int(revision),
            "term": int(term),
            "disarmed": None | str() as disarmed,
        }:
            return HighWater(store_id, revision, term, disarmed)
        case _:
            raise _unreadable(path, "not the fields expected")


Change = Callable[[HighWater | None], HighWater]


def changed(path: Path, change: Change) -> HighWater:
    """Read the memory, change it and keep it, while nobody else does.

    A renewal that raises it in its thread, and a bug or a person that disarms, must not undo each
    other's word. `change` is called with the lock held: what it reads of the store is the latest.
    """
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)  # by the file description: two threads exclude, too
        before = read_high_water(path)
        after = change(before)
        if after != before:
            write_high_water(path, after)
        return after
    finally:
        os.close(directory)


def write_high_water(path: Path, mark: HighWater) -> None:
    """Replace the memory durably. After a power loss the old one or the new one is there, whole."""
    fresh = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(mark), file)
        file.flush()
        # Without this the rename may reach the disk before the content, and leave an empty file.
        os.fsync(file.fileno())
    fresh.replace(path)
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _unreadable(path: Path, why: str) -> StoreBehind:
    return StoreBehind(
        f"what this controller remembers of the store cannot be read: {path}: {why}",
        "look at what happened to this disk, then run `ninelives db adopt`",
    )
