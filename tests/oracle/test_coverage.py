"""The table of laws: for each one a forged history that makes it, and no other law, fire."""

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LAWS = (*(f"I{number}" for number in range(1, 26)), "L1", "L2")

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
}


def test_the_table_names_every_law_and_no_other() -> None:
    assert tuple(FORGED) == LAWS


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
    """Return the laws that a test compares with all that fired: `… == {"I7"}`.

    A replay finds nothing but I24, and is compared with its name.
    """
    found: set[str] = set()
    for node in ast.walk(test):
        match node:
            case ast.Set(elts=[ast.Constant(value=str(law))]):
                found.add(law)
            case ast.Tuple(elts=[ast.Constant(value="I24"), *_]):
                found.add("I24")
            case _:
                pass
    return found
