"""Write the reference of states: `python -m ninelives.app.reference > docs/reference/states.md`."""

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping

from ninelives.core.invariants_moves import MOVE_REASONS
from ninelives.sim.arrow_reasons import HOST_REASONS, Arrow
from ninelives.sim.state_table import (
    HOST_EVENTS,
    HOST_STATES,
    IMPOSSIBLE,
    MOVE_EVENTS,
    MOVE_STATES,
)

HEAD = """\
# States

Generated from the code by `python -m ninelives.app.reference`; a test holds it up to date. What the
states are for stands in [concepts/safety.md](../concepts/safety.md).
"""


def states_page() -> str:
    """Return the whole page."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield HEAD
    yield from _states("The life of a host", HOST_STATES, HOST_REASONS)
    yield from _states("The life of a server's move", MOVE_STATES, MOVE_REASONS)
    yield from _impossible()


def _states(title: str, states: tuple[type, ...], arrows: Mapping[Arrow, str]) -> Iterator[str]:
    yield f"## {title}\n"
    yield from _table(("state", "what it means"), ((_name(each), _says(each)) for each in states))
    yield "Every arrow that is not here is a bug, and ends the controller.\n"
    order = {state: number for number, state in enumerate(states)}
    rows = sorted(arrows.items(), key=lambda row: (order[row[0][0]], order[row[0][1]]))
    yield from _table(
        ("from", "to", "because"), ((_name(a), _name(b), why) for (a, b), why in rows)
    )


def _impossible() -> Iterator[str]:
    yield "## Which event meets which state\n"
    hosts = f"{len(HOST_STATES)} states of a host × {len(HOST_EVENTS)} events"
    moves = f"{len(MOVE_STATES)} states of a move × {len(MOVE_EVENTS)} events"
    yield f"{hosts}, {moves}."
    yield "All can happen, late answers included, but for these. Should one of them happen all the"
    yield "same, nothing durable changes, and the simulator calls it a broken law (`impossible`).\n"
    rows = ((_name(state), event.__name__, why) for (state, event), why in IMPOSSIBLE.items())
    yield from _table(("state", "event", "cannot be, for"), rows)
    yield "Events about hosts: " + ", ".join(f"`{each.__name__}`" for each in HOST_EVENTS) + ".\n"
    yield "Events about moves: " + ", ".join(f"`{each.__name__}`" for each in MOVE_EVENTS) + "."


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def _name(state: type) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", state.__name__).lower()


def _says(state: type) -> str:
    return " ".join((inspect.getdoc(state) or "").split())


if __name__ == "__main__":
    sys.stdout.write(states_page())
