"""The vocabulary as bytes and back: a versioned envelope that refuses what it does not know.

    {"v": 3, "event": {"Replied": {…}}}

Laws:
  - decode(form, encode(form, value)) == value
  - what is not exactly a value of this version, or of an older one that can be upgraded, is a
    `CodecError` that says what and where; half-understood state would be acted upon
  - equal values give equal bytes, so that digests can be compared
  - a form is written as of the version that changed it last, so that a controller of the version
    before takes over whatever it would have written itself
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from typing import Any, Generic, NamedTuple, TypeVar, cast

from cattrs import BaseValidationError, transform_error

from ninelives.core import actions, cluster, events, setting, states
from ninelives.engine.codec_types import Misfit, Read, Write, new_converter
from ninelives.engine.errors import CodecError

# +1 with every change of the vocabulary, with an entry in UPGRADES, and `since` of the forms that
# changed. Requests are named by their documents (journal.outbox_key): whoever changes ACTION finds
# a way for those that are under way while it happens.
VERSION = 4

# Turns the body of one form (its name, its JSON) of a version into that of the next one.
Upgrade = Callable[[str, Any], Any]


def _to_2(form: str, body: Any) -> Any:
    """Say that no setting of a term is known, that the store is no copy, and no gate opened.

    Nor had anybody a word on a single outage, or a reserved host been lent.
    """
    if body.__class__ is not dict:
        return body  # whoever reads it says what is wrong with it
    if form == "control":
        return {**body, "is_adopted": False, "consents": [], "loans": []}
    if form != "event":
        return body
    began: Any = body.get("TermBegan")
    attested: Any = body.get("Attested")
    nova: Any = body.get("NovaSeen")
    if began.__class__ is dict:
        return {"TermBegan": {**began, "setting": None}}
    if nova.__class__ is dict:
        return {"NovaSeen": {**nova, "is_reserve": False}}
    said: Any = attested.get("attestation") if attested.__class__ is dict else None
    if said.__class__ is dict:
        return {"Attested": {**attested, "attestation": {**said, "opened_by": ""}}}
    return body


REASONED = (
    *("Adopted", "FenceOrdered", "HalfFencedSettled", "PowerOnOrdered"),
    *("Released", "RoadSigned", "SignedOff", "StormAllowed"),
)


def _to_3(form: str, body: Any) -> Any:
    """Say that nobody was asked for the reason of an order."""
    if form != "event" or body.__class__ is not dict:
        return body
    orders = {name: body[name] for name in REASONED if body.get(name).__class__ is dict}
    return {**body, **{name: {**order, "reason": ""} for name, order in orders.items()}}


def _to_4(form: str, body: Any) -> Any:
    """Say that nobody looked whether a host that is forced down reports."""
    nova: Any = body.get("NovaSeen") if form == "event" and body.__class__ is dict else None
    if nova.__class__ is not dict:
        return body
    return {"NovaSeen": {**nova, "still_reports": False}}


UPGRADES: Mapping[int, Upgrade] = {1: _to_2, 2: _to_3, 3: _to_4}

Value = TypeVar("Value")


class Minutes(NamedTuple):
    """What a journal row keeps beside its event: the notes, and a digest of the decision."""

    notes: tuple[cluster.Note, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Form(Generic[Value]):
    """One kind of document. A reader asks for the form that it expects, and gets no other."""

    name: str
    kind: Any = field(repr=False)
    since: int = 2  # the version that changed it last


EVENT: Form[events.Event] = Form("event", events.Event, since=4)
ACTION: Form[actions.Action] = Form("action", actions.Action)
CONTROL: Form[cluster.Control] = Form("control", cluster.Control)
HOST: Form[states.Host] = Form("host", states.Host)
MOVE: Form[states.Move] = Form("move", states.Move)
OUTBOX: Form[cluster.Entry] = Form("outbox", cluster.Entry)
MINUTES: Form[Minutes] = Form("minutes", Minutes)
SETTING: Form[setting.Setting] = Form("setting", setting.Setting)
FORMS: tuple[Form[Any], ...] = (EVENT, ACTION, CONTROL, HOST, MOVE, OUTBOX, MINUTES, SETTING)


@dataclass(frozen=True, slots=True)
class Schema:
    """Which version is written, and how older ones are read."""

    version: int = VERSION
    upgrades: Mapping[int, Upgrade] = field(default_factory=lambda: UPGRADES)


SCHEMA = Schema()


def encode(form: Form[Value], value: Value) -> bytes:
    """Return the document. A number that JSON cannot hold is a `CodecError`."""
    write, head = _writer(form)
    try:
        return (head + _to_json(write(value)) + "}").encode("ascii")
    except ValueError as error:
        raise CodecError(f"this {form.name} cannot be written: {error}", "report a bug") from error


def decode(form: Form[Value], document: bytes, schema: Schema = SCHEMA) -> Value:
    """Return the value, or raise `CodecError`. Older versions are upgraded step by step."""
    version, body = _opened(form, document, schema)
    body = _upgraded(form, version, body, schema)
    try:
        return cast(Value, _reader(form)(body, form.kind))
    except BaseValidationError as error:
        problems = transform_error(error, form.name, _complaint)
        raise _refused(form, "; ".join(problems)) from error
    except Misfit as error:
        raise _refused(form, str(error)) from error


def digest(parts: tuple[bytes, ...]) -> str:
    """Return 16 hexadecimal digits over `parts`, each told apart from the next."""
    state = blake2b(digest_size=8)
    for part in parts:
        state.update(b"%d:" % len(part))
        state.update(part)
    return state.hexdigest()


_CONVERTER = new_converter()
_to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


@cache
def _writer(form: Form[Any]) -> tuple[Write, str]:
    return _CONVERTER.get_unstructure_hook(form.kind), f'{{"v":{form.since},"{form.name}":'


@cache
def _reader(form: Form[Any]) -> Read:
    return _CONVERTER.get_structure_hook(form.kind)


def _opened(form: Form[Any], document: bytes, schema: Schema) -> tuple[int, Any]:
    """Return the version and the body of an envelope of this form."""
    try:
        envelope: Any = json.loads(document, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _refused(form, f"not JSON: {error}") from error
    version = envelope.pop("v", None) if envelope.__class__ is dict else None
    if type(version) is not int or version < 1:
        raise _refused(form, "it does not say its version")
    if version > schema.version:
        # Before anything else: its envelope may look different, and that is no damage.
        raise CodecError(
            f"this {form.name} has version {version}, this program reads up to {schema.version}",
            "a newer ninelives wrote it: run that one again",
        )
    if envelope.keys() != {form.name}:
        raise _refused(form, f"found {', '.join(map(ascii, sorted(envelope))) or 'nothing'}")
    return version, envelope[form.name]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Misfit("one name twice in an object")
    return found


def _no_constant(name: str) -> None:
    raise Misfit(f"{name} is no JSON number")


def _upgraded(form: Form[Any], version: int, body: Any, schema: Schema) -> Any:
    for step in range(version, schema.version):
        if step not in schema.upgrades:
            raise CodecError(
                f"this {form.name} has version {version}, which is read no more",
                "upgrade step by step, with a ninelives release between",
            )
        body = schema.upgrades[step](form.name, body)
    return body


def _refused(form: Form[Any], problem: str) -> CodecError:
    return CodecError(
        f"cannot read this {form.name}: {problem}",
        "it was damaged, or written by another ninelives; see `ninelives db check`",
    )


def _complaint(error: BaseException, _kind: Any) -> str:
    """Say what is wrong; only what `codec_types` raises is expected here."""
    assert isinstance(error, Misfit), f"not a misfit: {error!r}"
    return str(error)
