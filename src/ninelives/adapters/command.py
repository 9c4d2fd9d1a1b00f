"""Words to a program of the operator's: one run each, the word as JSON on its stdin."""

import json
from dataclasses import dataclass

from ninelives.adapters import process
from ninelives.adapters.process import Program
from ninelives.engine.errors import Refused, Unreachable
from ninelives.engine.ports import Word

WORDS_MAX = 300
DETAIL_MAX = 500  # so that a word fits into a pipe, however its letters are escaped


@dataclass(frozen=True, slots=True)
class Command:
    """One program with its arguments. No shell ever sees a word."""

    words: tuple[str, ...]
    timeout_s: float = 10.0

    async def send(self, word: Word) -> None:
        """Run it; `PortError` where it did not end well, or in time."""
        short = word._replace(detail=word.detail[:DETAIL_MAX])
        stdin = json.dumps(short._asdict()).encode()
        try:
            ended = await process.run(Program(self.words, self.timeout_s, stdin, {}))
        except OSError as error:
            raise Refused(f"{self.words[0]}: {error.strerror}", "is it there?") from error
        if ended.code is None:
            raise Unreachable(f"{self.words[0]}: no end within {self.timeout_s:g} s")
        if ended.code != 0:
            said = (ended.stderr or ended.stdout).strip()[-WORDS_MAX:]
            raise Refused(f"{self.words[0]} ended with {ended.code}: {said}")
