"""What a decision leaves in the store, and how a later leader, or a curious person, reads it back.

    control      what operators decided          host/ID     one host
    move/ID      one server's resurrection       outbox/…    one request without an answer
    setting      the configuration               (restored by nobody: a leader brings its own)

The configuration stands in the row in which a term began under another one than before, so that the
journal can be replayed, and asked why, without anything beside it.

Every event has a row in the journal, also one that changed nothing: only a whole journal can be
replayed. Beside its notes a row keeps three short digests of what else was decided, so that a
replay which decides differently is noticed at the very event, and the part is named.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from ninelives.core import draft
from ninelives.core.actions import Action
from ninelives.core.cluster import Cluster, Control, Decision, Entry, Note
from ninelives.core.events import Event, TermBegan
from ninelives.core.model import WitnessId
from ninelives.core.setting import Setting
from ninelives.core.states import Host, Move
from ninelives.engine import codec, ports
from ninelives.engine.codec import Form, Minutes
from ninelives.engine.errors import CodecError
from ninelives.engine.node import Ready

CONTROL_KEY = "control"
SETTING_KEY = "setting"
PAGE_ROWS = ports.JOURNAL_PAGE_MAX

Value = TypeVar("Value")


class Changes(NamedTuple):
    """The records that a decision wrote and removed, as the store keeps them."""

    puts: Mapping[str, bytes]
    drops: frozenset[str]


class Records(NamedTuple):
    """Everything durable, in an order that depends on nothing but what it is."""

    control: Control
    hosts: tuple[Host, ...]
    moves: tuple[Move, ...]
    outbox: tuple[Entry, ...]


class Row(NamedTuple):
    """One row of the journal, read back."""

    revision: int
    term: int
    at: float  # monotonic seconds of the leader of that term
    wall: float  # seconds since the epoch, for display only
    event: Event
    notes: tuple[Note, ...]
    digest: str


# --------------------------------------------------------------------------------------- writing


def batch_of(ready: Ready, wall: float) -> ports.Batch:
    """Return what makes this decision durable. Pure."""
    changes = changes_of(ready.decision)
    minutes = Minutes(ready.decision.notes, digest_of(ready.decision, changes))
    entry = ports.Entry(
        ready.revision,
        ready.term,
        ready.at,
        wall,
        codec.encode(codec.EVENT, ready.event),
        codec.encode(codec.MINUTES, minutes),
    )
    puts = {**changes.puts, **setting_of(ready.event)}
    return ports.Batch(ready.term, ready.revision - 1, (entry,), puts, changes.drops)


def began(term: int, leader: WitnessId, setting: Setting, stored: Mapping[str, bytes]) -> TermBegan:
    """Return the event that begins a term. It names the setting if the store has another. Pure."""
    is_new = stored.get(SETTING_KEY) != codec.encode(codec.SETTING, setting)
    return TermBegan(term, leader, is_unclean=term > 1, setting=setting if is_new else None)


def setting_of(event: Event) -> Mapping[str, bytes]:
    """Return the record of the setting that an event brings, if it brings one. Pure."""
    match event:
        case TermBegan(setting=Setting() as setting):
            return {SETTING_KEY: codec.encode(codec.SETTING, setting)}
        case _:
            return {}


def changes_of(decision: Decision) -> Changes:
    """Return the records that a decision writes and removes. Pure."""
    puts: dict[str, bytes] = {}
    drops: set[str] = set()
    if decision.control is not None:
        puts[CONTROL_KEY] = codec.encode(codec.CONTROL, decision.control)
    for host in decision.hosts.values():
        puts[host_key(host)] = codec.encode(codec.HOST, host)
    for server, move in decision.moves.items():
        _change(puts, drops, f"move/{server}", codec.MOVE, move)
    for action, entry in decision.outbox.items():
        _change(puts, drops, outbox_key(action), codec.OUTBOX, entry)
    return Changes(puts, frozenset(drops))


def _change(
    puts: dict[str, bytes], drops: set[str], key: str, form: Form[Value], record: Value | None
) -> None:
    if record is None:
        drops.add(key)
    else:
        puts[key] = codec.encode(form, record)


def host_key(host: Host) -> str:
    return f"host/{host.id}"


def move_key(move: Move) -> str:
    return f"move/{move.server}"


def entry_key(entry: Entry) -> str:
    return outbox_key(entry.action)


def outbox_key(action: Action) -> str:
    """Name one request. Its fields may be longer than a key, so it is named by their digest."""
    document = codec.encode(codec.ACTION, action)
    return f"outbox/{type(action).__name__}/{codec.digest((document,))}"


def digest_of(decision: Decision, changes: Changes) -> str:
    """Return digests of the records, the actions and the wakes of a decision: "r.a.w". Pure.

    What was only seen (sights, views) is left out: where it differs, a later decision will.
    """
    records = [part for key in sorted(changes.puts) for part in (key.encode(), changes.puts[key])]
    records += [b"-" + key.encode() for key in sorted(changes.drops)]
    actions = [codec.encode(codec.ACTION, action) for action in decision.actions]
    wakes = [repr(wake).encode() for wake in sorted(decision.wakes.items())]
    # Most events change nothing: nothing to digest, and nothing to store.
    return ".".join(codec.digest(tuple(part)) if part else "" for part in (records, actions, wakes))


# --------------------------------------------------------------------------------------- reading


def read_records(stored: Mapping[str, bytes]) -> Records:
    """Read every record, or raise `CodecError`: a leader that knows half must not lead."""
    control, hosts, moves, outbox = Control(), list[Host](), list[Move](), list[Entry]()
    for key in sorted(stored):
        match key.split("/", 1):
            case ["control"]:
                control = codec.decode(codec.CONTROL, stored[key])
            case ["host", _]:
                hosts.append(_named(key, codec.HOST, stored[key], host_key))
            case ["move", _]:
                moves.append(_named(key, codec.MOVE, stored[key], move_key))
            case ["outbox", _]:
                outbox.append(_named(key, codec.OUTBOX, stored[key], entry_key))
            case ["setting"]:
                pass  # whoever restores brings its own; `began` compares the two
            case _:
                raise CodecError(f"unknown record {key!r}", "a newer ninelives wrote this store")
    return in_order(control, hosts, moves, outbox)


def in_order(
    control: Control, hosts: Iterable[Host], moves: Iterable[Move], outbox: Iterable[Entry]
) -> Records:
    """Put records in the one order in which every leader starts from them. Pure.

    Databases return rows as they like; what a leader does may not depend on it.
    """
    return Records(
        control,
        tuple(sorted(hosts, key=host_key)),
        tuple(sorted(moves, key=move_key)),
        tuple(sorted(outbox, key=lambda entry: (entry.term, entry.at, entry_key(entry)))),
    )


def _named(key: str, form: Form[Value], document: bytes, name: Callable[[Value], str]) -> Value:
    """Read a record that stands under its own name; under another one it would be two."""
    record = codec.decode(form, document)
    if name(record) != key:
        raise CodecError(f"record {key!r} holds {name(record)!r}", "see `ninelives db check`")
    return record


def stored_setting(stored: Mapping[str, bytes]) -> Setting | None:
    """Read the configuration under which the last decision was made; None in an old store."""
    document = stored.get(SETTING_KEY)
    return None if document is None else codec.decode(codec.SETTING, document)


def restored(stored: Mapping[str, bytes], setting: Setting) -> Cluster:
    """Return what a new leader knows: durable records, and nothing seen yet."""
    records = read_records(stored)
    return draft.restored(
        setting.site, setting.policy, *records, segment_policies=setting.segment_policies
    )


def rows(store: ports.Store, after: int = 0, page_rows: int = PAGE_ROWS) -> Iterator[Row]:
    """Yield the rows above revision `after`, a page at a time, to the end of the journal."""
    while page := store.journal(after, page_rows):
        yield from map(row_of, page)
        after = page[-1].revision


def row_of(entry: ports.Entry) -> Row:
    """Read one row, or raise `CodecError`."""
    event = codec.decode(codec.EVENT, entry.event)
    minutes = codec.decode(codec.MINUTES, entry.notes)
    return Row(
        entry.revision, entry.term, entry.at, entry.wall, event, minutes.notes, minutes.digest
    )
