"""The metadata of the agent, as the schema of ClusterLabs' fence-agents wants it. Needs nothing."""

from .options import OPTIONS, Option

# No `reboot`: an agent that offers it switches power, to whoever reads metadata; and Pacemaker
# turns the reboot of a level into off and on of each device by itself. No `automatic` for `on`:
# the controllers would be unfenced by it, too, and a host's way back is not Pacemaker's to end.
ACTIONS = (*("on", "off", "status", "list", "list-status", "monitor", "metadata", "validate-all"),)
SHORT = "Tells ninelives that the level of a compute host was reached"
LONG = (
    "Switches no power. It stands behind the power devices in a level of the fencing topology, and "
    "records, once they have succeeded, that Pacemaker cut the host's power: in a permanent node "
    "attribute, else in a spool. It asks neither Nova nor Keystone, so that their failure never "
    "repeats a power cycle. What it records is a hint; what proves a host off is the history of "
    "the power devices, which ninelives reads itself. Options marked (unused) are those of "
    "fence_compute: taken, and without effect here."
)


def metadata(agent: str) -> str:
    """Describe the agent under the name by which it was called. Pure."""
    lines = [
        '<?xml version="1.0" ?>',
        f"<resource-agent name={quoted(agent)} shortdesc={quoted(SHORT)}>",
        f"<longdesc>{escaped(LONG)}</longdesc>",
        "<vendor-url></vendor-url>",
        "<parameters>",
        *(line for option in OPTIONS for line in parameters(option)),
        "</parameters>",
        "<actions>",
        *(f"\t<action name={quoted(action)}/>" for action in ACTIONS),
        "</actions>",
        "</resource-agent>",
    ]
    return "\n".join(lines)


def parameters(option: Option) -> list[str]:
    """Describe an option, under its older name as well. Pure."""
    if not option.older or option.older == "option":
        return parameter(option, option.name, "")
    return [
        *parameter(option, option.older, ' deprecated="1"'),
        *parameter(option, option.name, f" obsoletes={quoted(option.older)}"),
    ]


def parameter(option: Option, name: str, more: str) -> list[str]:
    default = "" if option.default is None else f" default={quoted(option.default)}"
    words = option.words if option.is_used else f"(unused) {option.words}"
    choices = [f"\t\t\t<option value={quoted(choice)}/>" for choice in option.choices]
    return [
        f'\t<parameter name={quoted(name)} unique="0" required="0"{more}>',
        f"\t\t<getopt mixed={quoted(usage(option))}/>",
        f"\t\t<content type={quoted(option.kind)}{default}>",
        *choices,
        "\t\t</content>",
        f'\t\t<shortdesc lang="en">{escaped(words)}</shortdesc>',
        "\t</parameter>",
    ]


def usage(option: Option) -> str:
    """Write an option as a person gives it: `-n, --plug=[host]`. Pure."""
    short = f"-{option.short}, " if option.short else ""
    return f"{short}--{option.long}" + (f"=[{option.value}]" if option.value else "")


def quoted(text: str) -> str:
    return '"' + escaped(text).replace('"', "&quot;") + '"'


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
