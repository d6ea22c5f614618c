"""What forward returns beside its output: shown with it, or outputs with upstream gradients of their own."""

import numpy as np
import pytest

from gradproof import GradientFault, Settings, check
from gradproof.values import Verdict

FEW = Settings(examples=8)


class ShowsItsWeights:
    """The weights are returned to be looked at: backward is given the gradient of the first value alone."""

    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.weights = e / e.sum(axis=1, keepdims=True)
        self.x = x
        return self.weights * x, self.weights

    def backward(self, dout):
        dweights = dout * self.x
        dx = dout * self.weights
        return dx + self.weights * (dweights - (dweights * self.weights).sum(axis=1, keepdims=True))


class ShowsItsWeightsWithoutTheSum(ShowsItsWeights):
    def backward(self, dout):
        return dout * self.weights + self.weights * dout * self.x


class TwoOutputs:
    def forward(self, x):
        self.x = x
        return x**2, 3 * x

    def backward(self, dout):
        dsquare, dtriple = dout
        return 2 * self.x * dsquare + 3 * dtriple


class TwoOutputsOneForgotten(TwoOutputs):
    def backward(self, dout):
        dsquare, _ = dout
        return 2 * self.x * dsquare


@pytest.mark.parametrize("layer", [ShowsItsWeights, TwoOutputs])
def test_each_value_that_has_an_upstream_gradient_is_an_output(layer):
    assert check(layer, settings=FEW).verdict is Verdict.PASS


def test_what_is_shown_beside_the_output_is_told_not_to_be_checked():
    shown, both = (check(layer, settings=FEW).subjects[0].notes for layer in (ShowsItsWeights, TwoOutputs))
    assert any("2 values, backward is given the gradient of the first" in note for note in shown)
    assert not any("the gradient of the first" in note for note in both)


@pytest.mark.parametrize("layer", [ShowsItsWeightsWithoutTheSum, TwoOutputsOneForgotten])
def test_what_is_wrong_of_them_is_found(layer):
    with pytest.raises(GradientFault):
        check(layer, settings=FEW)
