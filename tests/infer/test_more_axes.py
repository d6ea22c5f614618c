"""What forward flattens has more axes than two: a gradient that is not reshaped back is wrong; else two are meant."""

from __future__ import annotations

import numpy as np
import pytest

from gradproof.checking import check_case
from gradproof.infer.infer import infer
from gradproof.infer.inference import judged
from gradproof.values import Verdict


class Flatten:
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dout):
        return dout.reshape(self.shape)


class FlattenWithoutShape(Flatten):
    def backward(self, dout):
        return dout


def affine_forward(x, w, b):
    return x.reshape(x.shape[0], -1) @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def affine_backward_without_shape(dout, cache):
    x, w = cache
    return dout @ w.T, x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


class OverTheLastAxis:
    def __init__(self, W):
        self.W = W

    def forward(self, x):
        self.shape = x.shape
        self.x = x.reshape(-1, x.shape[-1])
        return (self.x @ self.W).reshape(*self.shape[:-1], -1)

    def backward(self, dout):
        dout = dout.reshape(-1, dout.shape[-1])
        self.dW = self.x.T @ dout
        return (dout @ self.W.T).reshape(self.shape)


class OverTheLastAxisWithoutShape(OverTheLastAxis):
    def backward(self, dout):
        return super().backward(dout).reshape(self.x.shape)


class Dense:
    """Right for two axes: that its forward would take three says nothing."""

    def __init__(self, W):
        self.W = W

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


def cross_entropy_loss(x, y):
    """Right for two axes: no label has more than one."""
    x = x.reshape(-1, x.shape[-1])
    p = np.exp(x - x.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(x))
    loss = -np.log(p[rows, y]).mean()
    p[rows, y] -= 1
    return loss, p / len(x)


@pytest.mark.parametrize(
    ("subject", "shape", "verdict"),
    [
        pytest.param(Flatten, "n t d", Verdict.PASS, id="flattened"),
        pytest.param(FlattenWithoutShape, "n t d", Verdict.FAIL, id="flattened, without its shape"),
        pytest.param((affine_forward, affine_backward), "n t d", Verdict.PASS, id="affine"),
        pytest.param(
            (affine_forward, affine_backward_without_shape), "n t d", Verdict.FAIL, id="affine, without its shape"
        ),
        pytest.param(OverTheLastAxis, "n t d", Verdict.PASS, id="over the last axis"),
        pytest.param(OverTheLastAxisWithoutShape, "n t d", Verdict.FAIL, id="over the last axis, without its shape"),
        pytest.param(Dense, "n d", Verdict.PASS, id="not flattened"),
        pytest.param(cross_entropy_loss, "n c", Verdict.PASS, id="a loss of rows"),
    ],
)
def test_what_is_flattened_has_more_axes(subject, shape, verdict):
    found = infer(subject)
    assert found.case is not None, found.problem
    assert found.case.inputs["x"].shape.text == shape
    assert judged(check_case(found.case, location="here", examples=5), found).verdict is verdict
