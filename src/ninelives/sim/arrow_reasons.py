"""Why a host goes from one state to the next: one sentence for each arrow there is."""

from collections.abc import Mapping

from ninelives.core import states as at

Arrow = tuple[type, type]

HOST_REASONS: Mapping[Arrow, str] = {
    (at.Unknown, at.Healthy): "strong signs on every configured plane, for the first time",
    (at.Unknown, at.Suspect): "a person adopts a host that was never seen alive",
    (at.Healthy, at.Suspect): "a row of the table matches, somebody fenced it, or a person orders",
    (at.Suspect, at.Healthy): "strong signs on every plane again, for `alive_again_s`",
    (at.Suspect, at.Repairing): "the class names a service inside the host (R14 to R16)",
    (at.Suspect, at.Fencing): "the class held for `confirm_s`, leads to a fence, no brake holds",
    (at.Suspect, at.Held): "a brake holds, or the class leads to no fence",
    (at.Suspect, at.Fenced): "a proof that needed no shot: a new boot, Pacemaker, a person",
    (at.Suspect, at.Returning): "it came to nothing, and had cut short a way back: that goes on",
    (at.Repairing, at.Healthy): "the restart helped: strong signs on every plane, no symptom",
    (at.Repairing, at.Fencing): "by policy after a repair that failed; today it goes by held",
    (at.Repairing, at.Held): "all tries are spent, or it is worse than a service",
    (at.Repairing, at.Returning): "the restart helped; it had cut short a way back: that goes on",
    (at.Held, at.Suspect): "another class than the one it was held for, or a person undoes",
    (at.Held, at.Fencing): "the brake is gone, it is seen dead, or a person says finish",
    (at.Held, at.Fenced): "a proof that needed no shot: a new boot, Pacemaker, a person",
    (at.Held, at.Healthy): "strong signs on every plane, and no effect was handed out",
    (at.Held, at.Returning): "it came to nothing, and had cut short a way back: that goes on",
    (at.Fencing, at.Fenced): "the proofs are sufficient and durable",
    (at.Fencing, at.Held): "life came back after the first effect: half fenced",
    (at.Fenced, at.Evacuating): "Nova counts it down, and the first list is planned",
    (at.Evacuating, at.Vacated): "two complete lists in a row add nobody, all have an outcome",
    (at.Vacated, at.Returning): "switched on, a new boot attested; without an agent, on and seen",
    (at.Returning, at.Healthy): "led back, soaked, and what we disabled is enabled",
    (at.Returning, at.Quarantined): "a check failed, it fell too often, or died on its way",
    (at.Returning, at.Suspect): "it fell again after its servers were let in",
    (at.Quarantined, at.Returning): "the soak is over, or a person released it; a clean boot",
}
