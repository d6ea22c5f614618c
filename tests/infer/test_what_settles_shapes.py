"""What a run of forward settles: loops over entries, outputs of nothing, sizes that fit nowhere, parts that refuse."""

from __future__ import annotations

import numpy as np
import pytest

from gradproof.checking import check_case
from gradproof.infer.infer import infer
from gradproof.infer.inference import judged
from gradproof.values import Verdict


def said(subject):
    """The report of a subject with nothing declared."""
    found = infer(subject)
    assert found.case is not None, found.problem
    report, *others = [check_case(case, location="here", examples=8) for case in (found.case, *found.others)]
    readings = [check_case(each.case, location="here", examples=8) for each in found.readings]
    return judged(report, found, others, readings)


def codes(report):
    return [
        (finding.code, finding.severity, finding.tensor) for finding in report.findings if finding.severity == "error"
    ]


class Spread:
    """Pixels set apart by a factor, entry by entry."""

    def __init__(self, factor):
        self.factor = factor

    def forward(self, image):
        n, c, self.h, self.w = image.shape
        out = np.zeros((n, c, self.factor * (self.h - 1) + 1, self.factor * (self.w - 1) + 1))
        for i in range(n):
            for j in range(c):
                for y in range(self.h):
                    for x in range(self.w):
                        out[i][j][y * self.factor][x * self.factor] = image[i][j][y][x]
        return out

    def backward(self, dout):
        return dout[:, :, :: self.factor, :: self.factor]


class Mixed:
    """A sum over channels and windows of k by k pixels."""

    def __init__(self, channels, filters, k):
        self.k = k
        self.W = np.random.default_rng(0).normal(size=(filters, channels, k, k))

    def forward(self, image):
        self.image = image
        h, w = image.shape[2] - self.k + 1, image.shape[3] - self.k + 1
        out = np.zeros((len(image), len(self.W), h, w))
        for y in range(h):
            for x in range(w):
                out[:, :, y, x] = np.tensordot(
                    image[:, :, y : y + self.k, x : x + self.k], self.W, ([1, 2, 3], [1, 2, 3])
                )
        return out

    def backward(self, dout):
        self.dW, dimage = np.zeros_like(self.W), np.zeros_like(self.image)
        for y in range(dout.shape[2]):
            for x in range(dout.shape[3]):
                window = np.s_[:, :, y : y + self.k, x : x + self.k]
                self.dW += np.tensordot(dout[:, :, y, x], self.image[window], ([0], [0]))
                dimage[window] += np.tensordot(dout[:, :, y, x], self.W, ([1], [0]))
        return dimage


class SpreadAndMixed:
    def __init__(self, channels, filters, k, factor):
        self.spread, self.mixed = Spread(factor), Mixed(channels, filters, k)

    def forward(self, image):
        return self.mixed.forward(self.spread.forward(image))

    def backward(self, dout):
        return self.spread.backward(self.mixed.backward(dout))


class SpreadAndMixedTwice(SpreadAndMixed):
    def backward(self, dout):
        return 2 * super().backward(dout)


@pytest.mark.slow
def test_what_follows_a_loop_over_entries_settles_shapes_too():
    right = said(SpreadAndMixed)
    assert (right.verdict, codes(right)) == (Verdict.PASS, [])
    wrong = said(SpreadAndMixedTwice)
    assert (wrong.verdict, codes(wrong)[0]) == (Verdict.FAIL, ("GP102", "error", "image"))


class SpreadTheWrongWay(Spread):
    """Right for square images alone: the height of the output comes of the width."""

    def forward(self, image):
        n, c, self.h, self.w = image.shape
        out = np.zeros((n, c, self.factor * (self.w - 1) + 1, self.factor * (self.h - 1) + 1))
        for y in range(self.h):
            for x in range(self.w):
                out[:, :, y * self.factor, x * self.factor] = image[:, :, y, x]
        return out


class SpreadTheWrongWayAndMixed(SpreadAndMixed):
    def __init__(self, channels, filters, k, factor):
        super().__init__(channels, filters, k, factor)
        self.spread = SpreadTheWrongWay(factor)


@pytest.mark.slow
def test_a_forward_that_ran_to_an_empty_output_alone_accuses_nobody():
    found = infer(SpreadTheWrongWayAndMixed)
    assert found.case is None or said(SpreadTheWrongWayAndMixed).verdict is not Verdict.FAIL


class ManyColumns:
    """Its input has as many columns as a number that nobody would draw."""

    COLUMNS = 1 << 31

    def forward(self, x):
        if x.shape[1] != self.COLUMNS:
            raise ValueError(f"expected {self.COLUMNS} columns")
        return x.reshape(len(x), self.COLUMNS)

    def backward(self, dout):
        return dout


def test_an_array_that_would_not_fit_is_not_made():
    assert infer(ManyColumns).case is None


class Squash:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def derivative(self):
        return 1 - self.out**2


class Cell:
    def __init__(self, inputs, hidden):
        self.W = np.random.default_rng(0).normal(size=(inputs, hidden))
        self.activation = Squash()

    def forward(self, x):
        self.x = x
        return self.activation.forward(x @ self.W)

    def backward(self, dout):
        dz = dout * self.activation.derivative()
        self.dW = self.x.T @ dz
        return dz @ self.W.T


class CellWithAState(Cell):
    def backward(self, dout):
        dz = dout * self.activation.derivative(state=self.x)
        self.dW = self.x.T @ dz
        return dz @ self.W.T


class CellOfAnything(Cell):
    """The activation is handed to it: another one may take a state."""

    def __init__(self, inputs, hidden, activation):
        super().__init__(inputs, hidden)
        self.activation = activation

    def backward(self, dout):
        return CellWithAState.backward(self, dout)


