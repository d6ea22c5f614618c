"""Subjects that resist: random, stateful, writing into what they are given, refusing other batch sizes."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest

from elementwise import node, normal, report_of, tanh_slope
from gradproof import GradientFault, Settings, Verdict, check
from gradproof.values import Reason

X = normal(4, 3)
FROZEN = "forward is random or keeps a state: frozen before every call"


class Dropout:
    """Zeroes entries at random and scales up the others; ``draw(size)`` gives numbers in 0..1."""

    def __init__(self, draw, scaled=True):
        self.draw, self.scaled = draw, scaled

    def forward(self, x):
        self.kept = np.reshape(self.draw(x.size), x.shape) > 0.4
        return x * self.kept / 0.6

    def backward(self, dout):
        return dout * self.kept / (0.6 if self.scaled else 1.0)


class Held(Dropout):
    """The same with a Generator of its own."""

    def __init__(self, scaled=True):
        self.rng = np.random.default_rng(1)
        super().__init__(None, scaled)

    def forward(self, x):
        self.kept = self.rng.random(x.shape) > 0.4
        return x * self.kept / 0.6


def standard_library(size):
    return [random.random() for _ in range(size)]


DROPOUTS = {
    "np.random": lambda scaled: Dropout(np.random.rand, scaled),
    "random": lambda scaled: Dropout(standard_library, scaled),
    "a Generator of its own": Held,
}


@pytest.mark.parametrize("x", [X, normal(30, 20)], ids=["small", "large"])
@pytest.mark.parametrize("build", DROPOUTS.values(), ids=DROPOUTS)
def test_a_random_layer_is_frozen_and_checked(build, x):
    report = report_of(build(True), x)
    assert (report.verdict, report.notes) == (Verdict.PASS, (FROZEN,))
    assert report.tensors[0].judged == 3 * x.size
    wrong = report_of(build(False), x)
    assert (wrong.verdict, wrong.findings[0].code) == (Verdict.FAIL, "GP102")


@pytest.mark.parametrize("build", DROPOUTS.values(), ids=DROPOUTS)
@pytest.mark.parametrize("x", [np.zeros((2, 3)), np.ones(1)], ids=["where no mask shows", "one entry"])
def test_randomness_that_two_outputs_do_not_show_is_noticed(build, x):
    for seed in range(8):
        report = check(build(True), x, settings=Settings(seed=seed)).subjects[0]
        assert (report.verdict, report.notes, report.findings) == (Verdict.PASS, (FROZEN,), ())


def test_a_state_that_two_outputs_do_not_show_is_noticed():
    report = report_of(Recurrent(), np.zeros((2, 3)))
    assert (report.verdict, report.notes) == (Verdict.PASS, (FROZEN,))


def test_a_layer_that_cannot_be_frozen_is_not_judged():
    def fresh(size):
        return np.random.default_rng(time.perf_counter_ns()).random(size)

    for scaled in (True, False):
        report = report_of(Dropout(fresh, scaled), X)
        assert (report.verdict, report.findings, report.tensors) == (Verdict.INCONCLUSIVE, (), ())
        assert report.reason.startswith(Reason.NON_DETERMINISTIC)


def drawn_by_a_new_generator(size):
    return np.random.default_rng().random(size)


def test_a_generator_that_is_made_without_a_seed_is_frozen():
    report = report_of(Dropout(drawn_by_a_new_generator), X)
    assert (report.verdict, report.notes) == (Verdict.PASS, (FROZEN,))
    assert report_of(Dropout(drawn_by_a_new_generator, False), X).verdict is Verdict.FAIL


class LinearOfAGenerator:
    """Its weights come from a generator of its own, whose seed is not given: each object has others."""

    def __init__(self, d, h, seed=None):
        generator = np.random.default_rng(seed)
        self.W = generator.normal(size=(d, h)).astype(np.float32)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


class LinearOfAGeneratorHalved(LinearOfAGenerator):
    def backward(self, dout):
        return super().backward(dout) / 2


def test_weights_from_a_generator_without_a_seed_are_the_same_in_each_object():
    right = check(LinearOfAGenerator).subjects[0]
    assert (right.verdict, right.findings) == (Verdict.PASS, ())
    with pytest.raises(GradientFault) as raised:
        check(LinearOfAGeneratorHalved)
    assert [(finding.code, finding.tensor) for finding in raised.value.report.findings] == [("GP102", "x")]


def test_checking_leaves_the_global_random_states_alone():
    before = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    report_of(Dropout(np.random.rand), X)
    report_of(Dropout(standard_library), X)
    assert np.array_equal(before[0], np.random.get_state()[1])  # noqa: NPY002
    assert before[1] == random.getstate()


class RunningMean:
    """Batch normalisation without a variance; it keeps a running mean and counts its calls."""

    def __init__(self, forgets_the_mean=False):
        self.forgets_the_mean = forgets_the_mean
        self.mean, self.calls = np.zeros(3), 0
        self.params, self.grads = [np.array([1.0, 2.0, -1.0])], [np.zeros(3)]

    def forward(self, x):
        self.calls += 1
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        self.centred = x - x.mean(0)
        return self.params[0] * self.centred

    def backward(self, dout):
        self.grads[0][...] = (dout * self.centred).sum(0)
        dx = dout * self.params[0]
        return dx if self.forgets_the_mean else dx - dx.mean(0)


def test_running_means_disturb_nothing_and_stay_as_they_were():
    layer = RunningMean()
    report = report_of(layer, X)
    assert (report.verdict, report.notes) == (Verdict.PASS, ())
    assert (layer.calls, layer.mean.tolist(), layer.grads[0].tolist()) == (0, [0, 0, 0], [0, 0, 0])
    assert [finding.tensor for finding in report_of(RunningMean(forgets_the_mean=True), X).findings] == ["x"]


@pytest.mark.parametrize("rows", [4, 40])
def test_a_layer_whose_rows_depend_on_each_other_is_judged_without_stacking(rows):
    x = normal(rows, 3)
    right = report_of(RunningMean(), x)
    assert right.verdict is Verdict.PASS
    assert "stacked batch" not in right.tensors[0].methods
    assert report_of(RunningMean(forgets_the_mean=True), x).verdict is Verdict.FAIL


class Recurrent:
    """One step of a stateful RNN: the hidden state goes on from call to call."""

    def __init__(self, factor=1.0):
        self.params, self.grads = [0.5 * normal(3, 3, seed=1)], [np.zeros((3, 3))]
        self.h, self.factor = None, factor

    def forward(self, x):
        self.before = np.zeros_like(x) if self.h is None else self.h
        self.h = np.tanh(x + self.before @ self.params[0])
        return self.h

    def backward(self, dout):
        inside = dout * (1 - self.h**2)
        self.grads[0][...] = self.factor * self.before.T @ inside
        return inside


def test_a_hidden_state_is_put_back_before_every_forward():
    layer = Recurrent()
    layer.forward(X)
    state = layer.h.copy()
    report = report_of(layer, X)
    assert (report.verdict, report.notes) == (Verdict.PASS, (FROZEN,))
    assert np.array_equal(layer.h, state)


def test_a_wrong_gradient_through_the_hidden_state_is_found():
    layer = Recurrent(factor=1.1)
    layer.forward(X)
    errors = [finding for finding in report_of(layer, X).findings if finding.severity == "error"]
    assert [(finding.code, finding.tensor) for finding in errors] == [("GP102", "params[0]")]


class Buffered:
    """Writes every output into the same array, and the gradient over it."""

    def __init__(self, factor=1.0):
        self.factor, self.out = factor, None

    def forward(self, x):
        if self.out is None or self.out.shape != x.shape:
            self.out = np.empty(x.shape)
        return np.tanh(x, out=self.out)

    def backward(self, dout):
        np.multiply(self.factor * dout, 1 - self.out**2, out=self.out)
        return self.out


class Mutating:
    """Doubles x and dout where they lie."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def forward(self, x):
        x *= 2
        return x

    def backward(self, dout):
        dout *= 2 * self.factor
        return dout


