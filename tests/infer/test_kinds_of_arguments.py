"""What an argument is by what is done with it: values of a loss are no labels, a guard against zero is a number."""

from __future__ import annotations

import numpy as np
import pytest

from gradproof.case.specs import Labels, Literal
from gradproof.infer.infer import infer
from gradproof.trace.arrays import watched
from gradproof.trace.changes import Unfit, array, labels
from gradproof.trace.run import begin, end
from tracing import NUMPY, run_of


def seen_of(use):
    """What a run notes where ``use`` is handed scores and labels."""
    run = run_of(s=array(2), y=labels(1))
    begin(run)
    try:
        scores = watched(np.full((5, 7), 0.5), "s", holds_labels=False)
        use(scores, watched(np.zeros(5, int), "y", holds_labels=True))
    except Unfit:  # the labels of the run have a bound of their own, which an index binds
        pass
    finally:
        end()
    return run.evidence.in_arithmetic, run.evidence.picking


@pytest.mark.parametrize(
    ("use", "in_arithmetic", "picking"),
    [
        pytest.param(lambda s, y: s - y[:, None], {"y"}, set(), id="a difference"),
        pytest.param(lambda s, y: s[NUMPY.arange(5), y], set(), {"y"}, id="an index"),
        pytest.param(lambda s, y: y[:, None] == NUMPY.arange(7), set(), {"y"}, id="a comparison"),
        pytest.param(lambda s, y: NUMPY.eye(7)[y + 0], set(), {"y"}, id="with an offset"),
    ],
)
def test_labels_that_are_calculated_with_are_told_from_those_that_pick(use, in_arithmetic, picking):
    assert seen_of(use) == (in_arithmetic, picking)


def mse_loss(yhat, y):
    return np.mean((yhat - y) ** 2), 2 * (yhat - y) / y.size


def hinge_loss(s, y):
    rows = np.arange(len(y))
    d = (s - s[rows, y][:, None] + 1 > 0).astype(float)
    d[rows, y] = 0
    loss = (d * (s - s[rows, y][:, None] + 1)).sum()
    d[rows, y] = -d.sum(axis=1)
    return loss, d


def test_values_that_a_loss_calculates_with_are_never_labels():
    found = infer(mse_loss)
    assert found.case is not None
    assert not any(isinstance(spec, Labels) for case in (found.case, *found.others) for spec in case.inputs.values())
    picked = infer(hinge_loss).case
    assert picked is not None
    assert isinstance(picked.inputs["y"], Labels)


def norm_forward(x, gamma, var_epsilon):
    scale = np.sqrt((x**2).mean(axis=1, keepdims=True) + var_epsilon)
    return gamma * x / scale, (x, gamma, scale)


def norm_backward(dout, cache):
    x, gamma, scale = cache
    d = dout * gamma
    return d / scale - x * (d * x).mean(axis=1, keepdims=True) / scale**3, (dout * x / scale).sum(axis=0)


def norm_backward_without_axis(dout, cache):
    x, gamma, scale = cache
    return dout * gamma / scale, (dout * x / scale).sum()


@pytest.mark.parametrize("backward", [norm_backward, norm_backward_without_axis])
def test_what_guards_against_zero_is_a_number(backward):
    found = infer((norm_forward, backward))
    assert found.case is not None
    assert isinstance(found.case.inputs["var_epsilon"], Literal)
