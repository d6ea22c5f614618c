"""Layers that break one promise each, with right gradients, beside the same layer that keeps it; it knows no check."""

import math
from dataclasses import dataclass

import numpy as np

from faulty.base import Node
from gradproof import Case


@dataclass(frozen=True)
class Broken:
    """A layer that breaks the promise of ``code``; the gradients of a first forward and backward are right."""

    code: str
    severity: str
    wrong: type | tuple
    right: type | tuple
    specs: dict

    @property
    def name(self):
        return self.wrong.__name__ if isinstance(self.wrong, type) else self.wrong[1].__name__

    def case(self, layer, **more):
        return Case(*layer, **self.specs, **more) if isinstance(layer, tuple) else Case(layer, **self.specs, **more)


class Square(Node):
    """y = x^2."""

    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dout):
        return 2 * self.x * dout


class Affine:
    """y = x W + b, in the book's convention."""

    def __init__(self, W, b):
        self.params = [W, b]
        self.grads = [np.zeros_like(W), np.zeros_like(b)]
        self.x = None

    def forward(self, x):
        W, b = self.params
        self.x = x
        return x @ W + b

    def backward(self, dout):
        W, _ = self.params
        self.grads[0][...] = self.x.T @ dout
        self.grads[1][...] = dout.sum(axis=0)
        return dout @ W.T


class ForwardWritesToItsInput(Square):
    def forward(self, x):
        self.x = x.copy()
        x *= x
        return 1 * x


class ForwardNormalisesItsWeights(Affine):
    def forward(self, x):
        W = self.params[0]
        W /= max(1.0, np.abs(W).max() / 0.5)
        return super().forward(x)


class ForwardCountsItsCalls(Square):
    calls = 0

    def forward(self, x):
        self.calls += 1
        self.x = x
        return x * x + self.calls


class Stateful(Square):
    """A state on purpose, as a stateful RNN has it."""

    stateful = True
    last = 0.0

    def forward(self, x):
        self.x = x
        y = x * x + self.last
        self.last = self.last + 1.0
        return y


class Dropping(Square):
    """Random on purpose: dropout."""

    def __init__(self):
        super().__init__()
        self.rng = np.random.default_rng(0)

    def forward(self, x):
        self.mask = self.rng.random(x.shape) < 0.5
        self.x = x
        return x * x * self.mask

    def backward(self, dout):
        return 2 * self.x * dout * self.mask


class ReadsMemoryAsItLies(Square):
    def forward(self, x):
        self.x = x
        return (x * x).ravel(order="K").reshape(x.shape)

    def backward(self, dout):
        return 2 * self.x * np.reshape(dout, dout.shape)


class FlattensByItsShape(Square):
    def forward(self, x):
        self.x = x
        y = x.view()
        y.shape = (-1,)
        return (y * y).reshape(x.shape)


class SumsAlongMemory(Square):
    """Right: another layout changes the order of the sums, and with it the last digits."""

    def forward(self, x):
        self.x = x
        return np.asarray(np.sum(x * x))

    def backward(self, dout):
        return 2 * self.x * dout


class OutputInFloat64(Square):
    def forward(self, x):
        self.x = x
        return x * x * np.ones(x.shape)


class GradientInFloat64(Square):
    def backward(self, dout):
        return 2 * self.x * dout * np.ones(dout.shape)


class ParameterGradientInFloat64(Affine):
    def __init__(self, W, b):
        super().__init__(W, b)
        self.grads = [np.zeros(W.shape), np.zeros(b.shape)]


class KeepsItsGradientsInFloat32(Affine):
    def __init__(self, W, b):
        super().__init__(W, b)
        self.grads = [np.zeros(W.shape, dtype="f"), np.zeros(b.shape, dtype="f")]


class WorksInFloat32(Affine):
    """Right: all of it holds seven digits."""

    def __init__(self, W, b):
        super().__init__(W.astype("f"), b.astype("f"))

    def forward(self, x):
        return super().forward(x.astype("f"))

    def backward(self, dout):
        return super().backward(dout.astype("f")).astype("f")


