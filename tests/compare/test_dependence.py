"""What a failing subject is asked: whether it is elementwise, and which gradients follow dout."""

from __future__ import annotations

import numpy as np
import pytest

from elementwise import normal, problem
from gradproof.compare.dependence import MOST, dependence

RNG = np.random.default_rng


def asked(forward, backward, *values, takes_dout=True):
    def again(given, dout):
        return problem(forward, backward, *given.values(), dout=np.reshape(dout, np.shape(forward(*given.values()))))

    posed = problem(forward, backward, *values, dout=normal(*np.shape(forward(*values)), seed=8))
    return dependence(posed, again, RNG(0), takes_dout=takes_dout)


def softmax(x):
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


@pytest.mark.parametrize(
    ("forward", "elementwise"),
    [
        pytest.param(np.tanh, True, id="tanh"),
        pytest.param(lambda x: np.exp(-x) + 1, True, id="exp"),
        pytest.param(softmax, False, id="softmax"),
        pytest.param(lambda x: x - x.mean(axis=0), False, id="centred"),
        pytest.param(lambda x: x[:, ::-1] * 1.0, False, id="flipped"),
        pytest.param(lambda x: x.sum(axis=1), False, id="summed"),
    ],
)
def test_an_output_that_depends_on_its_own_entry_alone_is_elementwise(forward, elementwise):
    assert asked(forward, lambda dout, x: [x], normal(4, 3)).elementwise is elementwise


def test_a_layer_with_two_tensors_is_not_elementwise():
    assert not asked(lambda x, w: x * w, lambda dout, x, w: [x, w], normal(4, 3), normal(4, 3)).elementwise


@pytest.mark.parametrize(
    ("seen", "negated", "rescaled"),
    [
        pytest.param(lambda dout: dout, False, False, id="dout"),
        pytest.param(np.abs, True, False, id="its size"),
        pytest.param(np.sign, False, True, id="its sign"),
        pytest.param(np.ones_like, True, True, id="nothing of it"),
    ],
)
def test_the_gradients_that_stay_when_dout_changes_are_named(seen, negated, rescaled):
    found = asked(np.tanh, lambda dout, x: [seen(dout) * np.cosh(x)], normal(4, 3))
    assert (len(found.negated), len(found.rescaled)) == (negated, rescaled)


def test_a_backward_without_dout_is_not_asked_about_it():
    found = asked(np.tanh, lambda dout, x: [x], normal(4, 3), takes_dout=False)
    assert found.negated == found.rescaled == frozenset()


def test_a_large_subject_is_not_asked():
    assert asked(np.tanh, lambda dout, x: [x], np.ones(MOST)) is not None
    assert asked(np.tanh, lambda dout, x: [x], np.ones(MOST + 1)) is None
