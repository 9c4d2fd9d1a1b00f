"""Incidents read back from a journal that a real loop wrote."""

from functools import partial
from pathlib import Path

import pytest
from tests.engine.play import SETTLED_S, Play
from tests.engine.stand_ins import HOSTS

from ninelives.adapters.sql import open_store
from ninelives.adapters.sql_bases import SqlBases
from ninelives.app.incident_log import Book
from ninelives.app.incident_page import markdown, phases
from ninelives.core.actions import ListServers
from ninelives.core.cluster import Note
from ninelives.core.events import Event, Listed, Woke
from ninelives.core.model import ServerId, ServerSeen, VmState
from ninelives.engine.journal import Row

C1, _, _ = HOSTS


def test_a_power_loss_is_one_incident_with_every_server_s_outcome(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    play = Play(store)
    play.run(SETTLED_S + 150.0, (SETTLED_S, partial(play.world.cut_power, C1)))

    book, bases = Book(), SqlBases(store)
    book.read(store, bases)
    [incident] = book.found

    assert (incident.host, incident.number, incident.state) == (C1, 1, "vacated 2 done")
    assert incident.outcomes == {"s1": "move.done", "s2": "move.done"}
    whole = book.told(store, bases, C1, 1)
    assert isinstance(whole, dict)
    assert whole["servers"] == whole["done"] == 2
    assert isinstance(whole["timeline"], list)
    assert whole["timeline"][0] == {
        "wall": incident.began, "term": 1, "about": C1, "what": "host.moved",
        "why": "dead_or_frozen", "detail": "healthy → suspect R8",
    }  # fmt: skip
    assert book.told(store, bases, C1, 2) is None
    spent = phases(whole)
    assert [name for name, _ in spent] == ["suspect", "fencing", "fenced", "evacuating"]
    lines = whole["timeline"]
    last = next(line for line in lines if "vacated" in str(line))
    assert isinstance(last, dict)
    assert isinstance(last["wall"], float)
    assert sum(took_s for _, took_s in spent) == pytest.approx(last["wall"] - incident.began)
    page = markdown(whole)
    assert "| s1 | move.done |" in page
    assert "proof.made power_off" in page
    store.close()


@pytest.mark.parametrize(("is_over", "counted"), [(False, ["web"]), (True, [])])
def test_who_is_listed_when_all_is_over_is_none_of_its_servers(
    is_over: bool, counted: list[str]
) -> None:
    web = ServerSeen(ServerId("web"), C1, VmState.ACTIVE, None, is_running=True)
    listed = Listed(ListServers(C1, 1, 0), (web,), is_complete=True)
    book = Book()

    book.fold(row(1, Woke("outbox"), moved("healthy → suspect R8")))
    if is_over:
        book.fold(row(2, Woke("outbox"), moved("suspect → healthy")))
    book.fold(row(3, listed))

    assert sorted(book.found[0].servers) == counted


def moved(arrow: str) -> Note:
    return Note(C1, "host.moved", "dead_or_frozen", arrow)


def row(revision: int, event: Event, *notes: Note) -> Row:
    return Row(revision, 1, 0.0, 0.0, event, notes, "")
