"""Which function handles which event of the world's heap, and which of them a pause holds back."""

from collections.abc import Callable, Mapping

from . import (
    agents,
    bmc,
    cloud_reads,
    cloud_sends,
    compute,
    controllers,
    health,
    perform,
    service_records,
    sightings,
    storage,
    tenure,
    truth,
)
from .faults import cloud, timed

Handler = Callable[..., None]

HANDLERS: Mapping[str, Handler] = {
    # Hosts.
    "booted": truth.booted,
    "crash_again": truth.crash_again,
    "dumped": truth.dumped,
    "watchdog_bites": truth.watchdog_bites,
    "off_acts": bmc.off_acts,
    "agent_says": agents.agent_says,
    "lease_out": agents.lease_out,
    "restarted": agents.restarted,
    # Sightings.
    "look": sightings.look,
    "gap_began": sightings.gap_began,
    "gap_ended": sightings.gap_ended,
    "retell": sightings.retell,
    "stale": sightings.stale,
    # Storage and Nova.
    "backend_probe": storage.backend_probe,
    "revocation_expired": storage.revocation_expired,
    "nova": compute.advance,
    "migrated": compute.migrated,
    "service_look": service_records.service_look,
    "record_look": service_records.record_look,
    "canary_probe": health.canary_probe,
    "guest_seen": health.guest_seen,
    "user_late": cloud.user_late,
    # Controllers.
    "challenge": tenure.challenge,
    "guard": tenure.guard,
    "restart": controllers.restart,
    "resume": controllers.resume,
    # Faults and the story.
    "command": timed.command,
}

# Events of one controller's process: `(controller, life, …)`. One of an earlier life is void, and
# one of a paused process waits until that runs again.
OF_A_PROCESS: Mapping[str, Handler] = {
    "wake": controllers.wake,
    "commit": controllers.commit,
    "handout": controllers.handout,
    "own_fault_ended": controllers.own_fault_ended,
    "renewal": tenure.renewal,
    "send": perform.send,
    "reply": health.reply,
    "echo": health.echo,
    "power_read": bmc.power_read,
    "power_unread": bmc.power_unread,
    "storage_read": storage.storage_read,
    "attest": agents.attest,
    "promised": agents.promised,
    "cloud_read": cloud_reads.cloud_read,
    "domains_seen": cloud_reads.domains_seen,
}

# What somebody else already has in hand goes on while the controller that asked stands still.
IN_OTHER_HANDS: Mapping[str, Handler] = {
    "off_taken": bmc.off_taken,
    "on_taken": bmc.on_taken,
    "revoked": storage.revoked,
    "agent_order": agents.order,
    "cloud_send": cloud_sends.cloud_send,
}

ALL: Mapping[str, Handler] = {**HANDLERS, **OF_A_PROCESS, **IN_OTHER_HANDS}
POINTS = {"commit": "commit", "handout": "committed", "send": "send"}
