"""To which shared numbers each record contributes. The keys are the vocabulary of counting."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from . import states as at
from .model import Plane, Sign, Validity, WitnessId
from .site import HostSite

if TYPE_CHECKING:
    from .cluster import Heard, Sights

    AllHeard = Mapping[Plane, Mapping[WitnessId, Heard]]

Key = tuple[str, ...]


def want_key(domain: str) -> Key:
    """Key of: hosts of a domain that need a shot and have no proof about their cpu."""
    return ("want", domain)


def seen_key(witness: str, plane: str) -> Key:
    """Key of: targets not proved dead that a witness sees on a plane."""
    return ("seen", witness, plane)


def silent_key(witness: str, plane: str) -> Key:
    """Key of: targets not proved dead that are silent for a witness on a plane."""
    return ("silent", witness, plane)


def target_key(host: str) -> Key:
    """Key of: moves in flight to a host."""
    return ("to", host)


def backend_key(backend: str) -> Key:
    """Key of: moves in flight that use a storage backend."""
    return ("on", backend)


def project_key(project: str) -> Key:
    """Key of: moves in flight of a project."""
    return ("of", project)


MOVING: Key = ("moving",)  # moves in flight, in all


def is_proved_dead(host: at.Host) -> bool:
    """Say whether a standing proof covers the host's cpu."""
    return any(proof.covers.cpu and proof.validity is not Validity.VOID for proof in host.proofs)


def needs_shot(host: at.Host) -> bool:
    """Say whether the host stands on the list of those that only a shot would settle."""
    match host.state:
        case at.Suspect(cls=cls) | at.Held(cls=cls):
            return cls in SHOT_CLASSES and not is_proved_dead(host)
        case at.Fencing() | at.Fenced() | at.Evacuating():
            return not is_proved_dead(host)  # a storage proof alone: the shots go on
        case _:
            pass
    return False


SHOT_CLASSES = frozenset(
    {at.Class.DEAD_OR_FROZEN, at.Class.HUNG, at.Class.SINGLE_PLANE, at.Class.ISOLATED}
    | {at.Class.STORAGE_LOST, at.Class.DEAD_PANIC, at.Class.GROUP}
)


def of_host(host: at.Host, sights: "Sights", site: HostSite) -> Iterable[Key]:
    """Return the keys to which a host with these sights contributes one each."""
    heard = () if is_proved_dead(host) else of_heard(sights.heard)
    return (*of_record(host, site), *heard)


def of_record(host: at.Host, site: HostSite) -> list[Key]:
    """Return the keys to which a host's record contributes, whatever is heard of it."""
    return [want_key(domain) for domain in site.domains] if needs_shot(host) else []


def of_heard(heard: "AllHeard", but: "AllHeard | None" = None) -> Iterator[Key]:
    """Yield the keys to which what witnesses hear of one host contributes.

    What is the very same in `but` is left out: one witness' word changes one entry of many.
    """
    known = but or {}
    for plane, by in heard.items():
        same = known.get(plane, {})
        if by is same:
            continue
        for witness, each in by.items():
            if each is same.get(witness) or each.sign is Sign.UNKNOWN:
                continue
            yield (silent_key if each.sign is Sign.SILENT else seen_key)(witness, plane)


def of_move(move: at.Move) -> Iterable[Key]:
    """Return the keys to which a move in flight contributes one each."""
    match move.state:
        case at.Sending(target=target) | at.Verifying(target=target) | at.Starting(target=target):
            return (target_key(target), *_places(move))
        case at.Choosing() | at.Resetting():
            return _places(move)  # whoever asks for a target keeps a place free for the answer
        case _:
            pass
    return ()


def _places(move: at.Move) -> tuple[Key, ...]:
    backends = (backend_key(backend) for backend in dict.fromkeys(move.seen.disks))
    return (project_key(move.seen.project), MOVING, *backends)