def test_a_part_that_refuses_an_argument_is_a_fault_where_the_layer_made_it():
    assert said(Cell).verdict is Verdict.PASS
    wrong = said(CellWithAState)
    assert (wrong.verdict, codes(wrong)) == (Verdict.FAIL, [("GP303", "error", None)])
    found = infer(CellOfAnything)
    assert found.case is None or said(CellOfAnything).verdict is not Verdict.FAIL


class LinearModel:
    """The whole of what is trained: nothing stands before it that needs a gradient."""

    def __init__(self, d, h):
        self.W = np.random.default_rng(0).normal(size=(d, h))

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout


class HalvedModel(LinearModel):
    def backward(self, dout):
        self.dW = self.x.T @ dout / 2


class LinearLayer(LinearModel):
    """The same as a layer of a net: the gradient for the layer before is missing."""


def test_a_model_that_hands_nothing_on_has_its_weights_judged():
    right = said(LinearModel)
    assert codes(right) == []
    assert [tensor.verdict for tensor in right.tensors if tensor.name == "W"] == [Verdict.PASS]
    assert codes(said(HalvedModel)) == [("GP102", "error", "W")]
    assert codes(said(LinearLayer)) == [("GP202", "error", "x")]


class Softmax:
    """Its backward takes an upstream gradient, or the right classes beside it."""

    def forward(self, x):
        shifted = np.exp(x - x.max(axis=-1, keepdims=True))
        self.out = shifted / shifted.sum(axis=-1, keepdims=True)
        return self.out

    def backward(self, dout_or_labels, labels=None):
        if labels is not None:
            d = self.out.copy()
            d[np.arange(len(d)), labels] -= 1
            return d / len(d)
        dot = (dout_or_labels * self.out).sum(axis=-1, keepdims=True)
        return self.out * (dout_or_labels - dot)


class SoftmaxWithoutItsSum(Softmax):
    def backward(self, dout_or_labels, labels=None):
        if labels is not None:
            return super().backward(dout_or_labels, labels)
        return self.out * dout_or_labels


def test_an_argument_that_is_one_thing_or_another_is_given_the_upstream_gradient():
    assert said(Softmax).verdict is Verdict.PASS
    assert {tensor for _, _, tensor in codes(said(SoftmaxWithoutItsSum))} == {"x"}


class PickedByLengths:
    """Rows picked by counts: where the counts are not those of the rows, nearly every call raises."""

    def forward(self, x, lengths):
        if lengths.sum() != len(lengths) * 3:
            raise IndexError("the lengths are not those of the rows")
        self.x = x
        return x * 2

    def backward(self, dout):
        return dout * 3


def test_a_forward_that_hardly_ever_runs_accuses_nobody():
    found = infer(PickedByLengths)
    assert found.case is None or said(PickedByLengths).verdict is not Verdict.FAIL


class OfAShape:
    """Its weights come of a shape, whose length forward leaves open."""

    def __init__(self, shape):
        self.W = np.random.default_rng(0).normal(size=tuple(shape))

    def forward(self, x):
        self.x = x
        return np.dot(x, self.W)

    def backward(self, dout):
        self.dW = np.einsum("ji,jk->ik", self.x, dout)
        return np.einsum("ij,kj->ik", dout, self.W)


class OfAShapeHalved(OfAShape):
    def backward(self, dout):
        return super().backward(dout) / 2


def test_backward_says_how_long_a_shape_is_where_forward_leaves_it_open():
    assert said(OfAShape).verdict is Verdict.PASS
    assert codes(said(OfAShapeHalved)) == [("GP102", "error", "x")]


class Rectified:
    """What comes from above is called eta, as a learning rate often is."""

    def forward(self, x):
        self.x = x
        return np.maximum(0, x)

    def backward(self, eta):
        return eta * (self.x > 0)


class RectifiedTwice(Rectified):
    def backward(self, eta):
        return 2 * eta * (self.x > 0)


class Descending:
    """Its backward takes a learning rate behind the gradient from above."""

    def __init__(self, d, h):
        self.W = np.random.default_rng(0).normal(size=(d, h))

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout, eta):
        dx = dout @ self.W.T
        self.W -= eta * self.x.T @ dout
        return dx


def test_eta_is_the_gradient_from_above_where_nothing_else_is_given():
    assert said(Rectified).verdict is Verdict.PASS
    assert codes(said(RectifiedTwice)) == [("GP102", "error", "x")]
    assert said(Descending).verdict is Verdict.PASS


class SquareWindows:
    """Sums over windows by indices of its own, which fit square ones alone."""

    def __init__(self, window):
        self.kh, self.kw = window

    def places(self, h, w):
        rows = np.repeat(np.arange(self.kw), self.kh)[:, None] + np.repeat(np.arange(h - self.kh + 1), w - self.kw + 1)
        columns = np.tile(np.arange(self.kw), self.kh)[:, None] + np.tile(np.arange(w - self.kw + 1), h - self.kh + 1)
        return slice(None), rows, columns

    def forward(self, x):
        self.shape = x.shape
        return x[self.places(*x.shape[1:])].sum(axis=1)

    def backward(self, dout):
        dx = np.zeros(self.shape)
        np.add.at(dx, self.places(*self.shape[1:]), dout[:, None, :])
        return dx


class SquareWindowsOverwritten(SquareWindows):
    def backward(self, dout):
        dx = np.zeros(self.shape)
        dx[self.places(*self.shape[1:])] = dout[:, None, :]
        return dx


def test_both_sizes_of_a_window_may_be_one():
    assert said(SquareWindows).verdict is Verdict.PASS
    assert said(SquareWindowsOverwritten).verdict is Verdict.FAIL
