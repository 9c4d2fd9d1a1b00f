"""Set an oracle over a world: what it is given of a setup, and nothing more."""

from ninelives.core.model import HostId, VmState
from ninelives.core.protection import Keep, Remedy, Rule, promise_for

from .oracle import Oracle, ServerFacts, SetupFacts
from .setup import ServerSpec, Setup


def oracle_of(setup: Setup) -> Oracle:
    """Return a judge that knows who is there at the beginning."""
    servers = {server.id: facts_of(setup, server) for server in setup.servers}
    return Oracle.of(SetupFacts(setup.site, servers, setup.policy, setup.segment_policies))


def facts_of(setup: Setup, server: ServerSpec) -> ServerFacts:
    assert server.host is not None, f"{server.id} lives nowhere"
    promise = promise_for(server, policy_rules(setup, server.host), setup.policy.default)
    return ServerFacts(
        server.host,
        server.disks,
        bool(server.is_running),
        is_wanted=server.vm_state is VmState.ACTIVE,
        is_protected=promise.host_dies is Remedy.EVACUATE,
        is_pet=promise.data is Keep.PRESERVE,
    )


def policy_rules(setup: Setup, host: HostId) -> tuple[Rule, ...]:
    """Return the protection rules that hold where a server lives."""
    segment = setup.site.hosts[host].segment
    return setup.segment_policies.get(segment, setup.policy).rules
