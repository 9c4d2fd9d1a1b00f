"""I14 nobody forgotten, I15 no resurrection against a will, I16 to I19: turns, places, limits."""

from collections.abc import Iterator

from ninelives.core import actions as do
from ninelives.core import states as at
from ninelives.core.model import HostId, ServerId, ServerSeen
from ninelives.core.protection import Keep
from ninelives.sim import happenings as so

from .facts import Violation
from .picture import Picture
from .told import Flight
from .truth import NOT_MOVED
from .writers import covers, disks_of, is_a_persons_word, seen_absent

LOOKED_S = 2.0  # the last read before a send may be this old when the user acts
SETTLED = (at.Done, at.Failed, at.Skipped, at.Cancelled, at.WaitingForHost)
WAITING = (at.Planned, at.Retry)
COUNTED = (at.Sending, at.Verifying, at.Starting)  # they use a target, a backend, a project
TO_MOVE = (do.Evacuate, do.ResetState, do.LiveMigrate)

Start = do.ServerSend


# I14.


def fenced(picture: Picture, host: HostId, after: at.Host) -> None:
    """I14: remember who lives on a host at its fence."""
    facts, truth = picture.facts.servers, picture.truth
    known = (
        server
        for server in truth.came_up
        if truth.lives_on(server, host) and (server not in facts or facts[server].is_protected)
    )
    picture.at_fence[host] = (after.epoch, frozenset(known))


def nobody_forgotten(
    picture: Picture, when: float, host: HostId, after: at.Host
) -> Iterator[Violation]:
    """I14 when a host is called empty: everybody who lived there has an outcome."""
    epoch, servers = picture.at_fence.get(host, (after.epoch, frozenset[str]()))
    for server in sorted(map(ServerId, servers)) if epoch == after.epoch else ():
        move = picture.records.moves.get(server)
        is_gone = picture.truth.is_gone(server) or picture.truth.is_taken_away(server)
        if is_gone or not picture.truth.lives_on(server, host):
            continue
        if move is not None and move.host != host and not isinstance(move.state, SETTLED):
            continue  # the open episode of the host where it was before answers for it
        if move is None or not isinstance(move.state, SETTLED):
            state = type(move.state).__name__.lower() if move else "in no plan"
            yield Violation("I14", when, server, f"{host} is called empty, and it is {state}")


def outcome_named(when: float, move: at.Move) -> Iterator[Violation]:
    """I14: who failed is told of within 10 s (a duty), who is skipped has a reason."""
    if isinstance(move.state, at.Skipped | at.WaitingForHost) and not move.state.reason:
        yield Violation("I14", when, move.server, "left where it was for no reason")


def dropped(
    picture: Picture, when: float, server: ServerId, before: at.Move
) -> Iterator[Violation]:
    """I14: a record may go only when its server has its end."""
    if isinstance(before.state, (*at.FINAL, at.Mending)):
        return  # a guest that is mended on a living host is no part of an episode
    truth, facts = picture.truth, picture.facts.servers.get(server)
    is_excused = server in picture.told.signed_off or truth.is_gone(server)
    is_excused = is_excused or not before.ran or (facts is not None and not facts.is_protected)
    if not is_excused and truth.is_wanted_running(server) and not truth.runs_well(server):
        state = type(before.state).__name__.lower()
        yield Violation("I14", when, server, f"forgotten while {state}")


# I15.


def will_kept(picture: Picture, when: float, action: Start) -> Iterator[Violation]:
    """I15 for one send: its user said otherwise, early enough to be read before it."""
    since, word = picture.truth.unwanted.get(action.server, (when, ""))
    is_against = word in NOT_MOVED if isinstance(action, TO_MOVE) else word
    if is_against and when - since > LOOKED_S:
        yield Violation("I15", when, action.server, f"{_name(action)} after its user's {word}")


def reset_allowed(picture: Picture, when: float, action: do.ResetState) -> Iterator[Violation]:
    """I15: its state is its user's; it is overwritten only where its class says so."""
    move = picture.records.moves.get(action.server)
    if move is None or not move.promise.resets_state:
        yield Violation("I15", when, action.server, "its state is reset, and no class asks for it")


def rests_as_wanted(picture: Picture, when: float, server: ServerId) -> Iterator[Violation]:
    """I15 at the end: it does not run against its user's will."""
    since, word = picture.truth.unwanted.get(server, (when, ""))
    copies = picture.truth.copies_at_work(server)
    if not word or when - since <= LOOKED_S or not copies:
        return
    # What a person alone called dead, falsely, was never started by anybody: nobody resurrected it.
    if all(is_a_persons_word(picture, host, server) for host in copies):
        picture.excused["I15 false human proof"] += 1
    else:
        yield Violation("I15", when, server, f"called done, and runs after its user's {word}")


# I16.


