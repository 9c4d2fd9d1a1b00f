"""Set an oracle over a world: what it is given of a setup, and nothing more."""

from collections.abc import Sequence
from traceback import extract_tb

from ninelives.core.model import HostId, VmState
from ninelives.core.protection import Keep, Remedy, Rule, promise_for
from ninelives.engine.errors import CodecError

from .compute import PUT_TO_REST
from .happenings import Happening
from .oracle import Oracle, ServerFacts, SetupFacts, Violation
from .setup import ServerSpec, Setup
from .world import World

BUG = "bug"  # the law that an assertion or an exception breaks
BUGS = (
    AssertionError,
    CodecError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
)
EVENTS_MAX = 200_000  # between two deeds; more is a loop


def oracle_of(setup: Setup) -> Oracle:
    """Return a judge that knows who is there at the beginning."""
    servers = {server.id: facts_of(setup, server) for server in setup.servers}
    return Oracle.of(SetupFacts(setup.site, servers, setup.policy, setup.segment_policies))


def watched(world: World) -> Oracle:
    """Set an oracle over a world that has just begun."""
    oracle = oracle_of(world.setup)
    judge(world, oracle)
    return oracle


def judge(world: World, oracle: Oracle) -> None:
    """Let an oracle see everything that happens in a world from now on."""

    def saw(when: float, happening: Happening) -> None:
        oracle.saw(when, happening)

    world.observe(saw)


def pass_time(world: World, oracle: Oracle, until: float, called: Sequence[object] = ()) -> bool:
    """Let time pass as long as no law is broken, and nobody is `called`. Say whether none was."""
    broken, heap = oracle.violations, world.heap
    limit = world.events + EVENTS_MAX
    while heap and heap[0][0] <= until and not broken and not called:
        world.step()
        assert world.events < limit, "the world never comes to rest"
    if not broken and not called:
        world.now = max(world.now, until)
    return not broken


def judge_end(world: World, oracle: Oracle) -> None:
    """Ask the laws of the end, as far as everything has been well for long enough."""
    quiet_s = world.now - oracle.picture.truth.fault_changed_at
    is_healed = not world.faults_on and quiet_s >= oracle.picture.facts.ends_within_s
    oracle.finish(world.now, healed=is_healed)


def bug_of(when: float, error: BaseException) -> Violation:
    """Say where a program stumbled over itself."""
    last = extract_tb(error.__traceback__)[-1]
    place = f"{last.filename.rpartition('ninelives/')[2]}:{last.lineno}"
    return Violation(BUG, when, place, f"{type(error).__name__}: {error}")


def facts_of(setup: Setup, server: ServerSpec) -> ServerFacts:
    assert server.host is not None, f"{server.id} lives nowhere"
    promise = promise_for(server, policy_rules(setup, server.host), setup.policy.default)
    return ServerFacts(
        server.host,
        server.disks,
        bool(server.is_running),
        is_wanted=server.vm_state is VmState.ACTIVE,
        word=PUT_TO_REST.get(server.vm_state, ""),
        is_protected=promise.host_dies is Remedy.EVACUATE,
        is_pet=promise.data is Keep.PRESERVE,
    )


def policy_rules(setup: Setup, host: HostId) -> tuple[Rule, ...]:
    """Return the protection rules that hold where a server lives."""
    segment = setup.site.hosts[host].segment
    return setup.segment_policies.get(segment, setup.policy).rules
