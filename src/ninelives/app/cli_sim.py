"""`ninelives sim …`: the simulated cloud, by hand and by the thousand."""

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .exits import Complaint, Exit, Group

if TYPE_CHECKING:
    from ninelives.engine.ports import Store
    from ninelives.sim.scenario import Played
    from ninelives.sim.scenario_parse import Scenario
    from ninelives.sim.timeline import Line


@click.group(cls=Group)
def sim() -> None:
    """Play stories in a simulated cloud, and let chance try to break the laws."""


@sim.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--seed", type=int, help="Where chance begins, if not where the story says.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@click.option(
    "--journal",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Record every decision into this file, for `host why`.",
)
@click.option(
    "--store",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Keep everything in this new SQLite store; each new leader starts from it.",
)
def play(
    file: Path, seed: int | None, as_json: bool, journal: Path | None, store: Path | None
) -> int:
    """Play a scenario FILE and print its timeline.

    Ends with 1 if a law was broken, a claim of the file does not hold, or the timeline is not the
    one that stands below its rule line.
    """
    from ninelives.sim.scenario import RULE, parse
    from ninelives.sim.scenario_words import ParseError

    text = read(file)
    expected = text.partition(RULE)[2]
    scenario = parse(text)
    if isinstance(scenario, ParseError):
        place = f"{file}:{scenario.line}:{scenario.column}"
        raise Complaint(f"{place}: {scenario.message}", scenario.hint, Exit.CONFIGURATION)
    with opened(store) as kept:
        played = play_and_record(scenario, seed, journal, kept)
    differs = seed is None and bool(expected.strip()) and expected != played.timeline
    if as_json:
        document = play_document(file, scenario.seed if seed is None else seed, played, differs)
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        click.echo(played.timeline, nl=False)
        for complaint in complaints(played, differs):
            click.echo(f"{file}: {complaint}", err=True)
    return Exit.FOUND if any(complaints(played, differs)) else Exit.DONE


@contextmanager
def opened(path: Path | None) -> "Generator[Store | None]":
    """Open a store that nothing was written to yet; None for none."""
    if path is None:
        yield None
        return
    from ninelives.adapters.sql import open_store

    store = open_store(f"sqlite:///{path}")
    try:
        if store.identity().revision:
            hint = "name another file"
            raise Complaint(f"{path} holds a story already", hint, Exit.CONFIGURATION)
        yield store
    finally:
        store.close()


def play_and_record(
    scenario: "Scenario", seed: int | None, journal: Path | None, store: "Store | None"
) -> "Played":
    from ninelives.sim.scenario import play

    if journal is None:
        return play(scenario, seed, store=store)
    from .recording import Recorder

    with journal.open("w", encoding="utf-8") as out:
        return play(scenario, seed, listeners=(Recorder(out).saw,), store=store)


def complaints(played: "Played", differs: bool) -> Iterator[str]:
    """Say everything that is not as it should be."""
    for broken in played.violations:
        yield f"{broken.law} broken at {broken.when:.1f}: {broken.about}: {broken.what}"
    yield from map(str, played.failed)
    if differs:
        yield "the timeline is not the one below the rule line"


def play_document(file: Path, seed: int, played: "Played", differs: bool) -> dict[str, object]:
    return {
        "file": str(file),
        "seed": seed,
        "timeline": [parts_of(line) for line in played.lines],
        "violations": [broken._asdict() for broken in played.violations],
        "failed": [asdict(claim) for claim in played.failed],
        "as_expected": not differs,
    }


def parts_of(line: "Line") -> dict[str, object]:
    return {"at": line.when, "who": line.who, "what": line.text, "reason": line.reason}


def read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        hint = "a scenario is a text file in UTF-8"
        raise Complaint(f"{file}: {error}", hint, Exit.CONFIGURATION) from error
