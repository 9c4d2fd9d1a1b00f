"""Log lines: one event each, with its context as fields; for a journal, a collector, or a person.

json      {"at": 1.0, "level": "info", "event": "host.suspected", "about": "c1"}
journal   <6>host.suspected about=c1        the number is what journald takes for the priority
plain     12:00:00 host.suspected about=c1
"""

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping

PRIORITY = {logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
QUIET = ("uvicorn", "aiohttp", "keystoneauth", "urllib3")  # they tell of every request

Line = Callable[[logging.LogRecord], str]


def configure(form: str) -> None:
    """Write every log line of this process to stderr in this form; "auto" finds the right one."""
    handler = logging.StreamHandler(sys.stderr)
    line = FORMS[found(form, os.environ) if form == "auto" else form]

    def rewrite(record: logging.LogRecord) -> bool:
        record.msg, record.args = line(record), ()
        record.exc_info = record.exc_text = None
        return True

    handler.addFilter(rewrite)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def found(form: str, environment: Mapping[str, str]) -> str:
    """Find out who reads: journald names its stream (systemd.exec(5)), a person has a terminal."""
    if form != "auto":
        return form
    if "JOURNAL_STREAM" in environment:
        return "journal"
    return "plain" if sys.stderr.isatty() else "json"


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """Return the context that was given with a line, and what was raised if something was."""
    found = {name: value for name, value in vars(record).items() if name not in STANDARD}
    if record.exc_info and record.exc_info[1] is not None:
        found["raised"] = logging.Formatter().formatException(record.exc_info)
    return found


def as_json(record: logging.LogRecord) -> str:
    head = {
        "at": round(record.created, 3),
        "level": record.levelname.lower(),
        "event": record.getMessage(),
    }
    return json.dumps({**head, **fields_of(record)}, default=str)


def as_journal(record: logging.LogRecord) -> str:
    priority = PRIORITY.get(record.levelno, 6)
    # A line break would begin another entry, without its priority.
    return f"<{priority}>{_words(record)}".replace("\n", "\\n")


def as_plain(record: logging.LogRecord) -> str:
    return f"{time.strftime('%H:%M:%S', time.localtime(record.created))} {_words(record)}"


def _words(record: logging.LogRecord) -> str:
    context = (f"{name}={_quoted(value)}" for name, value in fields_of(record).items())
    return " ".join((record.getMessage(), *context))


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text) if not text or " " in text else text


FORMS: Mapping[str, Line] = {"json": as_json, "journal": as_journal, "plain": as_plain}
