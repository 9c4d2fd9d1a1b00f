"""The table of laws: for each one a forged history that makes it, and no other law, fire.

The laws are those that the oracle itself names, and those that its judges yield. One that is new
there and has no history here makes this red.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ninelives.sim import oracle
from ninelives.sim.oracle import LAWS
from ninelives.sim.oracle.accounting import NEVER

HERE = Path(__file__).parent
JUDGES = Path(oracle.__file__).parent

# law → the module and the test in which a forged history breaks it alone
FORGED: Mapping[str, tuple[str, str]] = {
    "I1": ("test_writers", "test_two_that_can_write_break_i1"),
    "I2": ("test_writers", "test_a_start_without_a_proof_breaks_i2"),
    "I3": ("test_writers", "test_a_start_on_a_void_proof_breaks_i3"),
    "I4": ("test_writers", "test_a_start_while_the_old_copy_keeps_its_addresses_breaks_i4"),
    "I5": ("test_shots", "test_a_shot_without_a_class_that_fences_breaks_i5"),
    "I6": ("test_shots", "test_a_shot_at_a_host_that_lives_breaks_i6"),
    "I7": ("test_shots", "test_a_second_host_shot_within_the_window_breaks_i7"),
    "I8": ("test_shots", "test_a_shot_while_a_canary_is_bad_breaks_i8"),
    "I9": ("test_actors", "test_a_shot_right_after_a_gap_breaks_i9"),
    "I10": ("test_actors", "test_an_effect_of_an_older_term_breaks_i10"),
    "I11": ("test_actors", "test_an_effect_without_an_intent_breaks_i11"),
    "I12": ("test_shots", "test_switching_on_a_host_that_is_not_empty_breaks_i12"),
    "I13": ("test_actors", "test_an_epoch_for_two_episodes_breaks_i13"),
    "I14": ("test_moves", "test_a_server_in_no_plan_breaks_i14"),
    "I15": ("test_moves", "test_a_move_after_its_user_took_it_away_breaks_i15"),
    "I16": ("test_one_move", "test_a_second_move_before_the_end_of_the_first_is_seen_breaks_i16"),
    "I17": ("test_moves", "test_a_lower_tier_before_a_higher_breaks_i17"),
    "I18": ("test_moves", "test_a_target_that_nobody_allowed_breaks_i18"),
    "I19": ("test_moves", "test_one_move_above_a_limit_breaks_i19"),
    "I20": ("test_returns", "test_a_guest_behind_the_gate_breaks_i20"),
    "I21": ("test_returns", "test_letting_a_host_in_before_its_return_breaks_i21"),
    "I22": ("test_returns", "test_a_lease_called_expired_too_early_breaks_i22"),
    "I23": ("test_shots", "test_any_effect_while_disarmed_or_observing_breaks_i23"),
    "I24": ("test_liveness", "test_a_journal_that_gives_another_decision_breaks_i24"),
    "I25": ("test_liveness", "test_an_outage_that_everybody_forgets_breaks_i25"),
    "L1": ("test_liveness", "test_a_hold_of_which_nobody_is_told_breaks_l1"),
    "L2": ("test_liveness", "test_a_host_that_flaps_unnoticed_breaks_l2"),
    "L3": (
        "test_reserves",
        "test_lending_one_although_another_host_could_take_the_server_breaks_l3",
    ),
    NEVER: ("test_pairs", "test_an_event_that_cannot_meet_a_state_breaks_a_law"),
}
# Laws that SAFETY words so that another one must fire with them, and which. There is none.
TOGETHER: Mapping[str, tuple[str, str]] = {}


def test_the_table_names_every_law_and_no_other() -> None:
    assert {*FORGED, *TOGETHER} == {*LAWS, NEVER}
    assert not FORGED.keys() & TOGETHER.keys()


def test_the_judges_yield_the_laws_that_are_named_and_no_other() -> None:
    yielded = {law for path in JUDGES.glob("*.py") for law in laws_of(path)}

    assert yielded == {*LAWS}


def laws_of(path: Path) -> Iterator[str]:
    """Yield every string of a judge, by itself, that looks like a law: "I7", "L1"."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="Violation" | "Duty"), args=args):
                constants = [arg for arg in args if isinstance(arg, ast.Constant)]
            case ast.IfExp(body=ast.Constant() as one, orelse=ast.Constant() as other):
                constants = [one, other]
            case _:
                continue
        said = (each.value for each in constants if isinstance(each.value, str))
        yield from (law for law in said if law[:1] in ("I", "L") and law[1:].isdigit())


@pytest.mark.parametrize("law", FORGED)
def test_the_named_history_is_there_and_breaks_this_law_alone(law: str) -> None:
    module, name = FORGED[law]
    tests = {
        node.name: node
        for node in ast.parse((HERE / f"{module}.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }

    assert name in tests
    assert law in alone_in(tests[name])


def alone_in(test: ast.FunctionDef) -> set[str]:
    """Return the laws that a test claims to be all that fired: `assert … == {"I7"}`.

    A replay finds nothing but I24, and is compared with its name.
    """
    found: set[str] = set()
    for node in ast.walk(test):
        match node:
            case ast.Assert(test=ast.Compare(ops=[ast.Eq()], comparators=[ast.Set(elts=[law])])):
                found.add(spelled(law))
            case ast.Assert(test=ast.Compare(comparators=[ast.Tuple(elts=[law, *_])])):
                found.add(spelled(law))
            case _:
                pass
    return found


def spelled(law: ast.expr) -> str:
    """Return the law that an expression of a test names."""
    match law:
        case ast.Constant(value=str(name)):
            return name
        case ast.Name(id="NEVER"):
            return NEVER
        case _:
            return ""
