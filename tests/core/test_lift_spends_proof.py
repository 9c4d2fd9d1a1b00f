"""A revocation that we lift ourselves proves nothing any more, and nobody contradicts it."""

from dataclasses import replace

from tests.core.arrangements import C1, NOW, fresh, sees
from tests.core.small_cloud import CEPH

from ninelives.core import states as at
from ninelives.core.cluster import StorageView
from ninelives.core.contradicted import check_proofs
from ninelives.core.model import EVERYTHING, BootId, Covers, Method, Proof, Validity
from ninelives.core.revoking import let_in
from ninelives.core.tallies import is_proved_dead

OLD = BootId("of the outage")


def test_who_falls_again_after_the_lift_is_in_no_doubt_for_its_watcher() -> None:
    draft = fresh()
    covers = Covers(backends=frozenset({CEPH}))
    proofs = tuple(
        Proof(method, C1, 1, 1, NOW - 600, OLD, what, "seen")
        for method, what in (
            (Method.REBOOTED, EVERYTHING),
            (Method.STORAGE_REVOKED, covers),
        )
    )
    state = at.Returning(NOW - 60, at.Stage.LIFTING, NOW - 60)
    revoked = at.Revocation(CEPH, in_force=True, asked_at=NOW - 600)
    draft.put_host(at.Host(C1, 1, state, OLD, proofs=proofs, revocations=(revoked,)))

    let_in(draft, C1)
    fallen = at.Quarantined(NOW, NOW + 600, "died_again")
    draft.put_host(replace(draft.host(C1), state=fallen))
    draft.now = NOW + 10
    sees(storage={CEPH: StorageView(True, False, NOW + 10)})(draft)
    check_proofs(draft, C1)

    record = draft.host(C1)
    assert not record.zombie_risk
    assert is_proved_dead(record)
    assert [proof.validity for proof in record.proofs] == [Validity.VALID, Validity.VOID]
