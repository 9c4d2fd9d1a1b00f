"""The judge of the house rules, judged: it objects to what is forbidden and to nothing else."""

from pathlib import PurePath

import pytest
from tests.test_tidy import RULES, source_of

SHIPPED = PurePath("src/ninelives")
LONG = "def f():\n" + "    x = 1\n" * 60
DEEP = "def f():\n for a in b:\n  if a:\n   while a:\n    if a:\n     a()\n"
NOT_DEEP = "def f():\n if 1:\n  a()\n elif 2:\n  a()\n elif 3:\n  a()\n elif 4:\n  a()\n"


def complaints(path: str, text: str) -> list[str]:
    source = source_of(SHIPPED / path, f'"""A module."""\n{text}\n')
    return [complaint for rule in RULES for complaint in rule(source)]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("core/host.py", "import time"),
        ("core/host.py", "from random import Random"),
        ("core/host.py", "from ninelives.engine import node"),
        ("core/host.py", "from ninelives import engine"),
        ("core/host.py", "from ..engine.node import Node"),
        ("core/host.py", "print('hello')"),
        ("core/host.py", "async def step(): ..."),
        ("core/host.py", "@dataclass(slots=True)\nclass Host: ..."),
        ("core/host.py", "class Host(Thing): ..."),
        ("engine/node.py", "from ninelives.sim.world import World"),
        ("engine/node.py", "from typing import Any"),
        ("engine/node.py", "from ninelives.core import actions as do"),
        ("adapters/nova.py", "from ninelives.adapters.redfish import off"),
        ("adapters/nova.py", "from . import redfish"),
        ("agent/heartbeat.py", "from ninelives.engine import ports"),
        ("sim/world.py", "from ninelives.adapters import nova"),
        ("sim/world.py", "Proof()"),
        ("sim/world.py", "from ninelives.core.model import Proof as Paper"),
        ("adapters/redfish.py", "model.Proof()"),
        ("lab/host.py", "from ninelives.app import cli"),
        ("web/page.py", "x = 1"),
        ("engine/loop.py", "try:\n    x()\nexcept Exception:\n    raise"),
        ("engine/loop.py", "try:\n    x()\nexcept (OSError, BaseException):\n    raise"),
        ("engine/loop.py", "try:\n    x()\nexcept:\n    raise"),
        ("engine/perform.py", "try:\n    x()\nexcept OSError:\n    pass"),
        ("engine/loop.py", "asyncio.create_task(x())"),
        ("app/views.py", "class HostManager: ..."),
        ("app/views.py", "x = 1\n" * 400),
        ("app/views.py", LONG),
        ("app/views.py", DEEP),
        ("app/views.py", "# TO" + "DO: later"),
    ],
)
def test_the_judge_objects(path: str, text: str) -> None:
    assert len(complaints(path, text)) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("core/host.py", "from . import actions as do\nfrom ninelives.core.model import Proof"),
        ("core/host.py", "import math\nfrom collections.abc import Mapping"),
        ("core/host.py", "@dataclass(frozen=True, slots=True)\nclass Host: ..."),
        ("core/proofs.py", "Proof()"),
        ("engine/codec.py", "from typing import Any\nProof()"),
        ("engine/perform.py", "try:\n    x()\nexcept Exception:\n    raise"),
        ("engine/loop.py", "async def f(tasks):\n    tasks.create_task(x())"),
        ("engine/ports.py", "class Store(Protocol): ...\nclass Lost(StoreError): ..."),
        ("engine/codec.py", "class Form(typing.Generic[Value]): ..."),
        ("adapters/sql.py", "from . import sql_schema, process\nfrom sqlalchemy import text"),
        ("app/cli.py", "from ninelives.sim.world import World\nimport time"),
        ("app/cli.py", NOT_DEEP),
    ],
)
def test_the_judge_lets_pass(path: str, text: str) -> None:
    assert complaints(path, text) == []


def test_the_judge_wants_a_first_sentence() -> None:
    source = source_of(SHIPPED / "app" / "cli.py", "x = 1\n")

    assert [complaint for rule in RULES for complaint in rule(source)]
