"""The declarations of a scenario that are about rules and roles: policy, segments, controllers."""

from dataclasses import replace

from ninelives.core.model import HostId, SegmentId
from ninelives.core.policy import BALANCED, PRESETS, Policy
from ninelives.core.site import QuorumSet

from .scenario_site import Declarations, at_least_one
from .scenario_words import (
    Option,
    Word,
    is_yes,
    names_and_options,
    number,
    one_of,
    parts_of,
    split_at_colon,
    suggestion,
    whole,
)
from .setup import Knobs

CONTROLLERS_MAX = 9
NUMBERS = tuple(
    name for name in Policy.__dataclass_fields__ if name not in {"rules", "default"}
)  # every field that a story may set


def policy(declared: Declarations, first: Word, words: list[Word]) -> None:
    """Set numbers of the policy; a preset, wherever it stands in the line, comes first."""
    declared.policy = policy_with(declared.policy, options_only(first, words, "policy preset=fast"))


def policy_with(before: Policy, options: list[Option]) -> Policy:
    for option in options:
        if option.key.text == "preset":
            before = PRESETS[one_of(option.value, PRESETS, "preset")]
    for option in options:
        if option.key.text != "preset":
            before = with_field(before, option)
    return before


def with_field(before: Policy, option: Option) -> Policy:
    name, value = option.key.text, option.value
    if name not in NUMBERS:
        hint = suggestion(name, ("preset", *NUMBERS))
        raise option.key.wrong(f"unknown number '{name}' of the policy", hint)
    match getattr(BALANCED, name):
        case bool():
            return changed(before, name, is_yes(value))
        case int():
            return changed(before, name, whole(value, name))
        case _:
            return changed(before, name, number(value, name))


def changed(before: Policy, name: str, value: object) -> Policy:
    """Return the policy with one number replaced; `name` was checked."""
    numbers: dict[str, object] = {name: value}
    return replace(before, **numbers)  # type: ignore[arg-type]  # its type is that of the field


def pace(declared: Declarations, first: Word, words: list[Word]) -> None:
    """Set how long things of this world take."""
    for option in options_only(first, words, "pace boot_s=120 spawn_s=30"):
        name = one_of(option.key, Knobs.__dataclass_fields__, "pace")
        seconds: dict[str, float] = {name: number(option.value, name)}
        declared.knobs = replace(declared.knobs, **seconds)


def segment(declared: Declarations, first: Word, words: list[Word]) -> None:
    """Put hosts into a segment, and give the segment a policy of its own."""
    head, tail = split_at_colon(first, words, "segment gold: c1 c2 preset=fast")
    if len(head) != 1:
        raise first.wrong("a segment has one name", "segment gold: c1 c2 preset=fast")
    name = SegmentId(head[0].text)
    names, options = names_and_options(tail)
    for word in at_least_one(first, names, "segment gold: c1 c2 preset=fast"):
        host = declared.host(word)
        declared.hosts[word.text] = replace(host, segment=name)
    if options:
        declared.segment_policies[name] = policy_with(declared.policy, options)


def controllers(declared: Declarations, first: Word, words: list[Word]) -> None:
    """Say how many controllers there are, or their names, and on which hosts they live if any."""
    names, options = names_and_options(words)
    if not names:
        raise first.wrong("how many controllers?", "controllers 3 on=c1,c2,c3")
    if len(names) == 1 and names[0].text.lstrip("-").isdigit():
        count = whole(names[0], "the number of controllers")
        declared.controllers = tuple(f"n{index}" for index in range(1, count + 1))
    else:
        declared.controllers = tuple(word.text for word in names)
    if not 1 <= len(declared.controllers) <= CONTROLLERS_MAX:
        raise names[0].wrong(f"there are 1 to {CONTROLLERS_MAX} controllers")
    for option in options:
        one_of(option.key, ("on",), "option of controllers")
        seats = tuple(declared.host(word).id for word in parts_of(option.value))
        declared.controller_hosts = seats


def quorum(declared: Declarations, first: Word, words: list[Word]) -> None:
    """Declare a set of members of which some must live."""
    usage = "quorum galera: c1 c2 c3 needed=2"
    head, tail = split_at_colon(first, words, usage)
    names, options = names_and_options(tail)
    members = frozenset(HostId(declared.host(word).id) for word in names)
    if len(head) != 1 or not members:
        raise first.wrong("a quorum set has a name and members", usage)
    needed = len(members) // 2 + 1
    for option in options:
        one_of(option.key, ("needed",), "option of quorum")
        needed = whole(option.value, "the number of needed members")
    declared.quorum_sets[head[0].text] = QuorumSet(head[0].text, members, needed)


def options_only(first: Word, words: list[Word], usage: str) -> list[Option]:
    names, options = names_and_options(words)
    if names:
        raise names[0].wrong(f"'{first.text}' takes key=value only", usage)
    return options
