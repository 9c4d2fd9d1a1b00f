"""The codec gives back exactly what it was given, and refuses whatever is not exactly that."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from tests.vocabulary import classes, values

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import Attestation, BackendId, BootId, Covers, HostId, ServerId, WitnessId
from ninelives.engine.codec import (
    ACTION,
    EVENT,
    FORMS,
    HOST,
    MINUTES,
    MOVE,
    REASONED,
    UPGRADES,
    VERSION,
    Form,
    Schema,
    decode,
    digest,
    encode,
)
from ninelives.engine.codec_types import Misfit, new_converter
from ninelives.engine.errors import CodecError

Change = Callable[[Any], Any]
Place = tuple[Any, ...]
CONVERTER = new_converter()
VOCABULARY = sorted(
    {each for form in FORMS for each in classes(form.kind)}, key=lambda c: c.__name__
)
DOCUMENTS = st.sampled_from(FORMS).flatmap(lambda form: st.tuples(st.just(form), values(form.kind)))
SEND = do.Evacuate(ServerId("s1"), HostId("c1"), HostId("c2"), epoch=3, attempt=1)
LONG = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)


def replied() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(encode(EVENT, on.Replied(SEND, on.Outcome.DONE)))
    return read


def written(document: object) -> bytes:
    return json.dumps(document).encode()


@LONG
@given(DOCUMENTS)
def test_what_was_written_is_read_the_same(document: tuple[Form[Any], Any]) -> None:
    form, value = document

    assert decode(form, encode(form, value)) == value


@pytest.mark.parametrize("kind", VOCABULARY, ids=lambda kind: kind.__name__)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_every_class_of_the_vocabulary_comes_back(kind: type, data: st.DataObject) -> None:
    value = data.draw(values(kind))

    body = json.loads(json.dumps(CONVERTER.unstructure(value, kind), allow_nan=False))
    back = cast("object", CONVERTER.structure(body, kind))

    assert (back, type(back)) == (value, kind)


def test_the_vocabulary_is_all_there() -> None:
    names = {kind.__name__ for kind in VOCABULARY}

    assert {"Host", "Move", "Control", "Entry", "Note", "Proof", "Covers", "Replied"} <= names
    assert len(names) == len(VOCABULARY) >= 100


# --------------------------------------------------------------------------------- refusals


def places(body: Any, path: Place = ()) -> Iterator[Place]:
    """Yield the way to every value inside a document."""
    yield path
    for key in keys_of(body):
        yield from places(body[key], (*path, key))


def keys_of(body: Any) -> list[Any]:
    match body.__class__.__name__:
        case "dict":
            return list(body)
        case "list":
            return list(range(len(body)))
        case _:
            return []


def changed_at(path: Place, body: Any, change: Change) -> Any:
    if not path:
        return change(body)
    copy: Any = body.copy()
    copy[path[0]] = changed_at(path[1:], copy[path[0]], change)
    return copy


def into(new: Any) -> Change:
    return lambda _: new


def without_one(value: Any) -> Any:
    copy: Any = value.copy()
    copy.pop(keys_of(copy)[0])
    return copy


def with_one_more(value: Any) -> Any:
    return {**value, "more": 1} if "{" in repr(value)[:1] else [*value, *value]


def reversed_(value: Any) -> Any:
    return value[::-1] if keys_of(value)[0] == 0 else dict(reversed(value.items()))


REPLACEMENTS: list[Any] = [
    *(None, True, 0, 1, -1.5, 2**70, 1e308, "", "done", "1", "\ud800"),
    *([], {}, [[]], {"Healthy": {}}),
]
EVERYWHERE: list[Change] = [*map(into, REPLACEMENTS), lambda value: [value], str]
INSIDE: list[Change] = [without_one, with_one_more, reversed_]


@st.composite
def changed_documents(draw: st.DrawFn) -> tuple[Form[Any], Any]:
    form, value = draw(DOCUMENTS)
    body = json.loads(encode(form, value))
    path = draw(st.sampled_from(list(places(body))))
    inside: Any = body
    for key in path:
        inside = inside[key]
    changes = EVERYWHERE + INSIDE if keys_of(inside) else EVERYWHERE
    return form, changed_at(path, body, draw(st.sampled_from(changes)))


@settings(LONG, max_examples=500)
@given(changed_documents())
def test_a_changed_document_is_refused_or_means_what_it_says(
    document: tuple[Form[Any], Any],
) -> None:
    """Nothing is dropped, filled in or converted: what could be read writes the same again."""
    form, changed = document
    assume(not is_of_another(form, changed))  # what it meant there is written as it is here

    read = read_or_none(form, written(changed))

    assert read is None or same(json.loads(encode(form, read)), changed)


def is_of_another(form: Form[Any], document: Any) -> bool:
    """Say whether it is of a readable version, but not of the one that changed this form last."""
    version = document.get("v") if document.__class__ is dict else None
    return version in range(1, VERSION + 1) and version != form.since


def read_or_none(form: Form[Any], document: bytes) -> Any:
    """Read; None where it was refused. Any other exception than the refusal is a failure."""
    try:
        return decode(form, document)
    except CodecError:
        return None


def same(left: Any, right: Any) -> bool:
    """Compare as JSON does: 1 and 1.0 are one number, 1 and true are not."""
    keys = keys_of(left)
    if keys or keys_of(right):
        return set(keys) == set(keys_of(right)) and all(same(left[k], right[k]) for k in keys)
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


@LONG
@given(st.binary(max_size=200), st.integers(0, 400), st.sampled_from(FORMS))
@example(b"[" * 100_000, 0, EVENT)
@example(b'{"v":1,"event":' + b"9" * 5_000 + b"}", 0, EVENT)
def test_damaged_bytes_are_refused(noise: bytes, cut: int, form: Form[Any]) -> None:
    whole = encode(EVENT, on.Replied(SEND, on.Outcome.DONE))

    assert read_or_none(form, noise) is None
    read_or_none(form, whole[:cut] + noise + whole[cut + 1 :])


EPOCH = ("event", "Replied", "action", "Evacuate", "epoch")
REFUSALS: list[tuple[Place, Change, str]] = [
    (("event", "Replied"), lambda body: {**body, "x": 1}, "unknown field 'x'"),
    (("event", "Replied"), without_one, "field 'action' is missing"),
    (("event", "Replied", "reason"), into(None), "expected a string, found None"),
    (("event", "Replied", "outcome"), into("dne"), "'dne' is no Outcome @ event.outcome"),
    (("event",), lambda body: {"Answered": body["Replied"]}, "unknown type 'Answered'"),
    (EPOCH, into(True), "expected an integer, found True @ event.action.epoch"),
    (EPOCH, into(3.0), "expected an integer, found 3.0 @ event.action.epoch"),
]


@pytest.mark.parametrize(("path", "change", "says"), REFUSALS, ids=[says for *_, says in REFUSALS])
def test_a_refusal_says_what_and_where(path: Place, change: Change, says: str) -> None:
    with pytest.raises(CodecError) as refused:
        decode(EVENT, written(changed_at(path, replied(), change)))

    assert says in str(refused.value)
    assert "hint: " in str(refused.value)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"null", "version"),
        (b'{"event": {"Woke": {"subject": "x"}}}', "version"),
        (b'{"v": true, "event": {"Woke": {"subject": "x"}}}', "version"),
        (b'{"v": 0, "event": {"Woke": {"subject": "x"}}}', "version"),
        (b'{"v": 1, "host": {}}', "found 'host'"),
        (b'{"v": 1, "event": {}, "host": {}}', "found 'event', 'host'"),
        (b'{"v": 1, "event": {"Woke": {"subject": "x", "subject": "y"}}}', "one name twice"),
        (b'{"v": 1, "event": {"Woke": {"subject": NaN}}}', "NaN"),
    ],
)
def test_an_envelope_that_is_none_is_refused(document: bytes, says: str) -> None:
    with pytest.raises(CodecError, match=says):
        decode(EVENT, document)


def test_a_document_of_another_form_is_refused() -> None:
    document = encode(HOST, at.Host(HostId("c1")))

    with pytest.raises(CodecError, match="cannot read this move: found 'host'"):
        decode(MOVE, document)


@pytest.mark.parametrize("note", [[], ["c1"] * 3, ["c1"] * 5])
def test_a_note_has_exactly_its_four_words(note: list[str]) -> None:
    with pytest.raises(CodecError, match=f"expected 4 values, found {len(note)}"):
        decode(MINUTES, written({"v": 1, "minutes": [[note], "digest"]}))


@pytest.mark.parametrize("backends", [["b", "a"], ["a", "a"]])
def test_a_set_is_sorted_and_says_nothing_twice(backends: list[str]) -> None:
    with pytest.raises(Misfit, match="sorted, each element once"):
        CONVERTER.get_structure_hook(Covers.__annotations__["backends"])(backends, frozenset[str])


@pytest.mark.parametrize("since", [b"1e400", b"-1e400", b"9007199254740993", b"1" + b"0" * 400])
def test_a_number_that_a_float_cannot_hold_is_refused(since: bytes) -> None:
    document = encode(HOST, at.Host(HostId("c1"), state=at.Healthy(0.5)))

    with pytest.raises(CodecError, match="finite number"):
        decode(HOST, document.replace(b"0.5", since))


@pytest.mark.parametrize("since", [float("nan"), float("inf")])
def test_what_json_cannot_hold_is_not_written(since: float) -> None:
    with pytest.raises(CodecError, match="cannot be written"):
        encode(HOST, at.Host(HostId("c1"), state=at.Healthy(since)))


# --------------------------------------------------------------------------------- versions


def test_a_newer_version_is_refused_even_if_it_looks_quite_different() -> None:
    with pytest.raises(CodecError, match=f"has version {VERSION + 1}, this program reads up to"):
        decode(EVENT, written({"v": VERSION + 1, "evt": [1, 2]}))


def test_an_older_version_is_upgraded_step_by_step() -> None:
    """A next version called the field `subject` what this one calls `name`, in some earlier one."""
    old = {"v": 1, "event": {"Woke": {"name": "outbox"}}}
    schema = Schema(3, {1: subject_was_called_topic, 2: topic_was_called_subject})

    assert decode(EVENT, written(old), schema) == on.Woke("outbox")


def subject_was_called_topic(form: str, body: Any) -> Any:
    assert form == "event"
    return {"Woke": {"topic": body["Woke"]["name"]}}


def topic_was_called_subject(form: str, body: Any) -> Any:
    assert form == "event"
    return {"Woke": {"subject": body["Woke"]["topic"]}}


def test_a_version_without_a_way_up_is_refused() -> None:
    document = encode(EVENT, on.Woke("outbox"))

    with pytest.raises(CodecError, match="read no more"):
        decode(EVENT, document, Schema(VERSION + 2, {VERSION + 1: topic_was_called_subject}))


def test_a_term_of_version_1_began_under_a_setting_that_nobody_wrote_down() -> None:
    old = {"v": 1, "event": {"TermBegan": {"term": 3, "leader": "a", "is_unclean": True}}}

    assert decode(EVENT, written(old)) == on.TermBegan(3, WitnessId("a"), is_unclean=True)
    with pytest.raises(CodecError, match="'setting' is missing"):
        decode(EVENT, written({**old, "v": 2}))


def test_a_boot_of_version_1_says_of_nobody_that_he_opened_its_gate() -> None:
    said = Attestation(BootId("c1-boot2"), 3, "serial", True, True, 0, False, False)
    now = json.loads(encode(EVENT, on.Attested(HostId("c1"), said)))
    del now["event"]["Attested"]["attestation"]["opened_by"]

    assert decode(EVENT, written({**now, "v": 1})) == on.Attested(HostId("c1"), said)
    with pytest.raises(CodecError, match="'opened_by' is missing"):
        decode(EVENT, written(now))


@pytest.mark.parametrize("name", REASONED)
@settings(max_examples=3, deadline=None)
@given(st.data())
def test_an_order_of_version_2_gave_no_reason(name: str, data: st.DataObject) -> None:
    [kind] = [each for each in VOCABULARY if each.__name__ == name]
    order = replace(data.draw(values(kind)), reason="")
    now = json.loads(encode(EVENT, order))
    del now["event"][name]["reason"]

    assert decode(EVENT, written({**now, "v": 2})) == order
    with pytest.raises(CodecError, match="'reason' is missing"):
        decode(EVENT, written(now))


def test_nobody_looked_in_version_3_whether_a_host_that_is_forced_down_reports() -> None:
    seen = on.NovaSeen(HostId("c1"), False, False, True, False, is_ours=False)
    now = json.loads(encode(EVENT, seen))
    del now["event"]["NovaSeen"]["still_reports"]

    assert decode(EVENT, written({**now, "v": 3})) == seen
    with pytest.raises(CodecError, match="'still_reports' is missing"):
        decode(EVENT, written(now))


@LONG
@given(DOCUMENTS)
def test_a_version_before_reads_what_did_not_change_since_and_refuses_the_rest(
    document: tuple[Form[Any], Any],
) -> None:
    """A controller of the version before takes over the records of this one where it can."""
    form, value = document

    assert decode(form, encode(form, value), Schema(form.since)) == value
    with pytest.raises(CodecError, match=f"has version {form.since}"):
        decode(form, encode(form, value), Schema(form.since - 1))


def test_every_older_version_has_a_way_up() -> None:
    assert set(UPGRADES) == set(range(1, VERSION))


# --------------------------------------------------------------------------------- bytes


def test_equal_values_give_equal_bytes() -> None:
    """A set has no order; its document has, in every process, whatever the hash seed is."""
    backends = [BackendId(str(number)) for number in range(50)]
    there = CONVERTER.unstructure(Covers(backends=frozenset(backends)))
    back = CONVERTER.unstructure(Covers(backends=frozenset(backends[::-1])))

    assert there["backends"] == back["backends"] == sorted(backends)


def test_a_document_reads_well() -> None:
    event = on.Sighted(WitnessId("c2"), (), was_frozen=True)

    assert encode(EVENT, event) == (
        b'{"v":4,"event":{"Sighted":'
        b'{"witness":"c2","changes":[],"references":[],"was_frozen":true}}}'
    )
    assert encode(ACTION, do.ForceDown(HostId("c1"), 2)) == (
        b'{"v":2,"action":{"ForceDown":{"host":"c1","epoch":2}}}'
    )


def test_a_digest_tells_where_one_part_ends() -> None:
    assert digest((b"ab", b"c")) != digest((b"a", b"bc"))
    assert digest((b"ab", b"c")) == digest((b"ab", b"c"))
