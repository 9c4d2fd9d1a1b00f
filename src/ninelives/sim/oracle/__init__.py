"""The oracle: SAFETY 9 held against ground truth, with no line of code of what it judges.

writers     I1 one writer · I2 certificate first · I3 invalidation · I4 network identity
shots       I5 class · I6 life veto · I7 blast radius · I8 guards · I12 absolute · I23 silence
actors      I9 own freeze · I10 one actor · I11 intents · I13 numbers
moves       I14 nobody forgotten · I15 will · I16 one move · I17 order · I18 place · I19 limits
returns     I20 gate · I21 revocations · I22 lease arithmetic
reserves    L3 reserved hosts
replay      I24 · accounting I25, counts · liveness L1, L2
"""

from .accounting import Counts, Outage, Phase, phases
from .facts import LAWS, ServerFacts, SetupFacts, Violation
from .oracle import Oracle
from .replay import replay_matches

__all__ = [
    "LAWS",
    "Counts",
    "Oracle",
    "Outage",
    "Phase",
    "ServerFacts",
    "SetupFacts",
    "Violation",
    "phases",
    "replay_matches",
]
