"""What was true in a run, and from when to when: that by which claims are judged.

A fact is a row of words, `web runs on c2`, with the span in which it held. A fact of an instant
(`c3 shot`) begins and ends at once. A pattern matches a fact by its first words; `any` stands for
every word, `any host` and `any server` for every name of that kind.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """`words` held from `since` until `until`; None: it still holds."""

    words: Words
    since: float
    until: float | None

    def __str__(self) -> str:
        """Say it with its instant."""
        return f"{' '.join(self.words)} at {self.since:.1f}"


@dataclass(slots=True)
class Facts:
    """Every fact of one run, in the order in which they began."""

    found: list[Fact] = field(default_factory=list[Fact])
    _open: dict[Words, int] = field(default_factory=dict[Words, int])

    def happens(self, when: float, *words: str) -> None:
        """Note a fact of one instant."""
        self.found.append(Fact(tuple(filter(None, words)), when, when))

    def begins(self, when: float, *words: str) -> None:
        """Note that something holds from now on."""
        spoken = tuple(filter(None, words))
        if spoken not in self._open:
            self._open[spoken] = len(self.found)
            self.found.append(Fact(spoken, when, None))

    def ends(self, when: float, *words: str) -> None:
        """Note that whatever begins with these words holds no longer."""
        for spoken in [each for each in self._open if each[: len(words)] == words]:
            index = self._open.pop(spoken)
            self.found[index] = replace(self.found[index], until=when)

    def holds(self, *words: str) -> bool:
        """Say whether something that begins with these words holds now."""
        return any(spoken[: len(words)] == words for spoken in self._open)

    def matching(self, pattern: "Pattern") -> Iterator[Fact]:
        """Yield the facts that a pattern means, in order."""
        return (fact for fact in self.found if pattern.means(fact.words))


@dataclass(frozen=True, slots=True)
class Pattern:
    """The words of a claim. `subjects` are the names that its first words stand for."""

    subjects: frozenset[str]
    rest: Words

    def means(self, words: Words) -> bool:
        """Say whether a fact is what this pattern speaks of."""
        subject, tail = words[0], words[1:]
        if subject not in self.subjects or len(tail) < len(self.rest):
            return False
        return all(wanted in {"any", word} for wanted, word in zip(self.rest, tail, strict=False))


def first(facts: Iterable[Fact]) -> Fact | None:
    """Return the first fact, if there is one."""
    return next(iter(facts), None)
