"""Blocks and nets whose layers are joined wrongly, or of which one layer is wrong, each named after its bug."""

from collections import OrderedDict

import numpy as np

from faulty.activations import Relu, Sigmoid, Tanh
from faulty.affine import Affine, BiasGradientAveraged, InputGradientDoubled, TransposedSquareW
from faulty.base import Node, fault
from faulty.losses import LossWithoutBatchMean, SoftmaxWithLoss
from gradproof import labels


class NamedNet:
    """Affine, tanh, affine, softmax with loss, in an OrderedDict."""

    def __init__(self, W1, b1, W2, b2):
        self.layers = OrderedDict(affine1=self.first(W1, b1), tanh=Tanh(), affine2=self.second(W2, b2))
        self.last = self.loss()
        self.params = [p for layer in self.layers.values() for p in layer.params]
        self.grads = [g for layer in self.layers.values() for g in layer.grads]

    first = second = Affine
    loss = SoftmaxWithLoss

    def forward(self, x, t):
        for layer in self.layers.values():
            x = layer.forward(x)
        return self.last.forward(x, t)

    def backward(self, dout=1):
        dout = self.last.backward(dout)
        for layer in reversed(self.layers.values()):
            dout = layer.backward(dout)
        return dout


class NamedNetLossNotAveraged(NamedNet):
    loss = LossWithoutBatchMean


class NamedNetBiasAveraged(NamedNet):
    second = BiasGradientAveraged


class NamedNetSecondLayerDoublesDout(NamedNet):
    second = InputGradientDoubled


class NamedNetSecondLayerNotTransposed(NamedNet):
    second = TransposedSquareW


class NamedNetLossBackwardForgotten(NamedNet):
    def backward(self, dout=1):
        dout = dout * self.last.y
        for layer in reversed(self.layers.values()):
            dout = layer.backward(dout)
        return dout


class NamedNetActivationAfterTheSecondAffine(NamedNet):
    def backward(self, dout=1):
        dout = self.layers["tanh"].backward(self.last.backward(dout))
        dout = self.layers["affine2"].backward(dout)
        return self.layers["affine1"].backward(dout)


class NamedNetSortedByName(NamedNet):
    def backward(self, dout=1):
        dout = self.last.backward(dout)
        for name in sorted(self.layers, reverse=True):
            dout = self.layers[name].backward(dout)
        return dout


class Branches:
    """The sum of two branches over one input: tanh(x W1) + sigmoid(x W2)."""

    def __init__(self, W1, W2):
        self.params, self.grads = [W1, W2], [np.zeros_like(W1), np.zeros_like(W2)]
        self.left, self.right = Tanh(), Sigmoid()

    def forward(self, x):
        W1, W2 = self.params
        self.x = x
        return self.left.forward(np.matmul(x, W1)) + self.right.forward(np.matmul(x, W2))

    def backward(self, dout):
        W1, W2 = self.params
        da, db = self.left.backward(dout), self.right.backward(dout)
        self.grads[0][...], self.grads[1][...] = np.matmul(self.x.T, da), np.matmul(self.x.T, db)
        return self.joined(np.matmul(da, W1.T), np.matmul(db, W2.T))

    def joined(self, left, right):
        return left + right


class BranchesSecondOverwritesTheFirst(Branches):
    def joined(self, left, right):
        return right


class BranchesAveraged(Branches):
    def joined(self, left, right):
        return (left + right) / 2


class BranchesSubtracted(Branches):
    def joined(self, left, right):
        return left - right


class ResidualBlock:
    """y = x + relu(x W1 + b1) W2 + b2."""

    def __init__(self, W1, b1, W2, b2):
        self.layers = [Affine(W1, b1), Relu(), Affine(W2, b2)]
        self.params = [p for layer in self.layers for p in layer.params]
        self.grads = [g for layer in self.layers for g in layer.grads]

    def forward(self, x):
        out = x
        for layer in self.layers:
            out = layer.forward(out)
        return x + out

    def backward(self, dout):
        return dout + self.through(dout)

    def through(self, dout):
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout


class ResidualBlockShortcutLost(ResidualBlock):
    def backward(self, dout):
        return self.through(dout)


class ResidualBlockBranchLost(ResidualBlock):
    def backward(self, dout):
        self.through(dout)
        return dout.copy()


