"""YAML in which every value still knows its line, and in which a word stays a word.

Every scalar is text: `off` is no, and 0644 a number, only where the key that it stands under says
so. Keys that stand twice are refused, as are anchors within themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import yaml

from ninelives.app.config.places import Place
from ninelives.engine.errors import ConfigError

VALUES_MAX = 200_000  # far more than a cluster needs; what is more is an alias that multiplies

Value: TypeAlias = "str | list[Value] | dict[str, Value]"
Where: TypeAlias = tuple[str | int, ...]


@dataclass(slots=True)
class Text:
    """One file: what it says, and where."""

    file: Path
    value: Value = ""
    lines: dict[Where, int] = field(default_factory=dict[Where, int])

    def place(self, path: Where) -> Place:
        """Return where `path` is written, or its nearest parent."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return Place(self.file, self.lines[path[:length]])
        return Place(self.file, 1)


def read_text(file: Path) -> Text:
    """Read a file. Raises `ConfigError` with the line."""
    try:
        return text_of(file.read_text(), file)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}", "name the YAML file of a cluster") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 text: {error}") from error


def text_of(words: str, file: Path) -> Text:
    """Parse the words of a file. Raises `ConfigError` with the line."""
    try:
        root = yaml.compose(words, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = error.problem or error.context
        raise ConfigError(f"{file}:{line}: not YAML: {problem}", "see yaml.org") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: not YAML: {error}", "see yaml.org") from error
    if root is None:
        raise ConfigError(f"{file}:1: nothing is written there", "at least `members:` is needed")
    text = Text(file)
    text.value = _value(text, root, (), ())
    return text


def _value(text: Text, node: yaml.Node, path: Where, above: tuple[int, ...]) -> Value:
    text.lines[path] = node.start_mark.line + 1
    if id(node) in above:
        raise ConfigError(f"{text.place(path)}: an anchor stands within itself", "write it out")
    if len(text.lines) > VALUES_MAX:
        raise ConfigError(
            f"{text.place(path)}: more than {VALUES_MAX} values", "write fewer aliases"
        )
    inside = (*above, id(node))
    match node:
        case yaml.MappingNode():
            found = dict[str, Value]()
            for key, each in _entries(text, node, path):
                if key in found:
                    line = each.start_mark.line + 1
                    raise ConfigError(
                        f"{text.file}:{line}: '{key}' is given twice",
                        f"it stands in line {text.lines[(*path, key)]}, too",
                    )
                found[key] = _value(text, each, (*path, key), inside)
            return found
        case yaml.SequenceNode():
            members: list[yaml.Node] = node.value
            return [_value(text, each, (*path, i), inside) for i, each in enumerate(members)]
        case _:
            return str(node.value)


def _entries(text: Text, node: yaml.MappingNode, path: Where) -> Iterator[tuple[str, yaml.Node]]:
    entries: list[tuple[yaml.Node, yaml.Node]] = node.value
    for key, each in entries:
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError(f"{text.place(path)}: a key is not a word", "see yaml.org")
        yield str(key.value), each
