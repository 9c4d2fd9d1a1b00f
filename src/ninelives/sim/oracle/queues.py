"""What waits in Nova's queue for a host, and runs with its next boot where no gate refuses it.

    no agent         nothing of ours is put there while it is out of service, and it is not we who
                     switch it on while somebody's start waits there
    a gate that      nothing of ours is put there while it is out of service. Whether its gate will
    does not hold    hold nobody can know before its boot: no hand on its button answers for that

Nobody but Nova takes a message out of that queue: no more is asked than this (docs/concepts/
safety.md, what remains).
"""

from ninelives.core import actions as do
from ninelives.core import states as at
from ninelives.core.model import HostId, ServerId
from ninelives.sim import happenings as so

from .picture import Picture


def asked(picture: Picture, when: float, action: do.Send) -> None:
    """Remember what of ours may wait for a host, and whether we thought it well by then."""
    match action:
        case do.Evacuate(server=server, target=host):
            pass
        case do.StartServer(server=server, host=host) | do.HardReboot(server=server, host=host):
            pass
        case do.PowerOn(host=host):
            picture.truth.switched_on.add(host)
            return
        case _:
            return
    record = picture.records.host(host)
    epoch = None if isinstance(record.state, at.Healthy) else record.epoch
    picture.records.asked[server, host] = (when, epoch)
    picture.truth.asked_by_us[server, host] = when


def answered(picture: Picture, it: so.DomainStarted) -> None:
    """Forget that a start waits for a host, once it happened there and was judged."""
    for asked_at in (picture.truth.asked_by_user, picture.truth.asked_by_us):
        asked_at.pop((it.server, it.host), None)


def is_ungated(picture: Picture, it: so.DomainStarted) -> bool:
    """Say whether a host without a gate carries out what no step of ours could hold back (I20).

    What its user asked of it is, and what we did while it was well; not what we ask in its episode.
    Where there should be a gate, only what waited for this very boot.
    """
    when, epoch = picture.records.asked.get((it.server, it.host), (0.0, None))
    if picture.facts.site.hosts[it.host].has_agent:
        since = picture.truth.ungated_at.get(it.host)
        if since is None or when >= since:
            return False
    return epoch is None or epoch != picture.records.host(it.host).epoch


def waited_for_its_boot(picture: Picture, server: ServerId, host: HostId) -> bool:
    """Say whether a start asked of this host waited for its boot, and no gate refused it (I1).

    Whoever presses the button of a host without an agent lets it run. We are forbidden to, so what
    we switched on is ours. Of a gate that fails, or that a person opens, none of us can know.
    """
    truth = picture.truth
    if picture.facts.site.hosts[host].has_agent:
        since = truth.ungated_at.get(host)
    else:
        since = None if host in truth.switched_on else truth.booted_at.get(host)
    asked_at = (each.get((server, host)) for each in (truth.asked_by_user, truth.asked_by_us))
    return since is not None and any(when is not None and when < since for when in asked_at)
