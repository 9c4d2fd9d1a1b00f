"""Log lines as a collector, a journal and a person read them."""

import json
import logging
import sys
from contextlib import redirect_stderr
from io import StringIO

from ninelives.app.logs import as_journal, as_json, as_plain, found


def record(level: int = logging.INFO, **context: object) -> logging.LogRecord:
    made = logging.LogRecord("x", level, "file.py", 1, "host.suspected", (), None)
    made.__dict__.update(context)
    return made


def test_a_json_line_carries_its_context() -> None:
    line = json.loads(as_json(record(about="c1", term=3)))

    assert line.pop("at") > 0
    assert line == {"level": "info", "event": "host.suspected", "about": "c1", "term": 3}


def test_a_journal_line_begins_with_its_priority() -> None:
    assert as_journal(record(about="c1")) == "<6>host.suspected about=c1"
    assert as_journal(record(logging.ERROR, why="no disk")).startswith("<3>")


def test_what_has_several_lines_stays_one_entry_of_the_journal() -> None:
    assert "\n" not in as_journal(record(why="first\nsecond"))


def test_words_with_blanks_are_quoted_for_people() -> None:
    assert as_plain(record(why="no disk")).endswith('host.suspected why="no disk"')


def test_what_was_raised_is_part_of_the_line() -> None:
    failed = record()
    try:
        raise ValueError("of no value")
    except ValueError:
        failed.exc_info = sys.exc_info()

    assert "of no value" in json.loads(as_json(failed))["raised"]


def test_the_journal_is_found_by_its_stream() -> None:
    assert found("auto", {"JOURNAL_STREAM": "8:1"}) == "journal"
    assert found("plain", {"JOURNAL_STREAM": "8:1"}) == "plain"
    with redirect_stderr(StringIO()):
        assert found("auto", {}) == "json"
