"""Every number an operator may turn, with its unit, in three presets.

A shorter time is never what makes ninelives safe or fast: independent witnesses that agree are.
The presets differ in how long silence must last and how long a class must hold before a shot.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .protection import Promise, Rule

WITNESSES_WANTED = 3  # SAFETY 5b: or as many as there are, but never fewer than `witnesses_min`


@dataclass(frozen=True, slots=True)
class Policy:
    """How long to wait, how much to risk, how much at once. All times in seconds."""

    # Suspicion and confirmation (SAFETY 5).
    silence_s: float = 6.0  # a witness calls a host silent after this long without a sign
    confirm_s: float = 4.0  # a class must hold this long before anything is done about it
    record_silence_s: float = 30.0  # three reports of nova-compute: without an agent, its life
    weak_only_s: float = 60.0  # nothing but weak signs for this long: the kernel hangs
    alive_again_s: float = 2.0  # strong signs on every plane for this long end a suspicion
    witnesses_min: int = 2
    qualified_share: float = 0.8  # a witness must see this share of its other targets
    group_window_s: float = 10.0  # silences that begin this close together are one event
    group_min: int = 3
    group_share: float = 0.1
    isolated_fences: bool = True  # R9: cut off from every network, but storage is written
    single_plane_fences: bool = True  # R8b: the only plane there is went down

    # Proofs (SAFETY 3).
    off_confirm_gap_s: float = 2.0  # "off" counts when read twice this far apart
    proof_fresh_s: float = 5.0  # at a send the host was read off at most this long ago
    power_poll_s: float = 2.0  # how often power is read while a proof is in use
    # Far below half of any backend's own expiry, and a take-over between two still comes in time.
    revocation_renew_s: float = 30.0
    storage_poll_s: float = 5.0  # how often a revocation in use is looked at
    off_late_s: float = 60.0  # a BMC may act this long after it accepted
    mapping_watch_s: float = 60.0  # after our off: does the host live on, does another one die?
    human_valid_s: float = 900.0
    human_revoke_wait_s: float = 60.0  # starts on a person's word wait so long for the storage road
    unfenceable_after_s: float = 120.0
    starts_without_network_proof: bool = True  # a revoked host may still answer to its addresses
    kdump_wait_s: float = 0.0  # let a dump finish before the power goes; proves nothing
    storage_lock_wait_s: float = 0.0  # from the proof to the first start: stale locks expire

    # Fencing.
    off_timeout_s: float = 25.0  # one device, from the request to its answer
    read_timeout_s: float = 5.0
    road_backoff_s: float = 5.0  # between two rounds over all levels; doubles up to the next number
    road_backoff_max_s: float = 60.0

    # Brakes (SAFETY 6).
    storm_share: float = 0.3
    storm_window_s: float = 600.0
    settle_s: float = 120.0
    settled_share: float = 0.8
    flap_window_s: float = 3600.0
    flap_max: int = 5  # suspicions that came to nothing within the window

    # Host leases (the watchdog road).
    host_lease_s: float = 15.0
    watchdog_soft_s: float = 5.0
    watchdog_device_s: float = 10.0
    clock_drift: float = 0.0005  # 500 ppm
    lease_margin_s: float = 5.0

    # Moves (SAFETY 7).
    attempts_max: int = 5
    retry_s: float = 5.0  # doubles with each attempt up to the next number
    retry_max_s: float = 300.0
    nova_settle_s: float = 300.0  # > client + proxy + API + RPC timeouts together
    watch_s: float = 2.0  # how often Nova is listed while servers move
    list_s: float = 2.0
    request_timeout_s: float = 30.0
    verify_timeout_s: float = 600.0  # a rebuild that takes longer is looked at by a human
    target_moves_max: int = 4
    backend_moves_max: int = 16
    project_moves_max: int = 16
    moves_max: int = 32

    # Reserved hosts.
    reserve_lent_max: int = 8  # of one segment at once; and one after the other
    reserve_wait_s: float = 60.0  # a server waits so long for one that was asked for
    reserve_look_s: float = 30.0  # how often one that serves is looked at

    # Soft repair, guests, return (SAFETY 4, 8).
    repair_tries_max: int = 2
    repair_timeout_s: float = 60.0
    storage_repair_s: float = 60.0
    guest_resets_max: int = 3
    guest_window_s: float = 3600.0
    guest_silent_s: float = 120.0
    power_on_after_vacated: bool = False
    attest_retry_s: float = 5.0
    soak_s: float = 60.0
    soak_agentless_s: float = 600.0
    force_up_tries_max: int = 3
    compute_start_s: float = 5.0  # nova-compute's own clean-up at its start; doubles per attempt
    quarantine_episodes: int = 3
    quarantine_window_s: float = 86400.0
    quarantine_soak_s: float = 3600.0  # doubles with each further episode
    quarantine_soak_max_s: float = 86400.0

    # Leadership.
    hand_over_rest_s: float = 60.0  # who handed leadership over does not take it before

    # Upkeep.
    look_again_s: float = 10.0  # how often a held host is judged anew without news
    vacated_look_s: float = 60.0  # the same of one that is empty, silent and proved off
    tell_within_s: float = 10.0
    maintenance_recovers: bool = True  # a host that dies of itself in maintenance is recovered

    rules: tuple[Rule, ...] = ()  # protection classes: the first that matches a server wins
    default: Promise = field(default_factory=Promise)

    @property
    def safe_s(self) -> float:
        """`T_safe`: after so long without a renewal an armed watchdog has certainly fired.

        (L + W_soft + W_device)·(1 + ρ) + m, ha-systems 2c. The host counts its lease from when it
        sent the renewal, we count from when we received it, so ours always ends later.
        """
        armed = self.host_lease_s + self.watchdog_soft_s + self.watchdog_device_s
        return armed * (1 + self.clock_drift) + self.lease_margin_s


BALANCED = Policy()
FAST = replace(BALANCED, silence_s=3.0, confirm_s=1.0)
CAREFUL = replace(
    BALANCED,
    silence_s=15.0,
    confirm_s=25.0,
    single_plane_fences=False,
    starts_without_network_proof=False,
    weak_only_s=120.0,
    soak_s=600.0,
)
PRESETS: Mapping[str, Policy] = {"balanced": BALANCED, "fast": FAST, "careful": CAREFUL}