@pytest.mark.parametrize("x", [X, normal(600)], ids=["small", "large"])
@pytest.mark.parametrize("layer", [Buffered, Mutating])
def test_a_layer_that_writes_into_its_arguments_or_outputs_is_judged_right(layer, x):
    before = x.copy()
    assert [tensor.verdict for tensor in report_of(layer(), x).tensors] == [Verdict.PASS]
    assert [tensor.verdict for tensor in report_of(layer(1.01), x).tensors] == [Verdict.FAIL]
    assert np.array_equal(x, before)


class KeepsItsBatchSize:
    """An affine layer that refuses (or cuts) any other batch than its first."""

    def __init__(self, cuts, factor=1.0):
        self.params, self.grads = [normal(20, 4, seed=2)], [np.zeros((20, 4))]
        self.cuts, self.factor, self.n = cuts, factor, None

    def forward(self, x):
        self.n = len(x) if self.n is None else self.n
        if len(x) != self.n and not self.cuts:
            raise ValueError("another batch size")
        self.x = x[: self.n]
        return self.x @ self.params[0]

    def backward(self, dout):
        self.grads[0][...] = self.x.T @ dout
        return self.factor * dout @ self.params[0].T


@pytest.mark.parametrize("cuts", [False, True], ids=["raises", "cuts"])
def test_a_layer_for_one_batch_size_is_judged_without_stacking(cuts):
    report = report_of(KeepsItsBatchSize(cuts), normal(5, 20))
    assert (report.verdict, report.tensors[0].methods) == (Verdict.PASS, ("entry by entry",))
    wrong = report_of(KeepsItsBatchSize(cuts, 1.01), normal(5, 20))
    assert [finding.tensor for finding in wrong.findings if finding.severity == "error"] == ["x"]


