"""The judge: every happening of a world, in order, held against every law, at once.

It shares no code with what it judges. It knows the truth (sim happenings), what the leader was told
(events of durable decisions) and what it made of that (their records), and folds one happening in
a few microseconds, because it runs after every single one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import HostId, Proof, Validity
from ninelives.sim import happenings as so

from . import actors, liveness, moves, queues, reserves, returns, shots, writers
from .accounting import Counts, Outages
from .facts import SetupFacts, Violation
from .picture import Picture, forked
from .records import key_of
from .truth import DEAD_CONDITIONS, NOT_RUNNING

Found = list[Violation]


@dataclass(slots=True)
class Oracle:
    """Holds one world against the laws. `violations` is all that was found, in order."""

    picture: Picture
    counts: Counts = field(default_factory=Counts)
    outages: Outages = field(default_factory=Outages)
    violations: Found = field(default_factory=Found)

    @classmethod
    def of(cls, facts: SetupFacts) -> "Oracle":
        """Start with a world in which everything runs at home."""
        return cls(Picture.of(facts))

    def fork(self) -> "Oracle":
        """Return an independent copy, for a world that forks."""
        return Oracle(
            forked(self.picture), self.counts.fork(), self.outages.fork(), self.violations.copy()
        )

    def saw(self, when: float, happening: so.Happening) -> Found:
        """Fold one happening. Return what it broke, which `violations` holds too."""
        found: Found = []
        match happening:
            case so.Decided():
                self._decided(when, happening, found)
            case so.Issued():
                self._issued(when, happening, found)
            case so.DomainStarted() | so.DomainStopped() | so.HostChanged() | so.WritesCut():
                self._really(when, happening, found)
            case _:
                self._besides(when, happening, found)
        if found:
            self.violations += found
        return found

    def finish(self, when: float, *, healed: bool) -> Found:
        """Judge the end: L1, I11, and what somebody should have been told by now."""
        found = list(liveness.all_ended(self.picture, when, healed=healed))
        if healed:
            found += liveness.duties_done(self.picture, when)
            found += actors.every_intent_ended(self.picture, when)
            found += reserves.all_given_back(self.picture, when)
        self.violations += found
        return found

    # The truth.

    def _really(
        self,
        when: float,
        it: so.DomainStarted | so.DomainStopped | so.HostChanged | so.WritesCut,
        found: Found,
    ) -> None:
        picture, truth = self.picture, self.picture.truth
        match it:
            case so.DomainStarted():
                truth.domain_started(when, it)
                found += writers.one_writer(picture, when, it)
                found += returns.gate_kept(picture, when, it)
                found += moves.data_kept(picture, when, it)
                queues.answered(picture, it)
                self.outages.started(picture, when, it.server)
            case so.DomainStopped():
                truth.domain_stopped(it.server, it.host)
                self.outages.ran.pop(it.server, None)
            case so.HostChanged():
                self.outages.host_changed(picture, when, it.host, it.condition)
                truth.host_changed(when, it.host, it.condition)
                if it.condition in DEAD_CONDITIONS:
                    picture.records.opened.discard(it.host)
            case so.WritesCut():
                truth.writes_cut(it)
                found += writers.one_writer(picture, when, it)
                found += returns.still_shut_out(picture, when, it)

    def _besides(self, when: float, it: so.Happening, found: Found) -> None:
        picture, truth = self.picture, self.picture.truth
        match it:
            case so.TermTaken():
                self.counts.leader_changes += picture.records.term > 0
                found += actors.term_taken(picture, when, it)
                liveness.duties_postponed(picture, when)
            case so.FaultBegan():
                self.counts.faults[it.number] += 1
                truth.fault(when, it.number, +1)
            case so.FaultEnded():
                truth.fault(when, it.number, -1)
            case so.UserActed():
                truth.user_acted(when, it)
                if it.action in NOT_RUNNING:
                    self.outages.end(when, it.server, it.action)
            case so.Recorded():
                truth.records[it.server] = it
            case so.DomainPaused():
                truth.domain_paused(it)
            case so.WellChanged():
                truth.well_changed(when, it)
            case so.PowerCut():
                found += shots.cycled(picture, when, it)
            case so.ComputeStarted():
                truth.compute_started(when, it)
            case so.LeaseChanged():
                truth.leases[it.host, it.boot] = (when, it)
            case so.ControllerPaused(controller=controller, is_machine=True):
                truth.machines_still.add(controller)
            case so.ControllerResumed():
                truth.machines_still.discard(it.controller)
                actors.froze(picture, when, it)
            case _:
                return

    # What left.

    def _issued(self, when: float, it: so.Issued, found: Found) -> None:
        picture, action = self.picture, it.action
        if isinstance(action, do.READS):
            return
        found += actors.one_actor(picture, when, it)
        found += actors.awake(picture, when, it)
        found += shots.silence(picture, when, action)
        match action:
            case do.PowerOff():
                found += shots.shot(picture, when, it, action)
                shots.shot_remembered(picture, when, action)
            case do.PowerOn():
                found += shots.power_on(picture, when, action)
            case do.Evacuate() | do.StartServer() | do.HardReboot() | do.LiveMigrate():
                self._server_sent(when, action, found)
            case do.ResetState():
                found += moves.reset_allowed(picture, when, action)
                self._server_sent(when, action, found)
            case do.Enable() | do.OpenGate() | do.StartCompute() | do.ForceUp():
                found += returns.led_back_in_order(picture, when, action)
                returns.gate_opened(picture, action)
            case do.LiftRevocation():
                found += returns.led_back_in_order(picture, when, action)
            case do.Reserve():
                found += reserves.enabled(picture, when, action)
            case _:
                pass
        found += actors.intent_first(picture, when, action)
        if isinstance(action, do.SENDS):
            moves.move_sent(picture, when, action)
            queues.asked(picture, when, action)

    def _server_sent(self, when: float, action: moves.Start, found: Found) -> None:
        picture = self.picture
        if not isinstance(action, do.LiveMigrate):
            found += writers.certified(picture, when, action)
        found += moves.will_kept(picture, when, action)
        found += moves.one_move(picture, when, action)
        if isinstance(action, do.Evacuate):
            found += moves.placed(picture, when, action)

    # What was decided.

    def _decided(self, when: float, it: so.Decided, found: Found) -> None:
        picture, event, decision = self.picture, it.event, it.decision
        found += self.counts.exercised(picture, when, event)
        if it.term != picture.records.term or it.controller != picture.records.holder:
            found += actors.one_actor(picture, when, it)
        if not isinstance(event, on.Woke):  # most events by far, and nothing is told by them
            self._told(when, it, event)
        if decision.control is not None:
            found += reserves.lent(picture, when, it, decision.control)
            picture.records.control = decision.control
        if decision.outbox:
            found += actors.outbox_kept(picture, when, it)
        for action in decision.actions:
            if isinstance(action, do.Tell):
                liveness.told(picture, when, action)
        if decision.moves:  # first: a host is called empty by the decision that settles its last
            self._moved(when, it, found)
        for host, after in decision.hosts.items():
            self._host_changed(when, it, host, after, found)
        if picture.duties:
            found += liveness.duties_done(picture, when)

    def _told(self, when: float, it: so.Decided, event: on.Event) -> None:
        picture = self.picture
        if isinstance(event, on.OwnFault):
            actors.own_fault(picture, when, it, event)
        elif isinstance(event, on.TermBegan):
            liveness.duties_postponed(picture, when)
        else:
            writers.contradicted(picture, when, event)
        picture.told.hear(when, it.now, event)
        if isinstance(event, on.Listed | on.Watched):
            for server in event.servers:
                for record in server.records:
                    picture.truth.work_seen(record)

    def _host_changed(
        self, when: float, it: so.Decided, host: HostId, after: at.Host, found: Found
    ) -> None:
        picture, records = self.picture, self.picture.records
        before = records.host(host)
        records.hosts[host] = after
        found += actors.epoch_grows(when, host, before, after)
        if after.proofs is not before.proofs:
            # Not by comparing them: a new term gives each, void ones too, another instant.
            more = voids(after.proofs) - voids(before.proofs)
            self.counts.proofs_voided += max(0, more)
            for proof in after.proofs:
                self._proof_seen(when, it, proof, before.proofs, found)
        if after.group and after.group != before.group:
            self.counts.groups.add(after.group)
        if isinstance(it.event, on.StoreAdopted):
            # The same outage goes on, under a number that nobody can have used.
            _, cls = records.classes.get(host, (0, None))
            if cls is not None:
                records.classes[host] = (after.epoch, cls)
        elif after.epoch != before.epoch:
            self.counts.episodes += 1
            if isinstance(it.event, on.FenceOrdered):
                records.ordered_at[host] = when
            picture.told.off_reads.pop(host, None)
        match after.state:
            case (
                at.Suspect(cls=cls) | at.Repairing(cls=cls) | at.Held(cls=cls) | at.Fencing(cls=cls)
            ):
                records.classes[host] = (after.epoch, cls)
            case _ if isinstance(it.event, on.FenceOrdered) and it.event.host == host:
                # Taken, in a state that names no class: a refused one would have changed nothing.
                records.classes[host] = (after.epoch, at.Class.ORDERED)
            case _:
                pass
        if type(after.state) is not type(before.state):
            self._host_went(when, host, before, after, found)
            for server in self.outages.on_host(host):
                found += self.outages.advance(picture, when, server)

    def _proof_seen(
        self, when: float, it: so.Decided, proof: Proof, known: tuple[Proof, ...], found: Found
    ) -> None:
        picture, key = self.picture, key_of(proof)
        if key not in picture.records.proved_at:
            was_judged = (
                key_of(replace(proof, validity=Validity.VALID)) in picture.records.proved_at
            )
            picture.records.proved_at[key] = picture.records.made_at(proof, known, when)
            # Else a new leader only counts its age anew, or nobody may build on it any more.
            is_void = proof.validity is Validity.VOID
            if proof.term == it.term and not was_judged and not is_void:
                found += returns.truly_shut_out(picture, when, proof)
                found += returns.lease_sound(picture, when, it, proof)

    def _host_went(
        self, when: float, host: HostId, before: at.Host, after: at.Host, found: Found
    ) -> None:
        picture = self.picture
        match after.state:
            case at.Suspect():
                if not isinstance(before.state, at.Held):
                    picture.told.approved.discard(host)  # leave is for one outage
                found += liveness.not_for_ever(picture, when, host, before, after)
            case at.Held():
                liveness.held_is_told(picture, when, host, after)
            case at.Fenced():
                moves.fenced(picture, host, after)
            case at.Vacated():
                found += moves.nobody_forgotten(picture, when, host, after)
            case at.Healthy():
                picture.told.wanted_fenced.discard(host)
            case _:
                pass

    def _moved(self, when: float, it: so.Decided, found: Found) -> None:
        """Adopt all moves first, and only then judge each: together they are one decision."""
        picture = self.picture
        changes = [
            (server, picture.records.put_move(server, move, when), move)
            for server, move in it.decision.moves.items()
        ]
        for server, before, move in changes:
            if move is None:
                found += moves.dropped(picture, when, server, before) if before else ()
            elif before is None or type(before.state) is not type(move.state):
                self._move_went(when, before, move, found)
            found += self.outages.advance(picture, when, server)

    def _move_went(self, when: float, before: at.Move | None, move: at.Move, found: Found) -> None:
        picture, server = self.picture, move.server
        found += moves.turn_kept(picture, when, server, before, move)
        found += moves.limits_kept(picture, when, before, move)
        found += moves.outcome_named(when, move)
        if isinstance(move.state, at.Failed):
            liveness.failed_is_told(picture, when, server, move)
        elif isinstance(move.state, at.Done) and not _is_of_the_living(before):
            found += moves.rests_as_wanted(picture, when, server)


def _is_of_the_living(before: at.Move | None) -> bool:
    """Say whether a guest was moved alive: that starts nobody, and is no word on its rest."""
    return before is not None and isinstance(before.state, at.Mending)


def voids(proofs: Iterable[Proof]) -> int:
    return sum(proof.validity is Validity.VOID for proof in proofs)