def one_move(picture: Picture, when: float, action: Start) -> Iterator[Violation]:
    """I16: the end of the last send was seen, and Nova has no open record of the server.

    A target that was proved dead ends what was sent to it, and only that unsticks its record.
    """
    told = picture.told
    flight, seen = told.flights.get(action.server), told.seen.get(action.server)
    if flight is not None and flight.action == action and not flight.is_over:
        return  # the very same again: I11 says so
    if flight is not None and not flight.is_over and not _died(picture, flight, seen):
        last = type(flight.action).__name__
        yield Violation("I16", when, action.server, f"{_name(action)}: how {last} ended is unseen")
    elif (
        isinstance(action, do.Evacuate | do.ResetState) and seen and not _all_settled(picture, seen)
    ):
        yield Violation("I16", when, action.server, "a record of it is still open at Nova")
    elif isinstance(action, do.Evacuate) and flight is not None and flight.empty_looks >= 2:
        yield from _same_target(picture, when, action, flight.action)


def _died(picture: Picture, flight: Flight, seen: ServerSeen | None) -> bool:
    """Say whether what was sent ended with its target, or with the source that drives it."""
    match flight.action:
        case do.Evacuate(server=server, target=target):
            # Nova may have lost the record with its database; the server itself stands there.
            arrived = seen is not None and seen.host == target and seen.task_state is None
            is_lost = seen is not None and _is_lost(picture, flight, seen)
            return _is_dead(picture, server, target) or arrived or is_lost
        case do.LiveMigrate(server=server, source=source) if seen is not None:
            # It had arrived: where its guest was seen to be gone nothing drives the record on.
            is_gone = source in seen_absent(picture, server)
            is_over = (is_gone and seen.host != source) or _is_dead(picture, server, source)
            return is_over and _all_settled(picture, seen)
        case do.HardReboot(server=server, host=host, epoch=epoch):
            # Its own host fell again: a proof of that later outage ends what the old boot was at.
            is_later = picture.records.host(host).epoch > epoch
            return is_later and _is_dead(picture, server, host)
        case _:
            return False


def _is_lost(picture: Picture, flight: Flight, seen: ServerSeen) -> bool:
    """Say whether what was sent was taken up by a boot that is gone by now."""
    own = [record for record in seen.records if record.id > flight.newest and not record.is_final]
    return bool(own) and picture.truth.lost_work.issuperset(record.id for record in own)


def _all_settled(picture: Picture, seen: ServerSeen) -> bool:
    """Say whether nobody can go on with a record: final, or those who would were seen to be gone.

    A live migration is driven by its source; whether its guest arrived is seen at the other end.
    """
    absent = seen_absent(picture, seen.id)
    return all(
        record.is_final
        or _is_dead(picture, seen.id, record.target)
        or (record.kind == "evacuation" and record.id in picture.truth.lost_work)
        or (
            record.kind != "evacuation"
            and record.target in absent
            and (record.id in picture.truth.lost_work or _is_dead(picture, seen.id, record.source))
        )
        for record in seen.records
    )


def _is_dead(picture: Picture, server: ServerId, host: HostId | None) -> bool:
    if host is None:
        return False
    return covers(picture.records.standing(host), disks_of(picture, server))


def _same_target(
    picture: Picture, when: float, action: do.Evacuate, last: do.Send
) -> Iterator[Violation]:
    """A late duplicate must meet its own domain, so a retry without a record stays where it was.

    Who is proved dead makes no domain: a target that died is one more writer, and no more (SAFETY
    7), whether it died before the empty looks or after them.
    """
    if not isinstance(last, do.Evacuate) or last.epoch != action.epoch:
        return
    if last.target != action.target and not _is_dead(picture, action.server, last.target):
        yield Violation("I16", when, action.server, f"perhaps sent to {last.target}, now elsewhere")


def move_sent(picture: Picture, when: float, action: do.Send) -> None:
    """Remember the send, after it was judged."""
    match action:
        case do.Evacuate(server=server, source=source, target=target, epoch=epoch):
            nobody = frozenset[HostId]()
            of, during, named = picture.records.named.get(server, (source, epoch, nobody))
            known = named if (of, during) == (source, epoch) else nobody
            picture.records.named[server] = (source, epoch, known | {target})
            picture.told.sent(when, action, server)
            picture.told.absent.get(server, {}).pop(target, None)
        case do.ResetState() | do.StartServer() | do.HardReboot() | do.LiveMigrate():
            picture.told.sent(when, action, action.server)
        case do.PowerOn():
            picture.told.wanted_on.discard(action.host)


# I17.


def turn_kept(
    picture: Picture, when: float, server: ServerId, before: at.Move | None, move: at.Move
) -> Iterator[Violation]:
    """I17, when a move leaves the queue: nobody who only waits for a turn stood before it."""
    if not isinstance(move.state, at.Choosing | at.Sending):
        return
    if before is not None and not isinstance(before.state, WAITING):
        return
    for other in picture.records.moves_from(move.host):
        if other.server == server or other.epoch != move.epoch:
            continue
        is_before = other.promise.tier < move.promise.tier
        is_apart = other.seen.project != move.seen.project and _is_project_full(picture, other)
        if is_before and not is_apart and _waits_for_its_turn(other, move.state):
            yield Violation("I17", when, server, f"before {other.server} of a tier above its own")
        elif isinstance(other.state, SETTLED):
            continue
        elif _must_follow(move, other) and not _is_overdue(picture, other, move.state.since):
            yield Violation("I17", when, server, f"before {other.server}, on which it depends")


