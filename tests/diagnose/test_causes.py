"""Each cause rule on arrays that carry its bug, and on a near neighbour that must not be given the same name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradproof.values import Entry, Example, FloatArray, Outcome, Role, TensorResult, Verdict
from outcomes import (
    BOUND,
    SHAPES,
    Gradient,
    Shapes,
    example,
    last_row_and_corner,
    named,
    one_entry_wrong,
    one_of_the_last_row,
    only_last_row,
    search,
    tensor,
    with_a_kink,
)

RULES: dict[str, tuple[Gradient, str, str | None]] = {
    # id: (the analytic gradient, its code, what "everywhere" must contain)
    "divided by n": (lambda g, dims: g / dims["n"], "GP102", "= 1/n   (61 of 61 entries in 7 examples)"),
    "times n": (lambda g, dims: g * dims["n"], "GP102", "= n   "),
    "divided by h": (lambda g, dims: g / dims["h"], "GP102", "= 1/h   "),
    "divided by n h": (lambda g, dims: g / dims["n"] / dims["h"], "GP102", "= 1/(n*h)   "),
    "divided by root h": (lambda g, dims: g / np.sqrt(dims["h"]), "GP102", "= 1/sqrt(h)   "),
    "times minus root n": (lambda g, dims: -g * np.sqrt(dims["n"]), "GP102", "= -sqrt(n)   "),
    "divided by n squared": (lambda g, dims: g / dims["n"] ** 2, "GP102", "one number within each example"),
    "negative mean": (lambda g, dims: -g / dims["n"], "GP102", "= -1/n   "),
    "constant third": (lambda g, dims: g / 3, "GP102", "= 0.3333 = 1/3   "),
    "twice": (lambda g, dims: 2 * g, "GP102", "yours / numeric = 2   "),
    "half": (lambda g, dims: g / 2, "GP102", "= 0.5 = 1/2   "),
    "a constant of no name": (lambda g, dims: 0.8123 * g, "GP102", "yours / numeric = 0.8123   "),
    "a scalar of the values": (lambda g, dims: g * np.abs(g).max(), "GP102", "one number within each example"),
    "half but for one entry": (lambda g, dims: one_entry_wrong(g, dims, 0.5), "GP101", None),
    "a factor per column": (lambda g, dims: g * (2.0 + np.arange(g.shape[1])), "GP101", None),
    "negated": (lambda g, dims: -g, "GP103", "yours / numeric = -1   "),
    "negated but for one entry": (lambda g, dims: one_entry_wrong(g, dims, -1.0), "GP101", None),
    "absolute": (lambda g, dims: np.abs(g), "GP103", "yours = |numeric|"),
    "zero": (lambda g, dims: np.zeros_like(g), "GP104", "yours = 0"),
    "zero but for one entry": (lambda g, dims: one_entry_wrong(g, dims, 0.0), "GP101", None),
    "columns rolled": (lambda g, dims: np.roll(g, 1, axis=1), "GP109", "yours, sorted = numeric, sorted"),
    "columns rolled but for one": (lambda g, dims: one_entry_wrong(np.roll(g, 1, axis=1), dims, 1.0), "GP101", None),
    "last row": (only_last_row, "GP107", None),
    "last row and a corner": (last_row_and_corner, "GP101", None),
    "one of the last row": (one_of_the_last_row, "GP101", None),
    "first entry": (lambda g, dims: one_entry_wrong(g, dims, 1.0), "GP107", None),
    "a millionth more": (lambda g, dims: g * (1 + 1e-6), "GP108", "differs by 1e-06 of the gradient"),
    "half, give or take three bounds": (lambda g, dims: g / 2 + 3 * BOUND, "GP102", "= 0.5 = 1/2"),
    "half, give or take ten bounds": (lambda g, dims: g / 2 + 10 * BOUND, "GP101", None),
    "off by 2e-7 of each": (lambda g, dims: g * (1 + 2e-7 * np.cos(g)), "GP108", "differs by 2e-07 of the gradient"),
    "off by 2e-2 of each": (lambda g, dims: g * (1 + 2e-2 * np.cos(g)), "GP101", None),
    "unrelated": (lambda g, dims: np.exp(g), "GP101", None),
}


@pytest.mark.parametrize(("backward", "code", "text"), RULES.values(), ids=RULES.keys())
def test_a_rule_names_its_bug_and_not_its_neighbour(backward: Gradient, code: str, text: str | None) -> None:
    found, lines = named(search(backward))
    assert found == code
    assert text is None or text in lines["everywhere"]


def test_an_unexplained_gradient_claims_no_cause() -> None:
    code, lines = named(search(lambda g, dims: np.exp(g)))
    assert code == "GP101"
    assert "likely cause" not in lines
    assert "what to do" not in lines


def test_another_dim_is_not_called_the_batch() -> None:
    _, lines = named(search(lambda g, dims: g / dims["h"]))
    assert lines["likely cause"].startswith("dW is divided by h:")


def test_a_third_at_one_size_only_is_not_pinned_on_the_dim() -> None:
    code, lines = named(search(lambda g, dims: g / 3, [(3, 2, 4), (3, 4, 5)]))
    assert code == "GP102"
    assert "= 0.3333 = 1/3 or 1/n " in lines["everywhere"]
    assert "cannot tell" in lines["likely cause"]


def test_two_entries_are_too_few_to_name_a_factor() -> None:
    assert named(search(lambda g, dims: g / 2, [(2, 1, 2)]))[0] == "GP101"
    assert named(search(lambda g, dims: g / 2, [(2, 1, 3)]))[0] == "GP102"


def test_a_passing_example_refutes_that_a_constant_factor_is_everywhere() -> None:
    code, lines = named(search(lambda g, dims: g * (2 if dims["n"] > 2 else 1)))
    assert (code, lines["likely cause"]) == ("GP102", "where it is wrong, dW is 2 times the true gradient")
    assert lines["law"] == "fails whenever n >= 3, passes up to n = 2"


def test_entries_that_are_truly_zero_do_not_support_a_factor() -> None:
    def masked(scale: float) -> list[Outcome]:
        true = np.array([[1.0, 0.0, 1e-11], [1e-11, 2.0, 0.0]])  # 1e-11: ten times the bound
        return [Outcome(example(2, 2, 3), (tensor("W", scale * true, true),))]

    assert named(masked(0.5))[0] == "GP101"


def test_an_empty_batch_refutes_nothing() -> None:
    outcomes = search(lambda g, dims: g / dims["n"])
    empty = np.zeros((2, 3))
    outcomes.append(Outcome(example(0, 2, 3), (tensor("W", empty, empty),)))
    assert "= 1/n " in named(outcomes)[1]["everywhere"]


def test_a_product_of_dims_yields_to_a_single_dim() -> None:
    _, lines = named(search(lambda g, dims: g * dims["d"], [(1, 2, 3), (1, 3, 2), (1, 4, 4)]))
    assert "= d   " in lines["everywhere"]


def test_the_leading_dim_of_a_vector_is_no_batch() -> None:
    true = np.random.default_rng(5).standard_normal((3, 4))
    outcomes: list[Outcome] = []
    for n in (2, 3, 5):
        vector = Example(dims={"n": n, "d": 3, "h": 4}, init={}, inputs={"x": np.zeros(n)}, seed=0)
        outcomes.append(Outcome(vector, (tensor("W", true / n, true),)))
    assert named(outcomes)[1]["likely cause"].startswith("dW is divided by n:")


def test_a_never_written_input_is_said_to_be_returned_as_zeros() -> None:
    parameter = named(search(lambda g, dims: g * 0))[1]
    entry = named(search(lambda g, dims: g * 0, role=Role.INPUT))[1]
    assert "never writes dW" in parameter["likely cause"]
    assert "returns nothing but zeros for dW" in entry["likely cause"]


@pytest.mark.parametrize(
    ("gradient", "shapes", "code"),
    [
        pytest.param(lambda g: g.T, [(1, 3, 3), (2, 4, 4)], "GP105", id="square"),
        pytest.param(lambda g: g.T.reshape(g.shape), [(1, 3, 2), (2, 4, 3)], "GP105", id="poured back"),
        pytest.param(lambda g: g.T if g.shape[0] == g.shape[1] else g, SHAPES, "GP105", id="only where square"),
        pytest.param(lambda g: g[::-1], [(1, 3, 3), (2, 4, 4)], "GP109", id="rows reversed"),
        pytest.param(lambda g: g.T * 1.5, [(1, 3, 3), (2, 4, 4)], "GP101", id="transposed and scaled"),
    ],
)
def test_a_transposed_gradient_is_told_from_other_orders(
    gradient: Callable[[FloatArray], FloatArray], shapes: Shapes, code: str
) -> None:
    assert named(search(lambda g, dims: gradient(g), shapes))[0] == code


@pytest.mark.parametrize(("scale", "code"), [(1.0, "GP106"), (1.01, "GP101")], ids=["swapped", "swapped and scaled"])
def test_swapped_gradients_are_named_with_the_other_tensor(scale: float, code: str) -> None:
    rng = np.random.default_rng(3)
    outcomes: list[Outcome] = []
    for n, d in [(1, 2), (3, 2), (2, 4)]:
        da, db = rng.standard_normal((2, n, d))
        outcomes.append(Outcome(example(n, d, 1), (tensor("a", scale * db, da), tensor("b", scale * da, db))))
    found, lines = named(outcomes, "a")
    assert found == code
    assert lines.get("likely cause") == ("backward gives a the gradient that belongs to b" if scale == 1.0 else None)


def test_an_entry_at_a_kink_hides_no_transposition_and_no_swap() -> None:
    outcomes = [with_a_kink(o, "W") for o in search(lambda g, dims: g.T.copy(), [(1, 3, 3), (2, 4, 4)])]
    assert named(outcomes)[0] == "GP105"
    da, db = np.random.default_rng(3).standard_normal((2, 2, 3))
    swapped = Outcome(example(2, 3, 1), (tensor("a", db.copy(), da), tensor("b", da.copy(), db)))
    assert named([with_a_kink(swapped, "b")], "a")[0] == "GP106"


def test_a_trip_through_float32_is_told_from_a_mistyped_constant() -> None:
    single = named(search(lambda g, dims: g.astype(np.float32).astype(np.float64)))
    typo = named(search(lambda g, dims: g * (1 + 3e-8 * np.cos(g))))
    assert single[0] == typo[0] == "GP108"
    coarse = named(search(lambda g, dims: (g * (1 + 1e-4 * np.cos(g))).astype(np.float32).astype(np.float64)))
    assert coarse[0] == "GP108"
    assert "float32" in single[1]["likely cause"]
    assert "float32" not in coarse[1]["likely cause"]
    assert "constant" in typo[1]["likely cause"]


def test_located_entries_of_a_large_tensor_support_a_factor_but_no_region() -> None:
    entries = tuple(Entry((i, 2), 0.5 * (i + 1.3), i + 1.3, 1e-9) for i in range(4))
    result = TensorResult("W", Role.PARAMETER, (400, 400), Verdict.FAIL, "located", 160000, 4, 90, wrong=entries)
    code, lines = named([Outcome(example(2, 400, 400), (result,))])
    assert code == "GP102"
    assert "(4 of 4 entries)" in lines["everywhere"]


def test_a_factor_of_the_failing_examples_alone_is_said_to_hold_there() -> None:
    code, lines = named(search(lambda g, dims: 3 * g if dims["d"] == 3 else g))
    assert (code, lines["likely cause"]) == ("GP102", "where it is wrong, dW is 3 or d times the true gradient")


def test_zeros_in_the_failing_examples_alone_are_said_to_be_there() -> None:
    code, lines = named(search(lambda g, dims: 0 * g if dims["n"] == 2 else g))
    assert code == "GP104"
    assert lines["likely cause"].startswith("where it is wrong, dW is zero")


def test_no_factor_is_named_where_failing_examples_have_different_ones() -> None:
    assert named(search(lambda g, dims: (1.1 + g**2) * g if dims["n"] == 2 else g))[0] == "GP101"