class RefusesFloat32(Square):
    """Right: it says so."""

    def forward(self, x):
        if x.dtype != np.float64:
            raise TypeError(f"expected float64, got {x.dtype}")
        return super().forward(x)


class BackwardWithoutForward(Affine):
    def __init__(self, W, b):
        super().__init__(W, b)
        self.x = np.zeros((1, len(W)))

    def backward(self, dout):
        x = self.x if len(self.x) == len(dout) else np.zeros((len(dout), self.x.shape[1]))
        self.grads[0][...] = x.T @ dout
        self.grads[1][...] = dout.sum(axis=0)
        return dout @ self.params[0].T


class Shift(Node):
    """Right: the gradient of x + 1 needs no forward."""

    def forward(self, x):
        return x + 1

    def backward(self, dout):
        return 1 * dout


class KeepsItsFirstInput(Square):
    x = None

    def forward(self, x):
        if self.x is None:
            self.x = x
        return x * x


class KeepsItsFirstMask(Square):
    mask = None

    def forward(self, x):
        if self.mask is None or self.mask.shape != x.shape:
            self.mask = x > 0
        self.x = x * (x > 0)
        return self.x**2

    def backward(self, dout):
        return 2 * np.abs(self.x) * dout * self.mask


class KeepsItsFirstBatchSize(Affine):
    rows = None

    def forward(self, x):
        self.rows = self.rows or len(x)
        return super().forward(x)

    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[1][...] = dout[: self.rows].sum(axis=0)
        return dx


class KeepsItsFirstSlope(Square):
    """Right for any number of forwards before the first backward."""

    slope = None

    def backward(self, dout):
        if self.slope is None:
            self.slope = 2 * self.x
        return dout * self.slope


class WorksOutItsSlopeOnce(KeepsItsFirstSlope):
    """Right: forward forgets the slope of the batch before."""

    def forward(self, x):
        self.slope = None
        return super().forward(x)


class ReadsTheOldestOfItsCache(Square):
    def __init__(self):
        super().__init__()
        self.cache = []

    def forward(self, x):
        self.cache.append(x)
        return x * x

    def backward(self, dout):
        return 2 * self.cache[0] * dout


class ReadsTheLatestOfItsCache(ReadsTheOldestOfItsCache):
    """Right, if wasteful."""

    def backward(self, dout):
        return 2 * self.cache[-1] * dout


class ClipsDout(Square):
    def backward(self, dout):
        return 2 * self.x * np.clip(dout, -50, 50)


class DropsSmallDouts(Square):
    def backward(self, dout):
        return 2 * self.x * np.where(np.abs(dout) < 1e-4, 0, dout)


class ReLU(Node):
    def forward(self, x):
        self.mask = x <= 0
        return np.where(self.mask, 0, x)

    def backward(self, dout):
        dx = dout.copy()
        dx[self.mask] = 0
        return dx


class BackwardWritesToDout(ReLU):
    def backward(self, dout):
        dout[self.mask] = 0
        return dout


class BackwardWritesToItsInput(Square):
    def backward(self, dout):
        self.x *= 2
        return self.x * dout


class CopiesWhatItChanges(Square):
    def forward(self, x):
        return super().forward(x.copy())

    def backward(self, dout):
        self.kept, self.x = self.x.copy(), self.x
        return 2 * self.x * dout


