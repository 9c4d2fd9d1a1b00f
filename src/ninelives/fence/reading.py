"""What somebody gave the agent: `name=value` lines from Pacemaker, or the arguments of a person.

A name that is not known is warned of and skipped, as by every fence agent.
"""

from .options import OPTIONS, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

YES = frozenset({"1", "yes", "on", "true"})
NO = frozenset({"0", "no", "off", "false"})
SUPPLIED = "nodename"  # Pacemaker adds it to whatever an agent lists


def folded(name: str) -> str:
    """Fold an option's name: `-` and `_` are the same to an agent. Pure."""
    return name.strip().lower().replace("-", "_")


def names(option: Option) -> tuple[str, ...]:
    """Return every name that stdin may bear for it. Pure."""
    return (option.name, *((folded(option.older),) if option.older else ()))


BY_NAME = {name: option for option in OPTIONS for name in names(option)}


class Given:
    """What somebody gave, by the newest name of each option, and what was wrong with it."""

    __slots__ = ("values", "warnings")

    def __init__(self, values: "Mapping[str, str]", warnings: "tuple[str, ...]" = ()) -> None:
        self.values, self.warnings = values, warnings

    def value(self, name: str) -> str:
        given = self.values.get(name)
        return given if given is not None else BY_NAME[name].default or ""

    def flag(self, name: str) -> bool:
        return self.value(name).lower() in YES


def from_lines(lines: "Iterable[str]") -> Given:
    """Read what Pacemaker writes. Pure. The last value of a name wins."""
    values, warnings = dict[str, str](), list[str]()
    for line in (each.strip() for each in lines):
        if not line or line.startswith("#"):
            continue
        name, is_pair, value = line.partition("=")
        option = BY_NAME.get(folded(name))
        if folded(name) == SUPPLIED:
            values[SUPPLIED] = unquoted(value)
        elif option is None:
            warnings.append(f"unknown option {folded(name)!r} skipped")
        elif option.kind == "boolean" and unquoted(value).lower() not in YES | NO and is_pair:
            warnings.append(f"{option.name} is a flag: {unquoted(value)!r} skipped")
        else:
            values[option.name] = unquoted(value) if is_pair else "1"
    return Given(values, tuple(warnings))


def unquoted(value: str) -> str:
    value = value.strip()
    is_quoted = len(value) > 1 and value[0] == value[-1] == '"'
    return value[1:-1] if is_quoted else value


def from_arguments(arguments: "Sequence[str]") -> Given:
    """Read a command line. Pure. Raises `ValueError` with what is wrong with it."""
    import getopt  # the only one who needs it is a person

    letters = "".join(o.short + (":" if o.value else "") for o in OPTIONS if o.short)
    words = [o.long + ("=" if o.value else "") for o in OPTIONS]
    words += [f"{older(o)}=" for o in OPTIONS if o.older and older(o) != o.long]
    try:
        pairs, rest = getopt.gnu_getopt(list(arguments), letters, words)
    except getopt.GetoptError as error:
        raise ValueError(str(error)) from error
    if rest:
        raise ValueError(f"{rest[0]!r} is no option")
    found = {option_called(flag).name: value or "1" for flag, value in pairs}
    return Given(found)


def older(option: Option) -> str:
    return option.older.replace("_", "-")


def option_called(flag: str) -> Option:
    if not flag.startswith("--"):
        return next(option for option in OPTIONS if option.short == flag[1:])
    return BY_NAME[folded(flag[2:])]
