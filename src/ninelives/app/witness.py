"""How sightings reach the leader: its own directly, those of other controllers through the store.

    Views ──▶ own ─────────────────────────▶ tell
       └────▶ pinned ──▶ board ──▶ others ──▶ tell      a pin that beats no more is worth nothing

A witness is told by differences, and a new term is told everything: nothing seen is inherited.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from ninelives.adapters.probes_views import Relation, Views
from ninelives.core.events import Change, Sighted
from ninelives.core.model import HostId, Plane, Sign, WitnessId
from ninelives.engine.errors import Garbled, StoreError
from ninelives.engine.loop import Tell
from ninelives.engine.ports import Board, Clock, Pin

log = logging.getLogger(__name__)

LOOK_S = 1.0  # how often the board is read, and our own pin compared
BEAT_S = 2.0  # how often a pin beats that shows nothing new
STALE_S = 8.0  # without a beat of it for so long, on our own clock, a witness says nothing

References = tuple[tuple[Plane, int, int], ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """All that one witness sees at one look."""

    signs: Mapping[Relation, Sign]
    references: References = ()
    freezes: int | None = None  # how often it did not run; None where nobody says


@dataclass(slots=True)
class Told:
    """What the mind was told of one witness."""

    witness: WitnessId
    signs: Mapping[Relation, Sign] = field(default_factory=dict[Relation, Sign])
    references: References = ()
    freezes: int | None = None

    def news(self, scene: Scene) -> Sighted | None:
        """Return what is new in `scene`, and remember that it was told; None if nothing is."""
        changes = self._changes(scene.signs)
        fresh = tuple(each for each in scene.references if each not in self.references)
        froze = bool(self.freezes is not None and (scene.freezes or 0) > self.freezes)
        self.signs, self.references = scene.signs, scene.references
        self.freezes = self.freezes if scene.freezes is None else scene.freezes
        if not (changes or fresh or froze):
            return None
        return Sighted(self.witness, changes, fresh, froze)

    def _changes(self, signs: Mapping[Relation, Sign]) -> tuple[Change, ...]:
        if signs == self.signs:  # as nearly always; and much quicker than to look at each
            return ()
        return tuple(
            Change(host, plane, sign)
            for (host, plane), sign in signs.items()
            if self.signs.get((host, plane), Sign.UNKNOWN) is not sign
        )


def seen(views: Views, now: float) -> Scene:
    return Scene(views.signs(now), views.references(now), views.freezes)


async def own(me: WitnessId, views: Views, clock: Clock, every_s: float, tell: Tell) -> None:
    """Tell what we see ourselves. A source."""
    told = Told(me)
    while True:
        news = told.news(seen(views, clock.now()))
        if news is not None:
            await tell(news)
        await asyncio.sleep(every_s)


# --------------------------------------------------------------------------------- the board


async def pinned(me: WitnessId, views: Views, clock: Clock, board: Board) -> None:
    """Show on the board what we see, for as long as this process lives."""
    shown, body, beat, beat_at = None, b"", 0, clock.now() - BEAT_S
    while True:
        now, scene = clock.now(), seen(views, clock.now())
        if scene != shown or now - beat_at >= BEAT_S:
            body = body if scene == shown else written(scene)
            shown, beat, beat_at = scene, beat + 1, now
            try:
                await asyncio.to_thread(board.pin, me, Pin(beat, body))
            except StoreError as error:
                log.warning("pin.unwritten", extra={"why": str(error)})
        await asyncio.sleep(LOOK_S)


@dataclass(slots=True)
class Heard:
    """One other controller, as its pins were read."""

    told: Told
    pin: Pin | None = None
    since: float = 0.0


async def others(me: WitnessId, board: Board, clock: Clock, tell: Tell) -> None:
    """Tell what the other controllers see. A source."""
    heard: dict[WitnessId, Heard] = {}
    while True:
        pins = await asyncio.to_thread(_pins, board)
        for witness in sorted({*pins, *heard} - {me}):
            one = heard.setdefault(witness, Heard(Told(witness)))
            news = one.told.news(scene_of(one, pins.get(witness), clock.now()))
            if news is not None:
                await tell(news)
        await asyncio.sleep(LOOK_S)


def _pins(board: Board) -> Mapping[WitnessId, Pin]:
    try:
        return board.pins()
    except StoreError as error:
        log.warning("pins.unread", extra={"why": str(error)})
        return {}


def scene_of(one: Heard, pin: Pin | None, now: float) -> Scene:
    """Return what a witness sees; all is unknown while no beat of it was seen, or none lately."""
    is_first = one.pin is None
    if pin is not None and pin != one.pin:
        one.pin, one.since = pin, now
        if not is_first:
            return _read(one, pin)
    if is_first or one.pin is None or now - one.since >= STALE_S:
        # One that was found there may be of a controller that died last year.
        return Scene(dict.fromkeys(one.told.signs, Sign.UNKNOWN))
    return Scene(one.told.signs, one.told.references)


def _read(one: Heard, pin: Pin) -> Scene:
    try:
        return read(pin.body)
    except Garbled as error:
        log.warning("pin.garbled", extra={"witness": one.told.witness, "why": str(error)})
        return Scene(dict.fromkeys(one.told.signs, Sign.UNKNOWN))


def written(scene: Scene) -> bytes:
    """Write a scene as a pin's body. Pure."""
    signs: dict[str, dict[str, str]] = {}
    for (host, plane), sign in scene.signs.items():
        signs.setdefault(host, {})[plane.value] = sign.value
    body = {"signs": signs, "references": scene.references, "freezes": scene.freezes}
    return json.dumps(body, separators=(",", ":")).encode()


def read(body: bytes) -> Scene:
    """Read a pin's body, or raise `Garbled`: it may be of another version. Pure."""
    try:
        found = json.loads(body)
        signs = {
            (HostId(str(host)), Plane(plane)): Sign(sign)
            for host, planes in found["signs"].items()
            for plane, sign in planes.items()
        }
        references = tuple((Plane(p), int(heard), int(of)) for p, heard, of in found["references"])
        return Scene(signs, references, int(found["freezes"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Garbled(f"a pin makes no sense: {error!r}", "is it of another version?") from error
