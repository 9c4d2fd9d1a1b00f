"""The words of a scenario file, each with its place, and what is wrong with one of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class ParseError:
    """What cannot be understood, where it stands (both count from 1), and what to write instead."""

    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """Say it in the form that editors jump to."""
        hint = f"\nhint: {self.hint}" if self.hint else ""
        return f"{self.line}:{self.column}: {self.message}{hint}"


class UnreadableError(Exception):
    """Unwinds the parser to `parse`, which hands `error` out as a value."""

    def __init__(self, error: ParseError) -> None:
        """Carry `error`."""
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True)
class Word:
    """One word and where it stands."""

    text: str
    line: int
    column: int

    def wrong(self, message: str, hint: str = "") -> UnreadableError:
        """Say what is wrong with this word."""
        return UnreadableError(ParseError(self.line, self.column, message, hint))

    def part(self, start: int, end: int | None = None) -> "Word":
        """Return a piece of this word, with its own place."""
        return Word(self.text[start:end], self.line, self.column + start)


@dataclass(frozen=True, slots=True)
class Option:
    """A word of the form `key=value`."""

    key: Word
    value: Word


def words_of(line: str, number: int) -> list[Word]:
    """Split a line into words. A trailing comment (two blanks, then `#`) is left out."""
    spoken = re.split(r"\s{2,}#", line, maxsplit=1)[0]
    return [Word(found.group(), number, found.start() + 1) for found in WORD.finditer(spoken)]


def names_and_options(words: Iterable[Word]) -> tuple[list[Word], list[Option]]:
    """Tell names from `key=value`; options stand behind the names they are for."""
    names: list[Word] = []
    options: list[Option] = []
    for word in words:
        key, equals, _ = word.text.partition("=")
        if equals:
            options.append(Option(word.part(0, len(key)), word.part(len(key) + 1)))
        elif options:
            raise word.wrong(
                f"'{word.text}' stands behind an option", "names first, then key=value"
            )
        else:
            names.append(word)
    return names, options


def split_at_colon(first: Word, words: list[Word], usage: str) -> tuple[list[Word], list[Word]]:
    """Part a line at the word that ends in a colon; the colon itself is dropped."""
    for index, word in enumerate(words):
        if word.text.endswith(":"):
            head = [*words[:index], word.part(0, -1)]
            return [each for each in head if each.text], words[index + 1 :]
    raise first.wrong(f"'{first.text}' lacks a colon", usage)


def one_of(word: Word, known: Iterable[str], what: str) -> str:
    """Return the word's text if it is known, else say which one may have been meant."""
    choices = list(known)
    if word.text in choices:
        return word.text
    raise word.wrong(f"unknown {what} '{word.text}'", suggestion(word.text, choices))


def suggestion(text: str, choices: Iterable[str]) -> str:
    """Say what may have been meant by `text`."""
    known = list(dict.fromkeys(choices))
    close = get_close_matches(text, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"one of {', '.join(known)}" if known else ""


def number(word: Word, what: str) -> float:
    """Read a number of seconds, shots, members; never negative."""
    try:
        value = float(word.text)
    except ValueError:
        raise word.wrong(f"{what} is a number, not '{word.text}'") from None
    if not 0 <= value < 1e9:
        raise word.wrong(f"{what} is between 0 and a billion, not '{word.text}'")
    return value


def whole(word: Word, what: str) -> int:
    """Read a whole number."""
    value = number(word, what)
    if value != int(value):
        raise word.wrong(f"{what} is a whole number, not '{word.text}'")
    return int(value)


def is_yes(word: Word) -> bool:
    """Read yes or no."""
    return one_of(word, ("yes", "no"), "answer") == "yes"


def parts_of(word: Word, separator: str = ",") -> list[Word]:
    """Split `a,b,c` into words with their own places."""
    parts: list[Word] = []
    start = 0
    for piece in word.text.split(separator):
        if not piece:
            raise word.wrong(f"an empty name in '{word.text}'")
        parts.append(word.part(start, start + len(piece)))
        start += len(piece) + len(separator)
    return parts
