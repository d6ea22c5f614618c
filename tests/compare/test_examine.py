"""Whole tensors: what is judged entry by entry, in stacks and along directions, and which verdict it adds up to."""

from __future__ import annotations

import numpy as np
import pytest

from elementwise import (
    INTEGERS,
    but,
    elementwise,
    node,
    normal,
    problem,
    relu,
    report_of,
    sigmoid,
    sigmoid_slope,
    step,
    tanh_slope,
)
from gradproof import Verdict
from gradproof.compare.examine import examine
from gradproof.values import Reason

LARGE = normal(20_000)


def examined(posed):
    return examine(posed, np.random.default_rng(0))


def one(function, slope, x):
    """The result of the only tensor of an elementwise problem."""
    (result,) = examined(elementwise(function, slope, x, np.random.default_rng(1).standard_normal(np.shape(x))))
    return result


def ones(x):
    return np.ones_like(x)


def zeros(x):
    return np.zeros_like(x)


@pytest.mark.parametrize("scale", [1e-150, 1e-8, 1e-4, 1.0, 1e4, 1e8])
def test_a_right_gradient_passes_at_every_scale_of_the_input(scale):
    result = one(lambda x: x**2, lambda x: 2 * x, scale * normal(4, 3))
    assert (result.verdict, result.judged) == (Verdict.PASS, 12)


@pytest.mark.parametrize("scale", [1e-150, 1e-8, 1e-4, 1.0, 1e4, 1e8])
def test_a_wrong_gradient_fails_at_every_scale_of_the_input(scale):
    result = one(lambda x: x**2, lambda x: 2.002 * x, scale * normal(4, 3))
    assert (result.verdict, result.wrong_count) == (Verdict.FAIL, 12)


@pytest.mark.parametrize("slope", [1e300, 1e-300, -3.0])
def test_a_right_slope_passes_at_every_size_of_the_slope(slope):
    assert one(lambda x: slope * x, lambda x: slope * ones(x), normal(4, 3)).verdict is Verdict.PASS
    assert one(lambda x: slope * x, lambda x: 1.001 * slope * ones(x), normal(4, 3)).verdict is Verdict.FAIL


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf], ids=str)
@pytest.mark.parametrize("x", [normal(4, 3), normal(3000)], ids=["small", "large"])
def test_a_claim_that_is_not_finite_is_wrong_and_only_that_entry(x, bad):
    result = one(lambda x: x**2, but(lambda x: 2 * x, 7, bad), x)
    assert result.verdict is Verdict.FAIL
    assert [np.ravel_multi_index(entry.index, x.shape) for entry in result.wrong] == [7]
    assert not np.isfinite(result.wrong[0].analytic)


def test_where_the_function_leaves_its_domain_nothing_is_accused():
    with np.errstate(all="ignore"):
        result = one(np.sqrt, lambda x: 0.5 / np.sqrt(x), np.array([0.0, 1.0, 4.0]))
    assert (result.verdict, result.unjudged) == (Verdict.PASS, {Reason.NON_FINITE: 1})


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0)], ids=str)
def test_an_empty_tensor_is_not_examined(shape):
    result = one(lambda x: x**2, lambda x: 2 * x, np.zeros(shape))
    assert (result.verdict, result.entries, result.judged) == (Verdict.INCONCLUSIVE, 0, 0)


def test_a_tensor_without_axes_is_examined():
    assert one(lambda x: x**2, lambda x: 2 * x, np.array(2.0)).verdict is Verdict.PASS
    wrong = one(lambda x: x**2, lambda x: 2.2 * x, np.array(2.0))
    assert (wrong.verdict, wrong.wrong[0].index) == (Verdict.FAIL, ())


CONSTANT = [pytest.param(normal(4, 3), id="small"), pytest.param(normal(3000), id="large")]


@pytest.mark.parametrize("x", CONSTANT)
def test_a_constant_has_no_slope_but_zero(x):
    assert one(ones, zeros, x).verdict is Verdict.PASS
    assert one(ones, lambda x: 1e-3 * ones(x), x).verdict is Verdict.FAIL


@pytest.mark.parametrize("x", CONSTANT)
def test_a_dead_zone_has_no_slope_but_zero(x):
    dead = -1.0 - np.abs(x)
    assert one(relu, step, dead).verdict is Verdict.PASS
    assert one(relu, ones, dead).verdict is Verdict.FAIL


def test_ties_are_counted_and_left_for_another_look():
    result = one(relu, step, INTEGERS)
    assert result.verdict is Verdict.PASS
    assert (result.judged, result.unjudged) == (6, {Reason.KINK: 3})
    assert result.ties == (2, 3, 7)
    assert result.strays == ()


def test_a_claim_outside_of_the_one_sided_slopes_is_a_stray():
    result = one(np.abs, lambda x: np.where(x == 0, 3.0, np.sign(x)), INTEGERS)
    assert result.strays == (2, 3, 7)
    assert result.judged == 6


def rounded(x):
    return np.round(np.tanh(x), 4)


STEPPED = {
    "rounded to four decimals": (rounded, tanh_slope),
    "float16 inside": (lambda x: np.tanh(x.astype(np.float16)).astype(x.dtype), tanh_slope),
    "float16 outside": (lambda x: np.tanh(x).astype(np.float16).astype(x.dtype), tanh_slope),
    "rounded, straight through": (np.round, ones),
    "floor, straight through": (np.floor, ones),
    "sign, straight through": (np.sign, ones),
}


