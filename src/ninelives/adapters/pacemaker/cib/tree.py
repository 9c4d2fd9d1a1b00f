"""XML as frozen values: what a cluster's configuration is compared by."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from ninelives.engine.errors import Garbled


@dataclass(frozen=True, slots=True)
class Element:
    """One element: attributes sorted by name, no text, since a configuration has none."""

    tag: str
    attributes: tuple[tuple[str, str], ...] = ()
    children: tuple["Element", ...] = ()

    def get(self, name: str) -> str:
        """Return an attribute; "" where there is none."""
        return dict(self.attributes).get(name, "")

    def all(self, tag: str) -> Iterator["Element"]:
        """Yield the children of that kind."""
        return (child for child in self.children if child.tag == tag)

    def one(self, tag: str) -> "Element | None":
        """Return the first child of that kind."""
        return next(self.all(tag), None)


def element(tag: str, *children: Element, **attributes: str | None) -> Element:
    """Make one; `_` in a name is written `-`, and what is None is left out."""
    named = {name.replace("_", "-").strip("-"): text for name, text in attributes.items()}
    given = {name: text for name, text in named.items() if text is not None}
    return Element(tag, tuple(sorted(given.items())), children)


def with_attributes(which: Element, change: Callable[[dict[str, str]], dict[str, str]]) -> Element:
    """Return it with other attributes. Pure."""
    changed = change(dict(which.attributes))
    return Element(which.tag, tuple(sorted(changed.items())), which.children)


def parsed(text: str) -> Element:
    """Parse a document; `Garbled` where it is none."""
    return frozen(parsed_tree(text))


def parsed_tree(text: str) -> ElementTree.Element:
    """Parse a document into what can be changed; `Garbled` where it is none."""
    try:
        # The text is that of the cluster's own programs, or of a file that the operator names.
        return ElementTree.fromstring(text)  # noqa: S314
    except ElementTree.ParseError as error:
        raise Garbled(f"no XML: {error}", "is it the CIB of a cluster?") from error


def frozen(live: ElementTree.Element) -> Element:
    """Turn what the parser made into a value."""
    children = tuple(frozen(child) for child in live)
    return Element(live.tag, tuple(sorted(live.attrib.items())), children)


def thawed(value: Element) -> ElementTree.Element:
    """Turn a value into what the writer takes; `id` comes first, as people expect it."""
    names = sorted(dict(value.attributes), key=lambda name: (name != "id", name))
    live = ElementTree.Element(value.tag, {name: value.get(name) for name in names})
    live.extend(thawed(child) for child in value.children)
    return live


def written(value: Element | ElementTree.Element) -> str:
    """Write it as text, one element a line."""
    live = thawed(value) if isinstance(value, Element) else value
    ElementTree.indent(live)
    return ElementTree.tostring(live, encoding="unicode") + "\n"


def in_one_line(value: Element) -> str:
    """Write it as one line."""
    return ElementTree.tostring(thawed(value), encoding="unicode")
