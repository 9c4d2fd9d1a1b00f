"""What a ClusterLabs agent says of itself, and what is wrong with a device that is set up with it.

An agent ignores an option that it does not know, with a warning that nobody reads: a misspelt
`systems_uri`, and fence_redfish switches another machine. So every option is held against the
metadata before the first use, and whatever could make "off" mean less than off is refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from ninelives.engine.device import Finding
from ninelives.engine.errors import Garbled

NO_AGENT = "is it a fence agent?"
UNVERIFIED = "nobody verifies that it is this BMC: another machine may answer in its place"
YES = frozenset({"1", "yes", "on", "true"})
NO = frozenset({"0", "no", "off", "false"})
SECRET = re.compile(r"passw|passphrase|secret|token|community|hexadecimal_kg|_key$")

# Agents whose "off" is no power that is off. Fabric agents tell themselves apart: see `_agent`.
NO_POWER = {
    "fence_compute": "it flags a host that others have switched off",
    "fence_dummy": "it writes a file, and reads no power",
    "fence_evacuate": "it moves servers",
    "fence_heuristics_ping": "it pings, and switches nothing",
    "fence_ninelives": "it records what others have switched off",
    "fence_sbd": "its status is a message on a disk, and says nothing of the power",
    "fence_watchdog": "nobody sees a watchdog fire",
}
# Options that stand between us and the plain meaning of what an agent answers.
REFUSED_OPTIONS = {
    "action": "ninelives says what is to be done",
    "missing_as_off": "a machine that was renamed would read off",
    "delay": "it would only use up the deadline of each call",
    "random_sleep_range": "it would only use up the deadline of each call",
    "disable_timeout": "the agent would wait for ever",
    "verbose": "the agent would write its secrets to the system's log",
    "verbose_level": "the agent would write its secrets to the system's log",
    "debug": "the agent would write its secrets to a file",
    "debug_file": "the agent would write its secrets to a file",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One option of an agent."""

    name: str
    kind: str  # "string", "boolean", "integer", "second", "select"
    is_required: bool
    default: str | None
    choices: tuple[str, ...]
    replaces: str  # the older name of the same option, "" where there is none


@dataclass(frozen=True, slots=True)
class Metadata:
    """An agent's own description."""

    agent: str
    parameters: Mapping[str, Parameter]
    actions: frozenset[str]


def folded(name: str) -> str:
    """Fold an option's name: `-` and `_` are the same to an agent."""
    return name.strip().lower().replace("-", "_")


def metadata_from(agent: str, text: str) -> Metadata:
    """Parse what `--action metadata` printed; `Garbled` where it is no such document."""
    try:
        # The text is that of a program which root installed here, and is bounded.
        root = ElementTree.fromstring(text[text.find("<") :])  # noqa: S314
    except ElementTree.ParseError as error:
        raise Garbled(
            f"{agent}: its metadata is no XML: {error}", "is it a fence agent?"
        ) from error
    if root.tag != "resource-agent":
        raise Garbled(f"{agent}: its metadata begins with <{root.tag}>", "is it a fence agent?")
    parameters = [_parameter(element) for element in root.iterfind("parameters/parameter")]
    actions = frozenset(element.get("name", "") for element in root.iterfind("actions/action"))
    return Metadata(agent, {each.name: each for each in parameters}, actions)


def _parameter(element: ElementTree.Element) -> Parameter:
    content = element.find("content")
    kind, default = ("string", None) if content is None else _kind_and_default(content)
    name, older = folded(element.get("name", "")), folded(element.get("obsoletes", ""))
    return Parameter(
        name=name,
        kind=kind,
        is_required=element.get("required") == "1",
        default=default,
        choices=tuple(choice.get("value", "") for choice in element.iterfind("content/option")),
        replaces=older if older != name else "",  # `systems-uri` and `systems_uri` are one
    )


def _kind_and_default(content: ElementTree.Element) -> tuple[str, str | None]:
    return content.get("type", "string"), content.get("default")


# --------------------------------------------------------------------------------- what is wrong


