"""Blocks, networks and stochastic layers that are wrong on purpose, each named after its bug."""

import numpy as np

from faulty.activations import Sigmoid
from faulty.affine import Affine
from faulty.base import Node, fault
from faulty.losses import SoftmaxWithLoss
from gradproof import labels, size


class Net:
    """Affine, sigmoid, affine, softmax with loss."""

    def __init__(self, W1, b1, W2, b2):
        self.layers = [Affine(W1, b1), Sigmoid(), Affine(W2, b2)]
        self.loss = SoftmaxWithLoss()
        self.params = [p for layer in self.layers for p in layer.params]
        self.grads = self.gathered()

    def gathered(self):
        return [g for layer in self.layers for g in layer.grads]

    def forward(self, x, t):
        for layer in self.layers:
            x = layer.forward(x)
        return self.loss.forward(x, t)

    def backward(self, dout=1):
        dout = self.loss.backward(dout)
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout


class LayersChainedInForwardOrder(Net):
    def backward(self, dout=1):
        dout = self.loss.backward(dout)
        for layer in self.layers:
            dout = layer.backward(dout)
        return dout


class ActivationSkippedInBackward(Net):
    def backward(self, dout=1):
        dout = self.loss.backward(dout)
        for layer in (self.layers[2], self.layers[0]):
            dout = layer.backward(dout)
        return dout


class LossGradientNotPassedOn(Net):
    def backward(self, dout=1):
        self.loss.backward(dout)
        dout = np.ones_like(self.loss.y)
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout


class DoutNotHandedToTheLoss(Net):
    def backward(self, dout):
        return super().backward()


class FirstLayerNeverReached(Net):
    def backward(self, dout=1):
        dout = self.loss.backward(dout)
        for layer in reversed(self.layers[1:]):
            dout = layer.backward(dout)
        return np.matmul(dout, self.params[0].T)


class LayersGradientsSwapped(Net):
    def gathered(self):
        return [g for layer in reversed(self.layers) for g in layer.grads]


class LostLayerGradient(Net):
    def gathered(self):
        return [*self.layers[0].grads, *self.layers[0].grads]


class TwoLayerNet(Net):
    """The same, built from sizes."""

    def __init__(self, input_size, hidden_size, output_size):
        shapes = [(input_size, hidden_size), (hidden_size,), (hidden_size, output_size), (output_size,)]
        rng = np.random.default_rng(5)
        super().__init__(*(rng.standard_normal(shape) for shape in shapes))


class TwoLayerNetAveragedTwice(TwoLayerNet):
    def backward(self, dout=1):
        return super().backward(dout / len(self.loss.t))


class Siamese:
    """The difference of two inputs' scores by the same weights."""

    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, x, y):
        self.caches = [np.tanh(np.matmul(v, self.params[0])) for v in (x, y)]
        self.inputs = [x, y]
        return self.caches[0] - self.caches[1]

    def backward(self, dout):
        da = [sign * dout * (1 - a**2) for sign, a in zip((1, -1), self.caches, strict=True)]
        self.grads[0][...] = sum(np.matmul(v.T, d) for v, d in zip(self.inputs, da, strict=True))
        return tuple(np.matmul(d, self.params[0].T) for d in da)


class SharedCacheOverwritten(Siamese):
    def forward(self, x, y):
        out = super().forward(x, y)
        self.caches[0] = self.caches[1]  # the slip: one layer object, one cache, two calls
        self.inputs[0] = self.inputs[1]
        return out


class SharedWeightsGradientOverwritten(Siamese):
    def backward(self, dout):
        dx, dy = super().backward(dout)
        self.grads[0][...] = np.matmul(self.inputs[1].T, -dout * (1 - self.caches[1] ** 2))
        return dx, dy


class Residual(Node):
    """y = x + relu(x)."""

    def forward(self, x):
        self.mask = x <= 0
        return x + np.maximum(x, 0)

    def backward(self, dout):
        through = dout.copy()
        through[self.mask] = 0
        return through + dout


class SkipConnectionForgotten(Residual):
    def backward(self, dout):
        through = dout.copy()
        through[self.mask] = 0
        return through


class DoutOverwrittenInPlace(Residual):
    def backward(self, dout):
        through = dout
        through[self.mask] = 0
        return through + dout