class LearnsInBackward(Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        for array, gradient in zip(self.params, self.grads, strict=True):
            array -= 0.1 * gradient
        return dx


class Accumulates(Affine):
    def backward(self, dout):
        self.grads[0] += self.x.T @ dout
        self.grads[1] += dout.sum(axis=0)
        return dout @ self.params[0].T


class AccumulatesOnPurpose(Accumulates):
    """Right: who has zero_grad is meant to be asked for it."""

    def zero_grad(self):
        for gradient in self.grads:
            gradient[...] = 0


class DenseOfAttributes:
    """Right: x W + b, both gradients set anew."""

    def __init__(self, W, b):
        self.W, self.b = W, b
        self.dW, self.db = np.zeros_like(W), np.zeros_like(b)
        self.x = None

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW[...] = self.x.T @ dout
        self.db[...] = dout.sum(axis=0)
        return dout @ self.W.T


class DenseThatAddsUpBoth(DenseOfAttributes):
    """Right: whoever steps with it clears both."""

    def backward(self, dout):
        self.dW += self.x.T @ dout
        self.db += dout.sum(axis=0)
        return dout @ self.W.T


class DenseThatAddsUpOne(DenseOfAttributes):
    def backward(self, dout):
        self.dW += self.x.T @ dout
        self.db[...] = dout.sum(axis=0)
        return dout @ self.W.T


class SumsWithinOneBackward(Affine):
    """Right: it begins at zero."""

    def backward(self, dout):
        for gradient in self.grads:
            gradient[...] = 0
        for x, d in zip(self.x, dout, strict=True):
            self.grads[0] += np.outer(x, d)
            self.grads[1] += d
        return dout @ self.params[0].T


class BackwardUsesUpItsCache(Square):
    def forward(self, x):
        self.slope = 2 * x
        return x * x

    def backward(self, dout):
        self.slope *= dout
        return 1 * self.slope


class BackwardPopsItsCache(ReadsTheLatestOfItsCache):
    def backward(self, dout):
        return 2 * self.cache.pop() * dout


class HandsOutItsBuffer(Affine):
    def forward(self, x):
        y = super().forward(x)
        if getattr(self, "out", np.zeros(0)).shape != y.shape:
            self.out = np.empty_like(y)
        self.out[...] = y
        return self.out


class Sum(Node):
    """y = a + b."""

    def forward(self, a, b):
        return a + b

    def backward(self, dout):
        return 1 * dout, 1 * dout


class HandsOutOneGradientTwice(Sum):
    def backward(self, dout):
        d = 1 * dout
        return d, d


class HandsOutItsParameter(Affine):
    """The bias, shown to whoever asks."""

    def __init__(self, b):
        self.params, self.grads = [b], [np.zeros_like(b)]

    def forward(self, x):
        self.x = x
        return self.params[0], x * x

    def backward(self, db, dy):
        self.grads[0][...] = db
        return 2 * self.x * dy


class HandsOutACopy(HandsOutItsParameter):
    def forward(self, x):
        b, y = super().forward(x)
        return b.copy(), y


class Flatten(Node):
    """A view of x and a view of dout: right, and harmless as long as nobody writes to them."""

    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dout):
        return dout.reshape(self.shape)


class FlattenForTwo(Flatten):
    """Two outputs that are one array."""

    def forward(self, x):
        y = super().forward(x)
        return y, y

    def backward(self, dout, other):
        return super().backward(dout + other)


class HalfSquare(Node):
    """A loss at the end of a net, which calls backward()."""

    def forward(self, x):
        self.x = x
        return (x * x).sum() / 2

    def backward(self, dout=1):
        return dout * self.x


class HalfSquareForNoDoutButOne(HalfSquare):
    def backward(self, dout=1):
        return 1 * self.x


class HalfSquareForTheSignOfDout(HalfSquare):
    def backward(self, dout=1):
        return math.copysign(1.0, dout) * self.x


class HalfSquareForTheSizeOfDout(HalfSquare):
    def backward(self, dout=1):
        return abs(dout) * self.x


class HalfSquareForNoDout(HalfSquare):
    def backward(self, dout):
        return 1 * self.x


class HalfSquareThatUsesUpItsCache(HalfSquare):
    def backward(self, dout=1):
        dx = self.x = dout * self.x / 2
        return 2 * dx


class BiasThatIsTakenAway(Node):
    """y = z - mean(z) with z = x + b: b has no effect, and its gradient is what rounding leaves of it."""

    def __init__(self, b):
        self.params, self.grads = [b], [np.zeros_like(b)]

    def forward(self, x):
        z = x + self.params[0]
        self.rows = len(z)
        return z - z.mean(axis=0)

    def backward(self, dout):
        dz = dout - dout.mean(axis=0)
        self.grads[0][...] = dz.sum(axis=0)
        return dz


class RebindsItsGrads(Affine):
    def backward(self, dout):
        self.grads = [self.x.T @ dout, dout.sum(axis=0)]
        return dout @ self.params[0].T