def test_independent_rows_are_stacked_and_cost_few_forwards():
    class Affine(KeepsItsBatchSize):
        def forward(self, x):
            self.x = x
            return x @ self.params[0]

    report = report_of(Affine(True), normal(5, 20))
    assert (report.verdict, report.tensors[0].methods) == (Verdict.PASS, ("stacked batch",))
    assert report.tensors[0].forwards <= 3 * 4
    wrong = report_of(Affine(True, 1.01), normal(5, 20))
    assert [finding.tensor for finding in wrong.findings] == ["x"]


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


LAYOUTS = {
    "columns left out": normal(8, 6)[::2, 1::2],
    "negative strides": normal(8, 6)[::-1, ::-1],
    "Fortran order": np.asfortranarray(normal(8, 6)),
    "read-only": read_only(X),
    "broadcast": np.broadcast_to(X[0], (4, 3)),
    "big-endian": X.astype(">f8"),
    "longdouble": X.astype(np.longdouble),
    "no axes": np.array(0.3),
}


@pytest.mark.parametrize("x", LAYOUTS.values(), ids=LAYOUTS)
def test_the_memory_layout_of_x_does_not_matter(x):
    right = report_of(node(np.tanh, tanh_slope), x)
    assert (right.verdict, right.tensors[0].judged) == (Verdict.PASS, 3 * x.size)
    assert report_of(node(np.tanh, lambda x: 1.01 * tanh_slope(x)), x).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        pytest.param(lambda x: np.where(x > 0, x, np.nan), "non-finite: the output holds NaN or infinity", id="NaN"),
        pytest.param(
            lambda x: np.where(x > 0, x, np.inf), "non-finite: the output holds NaN or infinity", id="infinity"
        ),
        pytest.param(lambda x: x > 0, "quantised output: the output has dtype bool", id="bool"),
        pytest.param(lambda x: x.argmax(1), "quantised output: the output has dtype int64", id="argmax"),
        pytest.param(lambda x: 1j * x, "not examined: the output is complex (complex128)", id="complex"),
    ],
)
def test_an_output_without_a_real_slope_cannot_be_judged(output, reason):
    report = report_of(node(output, np.ones_like), X)
    assert (report.verdict, report.findings) == (Verdict.INCONCLUSIVE, ())
    assert report.reason.startswith(reason)


@pytest.mark.parametrize("x", [np.arange(6).reshape(2, 3), np.array([True, False])], ids=["integers", "booleans"])
def test_an_input_that_is_not_float_is_not_examined_and_the_report_says_so(x):
    report = report_of(node(lambda x: 2.0 * x, lambda x: 2.0 + 0 * x), x)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "nothing has a gradient" in report.reason


@pytest.mark.parametrize(
    ("weights", "what"),
    [(np.arange(3), "an integer array"), (np.ones(3) * 1j, "an array of dtype complex128")],
    ids=["int", "complex"],
)
def test_a_parameter_that_is_not_float_is_a_finding(weights, what):
    class Scale:
        def __init__(self):
            self.params, self.grads = [weights], [np.zeros(3)]

        def forward(self, x):
            self.x = x
            return x * self.params[0].real

        def backward(self, dout):
            self.grads[0][...] = (dout * self.x).sum(0)
            return dout * self.params[0].real

    report = report_of(Scale(), X)
    assert [(finding.code, finding.headline) for finding in report.findings] == [
        ("GP208", f"the parameter params[0] is {what}")
    ]


class SharedWeights:
    """Two products with one matrix, which stands in params twice: its gradient is the sum of both parts."""

    def __init__(self, factor=1.0):
        w = normal(3, 3, seed=2)
        self.params, self.grads, self.factor = [w, w], [np.zeros((3, 3)), np.zeros((3, 3))], factor

    def forward(self, x):
        self.x, self.h = x, x @ self.params[0]
        return self.h @ self.params[1]

    def backward(self, dout):
        dh = dout @ self.params[1].T
        self.grads[1][...] = self.h.T @ dout
        self.grads[0][...] = self.factor * self.x.T @ dh
        return dh @ self.params[0].T


def test_shared_weights_have_the_sum_of_their_gradients():
    report = report_of(SharedWeights(), X)
    assert report.verdict is Verdict.PASS
    assert [tensor.name for tensor in report.tensors] == ["x", "params[0]"]
    assert [finding.tensor for finding in report_of(SharedWeights(0.5), X).findings] == ["params[0]"]