class Recurrence:
    """h_t = tanh(a h_{t-1} + x_t) over the columns of x (n, t), with one weight a (1,)."""

    def __init__(self, a):
        self.params, self.grads = [a], [np.zeros_like(a)]

    def forward(self, x):
        h = [np.zeros(len(x), x.dtype)]
        for t in range(x.shape[1]):
            h.append(np.tanh(self.params[0] * h[-1] + x[:, t]))
        self.h = np.array(h)
        return self.h[1:].T.copy()

    def backward(self, dout):
        dx, dh, self.grads[0][...] = np.zeros_like(dout), 0.0, 0.0
        for t in reversed(range(dout.shape[1])):
            dx[:, t] = (dout[:, t] + dh) * (1 - self.h[t + 1] ** 2)
            self.grads[0][...] = self.collected(dx[:, t] @ self.h[t])
            dh = self.carried(dx[:, t])
        return dx

    def collected(self, da):
        return self.grads[0] + da

    def carried(self, da):
        return da * self.params[0]


class TimeNotCarriedBack(Recurrence):
    def carried(self, da):
        return np.zeros_like(da)


class CarriedWithoutTheWeight(Recurrence):
    def carried(self, da):
        return da


class OneTimeStepOnly(Recurrence):
    def collected(self, da):
        return da


class Dropout(Node):
    """Keeps three quarters of the entries, scaled up in training; the mask comes from the global generator."""

    def forward(self, x):
        kept = np.random.rand(*x.shape) < 0.75  # noqa: NPY002  as layers by hand do
        self.mask = kept.astype(x.dtype) / 0.75
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


class DropoutScaleForgotten(Dropout):
    def backward(self, dout):
        return dout * (self.mask > 0)


class DropoutMaskRedrawn(Dropout):
    def backward(self, dout):
        return dout * (np.random.rand(*dout.shape) < 0.75) / 0.75  # noqa: NPY002  the slip


NET = {"W1": "i h", "b1": "h", "W2": "h o", "b2": "o", "x": "n i", "t": labels("n", "o")}
EVEN = {"W1": "d d", "b1": "d", "W2": "d d", "b2": "d", "x": "n d", "t": labels("n", "d")}
SIZES = {"input_size": size("i"), "hidden_size": size("h"), "output_size": size("o"), "x": "n i", "t": labels("n", "o")}
EVERY = "x params[0] params[1] params[2] params[3]"
SIAMESE = {"W": "d h", "x": "n d", "y": "n d"}
FAULTS = (
    fault(LayersChainedInForwardOrder, Net, "x W1 b1 W2 b2", "layers in the wrong order", **EVEN),
    fault(ActivationSkippedInBackward, Net, "x W1 b1", "a layer skipped", "a factor left out", **NET),
    fault(LossGradientNotPassedOn, Net, "x W1 b1 W2 b2", "ignores dout", "a layer skipped", **NET),
    fault(DoutNotHandedToTheLoss, Net, "x W1 b1 W2 b2", "ignores dout", **NET),
    fault(FirstLayerNeverReached, Net, "W1 b1", "never written", "a layer skipped", **NET),
    fault(LayersGradientsSwapped, Net, "W1 b1 W2 b2", "gradients swapped", "lists out of step", **EVEN),
    fault(LostLayerGradient, Net, "W2 b2", "lists out of step", "gradients swapped", "never written", **EVEN),
    fault(TwoLayerNetAveragedTwice, TwoLayerNet, EVERY, "extra mean over the batch", "constant factor", **SIZES),
    fault(SharedCacheOverwritten, Siamese, "x W", "stale cache", **SIAMESE),
    fault(
        SharedWeightsGradientOverwritten,
        Siamese,
        "W",
        "overwritten, not added",
        "shared gradients not added",
        "not summed",
        "a term missing",
        **SIAMESE,
    ),
    fault(SkipConnectionForgotten, Residual, "x", "a branch dropped", "a term missing", x="n d"),
    fault(DoutOverwrittenInPlace, Residual, "x", "mutates", "one region of values wrong", x="n d"),
    fault(TimeNotCarriedBack, Recurrence, "x a", "not carried through time", "a term missing", a="1", x="n t"),
    fault(CarriedWithoutTheWeight, Recurrence, "x a", "not carried through time", "a factor left out", a="1", x="n t"),
    fault(OneTimeStepOnly, Recurrence, "a", "overwritten, not added", "not summed", a="1", x="n t"),
    fault(DropoutScaleForgotten, Dropout, "x", "constant factor", "a factor left out", x="n d"),
    fault(DropoutMaskRedrawn, Dropout, "x", "stale cache", "the wrong operand", x="n d"),
)
