"""The arrows of a server's move, as the live laws see them: from one decision to the next."""

from collections.abc import Mapping

from . import actions as do
from . import states as at

ENDED = (at.Done, at.Failed, at.Skipped, at.Cancelled)
RESTS = (*ENDED, at.WaitingForHost)

WAITS = (at.Planned, at.Retry, at.WaitingForHost)
ELSEWHERE = (at.Verifying, at.Starting, at.Done, at.Failed, at.Skipped)

# Within one decision a move may pass a state: what was looked up is verified at once.
_GONE = "its user deletes or shelves it"
_SPENT = "the same, and all attempts are spent"
_DIED = "its target died before it was started there: that host's episode goes on with it"
_FOUND = "seen elsewhere: a late request of ours, another rescuer, a migration that ended"
MOVE_REASONS: Mapping[tuple[type, type], str] = {
    **{(here, there): _FOUND for here in (at.Planned, at.Retry) for there in ELSEWHERE},
    **{(at.WaitingForHost, there): _FOUND for there in ELSEWHERE},
    (at.Planned, at.Choosing): "its turn, room for it, nobody else can write: targets are asked",
    (at.Planned, at.Cancelled): _GONE,
    (at.Choosing, at.Planned): "no answer in time, no room, its host's proof is gone, a new term",
    (at.Choosing, at.Sending): "a target is named, the one send of this attempt goes out",
    (at.Choosing, at.Retry): "no target now; tried again later",
    (at.Choosing, at.WaitingForHost): "its data would be lost, or all attempts are spent",
    (at.Choosing, at.Cancelled): _GONE,
    (
        at.Choosing,
        at.Resetting,
    ): "there is a target; Nova takes it only in error, as its class allows",
    (at.Resetting, at.Planned): "it is in error now",
    (at.Resetting, at.Choosing): "it is in error now, targets are asked anew",
    (at.Resetting, at.Retry): "Nova or the last check refused, or nothing came of it in time",
    (at.Resetting, at.WaitingForHost): _SPENT,
    (at.Resetting, at.Cancelled): _GONE,
    (at.Sending, at.Verifying): "Nova accepted, or a look-up found its record",
    (at.Sending, at.Starting): "the look-up found it arrived, in another state than wanted",
    (at.Sending, at.Done): "the look-up found it arrived as its user wants it",
    (at.Sending, at.Retry): "Nova or the last check refused, or two looks found no record",
    (at.Sending, at.WaitingForHost): _SPENT,
    (at.Sending, at.Failed): "it arrived and cannot be put right; a person is told",
    (at.Sending, at.Skipped): _DIED,
    (at.Sending, at.Cancelled): "it was deleted",
    (at.Verifying, at.Starting): "it arrived stopped and shall run, or the other way round",
    (at.Verifying, at.Done): "seen elsewhere, as its user wants it, its record final",
    (at.Verifying, at.Retry): "its record failed, it is in error, or its target died",
    (at.Verifying, at.WaitingForHost): _SPENT,
    (at.Verifying, at.Failed): "it arrived and cannot be put right; a person is told",
    (at.Verifying, at.Skipped): _DIED,
    (at.Verifying, at.Cancelled): "it was deleted",
    (at.Starting, at.Done): "seen running, or resting, as its user wants it",
    (at.Starting, at.Failed): "it does not start; a person is told",
    (at.Starting, at.Skipped): _DIED,
    (at.Starting, at.Cancelled): _GONE,
    (at.Retry, at.Planned): "the pause is over, something stands in its way",
    (at.Retry, at.Choosing): "the pause is over, targets are asked",
    (at.Retry, at.Cancelled): _GONE,
    (at.WaitingForHost, at.Done): "brought back in place, or seen elsewhere, as its user wants it",
    (at.WaitingForHost, at.Failed): "not brought back in place; a person is told",
    (at.WaitingForHost, at.Cancelled): _GONE,
    (at.Mending, at.Done): "moved away alive, seen",
    (at.Mending, at.Failed): "it did not move away; a person is told",
    (at.Skipped, at.Failed): "Nova names a living host, on which no such guest was seen",
    (at.Failed, at.Done): "seen as its user wants it after all",
    (at.Failed, at.Cancelled): _GONE,
}
MOVE_ARROWS = frozenset(MOVE_REASONS)

# From which state of a move which send may go out. One that is out already forbids the next.
SENT_FROM: Mapping[type, tuple[type, ...]] = {
    do.Evacuate: (at.Choosing,),
    do.ResetState: (at.Choosing,),
    do.StartServer: (at.Sending, at.Verifying, at.Starting),
    do.HardReboot: (at.WaitingForHost, at.Mending, *ENDED),
    do.LiveMigrate: (at.Mending, *ENDED),
}
