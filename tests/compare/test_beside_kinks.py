"""Beside a tie: what a kink hides is looked at again where the function is smooth."""

from __future__ import annotations

import numpy as np
import pytest

from elementwise import INTEGERS, elementwise, node, normal, relu, report_of, step
from gradproof import Verdict
from gradproof.compare.beside_kinks import beside, judge_beside
from gradproof.compare.examine import examine
from gradproof.differentiate.problem_builder import NoProblem
from gradproof.values import Reason

SEEDS = range(10)


def looked_at(function, slope, x, seed=0):
    """Examine an elementwise problem, and once more beside its ties."""
    rng = np.random.default_rng(seed)
    dout = rng.standard_normal(x.shape)
    posed = elementwise(function, slope, x, dout)

    def again(values, same_dout):
        return elementwise(function, slope, values["x0"], same_dout.reshape(x.shape))

    (result,) = judge_beside(posed, examine(posed, rng), again, rng)
    return result


VALID = {
    "relu, 0 at its tie": (relu, step),
    "relu, 1 at its tie": (relu, lambda x: np.where(x >= 0, 1.0, 0.0)),
    "relu, 1/2 at its tie": (relu, lambda x: (np.sign(x) + 1) / 2),
    "abs": (np.abs, np.sign),
    "max with 1": (lambda x: np.maximum(x, 1.0), lambda x: np.where(x > 1, 1.0, 0.0)),
    "clip": (lambda x: np.clip(x, -1, 2), lambda x: np.where((x > -1) & (x <= 2), 1.0, 0.0)),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("function", "slope"), VALID.values(), ids=VALID)
def test_a_valid_subgradient_is_accepted_and_looked_at_beside_the_tie(function, slope, seed):
    result = looked_at(function, slope, INTEGERS, seed)
    assert (result.verdict, result.judged, result.unjudged) == (Verdict.PASS, 9, {})
    assert result.kinks > 0
    assert result.ties == ()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("x", [np.zeros((3, 2)), np.zeros(300)], ids=["small", "large"])
def test_a_wrong_factor_cannot_hide_where_every_entry_is_a_tie(x, seed):
    assert looked_at(relu, step, x, seed).verdict is Verdict.PASS
    assert looked_at(relu, lambda x: 1.5 * step(x), x, seed).verdict is Verdict.FAIL


def test_a_wrong_factor_that_a_tie_hides_is_found_beside_it():
    x = np.array([0.0, -1.0, -2.0])  # the only entry with a slope is the tie
    result = looked_at(np.abs, lambda x: np.where(x < 0, -1.0, 0.9 * (x > 0)), np.abs(x))
    assert result.verdict is Verdict.FAIL


def test_a_claim_outside_of_the_one_sided_slopes_stays_open():
    result = looked_at(np.abs, lambda x: np.where(x == 0, 3.0, np.sign(x)), INTEGERS)
    assert (result.judged, result.unjudged, result.kinks) == (6, {Reason.KINK: 3}, 0)


def test_without_ties_there_is_no_second_look():
    x = normal(3, 2)
    posed = elementwise(np.tanh, lambda x: 1 - np.tanh(x) ** 2, x)
    results = examine(posed, np.random.default_rng(0))
    assert (
        judge_beside(posed, results, lambda values, dout: pytest.fail("looked again"), np.random.default_rng(0))
        == results
    )


def test_where_the_problem_cannot_be_posed_beside_the_tie_the_entries_stay_open():
    posed = elementwise(relu, step, INTEGERS)
    results = examine(posed, np.random.default_rng(0))
    assert judge_beside(posed, results, lambda values, dout: NoProblem(), np.random.default_rng(0)) == results


@pytest.mark.parametrize(
    "x", [INTEGERS, np.zeros(4), np.array([1e-8, -1e8])], ids=["integers", "zeros", "mixed scales"]
)
def test_every_entry_moves_a_little(x):
    moved = beside(x, np.random.default_rng(0)) - x
    size = np.where(x == 0, np.sqrt(np.mean(x**2)) or 1.0, np.abs(x))
    assert (np.abs(moved) >= 0.049 * size).all()
    assert (np.abs(moved) <= 0.301 * size).all()


class MaxOfRow:
    """The maximum of each row; at a tie the first one has the slope."""

    def forward(self, x):
        self.x = x
        return x.max(1)

    def backward(self, dout):
        dx = np.zeros_like(self.x)
        dx[np.arange(len(dx)), self.x.argmax(1)] = dout
        return dx


def test_ties_between_entries_are_accepted_one_by_one():
    x = np.array([[1.0, 1.0, 0.0], [2.0, 0.0, 2.0], [0.0, 0.0, 0.0]])
    report = report_of(MaxOfRow(), x)
    assert report.verdict is Verdict.PASS
    assert report.tensors[0].kinks > 0


def test_near_a_tie_the_branch_counts():
    x = np.array([1e-6, -1e-6, 1.0, -1.0])
    assert report_of(node(relu, step), x).verdict is Verdict.PASS
    report = report_of(node(relu, lambda x: np.where(np.abs(x) < 1e-3, 0.5, step(x))), x)
    assert report.verdict is Verdict.FAIL
    assert report.findings[0].index in {(0,), (1,)}
