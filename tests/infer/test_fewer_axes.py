"""Layers that are right with a weight, or an input, of one axis fewer: not accused, and their wrong twins are."""

from __future__ import annotations

import numpy as np
import pytest

from gradproof.checking import check_case
from gradproof.infer.infer import infer
from gradproof.infer.inference import judged
from gradproof.values import Verdict

pytestmark = pytest.mark.table


def said(subject):
    """The report of a subject with nothing declared, and what was inferred."""
    found = infer(subject)
    assert found.case is not None, found.problem
    report, *others = [check_case(case, location="here", examples=5) for case in (found.case, *found.others)]
    readings = [check_case(each.case, location="here", examples=5) for each in found.readings]
    return judged(report, found, others, readings), found


def forward(x, w, b):
    return x @ w + b, (x, w)


def of_a_vector(dout, cache):
    x, w = cache
    return np.outer(dout, w), x.T @ dout, np.sum(dout)


def of_a_vector_and_a_mean(dout, cache):
    x, w = cache
    return np.outer(dout, w), x.T @ dout / len(x), np.sum(dout)


def of_a_vector_without_outer(dout, cache):
    x, w = cache
    return dout[:, None] * w, x.T @ dout, np.sum(dout)


def of_a_vector_without_outer_and_a_mean(dout, cache):
    x, w = cache
    return dout[:, None] * w, x.T @ dout / len(x), np.sum(dout)


def of_a_matrix_without_axis(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, np.sum(dout)


class SoftmaxOfOne:
    def forward(self, z):
        powers = np.exp(z - np.max(z))
        self.s = powers / np.sum(powers)
        return self.s

    def backward(self, dout):
        return (np.diag(self.s) - np.outer(self.s, self.s)) @ dout


class SoftmaxOfOneWithoutDiagonal(SoftmaxOfOne):
    def backward(self, dout):
        return (np.diag(np.ones_like(self.s)) - np.outer(self.s, self.s)) @ dout


class SoftmaxOfRows:
    def forward(self, z):
        powers = np.exp(z - np.max(z, axis=1, keepdims=True))
        self.s = powers / np.sum(powers, axis=1, keepdims=True)
        return self.s

    def backward(self, dout):
        dz = np.zeros_like(dout)
        for i, row in enumerate(self.s):
            dz[i] = (np.diag(row) - np.outer(row, row)) @ dout[i]
        return dz


def softmax(z):
    powers = np.exp(z - np.max(z))
    return powers / np.sum(powers)


def softmax_jacobian(z):
    s = softmax(z).reshape(-1, 1)
    return np.diagflat(s) - s @ s.T


@pytest.mark.parametrize("backward", [of_a_vector, of_a_vector_and_a_mean])
def test_an_outer_product_says_that_a_weight_is_a_vector(backward):
    report, found = said((forward, backward))
    assert found.declaration == f'Case(forward, {backward.__name__}, x="n h", w="h", b="")'
    wrong = [tensor.name for tensor in report.tensors if tensor.verdict is Verdict.FAIL]
    assert wrong == ([] if backward is of_a_vector else ["w"])
    assert report.verdict is (Verdict.PASS if backward is of_a_vector else Verdict.FAIL)


def test_a_layer_that_is_right_for_a_vector_is_not_accused():
    report, _ = said((forward, of_a_vector_without_outer))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.reason is not None
    assert 'right as Case(forward, of_a_vector_without_outer, x="n h", w="h", b="")' in report.reason
    assert {finding.severity for finding in report.findings} == {"warning"}


@pytest.mark.parametrize("backward", [of_a_vector_without_outer_and_a_mean, of_a_matrix_without_axis])
def test_a_layer_that_is_wrong_for_both_is(backward):
    assert said((forward, backward))[0].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("subject", "shape", "verdict"),
    [
        pytest.param(SoftmaxOfOne, "d", Verdict.PASS, id="one example"),
        pytest.param(SoftmaxOfOneWithoutDiagonal, "d", Verdict.FAIL, id="one example, wrong"),
        pytest.param(SoftmaxOfRows, "n d", Verdict.PASS, id="each example by itself"),
        pytest.param((softmax, softmax_jacobian), "d", Verdict.PASS, id="beside its Jacobian"),
    ],
)
def test_a_jacobian_says_that_there_is_one_example(subject, shape, verdict):
    report, found = said(subject)
    assert found.case is not None
    assert found.case.inputs["z"].shape.text == shape
    assert report.verdict is verdict
