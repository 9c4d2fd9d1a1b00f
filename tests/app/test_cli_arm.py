"""`arm`, `disarm` and `db adopt` at a terminal, on a real store that holds a whole story."""

import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import copy

import pytest
from click.testing import CliRunner, Result

from ninelives.adapters.sql import SqlStore, open_store
from ninelives.app.cli import main
from ninelives.app.exits import Exit
from ninelives.core import states as at
from ninelives.core.decide import decide
from ninelives.core.model import HostId, Validity
from ninelives.engine import journal
from ninelives.engine.disarm import Memory, recalled
from ninelives.engine.high_water import HighWater, read_high_water, write_high_water
from ninelives.engine.replay import first_difference

STORY = Path(__file__).parents[2] / "src" / "ninelives" / "sim" / "stories" / "freeze.txt"
C1 = HostId("c1")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("told") / "store.db"
    assert run("sim", "play", STORY, "--store", path).exit_code == Exit.DONE
    return path


@pytest.fixture
def place(told: Path, tmp_path: Path) -> Path:
    """A controller's machine: its store, and in `state` its own memory of it."""
    copy(told, tmp_path / "store.db")
    (tmp_path / "state").mkdir()
    with store_at(tmp_path) as store:
        recalled(memory_at(tmp_path), store)
    return tmp_path


def run(*words: object) -> Result:
    return CliRunner().invoke(main, list(map(str, words)))


def at_place(place: Path, *words: object) -> Result:
    here = ("--store", place / "store.db", "--state", place / "state", "--by", "ada")
    return run(*words, *here, *(() if words[0] == "disarm" else ("--watch", 1)))


def memory_at(place: Path) -> Memory:
    return Memory(place / "state")


@contextmanager
def store_at(place: Path) -> Generator[SqlStore]:
    with closing(open_store(f"sqlite:///{place}/store.db")) as store:
        yield store


def remember_more(place: Path, revisions: int = 40, terms: int = 3) -> HighWater:
    """Let this controller have seen the store further than it is: it was put back since."""
    with store_at(place) as store:
        found = store.identity()
    seen = HighWater(found.store_id, found.revision + revisions, found.term + terms)
    write_high_water(memory_at(place).mark, seen)
    return seen


def control_at(place: Path) -> journal.Records:
    with store_at(place) as store:
        return journal.read_records(store.load())


# --------------------------------------------------------------------------------- adopt


def test_a_store_that_was_put_back_is_adopted_and_nothing_in_it_is_believed(place: Path) -> None:
    seen, before = remember_more(place), control_at(place)
    assert any(host.proofs for host in before.hosts), "there is something to be void"
    with store_at(place) as store:
        assert recalled(memory_at(place), store).disarmed == "store_behind"

    result = at_place(place, "db", "adopt")

    assert result.exit_code == Exit.DONE, result.stderr
    assert "adopted; nothing was sent" in result.stdout
    after = control_at(place)
    epochs = {host.id: host.epoch for host in before.hosts}
    assert all(host.epoch == epochs.get(host.id, 0) + seen.revision for host in after.hosts)
    assert {p.validity for host in after.hosts for p in host.proofs} == {Validity.VOID}
    fenced = [host for host in after.hosts if host.proofs]
    assert all(host.zombie_risk == "store_adopted" for host in fenced)
    assert after.control.is_adopted
    with store_at(place) as store:
        assert store.identity().term > seen.term
        assert store.lease().holder == ""
        assert recalled(memory_at(place), store).disarmed is None
        assert first_difference(journal.rows(store), decide) is None


def test_what_is_no_other_store_needs_no_adoption(place: Path) -> None:
    result = at_place(place, "db", "adopt")

    assert result.exit_code == Exit.DONE
    assert "nothing to adopt" in result.stdout
    assert not control_at(place).control.is_adopted


def test_another_store_is_refused_until_it_is_adopted(place: Path) -> None:
    write_high_water(memory_at(place).mark, HighWater("another", 7, 2))
    with store_at(place) as store:
        assert recalled(memory_at(place), store).disarmed == "another_store"

    assert at_place(place, "arm").exit_code == Exit.REFUSED
    assert at_place(place, "db", "adopt").exit_code == Exit.DONE

    with store_at(place) as store:
        assert recalled(memory_at(place), store).disarmed is None