@pytest.mark.parametrize("x", [normal(4, 3), normal(2, 5, seed=8), INTEGERS, LARGE[:3000]], ids=lambda x: str(x.shape))
@pytest.mark.parametrize(("function", "slope"), STEPPED.values(), ids=STEPPED)
def test_a_function_in_steps_cannot_be_judged(function, slope, x):
    report = report_of(node(function, slope), x)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert [finding for finding in report.findings if finding.severity == "error"] == []
    assert report.reason is not None
    assert Reason.QUANTISED in report.reason or Reason.JUMP in report.reason


@pytest.mark.parametrize("factor", [1.01, 1.5, -1.0])
@pytest.mark.parametrize("x", [normal(4, 3), INTEGERS, LARGE[:3000]], ids=lambda x: str(x.shape))
def test_a_wrong_gradient_does_not_pass_behind_rounded_outputs(x, factor):
    assert one(rounded, lambda x: factor * tanh_slope(x), x).verdict is not Verdict.PASS
    assert one(lambda x: np.round(x * x, 4), lambda x: factor * 2 * x, x).verdict is not Verdict.PASS


@pytest.mark.parametrize("function", [np.floor, np.sign, step], ids=["floor", "sign", "step"])
def test_between_its_jumps_a_step_function_has_the_slope_zero(function):
    assert one(function, zeros, 0.5 + INTEGERS).verdict is Verdict.PASS


def narrow_tanh(x):
    return np.tanh(x.astype(np.float32)).astype(np.float64)


@pytest.mark.parametrize("seed", range(5))
def test_a_cast_to_float32_inside_is_never_held_against_the_gradient(seed):
    assert one(narrow_tanh, tanh_slope, normal(4, 3, seed=seed)).verdict is not Verdict.FAIL
    assert one(narrow_tanh, tanh_slope, normal(3000, seed=seed)).verdict is not Verdict.FAIL


@pytest.mark.parametrize("x", [normal(4, 3), normal(3000)], ids=["small", "large"])
def test_an_error_of_one_percent_shows_through_a_cast_to_float32(x):
    assert one(narrow_tanh, lambda x: 1.01 * tanh_slope(x), x).verdict is Verdict.FAIL


@pytest.mark.parametrize(("error", "entry"), [(2.0, 12_345), (1.001, 0), (1.5, 19_999)])
def test_one_wrong_entry_among_20_000_is_located(error, entry):
    result = one(sigmoid, but(sigmoid_slope, entry, error), LARGE)
    assert result.verdict is Verdict.FAIL
    assert [wrong.index for wrong in result.wrong] == [(entry,)]
    wrong = result.wrong[0]
    dout = np.random.default_rng(1).standard_normal(LARGE.shape)[entry]
    assert abs(wrong.numeric - dout * sigmoid_slope(LARGE[entry])) <= wrong.bound
    assert result.forwards <= 40 + 25  # a failing direction, and the search


def test_a_right_large_tensor_costs_at_most_eight_forwards_a_direction():
    result = one(sigmoid, sigmoid_slope, LARGE)
    assert (result.verdict, result.judged) == (Verdict.PASS, 20_000)
    assert result.forwards <= 8 * result.directions


def test_two_wrong_entries_that_cancel_in_the_sum_are_both_found():
    def slope(x):
        return but(but(sigmoid_slope, 5, 1.5), 6, 0.5)(x)

    result = one(sigmoid, slope, np.concatenate([LARGE[:5], [0.3, 0.3], LARGE[7:3000]]))
    assert {wrong.index for wrong in result.wrong} == {(5,), (6,)}


def affine(x, w):
    return x @ w


def affine_gradients(dout, x, w):
    return dout @ w.T, x.T @ dout


def test_every_tensor_has_a_verdict_of_its_own():
    x, w, dout = normal(3, 4), normal(4, 2, seed=5), normal(3, 2, seed=6)
    right = examined(problem(affine, affine_gradients, x, w, dout=dout))
    assert [result.verdict for result in right] == [Verdict.PASS, Verdict.PASS]

    def half(dout, x, w):
        return dout @ w.T, x.T @ dout / 2

    wrong = examined(problem(affine, half, x, w, dout=dout))
    assert [result.verdict for result in wrong] == [Verdict.PASS, Verdict.FAIL]
    assert wrong[1].numeric == pytest.approx(x.T @ dout, rel=1e-9)


def test_only_the_entries_asked_for_are_looked_at():
    posed = elementwise(sigmoid, sigmoid_slope, normal(3, 4))
    (result,) = examine(posed, np.random.default_rng(0), {0: np.array([1, 5])})
    assert (result.entries, result.judged) == (2, 2)
    assert np.flatnonzero(np.isfinite(result.numeric)).tolist() == [1, 5]


BIG = normal(3000)


def root(x):
    return np.sqrt(np.abs(x))


def root_slope(x):
    with np.errstate(divide="ignore", invalid="ignore"):
        return 0.5 * np.sign(x) / np.sqrt(np.abs(x))


def test_a_claim_that_is_not_finite_is_accused_in_a_large_tensor_where_the_slope_is_defined():
    result = one(np.tanh, lambda x: np.where(np.arange(x.size) == 1234, np.nan, tanh_slope(x)), BIG)
    assert (result.verdict, [entry.index for entry in result.wrong]) == (Verdict.FAIL, [(1234,)])


def test_a_claim_that_is_not_finite_is_left_open_in_a_large_tensor_where_there_is_no_slope():
    at_the_cusp = np.where(np.arange(BIG.size) == 1234, 0.0, BIG)
    result = one(root, root_slope, at_the_cusp)
    assert (result.verdict, result.judged, result.wrong) == (Verdict.INCONCLUSIVE, 0, ())
    assert result.unjudged == {Reason.NON_FINITE: BIG.size}
