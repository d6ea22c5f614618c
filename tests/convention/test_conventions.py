"""Layers as people write them: each convention with an affine layer that is right, and one whose dW is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from elementwise import normal, report_of
from gradproof import Convention, Settings, Verdict, check, constant
from gradproof.convention.gradnames import is_trained
from gradproof.report.lines import headline

pytestmark = pytest.mark.table

X = normal(4, 3)


class Affine:
    """Base of the layers below: y = x W + b. ``factor`` spoils dW where it is not 1."""

    def __init__(self, factor=1.0):
        self.factor = factor
        self.W, self.b = normal(3, 2, seed=1), normal(2, seed=2)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def slopes(self, dout):
        return dout @ self.W.T, self.factor * self.x.T @ dout, dout.sum(0)


class BookLists(Affine):
    def __init__(self, factor=1.0):
        super().__init__(factor)
        self.params, self.grads = [self.W, self.b], [np.zeros((3, 2)), np.zeros(2)]

    def backward(self, dout):
        dx, self.grads[0][...], self.grads[1][...] = self.slopes(dout)
        return dx


def attributes(weight, bias):
    """A layer that keeps its gradients under these two names."""

    class Attributes(Affine):
        def backward(self, dout):
            dx, dw, db = self.slopes(dout)
            setattr(self, weight, dw)
            setattr(self, bias, db)
            return dx

    return Attributes


class Words(Affine):
    """weights and bias, with their gradients under the short names."""

    def __init__(self, factor=1.0):
        super().__init__(factor)
        self.weights, self.bias = self.__dict__.pop("W"), self.__dict__.pop("b")

    def forward(self, x):
        self.x = x
        return x @ self.weights + self.bias

    def backward(self, dout):
        self.dw, self.db = self.factor * self.x.T @ dout, dout.sum(0)
        return dout @ self.weights.T


def dicts(parameters, gradients, key):
    """A layer with a dict of parameters and one of gradients."""

    class Dicts:
        def __init__(self, factor=1.0):
            self.factor = factor
            setattr(self, parameters, {"W": normal(3, 2, seed=1), "b": normal(2, seed=2)})
            setattr(self, gradients, {})

        def forward(self, x):
            self.x, mine = x, getattr(self, parameters)
            return x @ mine["W"] + mine["b"]

        def backward(self, dout):
            kept = getattr(self, gradients)
            kept[key.format("W")], kept[key.format("b")] = self.factor * self.x.T @ dout, dout.sum(0)
            return dout @ getattr(self, parameters)["W"].T

    return Dicts


class Parameter:
    def __init__(self, value):
        self.value, self.grad = value, np.zeros_like(value)


class ParameterObjects:
    """Each parameter is an object with its gradient, to which backward adds."""

    def __init__(self, factor=1.0):
        self.factor = factor
        self.W, self.b = Parameter(normal(3, 2, seed=1)), Parameter(normal(2, seed=2))

    def forward(self, x):
        self.x = x
        return x @ self.W.value + self.b.value

    def backward(self, dout):
        self.W.grad += self.factor * self.x.T @ dout
        self.b.grad += dout.sum(0)
        return dout @ self.W.value.T


class ParameterDicts:
    def __init__(self, factor=1.0):
        self.factor = factor
        self.W, self.b = {"val": normal(3, 2, seed=1), "grad": None}, {"val": normal(2, seed=2), "grad": None}

    def forward(self, x):
        self.x = x
        return x @ self.W["val"] + self.b["val"]

    def backward(self, dout):
        self.W["grad"], self.b["grad"] = self.factor * self.x.T @ dout, dout.sum(0)
        return dout @ self.W["val"].T


class ReturnsAList(Affine):
    def backward(self, dout):
        dx, dw, db = self.slopes(dout)
        return dx, [dw, db]


class ReturnsAll(Affine):
    def backward(self, dout):
        dx, dw, db = self.slopes(dout)
        return dx, dw, db


class ReturnsAllInAnotherOrder(Affine):
    def backward(self, dout):
        dx, dW, db = self.slopes(dout)
        return dx, db, dW


class ReturnsADict(Affine):
    def backward(self, dout):
        dx, dw, db = self.slopes(dout)
        return dx, {"W": dw, "b": db}


class UpdatesItself(Affine):
    """backward makes the step of gradient descent and keeps no gradient."""

    def backward(self, dout, learning_rate):
        dx, dw, db = self.slopes(dout)
        self.W = self.W - learning_rate * dw
        self.b -= learning_rate * db
        return dx


class UpdatesAtItsOwnRate(UpdatesItself):
    lr = 0.01

    def __init__(self, factor=1.0):
        super().__init__(factor)
        self.lr = 0.01

    def backward(self, dout):
        return super().backward(dout, self.lr)


class BuiltAtTheFirstForward(attributes("dW", "db")):
    """Its parameters are drawn once the width of x is known, in float32."""

    def __init__(self, factor=1.0):
        self.factor, self.W, self.b = factor, None, None

    def forward(self, x):
        if self.W is None:
            self.W, self.b = np.random.randn(x.shape[1], 2).astype("f"), np.zeros(2)  # noqa: NPY002
        return super().forward(x)


class BuiltAndRandom(BuiltAtTheFirstForward):
    """The same, with a mask of its own in every forward."""

    def forward(self, x):
        y = super().forward(x)
        self.mask = np.random.rand(*y.shape) > 0.5  # noqa: NPY002
        return y * self.mask

    def backward(self, dout):
        return super().backward(dout * self.mask)


class Collects(Affine):
    """Appends every input to a list, and backward adds up over all of them."""

    def __init__(self, factor=1.0):
        super().__init__(factor)
        self.inputs, self.gradients = [], {"W": np.zeros((3, 2)), "b": np.zeros(2)}

    def forward(self, x, retain=True):
        if retain:
            self.inputs.append(x)
        return x @ self.W + self.b

    def backward(self, dout):
        for x in self.inputs:
            self.gradients["W"] += self.factor * x.T @ dout
            self.gradients["b"] += dout.sum(0)
        return dout @ self.W.T


class Takes:
    """The names of forward and backward are other ones, and backward is given x again."""

    def __init__(self, factor=1.0):
        self.W, self.b, self.factor = normal(3, 2, seed=1), normal(2, seed=2), factor

    def forward_pass(self, x):
        return x @ self.W + self.b

    def backprop(self, x, dout):
        self.dW, self.db = self.factor * x.T @ dout, dout.sum(0)
        return dout @ self.W.T


class Returning:
    """forward returns a cache beside its output, and backward takes it."""

    def __init__(self, factor=1.0):
        self.W, self.b, self.factor = normal(3, 2, seed=1), normal(2, seed=2), factor

    def forward(self, x):
        return x @ self.W + self.b, (x,)

    def backward(self, cache, dout):
        self.dW, self.db = self.factor * cache[0].T @ dout, dout.sum(0)
        return dout @ self.W.T


class Block:
    """Two layers in a row; their parameters are theirs."""

    def __init__(self, factor=1.0):
        layer = attributes("grad_W", "grad_b")
        self.first, self.rest = layer(factor), [layer()]
        self.rest[0].W = normal(2, 2, seed=5)

    def forward(self, x):
        return self.rest[0].forward(self.first.forward(x))

    def backward(self, dout):
        return self.first.backward(self.rest[0].backward(dout))


class Twice:
    """One matrix in two layers, each of which keeps its own part of the gradient."""

    def __init__(self, factor=1.0):
        layer = attributes("dW", "db")
        self.layers = [layer(factor), layer()]
        for one in self.layers:
            one.W, one.b = normal(3, 3, seed=5), np.zeros(3)
        self.layers[1].W = self.layers[0].W

    def forward(self, x):
        return self.layers[1].forward(self.layers[0].forward(x))

    def backward(self, dout):
        return self.layers[0].backward(self.layers[1].backward(dout))


PAIRED = "gradients: W from {}, b from {}"
RETURNED = "gradients: {} from what backward returns"
STEP = "gradients: W, b from the update that backward makes"
CONVENTIONS = {
    "the book's lists": (BookLists, "W", None),
    "dW": (attributes("dW", "db"), "W", PAIRED.format("dW", "db")),
    "_dw": (attributes("_dw", "_db"), "W", PAIRED.format("_dw", "_db")),
    "dLdW": (attributes("dLdW", "dLdb"), "W", PAIRED.format("dLdW", "dLdb")),
    "dL_dW": (attributes("dL_dW", "dL_db"), "W", PAIRED.format("dL_dW", "dL_db")),
    "delta_W": (attributes("delta_W", "delta_b"), "W", PAIRED.format("delta_W", "delta_b")),
    "grad_W": (attributes("grad_W", "grad_b"), "W", PAIRED.format("grad_W", "grad_b")),
    "W_grad": (attributes("W_grad", "b_grad"), "W", PAIRED.format("W_grad", "b_grad")),
    "gradWeights": (attributes("gradWeights", "gradBias"), "W", PAIRED.format("gradWeights", "gradBias")),
    "weights with dw": (Words, "weights", "gradients: weights from dw, bias from db"),
    "params and grads as dicts": (dicts("params", "grads", "{}"), "W", PAIRED.format("grads['W']", "grads['b']")),
    "keys dW": (dicts("params", "grads", "d{}"), "W", PAIRED.format("grads['dW']", "grads['db']")),
    "parameters and gradients": (
        dicts("parameters", "gradients", "{}"),
        "W",
        PAIRED.format("gradients['W']", "gradients['b']"),
    ),
    "weights and gradients": (
        dicts("weights", "gradients", "{}"),
        "W",
        PAIRED.format("gradients['W']", "gradients['b']"),
    ),
    "objects with value and grad": (ParameterObjects, "W", PAIRED.format("W.grad", "b.grad")),
    "dicts with val and grad": (ParameterDicts, "W", PAIRED.format("W['grad']", "b['grad']")),
    "returned in a list": (ReturnsAList, "W", RETURNED.format("W, b")),
    "returned one by one": (ReturnsAll, "W", RETURNED.format("W, b")),
    "returned in another order": (ReturnsAllInAnotherOrder, "W", RETURNED.format("b, W")),
    "returned in a dict": (ReturnsADict, "W", RETURNED.format("W, b")),
    "updated inside": (UpdatesItself, "W", STEP),
    "updated inside at a rate of its own": (UpdatesAtItsOwnRate, "W", STEP),
    "built at the first forward": (BuiltAtTheFirstForward, "W", PAIRED.format("dW", "db")),
    "built at the first forward, and random": (BuiltAndRandom, "W", PAIRED.format("dW", "db")),
    "collecting inputs": (Collects, "W", PAIRED.format("gradients['W']", "gradients['b']")),
    "forward_pass and backprop(x, dout)": (Takes, "W", PAIRED.format("dW", "db")),
    "a cache that forward returns": (Returning, "W", PAIRED.format("dW", "db")),
    "a block of layers": (
        Block,
        "first.W",
        "gradients: first.W from first.grad_W, first.b from first.grad_b, "
        "rest[0].W from rest[0].grad_W, rest[0].b from rest[0].grad_b",
    ),
    "one matrix in two layers": (
        Twice,
        "layers[0].W",
        "gradients: layers[0].W from layers[0].dW + layers[1].dW, layers[0].b from layers[0].db, "
        "layers[1].b from layers[1].db",
    ),
}


def wrong_gradients(report):
    errors = [finding for finding in report.findings if finding.severity == "error"]
    return [finding.tensor for finding in errors if "is wrong" in headline(finding)]


@pytest.mark.parametrize(("build", "weight", "pairing"), CONVENTIONS.values(), ids=CONVENTIONS)
def test_the_gradients_of_a_right_layer_are_found_and_their_pairing_is_told(build, weight, pairing):
    report = report_of(build(), X)
    assert wrong_gradients(report) == []
    assert {tensor.verdict for tensor in report.tensors} == {Verdict.PASS}
    assert weight in [tensor.name for tensor in report.tensors]
    assert [note for note in report.notes if note.startswith("gradients")] == ([] if pairing is None else [pairing])


@pytest.mark.parametrize(("build", "weight", "pairing"), CONVENTIONS.values(), ids=CONVENTIONS)
def test_the_wrong_twin_is_found_by_the_name_of_its_weights(build, weight, pairing):
    assert wrong_gradients(report_of(build(1.001), X)) == [weight]


class Swapped(Affine):
    """Square weights, and the two gradients in the wrong slots: only values could pair them."""

    def __init__(self):
        super().__init__()
        self.U, self.W, self.b = normal(3, 3, seed=5), normal(3, 3, seed=6), np.zeros(3)

    def forward(self, x):
        self.x, self.h = x, x @ self.U
        return self.h @ self.W

    def backward(self, dout):
        self.dU, self.dW = self.h.T @ dout, self.x.T @ dout @ self.W.T
        return dout @ self.W.T @ self.U.T


def test_gradients_in_the_wrong_slots_are_not_paired_by_their_values():
    assert sorted(wrong_gradients(report_of(Swapped(), X))) == ["U", "W"]


class Forgets(Affine):
    """Keeps a gradient of W, and none of b."""

    def __init__(self, none=False):
        super().__init__()
        if none:
            self.db = None

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


def test_a_parameter_without_a_gradient_is_told_and_one_with_an_empty_slot_is_accused():
    report = report_of(Forgets(), X)
    assert [(tensor.name, bool(tensor.judged)) for tensor in report.tensors] == [("x", True), ("W", True), ("b", False)]
    assert "b changes the output; no gradient is kept for it: not checked" in report.notes
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.reason is not None
    assert report.reason.startswith("b: forward reads it, and no gradient of it was found")
    (finding,) = [finding for finding in report_of(Forgets(none=True), X).findings if finding.code < "GP500"]
    assert (finding.code, finding.tensor) == ("GP202", "b")


@pytest.mark.parametrize(
    "said",
    [
        {"W": "d h", "b": constant("h")},
        {"W": "d h", "b": "h", "settings": Settings(convention=Convention(gradients={"W": "dW"}), examples=4)},
    ],
    ids=["constant", "gradients"],
)
def test_a_parameter_that_is_frozen_on_purpose_is_told_so(said):
    class Frozen:
        def __init__(self, W, b):
            self.W, self.b = W, b

        def forward(self, x):
            self.x = x
            return x @ self.W + self.b

        def backward(self, dout):
            self.dW = self.x.T @ dout
            return dout @ self.W.T

    case = {"settings": Settings(examples=4), "x": "n d", **said}
    assert check(Frozen, **case).verdict is Verdict.PASS
    assert check(Frozen, **{**case, "b": "h", "settings": Settings(examples=4)}).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    "name", ["W", "Wx", "w_1", "b", "bh", "b2", "weights", "out_bias", "gamma", "net[0].b", "params[1]"]
)
def test_names_of_parameters_that_are_trained(name):
    assert is_trained(name)


@pytest.mark.parametrize("name", ["pe", "running_mean", "mask", "table", "buffer", "scale", "u", "x", "layers[0].mean"])
def test_names_of_arrays_that_may_have_no_gradient(name):
    assert not is_trained(name)


class Normalises(attributes("dW", "db")):
    """Scales by running statistics, which it reads and no optimizer moves; a table that it never reads lies beside."""

    def __init__(self):
        super().__init__()
        self.running_var, self.table, self.velocity = np.full(2, 4.0), np.ones(5), np.zeros((3, 2))

    def forward(self, x):
        return super().forward(x) / np.sqrt(self.running_var)

    def backward(self, dout):
        return super().backward(dout / np.sqrt(self.running_var))


def test_what_no_gradient_is_kept_for_is_told_only_where_it_changes_the_output():
    report = report_of(Normalises(), X)
    assert report.verdict is Verdict.PASS
    told = [note for note in report.notes if "no gradient is kept" in note]
    assert told == ["running_var changes the output; no gradient is kept for it: not checked"]


class WithMomentum(Affine):
    def backward(self, dout, lr):
        dx, dw, _ = self.slopes(dout)
        self.W -= lr * dw + 0.1 * self.W
        return dx


class WithMomentumAndSlope(WithMomentum):
    """The same update, and the gradient beside it."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = factor

    def backward(self, dout, lr):
        _, dw, _ = self.slopes(dout)
        self.dW = self.factor * dw
        return super().backward(dout, lr)


def test_an_update_that_is_no_plain_step_is_told_and_leaves_its_parameter_unjudged():
    report = report_of(WithMomentum(), X)
    assert wrong_gradients(report) == []
    assert "backward changes W, but not by learning rate times gradient: not checked" in report.notes
    assert {tensor.name: tensor.verdict for tensor in report.tensors}["W"] is Verdict.INCONCLUSIVE
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.reason is not None
    assert "; W: an update" in report.reason  # of b, which is not moved at all, another sentence
    assert "let backward keep it as well, as in self.dW = ... for self.W" in report.reason


def test_a_gradient_that_is_kept_beside_any_update_is_judged():
    report = report_of(WithMomentumAndSlope(), X)
    assert {tensor.name: tensor.verdict for tensor in report.tensors}["W"] is Verdict.PASS
    assert wrong_gradients(report_of(WithMomentumAndSlope(1.001), X)) == ["W"]
