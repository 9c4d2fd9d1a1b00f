"""A person adopts a store that lost some of its history: nothing in it is believed any more.

What was decided after the point to which the store went back was acted upon, and is forgotten:
epochs were used, servers sent, hosts led back. So
  - every epoch jumps past all that can have been used since (I13);
  - every proof is void, and every domain seen absent counts as not seen: where something was built
    on a proof, everything automatic stops until a person decides (`host confirm-dead`, or `fence`);
  - nothing is sent before whatever was under way has settled, counted anew in each term.
"""

from dataclasses import replace
from functools import partial

from . import actions as do
from . import events as on
from .draft import Draft
from .episode import is_of_the_past, see_anew, void_proofs
from .model import Refusal

WHY = "store_adopted"


def adopted(draft: Draft, order: on.StoreAdopted) -> Refusal | None:
    """Void what an adopted store believes. `lost`: at most so many decisions are missing."""
    if order.lost < 0:
        return Refusal("negative", "say how many decisions may be missing")
    for record in list(draft.cluster.hosts.values()):
        epoch = record.epoch + order.lost
        proofs = tuple(replace(proof, epoch=epoch) for proof in record.proofs)
        draft.put_host(replace(record, epoch=epoch, proofs=proofs, off_reads=()))
        for move in list(draft.moves_of(record.id)):
            draft.put_move(replace(move, epoch=epoch, absent_on=frozenset()))
        draft.forget(partial(is_of_the_past, record.id))
        see_anew(draft, record.id)  # promises and looks were for an epoch that is no more
        if proofs:
            void_proofs(draft, record.id, proofs, WHY)
    draft.put_control(replace(draft.control, is_adopted=True))
    draft.note("control", "store.adopted", f"by {order.by}", f"{order.lost} decisions may be lost")
    wait_to_settle(draft)
    return None


def wait_to_settle(draft: Draft) -> None:
    """Be woken when whatever a lost leader had sent has settled. At a new term it starts anew."""
    if draft.control.is_adopted:
        draft.wake("adopted", draft.views.began_at + settles_in_s(draft))


def settled(draft: Draft) -> None:
    """Believe the store again, if the time for it has come."""
    if draft.control.is_adopted and not is_settling(draft):
        draft.put_control(replace(draft.control, is_adopted=False))
        draft.note("control", "store.settled")


def is_settling(draft: Draft) -> bool:
    """Say whether a request of a lost leader may yet begin."""
    waits = draft.now < draft.views.began_at + settles_in_s(draft)
    return draft.control.is_adopted and waits


def settles_in_s(draft: Draft) -> float:
    return max(policy.nova_settle_s for policy in draft.cluster.policies())


def may_not_send(draft: Draft, action: do.Action) -> bool:
    """Say whether `action` is a send, and would meet one that the store forgot."""
    return isinstance(action, do.SENDS) and is_settling(draft)