def _waits_for_its_turn(other: at.Move, chosen: at.Choosing | at.Sending) -> bool:
    """Nothing but order, or a free place, is wanting. A plan of this very instant is not judged."""
    match other.state:
        case at.Planned(wanting="room"):
            return True
        case at.Planned(wanting="", since=since):
            return since < chosen.since
        case _:
            return False


def _is_project_full(picture: Picture, move: at.Move) -> bool:
    """Its own project has enough on the way: it waits for nobody else's place."""
    of_project = sum(
        isinstance(other.state, (*COUNTED, at.Choosing, at.Resetting))
        and other.seen.project == move.seen.project
        for other in picture.records.moves.values()
    )
    return of_project >= picture.facts.policy_of(move.host).project_moves_max


def _must_follow(move: at.Move, other: at.Move) -> bool:
    """Same dependency group, and behind the other in tier and order."""
    is_group = bool(move.seen.group) and move.seen.group == other.seen.group
    is_before = (other.promise.tier, other.seen.order) < (move.promise.tier, move.seen.order)
    return is_group and is_before


def _is_overdue(picture: Picture, other: at.Move, now: float) -> bool:
    """Its deadline ends the waiting for it. Both instants are of the same leader's clock."""
    deadline_s = other.promise.deadline_s or picture.facts.policy_of(other.host).verify_timeout_s
    return now >= other.began + deadline_s


# I18.


def placed(picture: Picture, when: float, action: do.Evacuate) -> Iterator[Violation]:
    """I18: a healthy, enabled target that Placement named, apart from those to be kept apart."""
    target, server = action.target, action.server
    candidate = picture.told.candidates.get(server, {}).get(target)
    state = picture.records.host(target).state
    move = picture.records.moves.get(server)
    if candidate is None:
        yield Violation("I18", when, server, f"nobody allowed {target}")
    if not isinstance(state, at.Healthy | at.Unknown) or target in picture.told.disabled:
        yield Violation("I18", when, server, f"{target} takes no servers")
    is_pet = move and move.seen.is_image_backed and move.promise.data is Keep.PRESERVE
    if candidate and is_pet and not candidate.sees_disk:
        yield Violation("I18", when, server, f"{target} does not see its disk")
    for other in sorted(picture.facts.servers):
        if _kept_apart(picture, server, other) and picture.truth.lives_on(other, target):
            yield Violation("I18", when, server, f"must not share {target} with {other}")


def _kept_apart(picture: Picture, server: ServerId, other: ServerId) -> bool:
    one, two = picture.facts.servers.get(server), picture.facts.servers.get(other)
    if one is None or two is None or server == other or picture.truth.is_gone(other):
        return False
    return bool(one.keeps_apart) and one.keeps_apart == two.keeps_apart


def data_kept(picture: Picture, when: float, it: so.DomainStarted) -> Iterator[Violation]:
    """I18: a pet is never built anew from its image."""
    facts = picture.facts.servers.get(it.server)
    if it.is_rebuilt and it.cause == "nova" and facts is not None and facts.is_pet:
        yield Violation("I18", when, it.server, f"its disk was built anew on {it.host}")


# I19.


def limits_kept(
    picture: Picture, when: float, before: at.Move | None, move: at.Move
) -> Iterator[Violation]:
    """I19, when a move begins to use a target: counted anew from the records."""
    if not isinstance(move.state, at.Sending):
        return
    if before is not None and isinstance(before.state, COUNTED):
        return
    policy, backends = picture.facts.policy_of(move.host), set(move.seen.disks)
    to_target = of_project = in_all = 0
    on_backend = dict.fromkeys(backends, 0)
    for other in picture.records.moves.values():
        if not isinstance(other.state, COUNTED):
            continue
        in_all += 1
        to_target += other.state.target == move.state.target
        of_project += other.seen.project == move.seen.project
        for backend in backends.intersection(other.seen.disks):
            on_backend[backend] += 1
    busiest = max(on_backend.values(), default=0)
    counts = (
        (to_target, policy.target_moves_max, f"moves to {move.state.target}"),
        (busiest, policy.backend_moves_max, "moves on one backend"),
        (of_project, policy.project_moves_max, f"moves of project {move.seen.project}"),
        (in_all, policy.moves_max, "moves in all"),
    )
    for count, limit, words in counts:
        if count > limit:
            yield Violation("I19", when, move.server, f"{count} {words}, the limit is {limit}")


def _name(action: Start) -> str:
    return type(action).__name__