def findings(
    metadata: Metadata, options: Mapping[str, str], secrets: Mapping[str, str]
) -> tuple[Finding, ...]:
    """Return everything that is wrong with a device set up so. Pure. No value of a secret in it."""
    both = {folded(name): value for name, value in (*options.items(), *secrets.items())}
    twice = len(both) < len(options) + len(secrets)
    found = [
        *_agent(metadata),
        *(Finding("an option is set twice", "leave one of them out") for _ in range(twice)),
        *_in_the_open(options),
        *_missing(metadata, both),
        *_certificate(both),
    ]
    for name, value in both.items():
        found += _option(metadata, name, value, both)
    return tuple(found)


def _agent(metadata: Metadata) -> Iterator[Finding]:
    agent = metadata.agent
    if agent in NO_POWER:
        yield Finding(f"{agent} switches no power: {NO_POWER[agent]}", "name the power device")
    elif not {"off", "status"} <= metadata.actions:
        yield Finding(f"{agent} has no off that can be read back", "name the power device")
    elif "reboot" not in metadata.actions:
        # The interface's own mark of a fabric agent: it cuts off a network, a disk or a service.
        # The host behind it computes on, so that its "off" would prove nothing about the cpu.
        yield Finding(f"{agent} cuts off a fabric, not the power", "name the power device")
    if agent == "fence_ipmilan":
        yield Finding(
            "fence_ipmilan gives the password to ipmitool on its command line, for every user here",
            "give the BMC's user no right but power, and nobody else a login on controllers",
            forbids_use=False,
        )


def _certificate(options: Mapping[str, str]) -> Iterator[Finding]:
    if options.get("ssl_insecure", "").lower() in YES:
        yield Finding(
            UNVERIFIED,
            "name its certificate, or who signed it, as ca_file",
            forbids_use=False,
        )


def _in_the_open(options: Mapping[str, str]) -> Iterator[Finding]:
    for name in options:
        if SECRET.search(folded(name)) and "script" not in name:
            yield Finding(f"{name} stands in the open", "put it into a file, and name the file")


def _missing(metadata: Metadata, options: Mapping[str, str]) -> Iterator[Finding]:
    if metadata.agent == "fence_redfish" and "systems_uri" not in options:
        # Without it the agent takes the last system that it finds (find_systems_resource).
        remedy = "name the system, for example /redfish/v1/Systems/1"
        yield Finding("without systems_uri it switches whichever system comes last", remedy)
    for parameter in metadata.parameters.values():
        given = {parameter.name, parameter.replaces} & options.keys()
        if parameter.is_required and not given and parameter.name != "action":
            replaced = {each.replaces for each in metadata.parameters.values()}
            if parameter.name not in replaced:
                yield Finding(f"{parameter.name} is not set", "the agent demands it")


def _option(
    metadata: Metadata, name: str, value: str, options: Mapping[str, str]
) -> Iterator[Finding]:
    parameter = metadata.parameters.get(name)
    if any(ord(character) < ord(" ") for character in value):
        yield Finding(f"{name} holds a control character", "one line for each option")
    if name in REFUSED_OPTIONS and value.lower() not in NO:
        yield Finding(f"{name} is not allowed: {REFUSED_OPTIONS[name]}", "leave it out")
    if parameter is None and name != "nodename":
        yield Finding(f"{metadata.agent} does not know {name}", "see its manual page")
    if parameter is None:
        return
    if parameter.replaces and parameter.replaces in options:
        remedy = f"leave {parameter.replaces} out"
        yield Finding(f"{name} is set a second time, by its older name", remedy)
    if not _is_of_kind(parameter, value):
        yield Finding(f"{name} is no {parameter.kind}", "see the agent's manual page")
    elif parameter.kind == "boolean" and value.lower() in NO and parameter.default != "1":
        # Some agents ask whether the option is there, not what it says: `ssl_insecure=0` makes
        # fence_redfish 4.12 verify no certificate (send_get_request).
        yield Finding(f"{name}={value} is taken for yes by some agents", "leave it out")


def _is_of_kind(parameter: Parameter, value: str) -> bool:
    match parameter.kind:
        case "boolean":
            return value.lower() in YES | NO
        case "integer" | "second":
            return value.lstrip("-").isdecimal()
        case "select":
            return value in parameter.choices
        case _:
            return True