class RebindsOneOfItsGrads(Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[1] = dout.sum(axis=0)
        return dx


class MakesItsGradsInBackward(RebindsItsGrads):
    def __init__(self, W, b):
        super().__init__(W, b)
        self.grads = []


class BuildsLazily(Affine):
    """Right: parameters appear at the first forward, as its sizes do."""

    def __init__(self, size):
        self.size, self.params, self.grads = size, [], []

    def forward(self, x):
        if not self.params:
            rng = np.random.default_rng(0)
            super().__init__(rng.standard_normal((x.shape[1], self.size)), np.zeros(self.size))
        return super().forward(x)


class RebindsItsParams(Affine):
    def forward(self, x):
        self.params = [array.copy() for array in self.params]
        return super().forward(x)


class ListsACopyOfItsWeights(Affine):
    def __init__(self, W, b):
        super().__init__(W, b)
        self.W = W
        self.params[0] = W.copy()

    def forward(self, x):
        self.x = x
        return x @ self.W + self.params[1]


class Chain:
    """Two Affine layers, with the lists of both."""

    def __init__(self, W, b, V, c):
        self.first, self.second = Affine(W, b), Affine(V, c)
        self.collect()

    def collect(self):
        self.params = self.first.params + self.second.params
        self.grads = self.first.grads + self.second.grads

    def forward(self, x):
        return self.second.forward(self.first.forward(x))

    def backward(self, dout):
        return self.first.backward(self.second.backward(dout))


class LosesALayersParams(Chain):
    def collect(self):
        self.params, self.grads = self.first.params, self.first.grads


class CollectsGradsInAnotherOrder(Chain):
    def collect(self):
        super().collect()
        (W, b), (V, c) = self.first.grads, self.second.grads
        self.grads = [W, c, V, b] if b.shape == c.shape else [W, np.zeros_like(b), V, c]


class HoldsALayerThatRebinds(Chain):
    def __init__(self, W, b, V, c):
        self.first, self.second = RebindsItsGrads(W, b), Affine(V, c)
        self.collect()


class Residual(Chain):
    """Right: weights used twice, whose gradients the net adds up itself."""

    def __init__(self, W, b):
        self.first, self.second = Affine(W, b), Affine(W, b)
        self.params, self.grads = [W, b], [np.zeros_like(W), np.zeros_like(b)]

    def backward(self, dout):
        dx = super().backward(dout)
        for mine, one, two in zip(self.grads, self.first.grads, self.second.grads, strict=True):
            mine[...] = one + two
        return dx


def square_forward(x, w):
    return x * x * w, (x, w)


def square_backward(dout, cache):
    x, w = cache
    return 2 * x * w * dout, (x * x * dout).sum(axis=0)


def writing_forward(x, w):
    y = x * x * w
    kept = x.copy(), w.copy()
    x *= 0
    return y, kept


def using_up_backward(dout, cache):
    x, w = cache
    dw = (x * x * dout).sum(axis=0)
    x *= 2
    return x * w * dout, dw


def overwriting_backward(dout, cache):
    x, w = cache
    dw = (x * x * dout).sum(axis=0)
    dout *= w
    return 2 * x * dout, dw


SQUARE = {"x": "n d"}
AFFINE = {"W": "d h", "b": "h", "x": "n d"}
CHAIN = {"W": "d h", "b": "h", "V": "h k", "c": "k", "x": "n d"}
PAIR = {"x": "n d", "w": "d"}
pair = square_forward, square_backward

PROMISES = (
    Broken("GP501", "error", ForwardWritesToItsInput, Square, SQUARE),
    Broken("GP501", "error", (writing_forward, square_backward), pair, PAIR),
    Broken("GP502", "error", ForwardNormalisesItsWeights, Affine, AFFINE),
    Broken("GP503", "warning", ForwardCountsItsCalls, Stateful, SQUARE),
    Broken("GP503", "warning", ForwardCountsItsCalls, Dropping, SQUARE),
    Broken("GP504", "error", ReadsMemoryAsItLies, Square, SQUARE),
    Broken("GP504", "warning", FlattensByItsShape, SumsAlongMemory, SQUARE),
    Broken("GP505", "warning", OutputInFloat64, Square, SQUARE),
    Broken("GP505", "warning", OutputInFloat64, RefusesFloat32, SQUARE),
    Broken("GP507", "warning", GradientInFloat64, Square, SQUARE),
    Broken("GP507", "warning", ParameterGradientInFloat64, Affine, AFFINE),
    Broken("GP507", "warning", KeepsItsGradientsInFloat32, Affine, AFFINE),
    Broken("GP507", "warning", KeepsItsGradientsInFloat32, WorksInFloat32, AFFINE),
    Broken("GP506", "warning", BackwardWithoutForward, Affine, AFFINE),
    Broken("GP506", "warning", BackwardWithoutForward, Shift, AFFINE),
    Broken("GP508", "error", KeepsItsFirstInput, Square, SQUARE),
    Broken("GP508", "error", KeepsItsFirstMask, Square, SQUARE),
    Broken("GP508", "error", KeepsItsFirstSlope, WorksOutItsSlopeOnce, SQUARE),
    Broken("GP508", "error", KeepsItsFirstBatchSize, Affine, AFFINE),
    Broken("GP508", "error", ReadsTheOldestOfItsCache, ReadsTheLatestOfItsCache, SQUARE),
    Broken("GP509", "error", ClipsDout, Square, SQUARE),
    Broken("GP509", "error", DropsSmallDouts, Square, SQUARE),
    Broken("GP509", "warning", HalfSquareForNoDoutButOne, HalfSquare, SQUARE),
    Broken("GP509", "warning", HalfSquareForTheSignOfDout, HalfSquare, SQUARE),
    Broken("GP509", "warning", HalfSquareForTheSizeOfDout, HalfSquare, SQUARE),
    Broken("GP510", "warning", BackwardWritesToDout, ReLU, SQUARE),
    Broken("GP510", "warning", (square_forward, overwriting_backward), pair, PAIR),
    Broken("GP511", "error", BackwardWritesToItsInput, CopiesWhatItChanges, SQUARE),
    Broken("GP511", "error", (square_forward, using_up_backward), pair, PAIR),
    Broken("GP512", "error", LearnsInBackward, Affine, AFFINE),
    Broken("GP513", "error", Accumulates, SumsWithinOneBackward, AFFINE),
    Broken("GP513", "error", Accumulates, AccumulatesOnPurpose, AFFINE),
    Broken("GP513", "warning", DenseThatAddsUpOne, DenseOfAttributes, AFFINE),
    Broken("GP513", "warning", DenseThatAddsUpOne, DenseThatAddsUpBoth, AFFINE),
    Broken("GP514", "error", BackwardUsesUpItsCache, Square, SQUARE),
    Broken("GP514", "warning", HalfSquareThatUsesUpItsCache, HalfSquare, SQUARE),
    Broken("GP515", "warning", BackwardPopsItsCache, ReadsTheLatestOfItsCache, SQUARE),
    Broken("GP516", "warning", HandsOutOneGradientTwice, Sum, {"a": "n d", "b": "n d"}),
    Broken("GP516", "warning", HandsOutItsParameter, HandsOutACopy, {"b": "d", "x": "n d"}),
    Broken("GP516", "warning", FlattenForTwo, Flatten, {"x": "n c h"}),
    Broken("GP517", "warning", HandsOutItsBuffer, Affine, AFFINE),
    Broken("GP518", "error", RebindsItsGrads, Affine, AFFINE),
    Broken("GP518", "error", RebindsOneOfItsGrads, Affine, AFFINE),
    Broken("GP518", "error", MakesItsGradsInBackward, Affine, AFFINE),
    Broken("GP519", "error", RebindsItsParams, Affine, AFFINE),
    Broken("GP520", "error", ListsACopyOfItsWeights, Affine, AFFINE),
    Broken("GP521", "warning", LosesALayersParams, Chain, CHAIN),
    Broken("GP521", "error", CollectsGradsInAnotherOrder, Chain, CHAIN),
    Broken("GP521", "error", HoldsALayerThatRebinds, Chain, CHAIN),
    Broken("GP521", "error", HoldsALayerThatRebinds, Residual, CHAIN),
)
