"""Several sizes as one argument: how they are declared, drawn, carried along and printed."""

from __future__ import annotations

import numpy as np
import pytest

from gradproof import Case, UsageError, check, size, sizes
from gradproof.generate.arrays import Style
from gradproof.generate.examples import Plan, build, carry


class Flat:
    def __init__(self, input_shape, units):
        weight = np.random.default_rng(0).standard_normal((int(np.prod(input_shape)), units))
        self.params, self.grads = [weight], [np.zeros_like(weight)]

    def forward(self, x):
        self.x = x
        return x.reshape(len(x), -1) @ self.params[0]

    def backward(self, dout):
        self.grads[0][...] = self.x.reshape(len(self.x), -1).T @ dout
        return (dout @ self.params[0].T).reshape(self.x.shape)


def case():
    return Case(Flat, input_shape=sizes("c h"), units=size("k"), x="n c h")


def test_a_shape_is_handed_over_as_a_tuple_of_sizes():
    example = build(case(), Plan({"c": 2, "h": 3, "k": 4, "n": 5}, {"x": Style.SIMPLE}, 0), {})
    assert (example.init["input_shape"], example.inputs["x"].shape) == ((2, 3), (5, 2, 3))


def test_the_tuple_follows_the_dims_of_a_smaller_example():
    example = build(case(), Plan({"c": 2, "h": 3, "k": 4, "n": 5}, {"x": Style.SIMPLE}, 0), {})
    smaller = carry(case(), example, {"c": 1, "h": 2, "k": 1, "n": 1}, from_end=False)
    assert smaller.init["input_shape"] == (1, 2)


def test_a_layer_that_takes_a_shape_passes():
    assert check(Flat, input_shape=sizes("c h"), units=size("k"), x="n c h").verdict == "PASS"


def test_the_declaration_prints_as_it_was_written():
    assert case().declaration() == 'Case(Flat, input_shape=sizes("c h"), units=size("k"), x="n c h")'


@pytest.mark.parametrize("shape", ["", "*batch d"])
def test_sizes_that_are_no_fixed_number_of_dims_are_refused(shape):
    with pytest.raises(UsageError, match=r'expected dims separated by spaces, got .* write sizes\("c h w"\)'):
        sizes(shape)
