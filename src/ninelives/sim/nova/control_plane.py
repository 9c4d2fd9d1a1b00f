"""The scheduler and the conductor as /os-services lists them: they report as computes do.

Both write into the database themselves, so a bus that is down does not make them look dead.
"""

import math

from .records import ServiceView
from .settings import Faults
from .state import State

SCHEDULER, CONDUCTOR = "nova-scheduler", "nova-conductor"
CONTROLLER = "controller"


def note_silence(state: State) -> None:
    """Remember since when a service of the control plane reports no more."""
    for binary in (SCHEDULER, CONDUCTOR):
        if _is_silent(state.faults, binary):
            state.silent_since.setdefault(binary, state.now)
        else:
            state.silent_since.pop(binary, None)


def _is_silent(faults: Faults, binary: str) -> bool:
    is_down = faults.is_scheduler_down if binary == SCHEDULER else faults.is_conductor_down
    return is_down or faults.is_database_down


def views(state: State) -> tuple[ServiceView, ...]:
    return tuple(_view(state, binary) for binary in (SCHEDULER, CONDUCTOR))


def _view(state: State, binary: str) -> ServiceView:
    interval_s = state.timings.report_interval_s
    until = state.silent_since.get(binary, state.now)
    last = math.floor(until / interval_s) * interval_s
    is_up = state.now - last <= state.timings.service_down_time_s
    return ServiceView(
        CONTROLLER,
        is_up,
        is_forced_down=False,
        is_disabled=False,
        disabled_reason=None,
        last_report=last,
        binary=binary,
    )