class ResidualBlockReluSkipped(ResidualBlock):
    def through(self, dout):
        return self.layers[0].backward(self.layers[2].backward(dout))


class TiedAutoencoder:
    """x -> tanh(x W) W^T, with one matrix W for both ways."""

    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, x):
        (W,) = self.params
        self.x, self.code = x, np.tanh(np.matmul(x, W))
        return np.matmul(self.code, W.T)

    def backward(self, dout):
        (W,) = self.params
        da = np.matmul(dout, W) * (1 - self.code**2)
        self.grads[0][...] = self.joined(np.matmul(self.x.T, da), np.matmul(dout.T, self.code))
        return np.matmul(da, W.T)

    def joined(self, encoder, decoder):
        return encoder + decoder


class TiedAutoencoderOfTheEncoderAlone(TiedAutoencoder):
    def joined(self, encoder, decoder):
        return encoder


class TiedAutoencoderOfTheDecoderAlone(TiedAutoencoder):
    def joined(self, encoder, decoder):
        return decoder


class SquareOfAffine(Node):
    """Two inputs, one of them used twice: y = x * x + x * z."""

    def forward(self, x, z):
        self.x, self.z = x, z
        return x * x + x * z

    def backward(self, dout):
        return dout * (2 * self.x + self.z), dout * self.x


class SharedInputCountedOnce(SquareOfAffine):
    def backward(self, dout):
        return dout * (self.x + self.z), dout * self.x


NET = {"W1": "i h", "b1": "h", "W2": "h o", "b2": "o", "x": "n i", "t": labels("n", "o")}
EVEN = {"W1": "d d", "b1": "d", "W2": "d d", "b2": "d", "x": "n d", "t": labels("n", "d")}
BLOCK = {"W1": "d h", "b1": "h", "W2": "h d", "b2": "d", "x": "n d"}
TWO = {"W1": "d h", "W2": "d h", "x": "n d"}
DROPPED, SHARED = "a branch dropped", "shared gradients not added"
ORDER, SKIPPED = "layers in the wrong order", "a layer skipped"
ALL = "x W1 b1 W2 b2"
FAULTS = (
    fault(NamedNetLossNotAveraged, NamedNet, ALL, "one layer wrong", "missing mean over the batch", **NET),
    fault(NamedNetBiasAveraged, NamedNet, "b2", "one layer wrong", "extra mean over the batch", **NET),
    fault(NamedNetSecondLayerDoublesDout, NamedNet, "x W1 b1", "one layer wrong", "constant factor", **NET),
    fault(NamedNetSecondLayerNotTransposed, NamedNet, "x W1 b1", "one layer wrong", "transpose", **EVEN),
    fault(NamedNetLossBackwardForgotten, NamedNet, ALL, SKIPPED, **NET),
    fault(NamedNetActivationAfterTheSecondAffine, NamedNet, ALL, ORDER, **EVEN),
    fault(NamedNetSortedByName, NamedNet, ALL, ORDER, **EVEN),
    fault(
        BranchesSecondOverwritesTheFirst,
        Branches,
        "x",
        "overwritten, not added",
        DROPPED,
        SHARED,
        "a term missing",
        **TWO,
    ),
    fault(BranchesAveraged, Branches, "x", "constant factor", **TWO),
    fault(BranchesSubtracted, Branches, "x", "sign", SHARED, **TWO),
    fault(ResidualBlockShortcutLost, ResidualBlock, "x", DROPPED, SHARED, "a term missing", **BLOCK),
    fault(ResidualBlockBranchLost, ResidualBlock, "x", DROPPED, SHARED, "a term missing", **BLOCK),
    fault(ResidualBlockReluSkipped, ResidualBlock, "x W1 b1", SKIPPED, "a factor left out", **BLOCK),
    fault(TiedAutoencoderOfTheEncoderAlone, TiedAutoencoder, "W", SHARED, "a term missing", W="d h", x="n d"),
    fault(TiedAutoencoderOfTheDecoderAlone, TiedAutoencoder, "W", SHARED, "a term missing", W="d h", x="n d"),
    fault(SharedInputCountedOnce, SquareOfAffine, "x", SHARED, "a term missing", "constant factor", x="n d", z="n d"),
)
