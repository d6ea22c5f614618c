"""Every kind of the zoo against differences of its own forward in longdouble; it knows no checker."""

from itertools import pairwise

import numpy as np
import pytest
from zoo import ZOO

SCALES = (1e-4, 1e-2, 1.0, 1e2, 1e4)
KINDS = pytest.mark.parametrize("kind", ZOO.values(), ids=ZOO)


def extrapolated(f, h):
    """Central differences at h, h/2, h/4, extrapolated to order six (Richardson)."""
    d = [(f(s) - f(-s)) / (2 * s) for s in (h, h / 2, h / 4)]
    e = [d[i + 1] + (d[i + 1] - d[i]) / 3 for i in (0, 1)]
    return e[1] + (e[1] - e[0]) / 15


def slope_at_zero(f):
    """Of a ladder of steps, the slope that the next step confirms best."""
    with np.errstate(all="ignore"):  # a large step may leave forward's domain: NaN confirms nothing
        slopes = [extrapolated(f, np.longdouble(2.0) ** -k) for k in range(6, 28, 3)]
    pairs = [pair for pair in pairwise(slopes) if np.isfinite(pair).all()]
    return min(pairs, key=lambda pair: abs(pair[0] - pair[1]))[1]


def drawn(kind, seed, scale=1.0):
    """Inputs in float64 and, where they are floats, in longdouble; and a dout that fits."""
    rng = np.random.default_rng(seed)
    inputs = kind.make(rng, scale)
    exact = [x.astype(np.longdouble) if x.dtype == np.float64 else x for x in inputs]
    dout = rng.standard_normal(kind.forward(*inputs).shape)
    return rng, inputs, exact, dout


def moved(inputs, position, step):
    return [x + step if i == position else x for i, x in enumerate(inputs)]


def test_the_zoo_holds_many_kinds_and_enough_of_them_held_out():
    assert len(ZOO) >= 36
    assert sum(kind.held_out for kind in ZOO.values()) >= 15
    assert all(name == kind.name for name, kind in ZOO.items())


@KINDS
@pytest.mark.parametrize("seed", range(3))
def test_backward_is_the_derivative_of_forward(kind, seed):
    rng, _, exact, dout = drawn(kind, seed)
    gradients = kind.backward(dout.astype(np.longdouble), *exact)
    size = np.abs(dout * kind.forward(*exact)).sum()
    for position, gradient in enumerate(gradients):
        if gradient is None:
            assert exact[position].dtype.kind == "i"
            continue
        u = rng.standard_normal(gradient.shape)
        numeric = slope_at_zero(lambda t, i=position, u=u: (dout * kind.forward(*moved(exact, i, t * u))).sum())
        # round-off is 1e-19 of the output over the step, and 1e-12 of it allows for steps down to 1e-7
        assert abs(numeric - (gradient * u).sum()) <= 1e-9 * np.abs(gradient * u).sum() + 1e-12 * size


@KINDS
@pytest.mark.parametrize("seed", range(3))
def test_float64_gives_the_same_gradient_as_longdouble(kind, seed):
    _, inputs, exact, dout = drawn(kind, seed)
    for rough, fine in zip(
        kind.backward(dout, *inputs), kind.backward(dout.astype(np.longdouble), *exact), strict=True
    ):
        assert (rough is None) == (fine is None)
        if rough is not None:
            assert rough.dtype == np.float64
            assert fine.dtype == np.longdouble
            assert np.abs(rough - fine).max() <= 1e-9 * np.abs(fine).max() + 1e-14


@KINDS
@pytest.mark.parametrize("scale", SCALES)
def test_every_scale_runs_without_a_warning_and_gives_finite_gradients_of_the_right_shape(kind, scale):
    for seed in range(5):
        _, inputs, _, dout = drawn(kind, seed, scale)
        gradients = kind.backward(dout, *inputs)
        assert len(gradients) == len(inputs)
        for x, gradient in zip(inputs, gradients, strict=True):
            assert gradient is None or (gradient.shape == x.shape and np.isfinite(gradient).all())


def bends(kind, seed, position):
    """Whether forward's second difference along one input shows more than round-off."""
    rng, _, exact, _ = drawn(kind, seed)
    u = rng.standard_normal(exact[position].shape)
    with np.errstate(invalid="ignore"):  # the step may leave forward's domain, which no linear function can do
        low, middle, high = (kind.forward(*moved(exact, position, t * u)) for t in (-1, 0, 1))
    return not np.abs(high - 2 * middle + low).max() <= 1e-15 * (1 + np.abs(middle).max())


@KINDS
def test_linear_in_names_exactly_the_inputs_in_which_forward_is_linear(kind):
    inputs = kind.make(np.random.default_rng(0), 1.0)
    floats = [i for i, x in enumerate(inputs) if x.dtype == np.float64]
    straight = {i for i in floats if not any(bends(kind, seed, i) for seed in range(8))}
    assert straight == set(kind.linear_in)
