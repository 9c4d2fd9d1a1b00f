"""The arrows of a server's move, as the live laws see them: from one decision to the next."""

from collections.abc import Mapping

from . import actions as do
from . import states as at

RESTS = (at.Done, at.Failed, at.Skipped, at.Cancelled, at.WaitingForHost)

WAITS = (at.Planned, at.Retry, at.WaitingForHost)
ELSEWHERE = (at.Verifying, at.Starting, at.Done, at.Failed, at.Skipped)

# Within one decision a move may pass a state: what was looked up is verified at once.
MOVE_ARROWS: frozenset[tuple[type, type]] = frozenset(
    {
        (at.Planned, at.Choosing),
        (at.Planned, at.Cancelled),
        # Seen elsewhere: by a late request of ours, another rescuer's, or a migration that ended.
        *(
            (here, there)
            for here in (at.Planned, at.Retry, at.WaitingForHost)
            for there in ELSEWHERE
        ),
        (at.Sending, at.Failed),
        (at.Verifying, at.Failed),
        (at.Choosing, at.Planned),
        (at.Choosing, at.Sending),
        (at.Choosing, at.Retry),
        (at.Choosing, at.WaitingForHost),
        (at.Choosing, at.Cancelled),
        (at.Sending, at.Planned),  # certainly not sent
        (at.Sending, at.Verifying),
        (at.Sending, at.Starting),
        (at.Sending, at.Done),
        (at.Sending, at.Retry),
        (at.Sending, at.WaitingForHost),
        (at.Sending, at.Cancelled),
        (at.Verifying, at.Starting),
        (at.Verifying, at.Done),
        (at.Verifying, at.Retry),
        (at.Verifying, at.WaitingForHost),
        (at.Verifying, at.Cancelled),
        (at.Starting, at.Done),
        (at.Starting, at.Cancelled),
        (at.Starting, at.Failed),
        (at.Failed, at.Done),
        (at.Failed, at.Cancelled),
        (at.Mending, at.Done),
        (at.Mending, at.Failed),
        (at.Retry, at.Planned),
        (at.Retry, at.Choosing),
        (at.Retry, at.Cancelled),
        (at.WaitingForHost, at.Done),
        (at.WaitingForHost, at.Failed),
        (at.WaitingForHost, at.Cancelled),
    }
)

# From which state of a move which send may go out. One that is out already forbids the next.
SENT_FROM: Mapping[type, tuple[type, ...]] = {
    do.Evacuate: (at.Choosing,),
    do.StartServer: (at.Sending, at.Verifying, at.Starting),
    do.HardReboot: (at.WaitingForHost, at.Mending, *at.FINAL),
    do.LiveMigrate: (at.Mending, *at.FINAL),
}