def test_adoption_arms_nobody_who_was_disarmed_otherwise(place: Path) -> None:
    assert at_place(place, "disarm", "a drill").exit_code == Exit.DONE
    mark = read_high_water(memory_at(place).mark)
    assert mark is not None
    write_high_water(memory_at(place).mark, HighWater(mark.store_id, 9_000, 1, mark.disarmed))

    result = at_place(place, "db", "adopt")

    assert "still disarmed: a drill (by ada)" in result.stdout
    with store_at(place) as store:
        assert recalled(memory_at(place), store).disarmed == "a drill (by ada)"


def test_a_memory_that_cannot_be_read_is_adopted_and_stays_disarmed(place: Path) -> None:
    memory_at(place).mark.write_text("{")
    assert at_place(place, "arm").exit_code == Exit.CONFIGURATION

    assert at_place(place, "db", "adopt").exit_code == Exit.DONE

    mark = read_high_water(memory_at(place).mark)
    assert mark is not None
    assert mark.disarmed == "memory_unreadable"
    assert at_place(place, "arm").exit_code == Exit.DONE


def test_nobody_adopts_under_a_leader_that_lives(place: Path) -> None:
    remember_more(place)
    before = control_at(place)

    with leading(place):
        result = at_place(place, "db", "adopt")

    assert result.exit_code == Exit.REFUSED
    assert "ctl-b/1 leads this store" in result.stderr
    assert "hint: stop every controller" in result.stderr
    assert control_at(place) == before


@contextmanager
def leading(place: Path) -> Generator[None]:
    """Be a leader that renews, in a thread of its own."""
    over, began = threading.Event(), threading.Event()

    def lead() -> None:
        with store_at(place) as store:
            row = store.take(store.lease(), "ctl-b/1")
            while row is not None and not over.is_set():
                began.set()
                row = store.renew(row)
                over.wait(0.1)

    thread = threading.Thread(target=lead)
    thread.start()
    began.wait(10.0)
    try:
        yield
    finally:
        over.set()
        thread.join()


# --------------------------------------------------------------------------------- disarm, arm


def test_who_is_disarmed_stays_so_until_a_person_arms(place: Path) -> None:
    assert at_place(place, "disarm", "a drill").exit_code == Exit.DONE
    with store_at(place) as store:
        assert store.disarmed() == "a drill (by ada)"
        assert recalled(memory_at(place), store).disarmed == "a drill (by ada)"

    result = at_place(place, "arm")

    assert result.exit_code == Exit.DONE, result.stderr
    assert result.stdout.splitlines()[-1] == "armed"
    assert control_at(place).control.is_armed
    with store_at(place) as store:
        assert store.disarmed() is None
        assert recalled(memory_at(place), store).disarmed is None


def test_a_store_whose_word_alone_disarms_is_armed_too(place: Path) -> None:
    with store_at(place) as store:
        store.set_disarmed("a bug of ninelives")

    assert at_place(place, "arm").exit_code == Exit.DONE

    with store_at(place) as store:
        assert store.disarmed() is None


def test_a_leader_that_lives_hears_of_both(place: Path) -> None:
    with leading(place):
        assert at_place(place, "disarm", "a drill").exit_code == Exit.DONE
        result = at_place(place, "arm")
        again = at_place(place, "arm")

    assert result.stdout == "armed; ctl-b/1 hears of it\n"
    assert again.exit_code == Exit.REFUSED
    assert "ctl-b/1 leads, and nothing here disarms it" in again.stderr


@pytest.mark.parametrize("words", [("arm",), ("disarm", "why"), ("db", "adopt")])
def test_a_file_that_is_no_store_is_configuration(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "store.db").write_bytes(b"")

    result = at_place(tmp_path, *words)

    assert result.exit_code == Exit.CONFIGURATION
    assert "no store of ninelives" in result.stderr


def test_the_story_ended_where_somebody_has_to_decide(place: Path) -> None:
    """The fixture must be one in which adoption has something to void."""
    (host,) = (host for host in control_at(place).hosts if host.id == C1)

    assert isinstance(host.state, at.Vacated)


def test_the_configuration_says_where_the_store_and_the_memory_are(place: Path) -> None:
    config = place / "ninelives.toml"
    config.write_text(
        'controllers = ["n1"]\nstate = "state"\n'
        f'[store]\nurl = "sqlite:///{place}/store.db"\n'
        '[[host]]\nname = "c1"\naddress = { management = "10.0.0.1" }\n'
    )

    assert run("disarm", "a drill", "-c", config).exit_code == Exit.DONE

    with store_at(place) as store:
        assert (store.disarmed() or "").startswith("a drill (by ")
    mark = read_high_water(memory_at(place).mark)
    assert mark is not None
    assert mark.disarmed is not None
