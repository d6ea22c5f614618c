"""Regions of wrong entries: named by row, column, slice or range of values, and only where nothing contradicts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradproof.values import Entry, FloatArray, Outcome, Role, TensorResult, Verdict
from outcomes import BOUND, example, named, only_last_row, search, tensor, with_a_kink


def test_the_last_row_is_told_from_row_two_by_other_shapes() -> None:
    code, lines = named(search(only_last_row))
    assert code == "GP107"
    assert lines["where"].startswith("only the last row is wrong: ")
    assert lines["likely cause"] == "backward goes wrong for the last row, and is right elsewhere"


def test_one_example_gives_a_place_and_no_cause() -> None:
    code, lines = named(search(only_last_row, [(2, 3, 4)]))
    assert code == "GP107"
    assert lines["where"] == "only row 2 of 3 (counted from 0) is wrong: 4 of 12 entries are wrong"
    assert "likely cause" not in lines


def test_an_entry_at_a_kink_hides_no_region() -> None:
    outcomes = [with_a_kink(outcome, "W") for outcome in search(only_last_row, [(1, 3, 4), (2, 4, 2)])]
    assert named(outcomes)[1]["where"].startswith("only the last row is wrong: 4 of 11 entries")


def test_a_region_of_an_image_is_named_by_its_axis() -> None:
    outcomes: list[Outcome] = []
    for n, d, h in [(2, 3, 2), (3, 2, 4)]:
        true = np.random.default_rng(n).standard_normal((n, d, h))
        wrong = true.copy()
        wrong[:, 0] += 1.0
        outcomes.append(Outcome(example(n, d, h), (tensor("x", wrong, true, Role.INPUT),)))
    assert "only the first slice along axis 1 is wrong" in named(outcomes, "x")[1]["where"]
    assert "only slice 0 of 3 along axis 1" in named(outcomes[:1], "x")[1]["where"]


def mean_of_rows(dout_reaches: Callable[[FloatArray], FloatArray], same: bool) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for n, d, h in [(2, 3, 2), (3, 2, 4)]:
        true = np.random.default_rng(n).standard_normal((n, 1 if same else d, h)) * np.ones((n, d, h))
        outcomes.append(Outcome(example(n, d, h), (tensor("x", dout_reaches(true), true, Role.INPUT),)))
    return outcomes


def first_slice(true: FloatArray) -> FloatArray:
    return np.where(np.arange(true.shape[1])[:, None] == 0, true, 0.0)


def test_what_only_the_first_slice_gets_is_not_broadcast_back() -> None:
    likely = named(mean_of_rows(first_slice, same=True), "x")[1]["likely cause"]
    assert likely.startswith("dx is not broadcast back: only the first slice along axis 1 gets it")


def test_what_is_another_gradient_in_each_slice_is_not_called_a_broadcast() -> None:
    likely = named(mean_of_rows(first_slice, same=False), "x")[1]["likely cause"]
    assert likely == "backward goes wrong for every slice along axis 1 but the first, and is right elsewhere"


@pytest.mark.parametrize(
    ("wrong_at", "text"),
    [
        pytest.param(lambda x: x < 0, "only what belongs to x < 0 is wrong", id="negative x"),
        pytest.param(lambda x: x > 0, "only what belongs to x > 0 is wrong", id="positive x"),
        pytest.param(lambda x: np.abs(x) > 1, "only what belongs to |x| >= 1.", id="large x"),
        pytest.param(lambda x: np.sin(9 * x) > 0, None, id="no range of x"),
    ],
)
def test_a_range_of_values_that_is_wrong_is_named(
    wrong_at: Callable[[FloatArray], FloatArray], text: str | None
) -> None:
    rng = np.random.default_rng(11)
    outcomes: list[Outcome] = []
    for n, d in [(2, 3), (4, 5), (3, 6)]:
        x, true = rng.standard_normal((2, n, d))
        result = tensor("x", np.where(wrong_at(x), true + 0.7, true), true, Role.INPUT)
        outcomes.append(Outcome(example(n, d, 1, x=x), (result,)))
    code, lines = named(outcomes, "x")
    assert code == ("GP101" if text is None else "GP107")
    assert lines["where"].startswith(text or "")


@pytest.mark.parametrize(("border", "claims"), [(1.5, True), (8.0, False)])
def test_a_border_far_out_beyond_which_all_is_right_is_no_cause(border: float, claims: bool) -> None:
    x = np.linspace(-2 * border, 2 * border, 24).reshape(4, 6)  # beyond it a function may be flat
    true = np.cos(3 * x)
    wrong = np.where(x < border, true + 0.7, true)
    outcomes = [
        Outcome(example(len(v), 6, 1, x=v), (tensor("x", w, t, Role.INPUT),))
        for v, w, t in ((x, wrong, true), (x[1:], wrong[1:], true[1:]))
    ]
    code, lines = named(outcomes, "x")
    assert code == "GP107"
    assert lines["where"].startswith("only what belongs to x <= ")
    assert ("likely cause" in lines) is claims


def test_located_entries_say_nothing_of_the_rest() -> None:
    values = np.linspace(-2.0, 2.0, 20).reshape(4, 5)
    true = np.cos(3 * values)
    entries = tuple(Entry((i, j), float(true[i, j] ** 2), float(true[i, j]), BOUND) for i in (0, 1) for j in range(5))
    located = TensorResult("x", Role.INPUT, (4, 5), Verdict.FAIL, "located", 20, 10, 90, wrong=entries)
    right = tensor("x", true[2:].copy(), true[2:], Role.INPUT)
    outcomes = [Outcome(example(4, 5, 1, x=values), (located,)), Outcome(example(2, 5, 1, x=values[2:]), (right,))]
    code, lines = named(outcomes, "x")
    assert code == "GP101"
    assert lines["where"] == "10 of 10 located entries are wrong"


def test_a_single_number_has_no_region() -> None:
    outcomes = [Outcome(example(n, 2, 2), (tensor("W", np.array(n + 1.3), np.array(n * 0.7)),)) for n in (1, 2, 3)]
    assert named(outcomes)[0] == "GP101"


def test_four_values_are_too_few_for_a_range() -> None:
    x, true = np.array([[-1.0, -2.0, 3.0, 4.0]]), np.array([[0.3, 0.7, -0.4, 0.9]])
    result = tensor("x", np.where(x < 0, true**2, true), true, Role.INPUT)
    assert "belongs to" not in named([Outcome(example(1, 4, 1, x=x), (result,))], "x")[1]["where"]


def two_inputs(wrong_at: Callable[[FloatArray, FloatArray], FloatArray], rounded: bool = False) -> list[Outcome]:
    """The gradient of x beside an input t of its shape, wrong where the values of the two say so."""
    rng = np.random.default_rng(5)
    outcomes: list[Outcome] = []
    for n, d in [(3, 4), (4, 6), (5, 5)]:
        x, t, true = rng.standard_normal((3, n, d))
        x = np.round(x, 1) if rounded else x
        result = tensor("x", np.where(wrong_at(x, t), true + 0.7, true), true, Role.INPUT)
        outcomes.append(Outcome(example(n, d, 1, x=x, t=t), (result,)))
    return outcomes


def test_a_border_of_the_difference_of_two_arrays_is_told_and_is_no_cause() -> None:
    code, lines = named(two_inputs(lambda x, t: np.abs(x - t) > 1), "x")
    assert code == "GP107"
    assert lines["where"].startswith("only what belongs to |x - t| >= 1.")
    assert "likely cause" not in lines


def test_ties_are_told_where_just_they_are_wrong() -> None:
    def tied(x: FloatArray, t: FloatArray) -> FloatArray:
        values, counts = np.unique(x, return_counts=True)
        return np.isin(x, values[counts > 1])

    lines = named(two_inputs(tied, rounded=True), "x")[1]
    assert lines["where"].startswith("only what belongs to ties of x, values that occur more than once, is wrong")


def test_ties_are_not_told_where_one_of_them_is_right() -> None:
    def all_but_one(x: FloatArray, t: FloatArray) -> FloatArray:
        values, counts = np.unique(x, return_counts=True)
        wrong = np.isin(x, values[counts > 1])
        wrong.flat[int(np.argmax(wrong))] = False
        return wrong

    assert "ties" not in named(two_inputs(all_but_one, rounded=True), "x")[1].get("where", "")
