"""One event's worth of change, as an overlay on a cluster that stays as it was."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from . import actions as do
from . import states as at
from .cluster import Cluster, Control, Decision, Entry, Note, Sights, Views
from .model import HostId, SegmentId, ServerId
from .policy import Policy
from .site import HostSite, Site
from .tallies import Key, is_proved_dead, of_heard, of_host, of_move, of_record


def restored(
    site: Site,
    policy: Policy,
    control: Control,
    hosts: Iterable[at.Host],
    moves: Iterable[at.Move],
    outbox: Iterable[Entry],
    segment_policies: Mapping[SegmentId, Policy] | None = None,
) -> Cluster:
    """Build the cluster that a new leader starts from: durable records, and nothing seen yet."""
    cluster = Cluster(site, policy, segment_policies or {}, control=control)
    known = {host.id: host for host in hosts if host.id in site.hosts}
    draft = Draft(cluster, 0.0)
    for host_id in sorted(site.hosts):  # two that were given the same inventory do the same
        draft.put_host(known.get(host_id, at.Host(host_id)))
    for move in moves:
        draft.put_move(move)
    for entry in outbox:
        draft.outbox[entry.action] = entry
    cluster.apply(draft.decision())
    return cluster


class Draft:
    """One event's worth of change. Reads see what was written before."""

    __slots__ = (
        "actions",
        "cluster",
        "control_",
        "counts",
        "hosts",
        "moves",
        "notes",
        "now",
        "outbox",
        "planes",
        "sights_",
        "views_",
        "wakes",
    )

    def __init__(self, cluster: Cluster, now: float) -> None:
        """Start from `cluster` as it is, at `now`."""
        self.cluster = cluster
        self.now = now
        self.hosts: dict[HostId, at.Host] = {}
        self.moves: dict[ServerId, at.Move | None] = {}
        self.outbox: dict[do.Action, Entry | None] = {}
        self.control_: Control | None = None
        self.sights_: dict[HostId, Sights] = {}
        self.views_: Views | None = None
        self.wakes: dict[str, float | None] = {}
        self.counts: dict[Key, int] = {}
        self.actions: list[do.Action] = []
        self.notes: list[Note] = []
        self.planes = cluster.planes  # until something is written on which they rest

    # What is known.

    def host(self, host: HostId) -> at.Host:
        """Return a host's record."""
        return self.hosts.get(host) or self.cluster.hosts.get(host) or at.Host(host)

    def sights(self, host: HostId) -> Sights:
        """Return what was seen of a host in this term."""
        return self.sights_.get(host) or self.cluster.sights.get(host) or Sights(host)

    def site(self, host: HostId) -> HostSite:
        """Return what the inventory says of a host."""
        return self.cluster.site.hosts[host]

    def policy(self, host: HostId) -> Policy:
        """Return the numbers that hold for a host."""
        return self.cluster.policy_of(host)

    @property
    def control(self) -> Control:
        """What operators decided."""
        return self.control_ or self.cluster.control

    @property
    def views(self) -> Views:
        """What was seen of everything that is no host."""
        return self.views_ or self.cluster.views

    def move(self, server: ServerId) -> at.Move | None:
        """Return a server's move in the present episode of its host, if there is one."""
        if server in self.moves:
            return self.moves[server]
        return self.cluster.moves.get(server)

    def moves_of(self, host: HostId) -> list[at.Move]:
        """Return every move of a host's episode."""
        known, ours, stored = self.cluster.moves_of.get(host, {}), self.moves, self.cluster.moves
        if not ours:
            return [stored[server] for server in known]
        fresh = [
            server
            for server, move in ours.items()
            if move is not None and move.host == host and server not in known
        ]
        found = (ours[server] if server in ours else stored[server] for server in (*known, *fresh))
        return [move for move in found if move is not None and move.host == host]

    def count(self, key: Key) -> int:
        """Return one of the shared numbers."""
        return self.cluster.counts.get(key, 0) + self.counts.get(key, 0)

    def active(self) -> Iterator[at.Host]:
        """Yield every host that is neither healthy nor unknown."""
        known = self.cluster.active
        for host in (*known, *(host for host in self.hosts if host not in known)):
            record = self.host(host)
            if not isinstance(record.state, at.Healthy | at.Unknown):
                yield record

    def entry(self, action: do.Action) -> Entry | None:
        """Return the outbox's entry of a request."""
        if action in self.outbox:
            return self.outbox[action]
        return self.cluster.outbox.get(action)

    # What is written.

    def put_host(self, host: at.Host) -> None:
        """Write a host's record."""
        before = self.hosts.get(host.id) or self.cluster.hosts.get(host.id)
        sights, site = self.sights(host.id), self.site(host.id)
        if before is not None and is_proved_dead(before) == is_proved_dead(host):
            self._count(of_record(before, site), of_record(host, site))  # the rest cancels out
        else:
            old = of_host(before, sights, site) if before is not None else ()
            self._count(old, of_host(host, sights, site))
            self.planes = {}
        self.hosts[host.id] = host

    def put_sights(self, sights: Sights) -> None:
        """Write what was seen of a host."""
        before, after = self.sights(sights.host).heard, sights.heard
        if before is not after:
            self.planes = {}
        if before is not after and not is_proved_dead(self.host(sights.host)):
            self._count(of_heard(before, but=after), of_heard(after, but=before))
        self.sights_[sights.host] = sights

    def put_move(self, move: at.Move) -> None:
        """Write a server's move."""
        before = self.move(move.server)
        self._count(of_move(before) if before else (), of_move(move))
        self.moves[move.server] = move

    def drop_move(self, move: at.Move) -> None:
        """Forget a server's move: its episode is over."""
        self._count(of_move(move), ())
        self.moves[move.server] = None

    def put_control(self, control: Control) -> None:
        """Write what was decided."""
        self.control_ = control

    def put_views(self, views: Views) -> None:
        """Write what was seen."""
        before = self.views
        if views.frozen is not before.frozen or views.references is not before.references:
            self.planes = {}
        self.views_ = views

    def _count(self, before: Iterable[Key], after: Iterable[Key]) -> None:
        for key in before:
            self.counts[key] = self.counts.get(key, 0) - 1
        for key in after:
            self.counts[key] = self.counts.get(key, 0) + 1

    def note(self, about: str, what: str, why: str = "", detail: str = "") -> None:
        """Say what happened."""
        self.notes.append(Note(about, what, why, detail))

    def wake(self, subject: str, when: float) -> None:
        """Ask for `on.Woke(subject)` at `when`, or earlier if it was asked for earlier already."""
        due = self.wakes[subject] if subject in self.wakes else self.cluster.wakes.get(subject)
        if due is None or when < due:
            self.wakes[subject] = when

    def wake_host(self, host: HostId, when: float) -> None:
        """Look at a host again at `when`."""
        self.wake(f"host/{host}", when)

    def woke(self, subject: str) -> None:
        """The time has come: forget it."""
        self.wakes[subject] = None

    def ask(self, read: do.Read) -> None:
        """Hand out a read: no record of it is kept, whoever needs the answer asks again."""
        self.actions.append(read)

    def act(self, action: do.Absolute | do.Send | do.Tell, retry_s: float) -> None:
        """Put a request into the outbox and hand it out, unless the very same one is there."""
        if self.entry(action) is None:
            self.outbox[action] = Entry(action, self.views.term, self.now, self.now + retry_s)
            self.actions.append(action)
            self.wake("outbox", self.now + retry_s)

    def settle(self, action: do.Action) -> None:
        """Take a request out of the outbox: its outcome is known."""
        if self.entry(action) is not None:
            self.outbox[action] = None

    def forget(self, is_over: Callable[[do.Action], bool]) -> None:
        """Take every request out of the outbox whose time is over: nobody offers it again."""
        for action in [*self.cluster.outbox, *self.outbox]:
            if is_over(action):
                self.settle(action)

    def decision(self) -> Decision:
        """Return what this event came to."""
        return Decision(
            self.hosts,
            self.moves,
            self.outbox,
            self.control_,
            self.sights_,
            self.views_,
            self.wakes,
            {key: difference for key, difference in self.counts.items() if difference},
            tuple(self.actions),
            tuple(self.notes),
            is_heard_anew=self.planes is not self.cluster.planes,
        )
