"""Ways of writing a layer that hide what it takes: each right one passes with nothing declared, its twin fails."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from gradproof import Case, GradientFault, Settings, UsageError, check, floats
from gradproof.checking import check_case
from gradproof.infer.infer import infer
from gradproof.infer.inference import Reading, judged
from gradproof.values import Verdict

pytestmark = pytest.mark.table

FEW = Settings(examples=12)


def counted(function):
    """A decorator that leaves out functools.wraps."""

    def wrapper(*args, **kwargs):
        wrapper.calls += 1
        return function(*args, **kwargs)

    wrapper.calls = 0
    return wrapper


class Decorated:
    @counted
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    @counted
    def backward(self, dout):
        return dout * (1 - self.y**2)


class DecoratedWrong(Decorated):
    @counted
    def backward(self, dout):
        return dout * (1 - self.y)


class Momentum:
    """An optimizer that moves weights by more than the gradient."""

    def __init__(self):
        self.v = None

    def update(self, params, grads):
        self.v = self.v or [np.zeros_like(p) for p in params]
        for p, g, v in zip(params, grads, self.v, strict=True):
            v[...] = 0.9 * v - 0.01 * g
            p += v


class Updating:
    """An optimizer that is made where it is first asked for."""

    def __init__(self, n_in, n_out):
        self.weight, self._made = np.random.default_rng(0).normal(size=(n_in, n_out)), None

    @property
    def optimizer(self):
        if self._made is None:
            self._made = Momentum()
        return self._made

    @optimizer.setter
    def optimizer(self, value):
        self._made = value

    def forward(self, x):
        self.x = x
        return x @ self.weight

    def backward(self, dout):
        dx = dout @ self.weight.T
        self.optimizer.update([self.weight], [self.x.T @ dout])
        return dx


class UpdatingBefore(Updating):
    def backward(self, dout):
        self.optimizer.update([self.weight], [2 * self.x.T @ dout])
        return dout @ self.weight.T


class Initialised:
    def __init__(self, n_in, n_out, weight_init, bias_init):
        self.W, self.b = weight_init(n_in, n_out), bias_init(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class InitialisedWrong(Initialised):
    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.mean(axis=0)
        return dout @ self.W.T


class DerivativeOfInput:
    """backward is handed what forward was, and has no dout."""

    def __init__(self, slope=0.1):
        self.slope = slope

    def forward(self, x):
        return np.where(x > 0, x, self.slope * x)

    def backward(self, x):
        return np.where(x > 0, 1, self.slope)


class DerivativeOfInputWrong(DerivativeOfInput):
    def backward(self, x):
        return np.where(x > 0, 1, 1 - self.slope)


class ColumnLoss:
    """The targets become one column, and so are the predictions."""

    def forward(self, y_true, y_pred):
        column = y_true.reshape(-1, 1)
        return np.mean((y_pred - column) ** 2)

    def backward(self, y_true, y_pred):
        return 2 * (y_pred - y_true.reshape(-1, 1)) / y_true.size


class ColumnLossWrong(ColumnLoss):
    def backward(self, y_true, y_pred):
        return (y_pred - y_true.reshape(-1, 1)) / y_true.size


def chosen_loss(scores, y):
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = np.log(np.exp(shifted).sum(axis=1))
    loss = np.mean(logs - np.choose(y, shifted.T))
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    return loss, p / len(y)


def chosen_loss_wrong(scores, y):
    loss, gradient = chosen_loss(scores, y)
    return loss, gradient * len(y)


def square_mean_forward(x):
    n, c, h, _ = x.shape
    out = np.zeros((n, c))
    for i in range(h):
        for j in range(h):  # h in the place of w: the images are square
            out += x[:, :, i, j] ** 2
    return out, x


def square_mean_backward(dout, cache):
    return 2 * cache * dout[:, :, None, None]


def square_mean_backward_wrong(dout, cache):
    return cache * dout[:, :, None, None]


class CopiedDeep:
    """An output that begins as a deep copy of the input."""

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def forward(self, x):
        self.x, y = x, copy.deepcopy(x)
        y[x < 0] = self.alpha * (np.exp(x[x < 0]) - 1)
        return y

    def backward(self, dout):
        return dout * np.where(self.x < 0, self.alpha * np.exp(np.minimum(self.x, 0)), 1.0)


class CopiedDeepWrong(CopiedDeep):
    def backward(self, dout):
        return dout * np.where(self.x < 0, self.alpha, 1.0)


class TakesTheOthersShape:
    """Targets that have not the shape of the predictions are given it: they have it as a rule."""

    def forward(self, prediction, target):
        if prediction.shape != target.shape:
            target = target.reshape(prediction.shape)
        self.difference = prediction - target
        return np.mean(np.sum(self.difference**2, axis=1))

    def backward(self):
        return 2 * self.difference / len(self.difference)


class TakesTheOthersShapeWrong(TakesTheOthersShape):
    def backward(self):
        return self.difference / len(self.difference)


class SpreadOverSteps:
    """A state gets an axis of 1 between its own two."""

    def forward(self, hs, h):
        n, _, width = hs.shape
        self.hs, self.spread = hs, h.reshape(n, 1, width)
        return np.sum(hs * self.spread, axis=2)

    def backward(self, dout):
        dt = dout[:, :, np.newaxis]
        return dt * self.spread, np.sum(dt * self.hs, axis=1)


class SpreadOverStepsWrong(SpreadOverSteps):
    def backward(self, dout):
        dt = dout[:, :, np.newaxis]
        return dt * self.spread, np.mean(dt * self.hs, axis=1)


class StepsButTheFirst:
    """Of two sequences the batch is one: what is left of the second, without its first step, has that of the first."""

    def forward(self, x, ts):
        d = x.shape[1]
        self.x, self.rest = x, ts[:, 1:]
        t = self.rest.shape[1]
        self.rows = np.repeat(x, t, axis=0).reshape(len(ts), t, d)
        return self.rows * self.rest[:, :, np.newaxis]

    def backward(self, dout):
        dts = np.zeros((len(self.x), self.rest.shape[1] + 1))
        dts[:, 1:] = np.sum(dout * self.rows, axis=2)
        return np.sum(dout * self.rest[:, :, np.newaxis], axis=1), dts


class StepsButTheFirstWrong(StepsButTheFirst):
    def backward(self, dout):
        dx, dts = super().backward(dout)
        return dx / len(dx), dts


class RecordedByCall:
    """Objects are called: that keeps what backward reads, which the constructor has begun with a number."""

    def __init__(self):
        self.kept = 0

    def __call__(self, x):
        self.kept = x
        return self.forward(x)

    def forward(self, x):
        return np.tanh(x)

    def backward(self, dout):
        return dout * (1 - np.tanh(self.kept) ** 2)


class RecordedByCallWrong(RecordedByCall):
    def backward(self, dout):
        return dout * (1 - np.tanh(self.kept))


class BuiltFromNone:
    """``build`` fills a dict whose entries begin as None; the optimizer comes later and is handed the layer itself."""

    def __init__(self, units):
        self.units, self.optimizer, self.params = units, None, {"W": None, "b": None}

    def build(self, input_shape):
        rng = np.random.default_rng(0)
        self.params["W"] = rng.normal(size=(input_shape[1], self.units))
        self.params["b"] = np.zeros(self.units)

    def forward(self, inputs):
        self.inputs = inputs
        return inputs @ self.params["W"] + self.params["b"]

    def backward(self, grads, learning_rate):
        dparams = {"dW": self.inputs.T @ grads, "db": grads.sum(axis=0)}
        dinputs = grads @ self.params["W"].T
        self.optimizer.update(self, dparams, learning_rate)
        return dinputs


class BuiltFromNoneWrong(BuiltFromNone):
    def backward(self, grads, learning_rate):
        dparams = {"dW": self.inputs.T @ grads, "db": grads.mean(axis=0)}
        dinputs = grads @ self.params["W"].T
        self.optimizer.update(self, dparams, learning_rate)
        return dinputs


class AttendsOverSequences:
    """Forward takes a matrix of keys as well, as NumPy repeats it; backward turns three axes."""

    def forward(self, query, key):
        self.query, self.key = query, key
        return query @ key.transpose(0, 2, 1)

    def backward(self, dout):
        return dout @ self.key, dout.transpose(0, 2, 1) @ self.query.reshape(len(self.key), -1, self.key.shape[2])


class AttendsOverSequencesWrong(AttendsOverSequences):
    def backward(self, dout):
        return 2 * dout @ self.key, dout.transpose(0, 2, 1) @ self.query.reshape(len(self.key), -1, self.key.shape[2])


class BiasOfSequences:
    """Its update fits rows, too, but for them it is wrong: axis 1 is that of the bias."""

    def __init__(self, n_in, n_out):
        rng = np.random.default_rng(0)
        self.W, self.b = rng.normal(size=(n_in, n_out)), rng.normal(size=n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout, learning_rate):
        dx = dout @ self.W.T
        rows, n_out = self.x.reshape(-1, self.x.shape[-1]), dout.shape[-1]
        self.W -= learning_rate * rows.T @ dout.reshape(-1, n_out)
        self.b -= learning_rate * dout.sum(axis=(0, 1))
        return dx


class BiasOfSequencesWrong(BiasOfSequences):
    def backward(self, dout, learning_rate):
        dx = super().backward(dout, learning_rate)
        self.b -= learning_rate * dout.sum(axis=(0, 1))
        return dx


class ShapedByItsBase:
    """Its base keeps the shape of the input, which ``build`` needs: any keyword is handed on to it."""

    def __init__(self, input_shape=None):
        self.input_shape = input_shape


class HandsKeywordsOn(ShapedByItsBase):
    def __init__(self, units, **keywords):
        super().__init__(**keywords)
        self.units = units

    def build(self):
        self.W = np.random.default_rng(0).normal(size=(self.input_shape[0], self.units))

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


class HandsKeywordsOnWrong(HandsKeywordsOn):
    def backward(self, dout):
        self.dW = -self.x.T @ dout
        return dout @ self.W.T


def caching(forward):
    """A decorator of a base class, which keeps what backward needs, in training alone."""

    def cached(self, x, training=False):
        y = forward(self, x, training=training)
        self.cache = (x, y) if training else None
        return y

    return cached


class CachesInTraining:
    def __init__(self, d):
        self.d = d

    def build(self):
        self.scale = np.linspace(1, 2, self.d)

    @caching
    def forward(self, x, training=False):
        return self.scale * np.tanh(x)

    def backward(self, dout):
        x, y = self.cache
        self.dscale = np.sum(dout * np.tanh(x), axis=0)
        return dout * (self.scale - y**2 / self.scale)


class CachesInTrainingWrong(CachesInTraining):
    def backward(self, dout):
        x, y = self.cache
        self.dscale = np.sum(dout * np.tanh(x), axis=0)
        return dout * (self.scale - y**2)


class SumOfAList:
    """It is given a list of two arrays, and returns one of two."""

    def forward(self, x):
        return x[0] + x[1]

    def backward(self, dout):
        return [dout, dout]


class SumOfAListWrong(SumOfAList):
    def backward(self, dout):
        return [dout, dout / len(dout)]


PAIRS = [
    pytest.param(HandsKeywordsOn, HandsKeywordsOnWrong, "input_shape=sizes(", id="keywords for the base"),
    pytest.param(CachesInTraining, CachesInTrainingWrong, "training=True", id="a cache in training alone"),
    pytest.param(SumOfAList, SumOfAListWrong, 'x="2 t d"', id="a list of two arrays"),
    pytest.param(BuiltFromNone, BuiltFromNoneWrong, "input_shape=sizes(", id="a dict of None, an optimizer to come"),
    pytest.param(AttendsOverSequences, AttendsOverSequencesWrong, 'query="n t d"', id="sequences in backward alone"),
    pytest.param(BiasOfSequences, BiasOfSequencesWrong, "", id="a bias summed over two axes"),
    pytest.param(Decorated, DecoratedWrong, "Case(Decorated, x=", id="a wrapper without a signature"),
    pytest.param(Updating, UpdatingBefore, "Case(Updating, n_in=size(", id="an optimizer that is made late"),
    pytest.param(Initialised, InitialisedWrong, "weight_init=np.random.randn", id="functions that make parameters"),
    pytest.param(DerivativeOfInput, DerivativeOfInputWrong, "Case(DerivativeOfInput, x=", id="a derivative at x"),
    pytest.param(ColumnLoss, ColumnLossWrong, '"d*n 1"', id="predictions of one column"),
    pytest.param(CopiedDeep, CopiedDeepWrong, "Case(CopiedDeep, x=", id="a deep copy"),
    pytest.param(TakesTheOthersShape, TakesTheOthersShapeWrong, 'target=constant("n d")', id="reshaped as another"),
    pytest.param(SpreadOverSteps, SpreadOverStepsWrong, 'h="n h"', id="an axis of 1 between"),
    pytest.param(StepsButTheFirst, StepsButTheFirstWrong, 'ts="n e"', id="the batch of two sequences"),
    pytest.param(RecordedByCall, RecordedByCallWrong, "Case(RecordedByCall, x=", id="recorded by a call"),
    pytest.param(chosen_loss, chosen_loss_wrong, 'y=labels("n", "c")', id="labels that choose"),
    pytest.param(
        (square_mean_forward, square_mean_backward),
        (square_mean_forward, square_mean_backward_wrong),
        'x="n c h h"',
        id="square images",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "part"), PAIRS)
def test_a_right_layer_passes_and_its_twin_fails(right, wrong, part):
    assert part in infer(right).declaration
    assert verdict_of(right) is Verdict.PASS
    assert verdict_of(wrong) is Verdict.FAIL


def verdict_of(subject):
    return as_the_command_does(subject).verdict


class SlicedByItsPad:
    """With a pad of 0, ``[pad:-pad]`` is empty: no labels for x make that right."""

    def __init__(self, pad=0):
        self.pad = pad

    def forward(self, x):
        self.padded = np.pad(x, ((0, 0), (0, 0), (self.pad, self.pad), (self.pad, self.pad)))
        return self.padded * 3.0

    def backward(self, dout):
        return (dout * 3.0)[:, :, self.pad : -self.pad, self.pad : -self.pad]


def test_what_forward_is_about_stays_a_tensor():
    found = infer(SlicedByItsPad)
    assert "labels" not in found.declaration
    with pytest.raises(GradientFault):
        check(SlicedByItsPad, x="n c h w", settings=FEW)


class FlatBeyondTwoAxes:
    """A ReLU that masks matrices alone."""

    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dout):
        dx = dout.copy()
        for index in np.argwhere(self.x <= 0):
            if len(index) == 2:
                dx[tuple(index)] = 0
        return dx


class OverTheLastAxis:
    """A softmax whose backward is meant for matrices: it does not map entries, and more axes are not asked of it."""

    def forward(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        self.y = e / e.sum(axis=-1, keepdims=True)
        return self.y

    def backward(self, dout):
        return self.y * (dout - (dout * self.y).sum(axis=1, keepdims=True))


def test_what_maps_entries_is_not_passed_for_matrices_alone():
    assert verdict_of(FlatBeyondTwoAxes) is Verdict.INCONCLUSIVE
    assert verdict_of(OverTheLastAxis) is Verdict.PASS


class CancellingSum:
    """A term without dout that is zero but for rounding, as the sum of what is left of a mean."""

    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dout):
        rest = (self.x - self.x.mean()).sum()
        return 2 * self.x * dout + rest * 1e-12


class AddedConstant(CancellingSum):
    def backward(self, dout):
        return 2 * self.x * dout + 1e-9


def test_rounding_at_a_dout_of_zeros_is_no_broken_promise():
    assert check(CancellingSum, x="n d", settings=FEW).verdict is Verdict.PASS
    with pytest.raises(GradientFault):
        check(AddedConstant, x="n d", settings=FEW)


class ComparedRows:
    """It compares the rows of x, which floats that are drawn never are alike: whole numbers run, and are not meant."""

    def forward(self, x):
        if len(np.unique(x)) == x.size > 1:
            raise ValueError("no two values are alike")
        self.x = x
        return (x * 2.0).sum(axis=1)

    def backward(self, dout):
        raise ValueError("not for whole numbers")


class Embedding:
    def __init__(self, W):
        self.W = W

    def forward(self, idx):
        self.idx = idx
        return self.W[idx]

    def backward(self, dout):
        self.dW = np.zeros_like(self.W)
        np.add.at(self.dW, self.idx, dout)


def test_labels_that_index_nothing_are_in_doubt():
    assert infer(ComparedRows).doubts == ("x was only found to run as whole numbers",)
    assert infer(Embedding).doubts == ()


class OfChances:
    """-log p, with p - t: right for the logits of a softmax before it."""

    def forward(self, y_pred, y_true):
        y_pred = np.clip(y_pred, 1e-15, 1 - 1e-15)
        return -np.sum(y_true * np.log(y_pred)) / len(y_pred)

    def backward(self, y_pred, y_true):
        return (y_pred - y_true) / len(y_true)


class OfChancesWrong(OfChances):
    def backward(self, y_pred, y_true):
        return y_pred - y_true


def binary(y_pred, y_true):
    return -np.mean(y_true * np.log(y_pred + 1e-9) + (1 - y_true) * np.log(1 - y_pred + 1e-9))


def binary_derivative(y_pred, y_true):
    return (y_pred - y_true) / y_true.size


def binary_derivative_wrong(y_pred, y_true):
    return (y_true - y_pred) / y_true.size


LOGITS = [
    pytest.param(OfChances, OfChancesWrong, "a softmax", id="a class"),
    pytest.param((binary, binary_derivative), (binary, binary_derivative_wrong), "a sigmoid", id="two functions"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("meant", "wrong", "squash"), LOGITS)
def test_a_gradient_for_the_logits_before_a_loss_accuses_nobody(meant, wrong, squash):
    found = as_the_command_does(meant)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert f"right as the gradient for the logits of {squash} before it" in found.reason
    assert as_the_command_does(wrong).verdict is Verdict.FAIL


def as_the_command_does(subject):
    found = infer(subject)
    report = check_case(found.case.under(FEW), location="x", inferred=True)
    others = [check_case(case.under(FEW), location="x", inferred=True) for case in found.others]
    readings = found.readings if report.verdict is Verdict.FAIL else ()
    read = [check_case(each.case.under(FEW), location="x", inferred=True) for each in readings]
    return judged(report, found, others, read)


def unrolled_forward(x, w):
    """A convolution by columns, whose sizes are products of differences."""
    n, _c, h, width = x.shape
    f, channels, kh, kw = w.shape
    high, wide = int((h - kh) / 1 + 1), int((width - kw) / 1 + 1)
    columns = np.zeros((n, high * wide, channels * kh * kw))
    for i in range(high):
        for j in range(wide):
            columns[:, i * wide + j] = x[:, :, i : i + kh, j : j + kw].reshape(n, -1)
    out = columns @ w.reshape(f, -1).T
    return out.transpose(0, 2, 1).reshape(n, f, high, wide), (x, w)


def unrolled_backward(dout, cache):
    x, w = cache
    kh, kw = w.shape[2:]
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            dw += np.einsum("nf,nchw->fchw", dout[:, :, i, j], x[:, :, i : i + kh, j : j + kw])
            dx[:, :, i : i + kh, j : j + kw] += np.einsum("nf,fchw->nchw", dout[:, :, i, j], w)
    return dx, dw


def test_sizes_that_are_products_of_differences_leave_windows_small_alone():
    declaration = infer((unrolled_forward, unrolled_backward)).declaration
    assert 'x="n c h w", w="f c kh kw"' in declaration
    assert "'h': (3, 6)" in declaration
    assert "'kh': (1, 3)" in declaration
    assert "'f'" not in declaration


def rows_loss(x, y):
    """It goes through the rows themselves, and counts them for the labels."""
    total, dx = 0.0, np.zeros(x.shape)
    for i, row in enumerate(x):
        p = np.exp(row - row.max())
        p = p / p.sum()
        total -= np.log(p[y[i]])
        dx[i] = p
        dx[i, y[i]] -= 1
    return total, dx


def test_a_loop_over_rows_counts_the_labels():
    assert 'x="n c", y=labels("n", "c")' in infer(rows_loss).declaration


def looped_forward(x, W, b):
    out = np.zeros((len(x), len(W)))
    for f in range(len(W)):
        out[:, f] = np.sum(x * W[f], axis=1) + b[f]
    return out, (x, W, b)


def looped_backward(dout, cache):
    x, W, _ = cache
    return dout @ W, dout.T @ x, dout.sum(axis=0)


def test_one_place_of_a_bias_is_a_number():
    assert 'W="d h", b="d"' in infer((looped_forward, looped_backward)).declaration


def scaled_forward(x, gamma):
    return x * gamma.reshape(1, -1, 1, 1), (x, gamma)


def scaled_backward(dout, cache):
    x, gamma = cache
    return dout * gamma.reshape(1, -1, 1, 1), (dout * x).sum(axis=(0, 2, 3), keepdims=True)


def scaled_backward_wrong(dout, cache):
    x, gamma = cache
    return dout * gamma.reshape(1, -1, 1, 1), (dout * x).mean(axis=(0, 2, 3), keepdims=True)


def test_a_gamma_with_the_axes_of_the_images_is_another_reading():
    assert as_the_command_does((scaled_forward, scaled_backward)).verdict is Verdict.INCONCLUSIVE
    assert as_the_command_does((scaled_forward, scaled_backward_wrong)).verdict is Verdict.FAIL


def along_the_last_forward(x, b):
    return x + b, None


def along_the_last_backward(dout, cache):
    return dout, dout.sum(axis=(0, 1), keepdims=True)


def test_along_the_last_axis_ones_in_front_are_a_slip():
    readings = infer((along_the_last_forward, along_the_last_backward)).readings
    assert not any("1 1" in reading.text for reading in readings)


class Refusing(OfChances):
    """A class that no other may be derived from."""

    def __init_subclass__(cls):
        raise TypeError("this class is final")


def test_a_class_that_refuses_to_be_derived_from_has_no_reading_of_logits():
    assert infer(Refusing).readings == ()
    assert as_the_command_does(Refusing).verdict is Verdict.FAIL


class GuardedLogarithm:
    """Its backward leaves out the epsilon."""

    def forward(self, x):
        self.x = x
        return np.log(x + 1e-5)

    def backward(self, dout):
        return dout / self.x


def test_an_epsilon_excuses_a_reading_of_logits_alone():
    values = floats("n d", min_value=0.1, max_value=4.0)
    report = check_case(Case(GuardedLogarithm, x=values), location="x")
    assert {finding.code for finding in report.findings if finding.severity == "error"} == {"GP108"}
    case = infer(OfChances).case
    assert Reading(case, "near", nearly=True).is_right(report)
    assert not Reading(case, "another shape").is_right(report)


class Callable:
    """What can be called, and not be hashed."""

    __hash__ = None

    def __call__(self, x):
        return x * 2.0, None


def test_what_cannot_be_hashed_is_refused_clearly():
    with pytest.raises(UsageError, match="got an object of Callable that can be called and not be hashed"):
        check(Callable(), lambda dout, cache: dout * 2.0, x="n d")
