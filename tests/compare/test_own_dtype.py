"""The second pass: a gradient in float32 is the one in float64, give or take its rounding."""

from __future__ import annotations

import numpy as np
import pytest

from elementwise import elementwise, node, normal, report_of, sigmoid, sigmoid_slope
from gradproof import Verdict
from gradproof.compare.own_dtype import own_dtype_defects

SINGLE = np.dtype(np.float32)


def defects(own, x, dtype=SINGLE):
    """Compare a sigmoid's gradients in another dtype with those in float64."""
    posed = elementwise(sigmoid, sigmoid_slope, x)
    return own_dtype_defects(posed, {"x0": own}, dtype, np.random.default_rng(0))


@pytest.mark.parametrize("scale", [0.01, 1.0, 14.0])
def test_rounding_is_no_disagreement_even_where_the_sigmoid_saturates(scale):
    x = scale * normal(4, 3).astype(np.float32)
    y = 1 / (1 + np.exp(-x))
    assert y.dtype == np.float32
    assert defects(y * (1 - y), x) == ()


def test_two_percent_of_the_largest_entry_is_a_disagreement():
    x = normal(4, 3)
    (defect,) = defects(sigmoid_slope(x) + 0.005, x)
    assert (defect.code, defect.tensor) == ("GP401", "x0")
    assert defect.headline == "the gradient of x0 in float32 is not the one in float64"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_the_worst_entry_is_the_one_that_is_not_finite(bad):
    x = normal(4, 3)
    own = sigmoid_slope(x)
    own[2, 1] = bad
    (defect,) = defects(own, x)
    assert dict(defect.lines)["worst entry"].startswith(f"x0[2, 1]   in float32 {bad}   in float64 ")


def test_float16_is_given_the_rounding_of_float16():
    x = normal(4, 3)
    own = sigmoid_slope(x) * (1 + 2e-2)
    assert defects(own, x, np.dtype(np.float16)) == ()
    assert len(defects(own, x)) == 1


def test_what_cannot_be_compared_is_left_out():
    assert defects(np.ones(3), normal(4, 3)) == ()
    assert defects(None, normal(4, 3)) == ()
    assert defects(np.ones((0, 3)), np.ones((0, 3))) == ()


def overflowing(x):
    e = np.exp(x)
    return e / (1 + e) ** 2


class Scaled:
    """A sigmoid with a scale of one dtype."""

    def __init__(self, slope, dtype=np.float32):
        self.slope = slope
        self.params, self.grads = [np.full(1, 1.5, dtype)], [np.zeros(1, dtype)]

    def forward(self, x):
        self.x, self.y = x, sigmoid(x)
        return self.params[0] * self.y

    def backward(self, dout):
        self.grads[0][...] = (dout * self.y).sum()
        return dout * self.params[0] * self.slope(self.x)


SATURATED = np.array([[1.0, 50.0, -2.0]])  # exp(50) is finite in float32, its square is not


@pytest.mark.parametrize(
    ("layer", "x"),
    [
        pytest.param(Scaled(overflowing), SATURATED.astype(np.float32), id="a float32 layer at float32"),
        pytest.param(Scaled(overflowing), SATURATED, id="a float32 layer at float64"),
        pytest.param(node(sigmoid, overflowing), SATURATED.astype(np.float32), id="a layer without arrays at float32"),
    ],
)
def test_a_backward_that_overflows_only_in_float32_is_found(layer, x):
    report = report_of(layer, 2 * x)
    assert (report.verdict, [finding.code for finding in report.findings]) == (Verdict.FAIL, ["GP401"])
    assert {tensor.verdict for tensor in report.tensors} == {Verdict.PASS}


def test_the_same_backward_in_float64_passes_without_a_second_pass():
    report = report_of(Scaled(overflowing, np.float64), 2 * SATURATED)
    assert (report.verdict, report.notes) == (Verdict.PASS, ())


@pytest.mark.parametrize(
    "x", [SATURATED.astype(np.float32), normal(4, 3).astype(np.float32)], ids=["saturated", "normal"]
)
def test_a_right_float32_layer_is_judged_in_float64_and_confirmed(x):
    layer = Scaled(sigmoid_slope)
    report = report_of(layer, x)
    assert report.verdict is Verdict.PASS
    assert report.notes == ("checked in float64, then confirmed in the layer's own float32",)
    assert max(tensor.resolution for tensor in report.tensors) < 1e-9
    assert layer.params[0].dtype == np.float32


def test_an_error_that_float32_would_hide_is_found_in_float64():
    report = report_of(Scaled(lambda x: (1 + 1e-6) * sigmoid_slope(x)), normal(4, 3).astype(np.float32))
    assert [(finding.code, finding.tensor) for finding in report.findings] == [("GP108", "x")]
