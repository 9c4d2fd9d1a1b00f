"""A report in HTML needs nothing beside it, and shows what was said as it was said."""

from html.parser import HTMLParser

from ninelives.app.incident_html import page, seconds
from ninelives.app.views import Document


def line(wall: float, about: str, what: str, why: str = "", detail: str = "") -> Document:
    return {"wall": wall, "about": about, "what": what, "why": why, "detail": detail}


INCIDENT: Document = {
    "host": "c1",
    "number": 2,
    "began": 1000.0,
    "ended": 1090.5,
    "state": "healthy",
    "why": "dead_or_frozen",
    "servers": 2,
    "done": 1,
    "outcomes": {"web": "move.done", "pet": "move.waits"},
    "timeline": [
        line(1000.0, "c1", "host.moved", "dead_or_frozen", "healthy → suspect"),
        line(1010.0, "c1", "host.moved", "dead_or_frozen", "suspect → fencing"),
        line(1014.0, "c1", "proof.made", "power_off", "bmc-c1 off twice"),
        line(1014.0, "c1", "host.moved", "power_off", "fencing → fenced"),
        line(1015.0, "web", "move.sent", "c2", "attempt 1"),
        line(1030.0, "web", "move.done", "c2"),
        line(1030.0, "pet", "move.waits", "<b>No valid host</b>"),
        line(1090.5, "c1", "host.moved", "signs_back", "returning → healthy"),
    ],
}


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_it_loads_nothing_from_anywhere() -> None:
    tags = Tags()
    tags.feed(page(INCIDENT))

    assert not {tag for tag, _ in tags.found} & {"script", "link", "img", "iframe"}
    assert not any("src" in attributes or "href" in attributes for _, attributes in tags.found)
    assert "url(" not in page(INCIDENT)


def test_it_names_the_figures_the_proofs_and_each_server() -> None:
    text = page(INCIDENT)

    assert "1 of 2" in text
    assert "<b>14.0 s</b>" in text  # to the first proof
    assert "<b>30.0 s</b>" in text  # to the last server
    assert "bmc-c1 off twice" in text
    assert "waits for its host" in text


def test_what_others_said_is_no_markup() -> None:
    assert "<b>No valid host</b>" not in page(INCIDENT)
    assert "&lt;b&gt;No valid host&lt;/b&gt;" in page(INCIDENT)


def test_lengths_of_time_are_written_as_people_read_them() -> None:
    assert [seconds(each) for each in (1.25, 119.96, 125.0, 7_320.0)] == [
        "1.2 s",
        "120.0 s",
        "2 min 5 s",
        "2 h 2 min",
    ]
